//! `pistream render`: every file of every host into a directory, or compared with one. Touches no host.
//!
//! The same inventory and program always write the same bytes; secrets are placeholders unless asked for. That makes the
//! output fit to be committed and compared in CI.

mod committed;
#[cfg(test)]
mod tests;

use crate::ca::Identities;
use crate::plan::{self, Host, Paths};
use crate::secrets::Secrets;
use crate::templates::Templates;
use crate::{cli, exit, inventory};
use committed::{Committed, MANIFEST};
use miette::{IntoDiagnostic, WrapErr};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What stands in a host's `manifest.json`: the plan without the files' content.
#[derive(Serialize)]
struct Manifest<'a> {
    host: &'a str,
    packages: &'a [pistream_agent::Package],
    builds: &'a [pistream_agent::Build],
    users: &'a [pistream_agent::User],
    directories: &'a [pistream_agent::Directory],
    files: Vec<Entry<'a>>,
    units: &'a [pistream_agent::Unit],
    identity: &'a Option<pistream_agent::Identity>,
}

#[derive(Serialize)]
struct Entry<'a> {
    path: &'a str,
    mode: String,
    owner: &'a str,
    group: &'a str,
    secret: bool,
}

/// Runs the command.
///
/// # Errors
/// A wrong inventory or template, or a directory that cannot be read or written.
pub fn run(options: cli::Render) -> miette::Result<exit::Code> {
    let cli::Render {
        inventory,
        output,
        check,
        with_secrets,
        templates,
    } = options;
    let fleet = inventory::load_and_warn(&inventory.inventory)?;
    let templates = Templates::load(templates.as_deref()).into_diagnostic()?;
    let secrets = match with_secrets {
        true => Secrets::resolve(&fleet).into_diagnostic()?,
        false => Secrets::placeholders(),
    };
    let identities = Identities::placeholders();
    let paths = Paths::host();
    let mut tree: BTreeMap<PathBuf, String> = BTreeMap::new();
    for host in Host::all(&fleet) {
        let plan = plan::for_host(&fleet, host, &paths, &templates, &secrets, &identities).into_diagnostic()?;
        let directory = PathBuf::from(host.name().as_str());
        tree.insert(directory.join(MANIFEST), manifest(&plan)?);
        for file in plan.files {
            tree.insert(directory.join(file.path.trim_start_matches('/')), file.content);
        }
    }
    match (output, check) {
        (Some(output), _) => write(&output, &tree, with_secrets),
        (None, Some(committed)) => compare(&committed, &tree),
        (None, None) => Ok(exit::Code::Done),
    }
}

fn manifest(plan: &pistream_agent::Plan) -> miette::Result<String> {
    let files = plan
        .files
        .iter()
        .map(|f| Entry {
            path: &f.path,
            mode: format!("{:04o}", f.mode),
            owner: &f.owner,
            group: &f.group,
            secret: f.secret,
        })
        .collect();
    let manifest = Manifest {
        host: &plan.host,
        packages: &plan.packages,
        builds: &plan.builds,
        users: &plan.users,
        directories: &plan.directories,
        files,
        units: &plan.units,
        identity: &plan.identity,
    };
    Ok(serde_json::to_string_pretty(&manifest).into_diagnostic()? + "\n")
}

fn write(output: &Path, tree: &BTreeMap<PathBuf, String>, secret: bool) -> miette::Result<exit::Code> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    if output.exists() {
        for path in Committed::read(output)?.no_longer(tree) {
            committed::remove(output, path)?;
        }
    }
    // what holds secrets is for its owner alone, from the moment it exists
    let mode = if secret { 0o600 } else { 0o644 };
    for (path, text) in tree {
        let path = output.join(path);
        let failed = || format!("cannot write {}", path.display());
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)
                .into_diagnostic()
                .wrap_err_with(failed)?;
        }
        if secret && path.exists() {
            std::fs::remove_file(&path).into_diagnostic().wrap_err_with(failed)?;
        }
        let file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(mode)
            .open(&path);
        let mut file = file.into_diagnostic().wrap_err_with(failed)?;
        file.write_all(text.as_bytes())
            .into_diagnostic()
            .wrap_err_with(failed)?;
    }
    let place = output.display();
    say(format_args!(
        "{} files of {} hosts written to {place}\n",
        tree.len(),
        hosts(tree)
    ));
    Ok(exit::Code::Done)
}

fn compare(committed: &Path, tree: &BTreeMap<PathBuf, String>) -> miette::Result<exit::Code> {
    let found = Committed::read(committed)?;
    let mut differing = 0;
    let paths: BTreeSet<&PathBuf> = tree.keys().chain(found.no_longer(tree)).collect();
    let all = paths.len();
    for path in paths {
        let (old, new) = (found.text(path), tree.get(path));
        if old == new.map(String::as_str) {
            continue;
        }
        differing += 1;
        let (old, new) = (old.unwrap_or_default(), new.map_or("", String::as_str));
        let diff = similar::TextDiff::from_lines(old, new);
        let name = path.display();
        let (committed, rendered) = (format!("committed/{name}"), format!("rendered/{name}"));
        say(format_args!("{}", diff.unified_diff().header(&committed, &rendered)));
    }
    match differing {
        0 => {
            say(format_args!(
                "{} files of {} hosts are as rendered\n",
                tree.len(),
                hosts(tree)
            ));
            Ok(exit::Code::Done)
        }
        n => {
            let place = committed.display();
            say(format_args!(
                "{n} of {all} files differ from {place}; `pistream render -o {place}` updates them\n"
            ));
            Ok(exit::Code::Pending)
        }
    }
}

/// On standard output. Whoever reads may have gone (`| head`): the exit code still tells.
fn say(text: std::fmt::Arguments<'_>) {
    let _ = std::io::Write::write_fmt(&mut std::io::stdout(), text);
}

fn hosts(tree: &BTreeMap<PathBuf, String>) -> usize {
    tree.keys().filter(|path| path.ends_with(MANIFEST)).count()
}
