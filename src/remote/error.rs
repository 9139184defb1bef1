//! Why a conversation with a host's agent failed; what the user can do next is [`Error::help`].

use super::script::PROMPT;
use crate::{assets, transport};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Transport(#[from] transport::Error),
    #[error(transparent)]
    Agent(#[from] assets::Error),
    #[error("the login is not root's, and the host has no sudo")]
    SudoMissing,
    #[error("sudo on the host wants a password, and none is given")]
    SudoPasswordMissing,
    #[error("sudo on the host refused the password")]
    SudoPasswordWrong,
    #[error("sudo on the host does not let this user become root: {cause}")]
    SudoNotAllowed { cause: String },
    #[error("sudo on the host insists on a terminal")]
    SudoTerminal,
    #[error("the host's login shell did not run `sh`: {said}")]
    Shell { said: String },
    #[error("the host runs {system}: pistream knows Linux alone")]
    NotLinux { system: String },
    #[error("the host lacks {tool}, without which the agent cannot be put there")]
    ToolMissing { tool: String },
    #[error("the agent could not be put into {place}: {cause}")]
    Install { place: String, cause: String },
    #[error("the disk of the host is full: the agent could not be put into {place}")]
    DiskFull { place: String },
    #[error("{place} on the host is mounted read-only")]
    ReadOnly { place: String },
    #[error("the host allows no program to run from {place}")]
    NoExec { place: String },
    #[error("the agent on the host speaks protocol {theirs}, this pistream {ours}")]
    Protocol { ours: u32, theirs: u32 },
    #[error("the host said nothing for {seconds} s")]
    Silent { seconds: u64 },
    #[error("the agent ended before it was done ({ending}): {said}")]
    Died { ending: String, said: String },
    #[error("the host sent a line of more than {bytes} bytes")]
    LineTooLong { bytes: usize },
    #[error("the request cannot be written as JSON: {0}")]
    Request(#[from] serde_json::Error),
}

impl Error {
    /// What the user can do about it.
    pub fn help(&self) -> Option<String> {
        let text = match self {
            Error::Transport(e) => return e.help(),
            Error::SudoMissing => "log in as root (`ssh.user: root`), or install sudo on the host",
            Error::SudoPasswordMissing => {
                "give `ssh.sudo_password` (as {env: NAME}, {file: …} or {command: …}), or allow sudo without a password"
            }
            Error::SudoPasswordWrong => "check the source of `ssh.sudo_password`",
            Error::SudoNotAllowed { .. } => "add the user to the host's group sudo, or log in as another",
            Error::SudoTerminal => "remove `requiretty` from the host's /etc/sudoers",
            Error::Shell { .. } => "give the user a POSIX login shell (`chsh -s /bin/sh`), or log in as another",
            Error::DiskFull { .. } => "free a megabyte there",
            Error::ReadOnly { .. } => {
                "mount it writable (overlay file system off: `raspi-config nonint disable_overlayfs`)"
            }
            Error::NoExec { .. } => "mount it without `noexec`",
            Error::Protocol { .. } => "deploy to the host with this pistream first",
            Error::Silent { .. } => "does a login (`ssh HOST true`) come back by itself?",
            Error::ToolMissing { .. } => "install it on the host (on Debian they are all essential packages)",
            _ => return None,
        };
        Some(text.to_owned())
    }

    /// What sudo means by its words.
    pub(super) fn of_sudo(stderr: &str) -> Option<Error> {
        let says = |text: &str| stderr.contains(text);
        if says("must have a tty") || says("a terminal is required") || says("no tty present") {
            return Some(Error::SudoTerminal);
        }
        if says("incorrect password attempt") || says("Sorry, try again") {
            return Some(Error::SudoPasswordWrong);
        }
        if says("a password is required") || says("no password was provided") {
            return Some(Error::SudoPasswordMissing);
        }
        let refusals = [
            "is not in the sudoers file",
            "is not allowed to",
            "may not run sudo",
            "sudo: account",
        ];
        let line = stderr.lines().find(|l| refusals.iter().any(|r| l.contains(r)))?;
        Some(Error::SudoNotAllowed {
            cause: line.replace(PROMPT, "").trim().to_owned(),
        })
    }

    /// What the shell line means by `pistream-fault WORD REST`, with the tools' own words from stderr.
    pub(super) fn of_fault(fault: &str, stderr: &str) -> Error {
        let (word, rest) = fault.split_once(' ').unwrap_or((fault, ""));
        let rest = rest.to_owned();
        match word {
            "sudo" => Error::SudoMissing,
            "tool" => Error::ToolMissing { tool: rest },
            "noexec" => Error::NoExec { place: rest },
            _ if stderr.contains("No space left") || stderr.contains("Disk quota") => Error::DiskFull { place: rest },
            _ if stderr.contains("Read-only file system") => Error::ReadOnly { place: rest },
            _ => Error::Install {
                place: rest,
                cause: last_words(stderr),
            },
        }
    }
}

/// The last lines of what somebody said, in one.
pub(super) fn last_words(text: &str) -> String {
    let text = text.replace(PROMPT, "");
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(3)..];
    if last.is_empty() {
        "it gave no reason".to_owned()
    } else {
        last.join("; ")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn sudo_is_understood() {
        // sudo 1.8 to 1.9, LC_ALL=C
        for (said, expected) in [
            (
                "pi is not in the sudoers file.  This incident will be reported.",
                "does not let this user",
            ),
            ("pi is not in the sudoers file.\n", "does not let this user"),
            (
                "Sorry, user pi is not allowed to execute '/bin/sh -c x' as root on porch.",
                "does not let this user",
            ),
            ("Sorry, user pi may not run sudo on porch.", "does not let this user"),
            ("sudo: sorry, you must have a tty to run sudo", "insists on a terminal"),
            ("sudo: 1 incorrect password attempt", "refused the password"),
            ("Sorry, try again.\n", "refused the password"),
            (
                "sudo: no password was provided\nsudo: a password is required",
                "none is given",
            ),
        ] {
            let error = Error::of_sudo(said).unwrap_or_else(|| panic!("not understood: {said}"));
            assert!(error.to_string().contains(expected), "{said} -> {error}");
            assert!(error.help().is_some());
        }
        assert!(Error::of_sudo("sudo: unable to resolve host porch: Name or service not known").is_none());
    }

    #[test]
    fn a_full_disk_and_a_read_only_one_are_told_apart() {
        let full = Error::of_fault("place /usr/local/lib/pistream", "gzip: stdout: No space left on device");
        assert!(matches!(full, Error::DiskFull { place } if place == "/usr/local/lib/pistream"));
        let locked = Error::of_fault("place /x", "mkdir: cannot create directory '/x': Read-only file system");
        assert!(matches!(locked, Error::ReadOnly { .. }));
        let cut = Error::of_fault("place /x", "gzip: stdin: unexpected end of file");
        assert_eq!(
            cut.to_string(),
            "the agent could not be put into /x: gzip: stdin: unexpected end of file"
        );
        assert!(matches!(Error::of_fault("tool gzip", ""), Error::ToolMissing { tool } if tool == "gzip"));
        assert!(matches!(Error::of_fault("sudo", ""), Error::SudoMissing));
    }
}
