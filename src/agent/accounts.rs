//! Users and groups: read from the files in-process, created by the system's own tools. Never removed: files of
//! theirs may outlive the plan.

use crate::command;
use crate::host::Host;
use pistream_agent::{Fault, User};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("create user {user}")]
    Create { user: String, source: command::Error },
    #[error("add user {user} to groups {groups}")]
    Join {
        user: String,
        groups: String,
        source: command::Error,
    },
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let attempted = error.to_string();
        match error {
            Error::Read { source, .. } => Fault {
                attempted,
                cause: source.to_string(),
                advice: None,
            },
            Error::Create { source, .. } | Error::Join { source, .. } => source.fault(attempted),
        }
    }
}

/// `/etc/passwd` and `/etc/group` as they are now.
#[derive(Default)]
pub(crate) struct Accounts {
    /// Name to user id and primary group id.
    users: BTreeMap<String, (u32, u32)>,
    /// Name to group id and the users it lists.
    groups: BTreeMap<String, (u32, Vec<String>)>,
}

impl Accounts {
    /// Below a directory without accounts of its own there are none.
    pub(crate) fn read(host: &Host) -> Result<Accounts, Error> {
        if !host.ownership {
            return Ok(Accounts::default());
        }
        let mut accounts = Accounts::default();
        for line in text(&host.real("/etc/passwd"))?.lines() {
            let fields: Vec<&str> = line.split(':').collect();
            if let [name, _, uid, gid, ..] = fields[..]
                && let (Ok(uid), Ok(gid)) = (uid.parse(), gid.parse())
            {
                accounts.users.insert(name.to_owned(), (uid, gid));
            }
        }
        for line in text(&host.real("/etc/group"))?.lines() {
            let fields: Vec<&str> = line.split(':').collect();
            if let [name, _, gid, members] = fields[..]
                && let Ok(gid) = gid.parse()
            {
                let members = members.split(',').map(str::to_owned).collect();
                accounts.groups.insert(name.to_owned(), (gid, members));
            }
        }
        Ok(accounts)
    }

    pub(crate) fn uid(&self, user: &str) -> Option<u32> {
        self.users.get(user).map(|(uid, _)| *uid)
    }

    pub(crate) fn gid(&self, group: &str) -> Option<u32> {
        self.groups.get(group).map(|(gid, _)| *gid)
    }

    /// The ids with which a service of this user's runs: the user, and its groups, the primary one first.
    pub(crate) fn identity(&self, user: &str) -> Option<(u32, Vec<u32>)> {
        let (uid, primary) = *self.users.get(user)?;
        let further = self
            .groups
            .iter()
            .filter(|(group, (gid, _))| *gid != primary && self.is_in(user, group));
        Some((
            uid,
            std::iter::once(primary)
                .chain(further.map(|(_, (gid, _))| *gid))
                .collect(),
        ))
    }

    fn is_in(&self, user: &str, group: &str) -> bool {
        let primary = self.users.get(user).map(|(_, gid)| *gid);
        self.groups
            .get(group)
            .is_some_and(|(gid, members)| Some(*gid) == primary || members.iter().any(|m| m == user))
    }

    /// Those of the user's groups that it is not in yet.
    pub(crate) fn missing_groups<'u>(&self, user: &'u User) -> Vec<&'u str> {
        let there = user.groups_if_there.iter().filter(|g| self.gid(g).is_some());
        user.groups
            .iter()
            .chain(there)
            .map(String::as_str)
            .filter(|g| !self.is_in(&user.name, g))
            .collect()
    }
}

fn text(path: &Path) -> Result<String, Error> {
    let bytes = std::fs::read(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Makes a system user without password, login shell or home; its own group of the same name may exist already.
pub(crate) fn create(user: &str, accounts: &Accounts) -> Result<(), Error> {
    let group: &[&str] = if accounts.gid(user).is_some() {
        &["--gid", user]
    } else {
        &["--user-group"]
    };
    let fixed = [
        "--system",
        "--no-create-home",
        "--home-dir",
        "/nonexistent",
        "--shell",
        "/usr/sbin/nologin",
    ];
    let arguments: Vec<&str> = fixed.iter().chain(group).copied().chain([user]).collect();
    command::run("useradd", &arguments, DEADLINE)
        .map_err(|source| Error::Create {
            user: user.to_owned(),
            source,
        })
        .map(drop)
}

/// Adds `user` to further groups, separated by commas; it stays in those it is in.
pub(crate) fn join(user: &str, groups: &str) -> Result<(), Error> {
    command::run("usermod", &["-aG", groups, user], DEADLINE)
        .map_err(|source| Error::Join {
            user: user.to_owned(),
            groups: groups.to_owned(),
            source,
        })
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_that_is_joined_if_there_is_joined_only_there() {
        let user = User {
            name: "pistream".into(),
            groups: vec!["video".into()],
            groups_if_there: vec!["render".into()],
        };
        let mut accounts = Accounts::default();
        accounts.users.insert("pistream".into(), (990, 990));
        accounts.groups.insert("video".into(), (44, vec!["pistream".into()]));
        assert_eq!(accounts.missing_groups(&user), Vec::<&str>::new());
        accounts.groups.insert("render".into(), (106, vec![]));
        assert_eq!(accounts.missing_groups(&user), ["render"]);
        assert_eq!(accounts.identity("pistream"), Some((990, vec![990, 44])));
        assert_eq!(accounts.identity("nobody"), None);
    }
}
