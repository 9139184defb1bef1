//! The differences between a plan and this host. Reads only: check mode ends here, and a host without differences costs
//! one look at each file and one call of systemctl.

mod units;

pub(super) use units::before;
pub(crate) use units::is_unit_file;

use super::diff;
use super::state::{Memory, UnitBefore};
use crate::accounts::Accounts;
use crate::builds;
use crate::files::{self, Owner};
use crate::host::Host;
use crate::packages::Database;
use pistream_agent::{Action, Build, Directory, Fault, File, Package, Plan, Unit, User};
use std::collections::BTreeSet;
use std::fs::Metadata;
use std::path::Path;

/// All that has to be done, in the order of the plan.
#[derive(Default)]
pub(crate) struct Differences<'p> {
    pub(crate) packages: Vec<&'p Package>,
    pub(crate) builds: Vec<&'p Build>,
    pub(crate) users: Vec<UserChange<'p>>,
    pub(crate) directories: Vec<DirectoryChange<'p>>,
    pub(crate) files: Vec<FileChange<'p>>,
    /// Ours, and no longer in the plan.
    pub(crate) removed_files: Vec<String>,
    /// Ours, no longer in the plan, and empty once the files above are gone; children first.
    pub(crate) removed_directories: Vec<String>,
    pub(crate) units: Vec<UnitChange<'p>>,
    /// Ours and no longer in the plan, or somebody else's who has the camera; enabled or running.
    pub(crate) dropped_units: Vec<UnitBefore>,
}

pub(crate) struct UserChange<'p> {
    pub(crate) user: &'p User,
    pub(crate) create: bool,
    pub(crate) join: Vec<&'p str>,
}

pub(crate) struct DirectoryChange<'p> {
    pub(crate) directory: &'p Directory,
    /// Mode, user id, group id.
    pub(crate) before: Option<(u32, u32, u32)>,
}

pub(crate) struct FileChange<'p> {
    pub(crate) file: &'p File,
    /// Something is there.
    pub(crate) exists: bool,
    /// What is there is not of our making, and its content goes.
    pub(crate) foreign: bool,
    pub(crate) diff: Option<String>,
}

pub(crate) struct UnitChange<'p> {
    pub(crate) unit: &'p Unit,
    pub(crate) before: UnitBefore,
    pub(crate) enable: bool,
    /// Its unit file changes: where it wants to be started may, too.
    pub(crate) relink: bool,
    /// Start, reload or restart.
    pub(crate) action: Option<Action>,
}

/// Compares everything. `diffs`: with the text of what differs in files that hold no secret.
pub(crate) fn compare<'p>(
    host: &Host,
    plan: &'p Plan,
    memory: &Memory,
    accounts: &Accounts,
    diffs: bool,
) -> Result<Differences<'p>, Fault> {
    let mut found = Differences {
        builds: plan.builds.iter().filter(|b| !builds::is_there(b)).collect(),
        ..Differences::default()
    };
    if !plan.packages.is_empty() {
        let database = Database::read()?;
        let wanted = plan
            .packages
            .iter()
            .chain(found.builds.iter().flat_map(|b| &b.packages));
        found.packages = wanted.filter(|p| !database.has(&p.name)).collect();
    }
    for user in &plan.users {
        let (create, join) = (accounts.uid(&user.name).is_none(), accounts.missing_groups(user));
        if create || !join.is_empty() {
            found.users.push(UserChange { user, create, join });
        }
    }
    for directory in &plan.directories {
        let now = directory_now(&host.real(&directory.path))?;
        let wanted = owner(host, accounts, &directory.owner, &directory.group);
        let same = |m: &Metadata| files::mode(m) == directory.mode && owned_by(host, m, wanted);
        if !now.as_ref().is_some_and(same) {
            let before = now.map(|m| (files::mode(&m), files::owner(&m).0, files::owner(&m).1));
            found.directories.push(DirectoryChange { directory, before });
        }
    }
    let ours = memory.files();
    for file in &plan.files {
        let path = host.real(&file.path);
        let now = files::look(&path)?;
        let content = now.as_ref().and_then(|m| content(&path, m));
        let wanted = owner(host, accounts, &file.owner, &file.group);
        let same_content = content.as_deref() == Some(file.content.as_bytes());
        if same_content
            && now
                .as_ref()
                .is_some_and(|m| files::mode(m) == file.mode && owned_by(host, m, wanted))
        {
            continue;
        }
        let show = diffs && !file.secret && !memory.is_secret(&file.path);
        let diff = if show {
            diff::unified(content.as_deref(), file)
        } else {
            None
        };
        let foreign = now.is_some() && !same_content && !ours.contains(file.path.as_str());
        found.files.push(FileChange {
            file,
            exists: now.is_some(),
            foreign,
            diff,
        });
    }
    remove_what_is_no_longer_named(host, plan, memory, &mut found)?;
    units::compare(plan, memory, &mut found)?;
    Ok(found)
}

