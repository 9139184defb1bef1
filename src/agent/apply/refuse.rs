//! Everything that can be known to fail is refused before anything is touched. Reads only.

pub(super) mod camera;
mod directories;

use super::compare::Differences;
use super::state::Memory;
use crate::accounts::Accounts;
use crate::files;
use crate::host::Host;
use crate::posix;
use pistream_agent::{Fault, Plan};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The smallest disk that is not full: journal, state and directories need a few blocks.
const RESERVE: u64 = 1 << 20;

fn fault(attempted: impl Into<String>, cause: impl Into<String>, advice: &str) -> Fault {
    Fault {
        attempted: attempted.into(),
        cause: cause.into(),
        advice: Some(advice.to_owned()),
    }
}

/// A plan that makes no sense on any host, or a host where no plan can be applied.
pub(crate) fn request(host: &Host, plan: &Plan) -> Result<(), Fault> {
    names(plan)?;
    paths(plan)?;
    if let Some(root) = host.root() {
        if !(plan.packages.is_empty() && plan.builds.is_empty() && plan.users.is_empty() && plan.units.is_empty()) {
            let cause = "packages, programs to build, users and units belong to a whole machine, not to a directory";
            return Err(fault(
                format!("apply below {}", root.display()),
                cause,
                "apply without --root",
            ));
        }
        return Ok(());
    }
    if posix::effective_uid() != 0 {
        let cause = "the agent does not run as root";
        return Err(fault(
            "apply the plan",
            cause,
            "let the ssh user be root, or one that may use sudo",
        ));
    }
    if !plan.units.is_empty() && !Path::new("/run/systemd/system").exists() {
        return Err(fault(
            "manage units",
            "this host does not run systemd",
            "pistream needs a host with systemd",
        ));
    }
    let kernel = std::fs::read_to_string("/proc/cmdline").unwrap_or_default();
    if root_is_overlay(&kernel) {
        let cause = "the root file system is an overlay: what a deploy writes is gone after a reboot";
        let advice =
            "switch it off (`sudo raspi-config nonint disable_overlayfs`), reboot, deploy, and switch it on again";
        return Err(fault("apply the plan", cause, advice));
    }
    Ok(())
}

/// Whether the kernel was started with one of the two kinds of overlay that Raspberry Pi OS has had: `boot=overlay` up to
/// 11, `overlayroot=…` since. That the root is of type overlay says nothing: a container's is, and stays.
fn root_is_overlay(kernel: &str) -> bool {
    let kind = |word: &str| {
        word.strip_prefix("overlayroot=")
            .map(|value| !matches!(value, "" | "disabled"))
    };
    kernel
        .split_whitespace()
        .any(|word| word == "boot=overlay" || kind(word) == Some(true))
}

/// No name may be mistaken for an option by the tools it is handed to.
fn names(plan: &Plan) -> Result<(), Fault> {
    let advice = "this is a fault of the deployer: please report it";
    let check = |what: &str, name: &str, allowed: &str| {
        let ok = name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || allowed.as_bytes().contains(&b))
            && name
                .bytes()
                .next()
                .is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
        if ok {
            Ok(())
        } else {
            Err(fault(
                format!("manage {what} {name:?}"),
                "that is no legal name",
                advice,
            ))
        }
    };
    for package in plan.packages.iter().chain(plan.builds.iter().flat_map(|b| &b.packages)) {
        check("package", &package.name, "+.-")?;
        package
            .keep_off
            .iter()
            .try_for_each(|unit| check("unit", unit, "@:_.\\-"))?;
    }
    for user in &plan.users {
        check("user", &user.name, "_-")?;
        let mut groups = user.groups.iter().chain(&user.groups_if_there);
        groups.try_for_each(|group| check("group", group, "_-"))?;
    }
    plan.units
        .iter()
        .try_for_each(|unit| check("unit", &unit.name, "@:_.\\-"))
}

