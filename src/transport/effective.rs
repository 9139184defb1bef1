//! The user's effective ssh settings for a host: what `ssh -G` says, overlaid by what the inventory says.
//!
//! `ssh -G` resolves Host, Match (also `Match exec`), Include and canonical names; so none of that is parsed here.
//! Without an ssh program the defaults of OpenSSH hold. Knows no SSH library; connects nowhere.

mod report;

use super::Error;
use crate::model::Ssh;
use report::Report;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;

/// Longest chain of jump hosts followed, so that a circle in the configuration ends.
const MAX_JUMPS: usize = 8;

/// What a connection to one host is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    /// What the user calls the host.
    pub(super) alias: String,
    /// Name or address to connect to.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    /// Private key files in the order to offer them; those of the default list may not exist.
    pub(super) identities: Vec<PathBuf>,
    /// Offer no key of the agent that is not one of `identities`.
    pub(super) identities_only: bool,
    /// The agent's socket.
    pub(super) agent: Option<PathBuf>,
    /// Known-hosts files: the user's own first.
    pub(super) known_hosts: Vec<PathBuf>,
    /// Looked up in the known-hosts files instead of host and port.
    pub(super) host_key_alias: Option<String>,
    /// The host to go through, with its own settings.
    pub(super) jump: Option<Box<Settings>>,
    /// What the connection goes through instead, with its tokens as they stand. Only OpenSSH can run it.
    pub(super) proxy_command: Option<String>,
    obstacles: Vec<Obstacle>,
}

/// A setting that only the user's own ssh can honour.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Obstacle {
    what: String,
    /// Only a way to prove who the user is: of no interest where a password does that.
    login_only: bool,
}

impl Settings {
    /// The first setting, of this host or of a jump host, that only OpenSSH can honour.
    pub(super) fn obstacle(&self, password: bool) -> Option<String> {
        let own = self
            .obstacles
            .iter()
            .find(|o| !(password && o.login_only))
            .map(|o| o.what.clone());
        own.or_else(|| {
            let jump = self.jump.as_ref()?;
            // the password is the host's, not the jump host's
            jump.obstacle(false)
                .map(|what| format!("jump host {}: {what}", jump.alias))
        })
    }

    /// Where the server is, as seen from here: settings with one place lead to one server.
    pub(super) fn place(&self) -> String {
        let own = format!("{}:{}", self.host.to_lowercase(), self.port);
        match &self.jump {
            Some(jump) => format!("{own} by {}", jump.place()),
            None => own,
        }
    }

    /// What the known-hosts files call this host.
    pub(super) fn known_name(&self) -> String {
        match &self.host_key_alias {
            Some(alias) => alias.to_lowercase(),
            None if self.port == 22 => self.host.to_lowercase(),
            None => format!("[{}]:{}", self.host.to_lowercase(), self.port),
        }
    }

    /// What they may call it too, where they do not know it by [`Settings::known_name`]. An alias has no second name: it is
    /// there to tell apart what shares an address, and any of these may be known by the address.
    pub(super) fn known_name_without_port(&self) -> Option<String> {
        (self.host_key_alias.is_none() && self.port != 22).then(|| self.host.to_lowercase())
    }

    /// Where the user keeps accepted host keys.
    pub(super) fn own_known_hosts(&self) -> PathBuf {
        self.known_hosts
            .first()
            .cloned()
            .unwrap_or_else(|| PathBuf::from("~/.ssh/known_hosts"))
    }
}

/// Refuses what ssh would take for an option, or a shell for more than one word.
pub(super) fn check_address(ssh: &Ssh) -> Result<(), Error> {
    let check = |what, text: &str| {
        let odd = |c: char| c.is_whitespace() || c.is_control() || "'\"`$\\;&<>|(){}".contains(c);
        if text.is_empty() || text.starts_with('-') || text.contains(odd) {
            return Err(Error::BadAddress {
                what,
                text: text.to_owned(),
            });
        }
        Ok(())
    };
    check("host", &ssh.host)?;
    ssh.user.iter().try_for_each(|user| check("user", user))?;
    ssh.jump
        .iter()
        .flat_map(|jump| jump.split(','))
        .try_for_each(|hop| check("jump host", hop))
}

/// The settings for one host of the inventory.
///
/// # Errors
/// [`Error::SshConfiguration`] if `ssh -G` finds fault with it, [`Error::IdentityUnreadable`] if the inventory names a
/// key file that cannot be read.
pub(super) async fn settings(ssh: &Ssh, config: Option<&Path>) -> Result<Settings, Error> {
    if let Some(file) = &ssh.identity {
        std::fs::File::open(file).map_err(|e| Error::IdentityUnreadable {
            file: file.clone(),
            cause: e.to_string(),
        })?;
    }
    let asked = Asked {
        host: ssh.host.clone(),
        user: ssh.user.clone(),
        port: ssh.port,
        identity: ssh.identity.clone(),
        jump: ssh.jump.clone(),
    };
    resolve(asked, config, MAX_JUMPS).await
}

