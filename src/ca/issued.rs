//! What was issued to one host, newest last: nothing is forgotten, since what is forgotten cannot be revoked.

use super::Error;
use super::certificate::LIFETIME;
use super::store::Store;
use super::subject::Subject;
use crate::model::Name;
use crate::told::days_left;
use serde::{Deserialize, Serialize};

/// Below the store, a file per host.
const DIRECTORY: &str = "issued";

/// One certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// Hexadecimal, as `openssl x509 -serial` prints it.
    pub serial: String,
    /// Seconds since 1970.
    pub not_after: u64,
    /// The names it is good for.
    pub names: Vec<String>,
    /// Whether a server can pass streams on with it.
    #[serde(default)]
    pub sends: bool,
    pub pem: String,
    /// When it was revoked. Seconds since 1970.
    pub revoked: Option<u64>,
    /// The next deploy replaces it, whatever its age.
    pub renew: bool,
}

/// How things stand with a host's newest certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Good,
    /// The next deploy renews it: a third of its life is left, it is for other addresses or another use, or somebody asked for it.
    Due,
    Expired,
    /// The host gets no other until somebody asks for it.
    Revoked,
}

impl Issued {
    /// `subject`: what it should be good for, if that is known.
    pub fn standing(&self, subject: Option<&Subject>, now: u64) -> Standing {
        if self.renew {
            return Standing::Due;
        }
        if self.revoked.is_some() {
            return Standing::Revoked;
        }
        let other = subject.is_some_and(|s| s.names != self.names || s.sends != self.sends);
        match self.not_after.saturating_sub(now) {
            0 => Standing::Expired,
            left if left <= LIFETIME / 3 || other => Standing::Due,
            _ => Standing::Good,
        }
    }

    /// Whole days until it ends; none after it.
    pub fn days_left(&self, now: u64) -> u64 {
        days_left(self.not_after, now)
    }
}

pub(super) fn load(store: &Store, host: &Name) -> Result<Vec<Issued>, Error> {
    let name = file(host);
    let Some(text) = store.read_secret(&name)? else {
        return Ok(Vec::new());
    };
    serde_json::from_str(&text).map_err(|e| store.damaged(&name, e))
}

pub(super) fn save(store: &Store, host: &Name, issued: &[Issued]) -> Result<(), Error> {
    let name = file(host);
    let text = serde_json::to_string_pretty(issued).map_err(|e| store.damaged(&name, e))?;
    store.write(&name, &format!("{text}\n"))
}

/// All hosts that ever got one, in the order of their names.
pub(super) fn hosts(store: &Store) -> Result<Vec<Name>, Error> {
    let names = store.names(DIRECTORY)?;
    Ok(names
        .iter()
        .filter_map(|n| Name::new(n.strip_suffix(".json")?))
        .collect())
}

fn file(host: &Name) -> String {
    format!("{DIRECTORY}/{host}.json")
}