fn paths(plan: &Plan) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    let files = plan.files.iter().map(|f| (f.path.as_str(), f.mode));
    let identity = plan.identity.iter().map(|i| (i.path.as_str(), 0o600));
    let directories = plan.directories.iter().map(|d| (d.path.as_str(), d.mode));
    let builds = plan.builds.iter().map(|b| (b.program.as_str(), 0o755));
    for (path, mode) in files.chain(identity).chain(directories).chain(builds) {
        let parts: Vec<&str> = path.split('/').collect();
        let cause = if !path.starts_with('/') {
            "the path is not absolute"
        } else if parts[1..].iter().any(|p| matches!(*p, "" | "." | "..")) || path.contains('\0') {
            "the path has an empty part, \".\", \"..\" or a NUL"
        } else if parts.iter().any(|p| p.len() > files::LONGEST_NAME) {
            "a part of the path is too long"
        } else if mode > 0o7777 {
            "the mode has more than permission bits"
        } else if is_memory(path) {
            "the agent keeps its own memory there"
        } else if !seen.insert(path) {
            "the plan names it twice"
        } else {
            continue;
        };
        return Err(fault(
            format!("manage {path:?}"),
            cause,
            "name another path in the inventory",
        ));
    }
    Ok(())
}

fn is_memory(path: &str) -> bool {
    let below = path
        .strip_prefix(pistream_agent::STATE_DIR)
        .and_then(|p| p.strip_prefix('/'))
        .unwrap_or_default();
    let first = below.split('/').next().unwrap_or_default();
    matches!(
        first,
        "lock" | "state.json" | "journal.json" | super::state::REPLACED | super::state::CHECK
    )
}

/// What stands against just these differences on just this host.
pub(crate) fn differences(
    host: &Host,
    plan: &Plan,
    memory: &Memory,
    accounts: &Accounts,
    found: &Differences,
) -> Result<(), Fault> {
    // A package may still bring the accounts; they are looked at again once it is there.
    if found.packages.is_empty() {
        owners(host, plan, accounts)?;
    }
    let mut needed: BTreeMap<u64, (PathBuf, u64)> = BTreeMap::new();
    let directories = found.directories.iter().map(|c| (c.directory.path.as_str(), 4096));
    let removed = found.removed_files.iter().map(|p| (p.as_str(), 0));
    let staged = found
        .files
        .iter()
        .map(|c| (c.file.path.as_str(), c.file.content.len() as u64 + 4096));
    for (path, bytes) in directories.chain(staged).chain(removed) {
        let (existing, on) = nearest_existing(host, path)?;
        needed.entry(on).or_insert_with(|| (existing, RESERVE)).1 += bytes;
    }
    for (path, bytes) in needed.values() {
        let attempted = format!("write below {}", path.display());
        let space =
            posix::space(path).map_err(|e| fault(attempted.clone(), e.to_string(), "look at the host's disk"))?;
        if space.read_only {
            let advice = "remount it writable, or turn the read-only overlay off";
            return Err(fault(attempted, "its filesystem is mounted read-only", advice));
        }
        if space.free < *bytes {
            let cause = format!("{bytes} bytes are needed, {} are free", space.free);
            return Err(fault(attempted, cause, "free disk space on the host"));
        }
    }
    parents(host, plan, found)?;
    directories::strangers(host, memory, accounts, found)?;
    match host.root() {
        Some(_) => Ok(()),
        None => camera::possible(plan, found),
    }
}

