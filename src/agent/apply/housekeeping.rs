//! The directories that are pistream's own: kept copies, check directory, older agents.

use super::state::{Journal, REPLACED};
use crate::events;
use crate::files;
use crate::host::Host;
use pistream_agent::{AGENT_DIR, Fault};
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

fn failed(attempt: &str, path: &Path) -> impl FnOnce(io::Error) -> Fault {
    let attempted = format!("{attempt} {}", path.display());
    move |e| Fault {
        attempted,
        cause: e.to_string(),
        advice: None,
    }
}

/// The apply is confirmed: the versions it replaced go, and with them the journal.
pub(crate) fn forget_old(host: &Host, journal: &Journal) -> Result<(), Fault> {
    for entry in &journal.entries {
        files::remove(&files::old(&host.real(&entry.path)))?;
    }
    Ok(Journal::discard(host)?)
}

/// Copies a file that is not of our making to where its owner finds it again, readable by root alone.
pub(crate) fn keep_foreign(host: &Host, path: &str) -> Result<(), Fault> {
    let target = host.real(path);
    private_directory(&host.state(REPLACED))?;
    let copy = host.state(REPLACED).join(path.trim_start_matches('/'));
    if let Some(parent) = copy.parent() {
        private_directory(parent)?;
    }
    let link = files::look(&target)?.is_some_and(|m| m.is_symlink());
    if link {
        files::remove(&copy)?;
        let leads_to = fs::read_link(&target).map_err(failed("read", &target))?;
        std::os::unix::fs::symlink(leads_to, &copy).map_err(failed("copy", &target))?;
    } else {
        let content = fs::read(&target).map_err(failed("read", &target))?;
        files::write_new(&copy, &content, 0o600, None)?;
    }
    files::sync_parent(&copy)?;
    let kept = format!("{}/{REPLACED}{path}", pistream_agent::STATE_DIR);
    events::note(format!("{path} was there before pistream; a copy is kept as {kept}"));
    Ok(())
}

/// Makes a directory that root alone may enter, and its parents likewise.
pub(crate) fn private_directory(path: &Path) -> Result<(), Fault> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(failed("make directory", path))
}

pub(crate) fn remove_tree(path: &Path) -> Result<(), Fault> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(e)),
        _ => Ok(()),
    }
}

/// Programs that were built here, but for these: a plan's own, and the ones before it, for the way back.
pub(crate) fn remove_older_builds(host: &Host, kept: &[String]) -> Result<(), Fault> {
    if host.root().is_some() {
        return Ok(());
    }
    let Ok(entries) = fs::read_dir(AGENT_DIR) else {
        return Ok(());
    };
    for entry in entries.flatten().filter(|e| e.file_type().is_ok_and(|t| t.is_dir())) {
        if !kept.iter().any(|program| Path::new(program).starts_with(entry.path())) {
            remove_tree(&entry.path())?;
        }
    }
    Ok(())
}

/// The file that this agent runs from, unless another deploy has removed or replaced it.
pub(crate) fn own_program() -> Option<PathBuf> {
    std::env::current_exe().ok().filter(|own| own.exists())
}

/// Other builds of the agent are of no more use once this one's plan is confirmed. An agent that runs from elsewhere
/// (a test, a check), or that another deploy has put anew, leaves them alone.
pub(crate) fn remove_older_agents(host: &Host) -> Result<(), Fault> {
    let Some(own) = own_program() else {
        return Ok(());
    };
    if host.root().is_some() || own.parent() != Some(Path::new(AGENT_DIR)) {
        return Ok(());
    }
    let Ok(entries) = fs::read_dir(AGENT_DIR) else {
        return Ok(());
    };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with("agent-") && entry.path() != own {
            files::remove(&entry.path())?;
        }
    }
    Ok(())
}
