//! What one host shall be. Pure data: made by the deployer without asking the host, applied by the agent.

use crate::Build;
use serde::{Deserialize, Serialize};

/// What `pistream-agent apply` reads from stdin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplyRequest {
    pub mode: Mode,
    /// Ask for unified diffs of the files that differ (never of a secret one).
    pub diff: bool,
    /// Stop and disable other services that have this host's camera, or are known to take it. Without it a deploy is
    /// refused while one has it.
    pub stop_others: bool,
    pub plan: Plan,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Make it so, as one transaction.
    Apply,
    /// Compare only; nothing on the host changes.
    Check,
}

/// Everything pistream wants of one host. What an earlier plan put there and this one no longer names is removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The host's name in the inventory (for messages).
    pub host: String,
    /// All missing ones are installed in one call, without recommended packages.
    pub packages: Vec<Package>,
    /// Programs that are built where they are not there yet, after the packages.
    pub builds: Vec<Build>,
    pub users: Vec<User>,
    /// In order: a parent stands before its children.
    pub directories: Vec<Directory>,
    pub files: Vec<File>,
    /// Run on the staged files before any of them is committed.
    pub checks: Vec<Check>,
    /// In the order in which they are to start.
    pub units: Vec<Unit>,
    /// Who this host is to the rest of the fleet; `None` where it needs no certificate.
    pub identity: Option<Identity>,
}

/// The key and certificate by which others know this host. The key is made on the host and never leaves it; what the host
/// hands out is a request ([`crate::Event::Certify`]), what it gets is an [`crate::Answer`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The file that holds both, so that they can only change together: PKCS#8 key, then certificate, PEM. Mode 0600.
    pub path: String,
    /// Its owner, and by name its group.
    pub owner: String,
    /// The certificate that shall be there, PEM. `None`, or one that is not for the key on the host: the host makes a new
    /// key and asks for a certificate.
    pub certificate: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    pub name: String,
    /// Units this package would enable and start by itself, and that pistream does not want (Debian's nginx serves a
    /// page on port 80): kept off if the package is installed by us, left alone if it was there before.
    pub keep_off: Vec<String>,
}

/// A system user: no password, no login shell, no home of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub name: String,
    /// Supplementary groups; each must exist on the host (groups the host lacks are an error).
    pub groups: Vec<String>,
    /// Further supplementary groups, left out where the host lacks them.
    pub groups_if_there: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    pub path: String,
    /// Permission bits, e.g. `0o750`.
    pub mode: u32,
    pub owner: String,
    pub group: String,
    /// Left in place, contents and all, when a later plan no longer names it (recordings).
    pub keep: bool,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    pub path: String,
    /// Permission bits, e.g. `0o640`.
    pub mode: u32,
    pub owner: String,
    pub group: String,
    pub content: String,
    /// Holds a secret: its content never shows in a diff, a log or an error.
    pub secret: bool,
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let content = if self.secret { "<secret>" } else { &self.content };
        f.debug_struct("File")
            .field("path", &self.path)
            .field("mode", &format_args!("{:04o}", self.mode))
            .field("owner", &self.owner)
            .field("group", &self.group)
            .field("content", &content)
            .finish()
    }
}

/// A check of files that are staged but not yet committed.
///
/// The agent makes a private directory, puts the named files into it under their base names (the staged version where
/// one is staged, else the one in place), replaces `{dir}` in every argument by that directory and runs the command with
/// that directory as its working directory.
/// Exit status 0 passes. Run only when at least one of `files` is about to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What is being checked, for messages: "nginx configuration".
    pub name: String,
    pub files: Vec<String>,
    pub command: Vec<String>,
    /// Words of the command that old versions of the program do not know (`--recursive-errors=no`): left out where its
    /// `--help` does not name them.
    pub optional: Vec<String>,
}

/// A systemd unit that shall be enabled and running. Its unit file is one of the plan's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    pub name: String,
    /// A change of one of these paths restarts the unit.
    pub restart_on: Vec<String>,
    /// A change of one of these paths reloads it (unless it restarts anyway).
    pub reload_on: Vec<String>,
}