/// The ids that a file of the plan shall have; `None` while its user is still to be created.
pub(crate) fn owner(host: &Host, accounts: &Accounts, user: &str, group: &str) -> Option<Owner> {
    if !host.ownership {
        return None;
    }
    Some((accounts.uid(user)?, accounts.gid(group)?))
}

fn owned_by(host: &Host, found: &Metadata, wanted: Option<Owner>) -> bool {
    !host.ownership || wanted == Some(files::owner(found))
}

/// A directory may be a link that root made (to a bigger disk); nobody else's link is followed.
fn directory_now(path: &Path) -> Result<Option<Metadata>, Fault> {
    match files::look(path)? {
        Some(link) if link.is_symlink() && link_is_trusted(&link) => std::fs::metadata(path)
            .map(Some)
            .map_err(|e| refused(path, &format!("it is a link that leads nowhere: {e}"))),
        Some(found) if found.is_dir() => Ok(Some(found)),
        Some(_) => Err(refused(path, "something else than a directory is there")),
        None => Ok(None),
    }
}

fn link_is_trusted(link: &Metadata) -> bool {
    files::owner(link).0 == 0
}

fn refused(path: &Path, cause: &str) -> Fault {
    let advice = Some("move it away, or name another path in the inventory".to_owned());
    Fault {
        attempted: format!("make directory {}", path.display()),
        cause: cause.to_owned(),
        advice,
    }
}

/// Of an ordinary file; a link's target is not ours to look at.
fn content(path: &Path, found: &Metadata) -> Option<Vec<u8>> {
    if found.is_file() {
        std::fs::read(path).ok()
    } else {
        None
    }
}

fn remove_what_is_no_longer_named(
    host: &Host,
    plan: &Plan,
    memory: &Memory,
    found: &mut Differences<'_>,
) -> Result<(), Fault> {
    let named: BTreeSet<&str> = plan.files.iter().map(|f| f.path.as_str()).collect();
    for path in memory.files().difference(&named) {
        if files::look(&host.real(path))?.is_some_and(|m| !m.is_dir()) {
            found.removed_files.push((*path).to_owned());
        }
    }
    let named: BTreeSet<&str> = plan.directories.iter().map(|d| d.path.as_str()).collect();
    let mut gone: BTreeSet<_> = found.removed_files.iter().map(|p| host.real(p)).collect();
    // our own leavings do not count as content
    for entry in memory.unfinished.iter().flat_map(|j| &j.entries) {
        let target = host.real(&entry.path);
        gone.extend([files::old(&target), files::staged(&target)]);
    }
    // children sort behind their parents
    for path in memory.directories().into_iter().rev().filter(|p| !named.contains(p)) {
        let real = host.real(path);
        let Ok(mut inside) = std::fs::read_dir(&real) else {
            continue;
        };
        if inside.all(|entry| entry.is_ok_and(|e| gone.contains(&e.path()))) {
            gone.insert(real);
            found.removed_directories.push(path.to_owned());
        }
    }
    Ok(())
}