/// Owners and groups that neither exist nor are to be created, and supplementary groups that do not exist.
pub(crate) fn owners(host: &Host, plan: &Plan, accounts: &Accounts) -> Result<(), Fault> {
    if !host.ownership {
        return Ok(());
    }
    let planned = |name: &str| plan.users.iter().any(|u| u.name == name);
    let files = plan.files.iter().map(|f| (&f.path, &f.owner, &f.group));
    for (path, user, group) in files.chain(plan.directories.iter().map(|d| (&d.path, &d.owner, &d.group))) {
        let user_known = accounts.uid(user).is_some() || planned(user);
        let group_known = accounts.gid(group).is_some() || planned(group);
        if !user_known || !group_known {
            let cause = format!(
                "this host has no {}",
                if user_known {
                    format!("group {group}")
                } else {
                    format!("user {user}")
                }
            );
            return Err(fault(
                format!("give {path} to {user}:{group}"),
                cause,
                "is a package missing in the plan?",
            ));
        }
    }
    for user in &plan.users {
        if let Some(group) = user.groups.iter().find(|g| accounts.gid(g).is_none() && !planned(g)) {
            let cause = format!("this host has no group {group}");
            let advice = "groups such as video come with Debian; is this a Raspberry Pi OS or Debian?";
            return Err(fault(format!("add user {} to group {group}", user.name), cause, advice));
        }
    }
    Ok(())
}

/// The deepest directory on the way to `path` that exists, and its filesystem's number.
fn nearest_existing(host: &Host, path: &str) -> Result<(PathBuf, u64), Fault> {
    let real = host.real(path);
    for ancestor in real.ancestors().skip(1) {
        if let Ok(found) = std::fs::metadata(ancestor) {
            return Ok((ancestor.to_owned(), found.dev()));
        }
    }
    Err(fault(
        format!("write {path}"),
        "no part of its path exists",
        "does the directory given by --root exist?",
    ))
}

/// A target must be a file or nothing, and its directory must exist or be on its way; below another root, no link may
/// lead out of that.
fn parents(host: &Host, plan: &Plan, found: &Differences) -> Result<(), Fault> {
    let outside = |directory: &Path| {
        let resolved = |p: &Path| p.canonicalize().ok();
        host.root()
            .is_some_and(|root| match (resolved(root), resolved(directory)) {
                (Some(root), Some(directory)) => !directory.starts_with(root),
                _ => false,
            })
    };
    let files = found
        .files
        .iter()
        .map(|c| c.file.path.as_str())
        .chain(found.removed_files.iter().map(String::as_str));
    for path in files.chain(found.directories.iter().map(|c| c.directory.path.as_str())) {
        let (existing, _) = nearest_existing(host, path)?;
        if outside(&existing) {
            let cause = format!("{} leads out of the directory given by --root", existing.display());
            return Err(fault(format!("write {path}"), cause, "remove that link"));
        }
    }
    for change in &found.files {
        let path = change.file.path.as_str();
        let real = host.real(path);
        if files::look(&real)?.is_some_and(|m| !m.is_file() && !m.is_symlink()) {
            return Err(fault(
                format!("write {path}"),
                "something else than a file is there",
                "move it away first",
            ));
        }
        let parent = Path::new(path).parent().unwrap_or(Path::new("/"));
        let planned = plan.directories.iter().any(|d| Path::new(&d.path) == parent);
        // packages bring directories
        if !planned && found.packages.is_empty() && !host.real(&parent.to_string_lossy()).is_dir() {
            let cause = format!("there is no directory {} and the plan makes none", parent.display());
            return Err(fault(
                format!("write {path}"),
                cause,
                "this is a fault of the deployer: please report it",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlay_roots_are_known_by_the_kernels_command_line() {
        for (kernel, overlay) in [
            ("console=tty1 root=PARTUUID=1-02 rootwait", false),
            ("boot=overlay console=tty1 root=PARTUUID=1-02", true),
            ("console=tty1 overlayroot=tmpfs", true),
            ("overlayroot=tmpfs:recurse=0 quiet", true),
            ("overlayroot=disabled quiet", false),
            ("overlayroot= quiet", false),
            ("root=/dev/overlay quiet", false),
        ] {
            assert_eq!(root_is_overlay(kernel), overlay, "{kernel}");
        }
    }
}
