//! The secrets a fleet names, fetched from where they lie.
//!
//! All or nothing: either every source could be read, or an error names every one that could not. Nothing here writes a
//! secret anywhere; whoever needs one has to say `expose`.

mod source;

use std::collections::BTreeMap;
use std::fmt;

use crate::model::{Fleet, Secret, Ssh};

/// A secret in clear. Never shows in `Debug`, and has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Clear(String);

impl Clear {
    pub fn new(text: impl Into<String>) -> Clear {
        Clear(text.into())
    }

    /// The secret itself: for the wire or a file of mode 0600, never for an argument, a log or an error.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Clear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// One secret, when it is needed and not before.
///
/// # Errors
/// What is wrong with its source, and what to do.
pub fn fetch(secret: &Secret) -> Result<Clear, String> {
    source::fetch(secret).map_err(|error| error.to_string())
}

/// Every secret of a fleet, or placeholders.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    fetched: BTreeMap<Secret, Clear>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("secrets are missing; nothing was touched{}", list(.0))]
    Fetch(Vec<Missing>),
}

/// A source that gave no secret.
#[derive(Debug, PartialEq, Eq)]
pub struct Missing {
    /// Where the inventory asks for it: "cameras.porch.ssh.password".
    pub places: Vec<String>,
    /// What is wrong with the source, and what to do.
    pub cause: String,
}

fn list(missing: &[Missing]) -> String {
    missing.iter().map(|missing| format!("\n  {missing}")).collect()
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.places.as_slice() {
            [] => f.write_str(&self.cause),
            [place] => write!(f, "{place}: {}", self.cause),
            [first, rest @ ..] => write!(f, "{first} (and {} more): {}", rest.len(), self.cause),
        }
    }
}

impl Secrets {
    /// For rendering without secrets: every one reads `secret-env-NAME` or the like.
    pub fn placeholders() -> Secrets {
        Secrets::default()
    }

    /// Fetches every secret that deploying the fleet takes, each source once. The passphrase of its authority is none of
    /// them: most runs sign nothing.
    ///
    /// # Errors
    /// All sources that gave none, with their places in the inventory: a variable not set, a file not readable, a
    /// command that failed or took longer than 10 s, an empty secret, one with a line break or control character in it.
    pub fn resolve(fleet: &Fleet) -> Result<Secrets, Error> {
        let mut wanted: BTreeMap<&Secret, Vec<String>> = BTreeMap::new();
        for (place, secret) in named(fleet) {
            wanted.entry(secret).or_default().push(place);
        }
        // commands may take seconds each (a vault, a password store): side by side
        let results: Vec<_> = std::thread::scope(|scope| {
            let running: Vec<_> = wanted
                .into_iter()
                .map(|(secret, places)| (secret, places, scope.spawn(|| source::fetch(secret))))
                .collect();
            running
                .into_iter()
                .map(|(secret, places, thread)| (secret, places, thread.join()))
                .collect()
        });
        let mut fetched = BTreeMap::new();
        let mut missing = Vec::new();
        for (secret, places, result) in results {
            match result {
                Ok(Ok(clear)) => {
                    fetched.insert(secret.clone(), clear);
                }
                Ok(Err(error)) => missing.push(Missing {
                    places,
                    cause: error.to_string(),
                }),
                Err(_) => missing.push(Missing {
                    places,
                    cause: "fetching it was given up".to_owned(),
                }),
            }
        }
        if missing.is_empty() {
            Ok(Secrets { fetched })
        } else {
            Err(Error::Fetch(missing))
        }
    }

    /// The secret, or its placeholder where it was not fetched.
    pub fn text(&self, secret: &Secret) -> Clear {
        self.fetched.get(secret).cloned().unwrap_or_else(|| placeholder(secret))
    }
}

/// Every secret of the fleet and its place in the inventory.
fn named(fleet: &Fleet) -> Vec<(String, &Secret)> {
    fn of_ssh<'a>(kind: &str, name: &str, ssh: &'a Ssh) -> impl Iterator<Item = (String, &'a Secret)> {
        let keys = [("password", &ssh.password), ("sudo_password", &ssh.sudo_password)];
        let place = format!("{kind}.{name}.ssh");
        keys.into_iter()
            .filter_map(move |(key, secret)| Some((format!("{place}.{key}"), secret.as_ref()?)))
    }
    let mut named = Vec::new();
    for server in &fleet.servers {
        named.extend(of_ssh("servers", server.name.as_str(), &server.ssh));
    }
    for camera in &fleet.cameras {
        named.extend(of_ssh("cameras", camera.name.as_str(), &camera.ssh));
        let keys = camera.restream.iter().enumerate().filter_map(|(at, target)| {
            Some((
                format!("cameras.{}.restream[{at}].key", camera.name),
                target.key.as_ref()?,
            ))
        });
        named.extend(keys);
    }
    let passwords = fleet
        .viewers
        .iter()
        .map(|v| (format!("viewers.{}.password", v.name), &v.password));
    named.extend(passwords);
    named
}

/// Stands for a secret in rendered files: of `A-Za-z0-9_.-` only, so that it is harmless in every format.
fn placeholder(secret: &Secret) -> Clear {
    let (kind, source) = match secret {
        Secret::Env(name) => ("env", name.clone()),
        Secret::File(path) => (
            "file",
            path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        ),
        Secret::Command(command) => ("command", command.clone()),
    };
    let harmless = |c: char| {
        if c.is_ascii_alphanumeric() || "_.-".contains(c) {
            c
        } else {
            '-'
        }
    };
    let source: String = source.chars().take(60).map(harmless).collect();
    Clear(format!("secret-{kind}-{source}"))
}

#[cfg(test)]
mod tests;
