//! `pistream import`: the original playbook's Ansible inventory becomes a hosts.yml.
//!
//! Only what stands in that one file is looked at: no group_vars, no Jinja, no vault. Nothing is invented: what is
//! missing stays missing and is told. A password is never told and never written.

mod ansible;
mod hosts;

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use miette::IntoDiagnostic;

use crate::exit::Code;
use crate::{cli, inventory};

/// A hosts.yml, and what a person has to know about it.
#[derive(Debug)]
pub struct Imported {
    pub yaml: String,
    /// What was not carried over, was changed, or is to be done.
    pub notes: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {path}: {source}", path = path.display())]
    ReadFile { path: PathBuf, source: io::Error },
    #[error("cannot write {path}: {source}", path = path.display())]
    WriteFile { path: PathBuf, source: io::Error },
    #[error("this is not a YAML inventory of Ansible: {0}\n{CONVERT}")]
    ParseYaml(#[from] serde_yaml::Error),
    #[error("no host is in a group `servers` or `cameras`, as the original playbook has them\n{CONVERT}")]
    FindGroups,
}

const CONVERT: &str = "An inventory in another format: `ansible-inventory -i FILE --list --yaml` turns it into YAML.";

/// Longest inventory to import, in bytes.
const LARGEST: u64 = 4 * 1024 * 1024;

pub fn run(options: cli::Import) -> miette::Result<Code> {
    let text = read(&options.file).into_diagnostic()?;
    let imported = import(&text).into_diagnostic()?;
    match &options.output {
        None => io::stdout().write_all(imported.yaml.as_bytes()).into_diagnostic()?,
        Some(path) => {
            write_new(path, &imported.yaml).into_diagnostic()?;
            eprintln!("{} is written.", path.display());
        }
    }
    for note in &imported.notes {
        eprintln!("- {note}");
    }
    Ok(Code::Done)
}

fn read(path: &Path) -> Result<String, Error> {
    let cannot = |source| Error::ReadFile {
        path: path.to_owned(),
        source,
    };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(cannot)?;
    file.take(LARGEST + 1).read_to_string(&mut text).map_err(cannot)?;
    if text.len() as u64 > LARGEST {
        return Err(cannot(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "it is larger than 4 MiB",
        )));
    }
    Ok(text)
}

/// Never over an existing file.
fn write_new(path: &Path, text: &str) -> Result<(), Error> {
    let cannot = |source| Error::WriteFile {
        path: path.to_owned(),
        source,
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(cannot)?;
    file.write_all(text.as_bytes()).map_err(cannot)
}

/// Turns the text of an Ansible inventory into a hosts.yml.
///
/// # Errors
/// The text is no YAML, or has neither of the original's groups.
pub fn import(text: &str) -> Result<Imported, Error> {
    let tree: serde_yaml::Value = serde_yaml::from_str(text)?;
    let mut notes = Vec::new();
    let found = ansible::hosts(&tree, &mut notes);
    if found.is_empty() {
        return Err(Error::FindGroups);
    }
    let body = hosts::write(found, &mut notes);
    if let Err(faults) = inventory::read(&body, Path::new("hosts.yml")) {
        let open = faults
            .iter()
            .map(|fault| format!("to be done before it deploys: {fault}"));
        notes.extend(open);
    }
    let mut yaml = String::from(
        "# Imported from an Ansible inventory by `pistream import`. Every key: inventory/reference.yml.\n",
    );
    for note in &notes {
        yaml.push_str(&format!("# - {note}\n"));
    }
    yaml.push('\n');
    yaml.push_str(&body);
    Ok(Imported { yaml, notes })
}

#[cfg(test)]
mod tests;
