//! Staged files are checked by the very programs that are going to read them, before any target changes.

use super::compare::Differences;
use super::housekeeping;
use super::state::CHECK;
use crate::command;
use crate::files;
use crate::host::Host;
use pistream_agent::{Check, Fault, Plan};
use std::path::Path;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(60);

/// Runs every check of the plan that concerns a file about to change.
pub(crate) fn staged(host: &Host, plan: &Plan, found: &Differences) -> Result<(), Fault> {
    let changes = |path: &String| found.files.iter().any(|c| c.file.path == *path);
    let directory = host.state(CHECK);
    for check in plan.checks.iter().filter(|c| c.files.iter().any(changes)) {
        let checked = run(host, check, &directory);
        housekeeping::remove_tree(&directory)?;
        checked?;
    }
    Ok(())
}

/// In a directory of its own, for root alone: it holds what the files hold.
fn run(host: &Host, check: &Check, directory: &Path) -> Result<(), Fault> {
    let attempted = || format!("check {}", check.name);
    housekeeping::remove_tree(directory)?;
    housekeeping::private_directory(directory)?;
    for path in &check.files {
        let target = host.real(path);
        let staged = files::staged(&target);
        let source = if staged.exists() { staged } else { target.clone() };
        std::fs::copy(&source, directory.join(target.file_name().unwrap_or_default())).map_err(|e| Fault {
            attempted: attempted(),
            cause: format!("{path}: {e}"),
            advice: None,
        })?;
    }
    let shown = directory.to_string_lossy();
    let words: Vec<String> = known_words(check).map(|w| w.replace("{dir}", &shown)).collect();
    let arguments: Vec<&str> = words.iter().map(String::as_str).collect();
    let Some((program, arguments)) = arguments.split_first() else {
        return Ok(());
    };
    command::run_in(directory, program, arguments, DEADLINE)
        .map(drop)
        .map_err(|e| {
            let fault = e.fault(attempted());
            // the directory is gone by the time somebody reads this
            Fault {
                cause: fault.cause.replace(&format!("{shown}/"), ""),
                ..fault
            }
        })
}

/// The command without those of its optional words that this host's version of the program does not know.
fn known_words(check: &Check) -> impl Iterator<Item = &String> {
    let program = check.command.first().filter(|_| !check.optional.is_empty());
    // a program that has no --help knows no options either
    let help = program.and_then(|program| command::run(program, &["--help"], DEADLINE).ok());
    check.command.iter().filter(move |word| {
        let option = word.split('=').next().unwrap_or_default();
        !check.optional.contains(word) || help.as_ref().is_some_and(|help| help.contains(option))
    })
}