/// What the inventory, or a ProxyJump, says of one host.
struct Asked {
    host: String,
    user: Option<String>,
    port: Option<u16>,
    identity: Option<PathBuf>,
    jump: Option<String>,
}

impl Asked {
    /// One hop of a ProxyJump: `[user@]host[:port]` or `ssh://…`. `before` are the hops before it.
    fn hop(text: &str, before: Option<String>) -> Asked {
        let text = text.strip_prefix("ssh://").unwrap_or(text).trim_end_matches('/');
        let (user, rest) = match text.rsplit_once('@') {
            Some((user, rest)) => (Some(user.to_owned()), rest),
            None => (None, text),
        };
        let (host, port) = match rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => match rest.split_once(':') {
                // a bare IPv6 address has more than one colon
                Some((host, port)) if !port.contains(':') => (host, Some(port)),
                _ => (rest, None),
            },
        };
        let port = port.and_then(|p| p.parse().ok());
        Asked {
            host: host.to_owned(),
            user,
            port,
            identity: None,
            jump: before,
        }
    }

    /// Arguments for `ssh -G`.
    fn arguments(&self, config: Option<&Path>) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["-G".into()];
        let mut option = |flag: &str, value: OsString| arguments.extend([flag.into(), value]);
        if let Some(file) = config {
            option("-F", file.into());
        }
        if let Some(user) = &self.user {
            option("-l", user.into());
        }
        if let Some(port) = self.port {
            option("-p", port.to_string().into());
        }
        if let Some(jump) = &self.jump {
            option("-J", jump.into());
        }
        if let Some(file) = &self.identity {
            option("-i", file.into());
            option("-o", "IdentitiesOnly=yes".into());
        }
        arguments.extend(["--".into(), self.host.clone().into()]);
        arguments
    }
}

async fn resolve(asked: Asked, config: Option<&Path>, jumps_left: usize) -> Result<Settings, Error> {
    let report = match ask_ssh(&asked, config).await? {
        Some(text) => Report::parse(&text),
        None => Report::defaults(),
    };
    let mut settings = report.settings(&asked, &Surroundings::here());
    if let Some(chain) = asked.jump.clone().or_else(|| report.jump()) {
        let faulty = |cause: &str| Error::SshConfiguration {
            host: asked.host.clone(),
            cause: cause.to_owned(),
        };
        let left = jumps_left
            .checked_sub(1)
            .ok_or_else(|| faulty("too many jump hosts, or a circle of them"))?;
        let hop = match chain.rsplit_once(',') {
            Some((before, last)) => Asked::hop(last, Some(before.to_owned())),
            None => Asked::hop(&chain, None),
        };
        settings.jump = Some(Box::new(Box::pin(resolve(hop, config, left)).await?));
    }
    Ok(settings)
}

/// What `ssh -G` answers; `None` without an ssh program.
async fn ask_ssh(asked: &Asked, config: Option<&Path>) -> Result<Option<String>, Error> {
    let output = Command::new("ssh")
        .args(asked.arguments(config))
        .stdin(Stdio::null())
        .output()
        .await;
    let output = match output {
        Ok(output) => output,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => {
            return Err(Error::Here {
                attempted: "starting ssh -G",
                cause: e.to_string(),
            });
        }
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let told: Vec<&str> = said.lines().filter(|l| !l.starts_with("Pseudo-terminal")).collect();
        return Err(Error::SshConfiguration {
            host: asked.host.clone(),
            cause: told.join("; "),
        });
    }
    Ok(Some(String::from_utf8_lossy(&output.stdout).into_owned()))
}

/// What of this machine and its user the settings depend on.
struct Surroundings {
    home: PathBuf,
    user: String,
    variable: fn(&str) -> Option<String>,
    exists: fn(&Path) -> bool,
    read: fn(&Path) -> Option<String>,
}

impl Surroundings {
    fn here() -> Surroundings {
        let variable = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
        Surroundings {
            home: std::env::home_dir().unwrap_or_default(),
            user: variable("USER")
                .or_else(|| variable("LOGNAME"))
                .unwrap_or_else(|| "root".to_owned()),
            variable,
            exists: |path| path.exists(),
            read: |path| std::fs::read_to_string(path).ok(),
        }
    }
}
