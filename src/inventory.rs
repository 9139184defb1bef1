//! The inventory as people write it: `hosts.yml` in, a checked fleet out.
//!
//! All faults of a file are told at once, each at its place. Knows no host, no template and no network; a secret's
//! source is noted, never opened (`secrets` does that).
//!
//! ```text
//! text ─ tree ─► every key and value with its place ─ keys ─► typed, unknown keys told ─ fleet ─► Fleet
//!        serde-saphyr                                 values, short                       what keys mean together
//! ```

mod definition;
mod fault;
mod fleet;
mod h264;
mod keys;
mod reader;
mod short;
mod tree;
mod values;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read as _;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use miette::{NamedSource, Severity};

use self::fault::Finding;
pub use self::fault::{Fault, Faults, Warning};
use self::reader::Reader;
use self::tree::Place;
pub(crate) use self::values::legal_name;
use crate::model::Fleet;
use crate::told::disturbs_terminal;

/// What the hosts of an inventory are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hosts {
    /// Machines, each with a systemd and a state of its own: what is deployed to.
    Machines,
    /// Processes on this machine, each in a directory of its own: the demo's.
    Processes,
}

/// Largest inventory, in bytes. Three hundred cameras with every key written out take a tenth of it.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Reads and checks an inventory. Relative paths in it count from its directory.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(path: &Path) -> Result<(Fleet, Vec<Warning>), Faults> {
    let refuse =
        |message: String, help: &str| Faults::new(path, vec![Finding::new(&Place::start(), message).help(help)], None);
    let cannot_read = |error: std::io::Error| {
        let help = "Name the inventory with `-i`; `inventory/hosts.yml` is an example.";
        refuse(format!("cannot read {}: {error}", path.display()), help)
    };
    let file = File::open(path).map_err(cannot_read)?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(cannot_read)?;
    if bytes.len() as u64 > LARGEST {
        let message = format!("{} is larger than {} MiB", path.display(), LARGEST / 1024 / 1024);
        return Err(refuse(
            message,
            "An inventory for hundreds of cameras is a tenth of that. Is this another file?",
        ));
    }
    let text = String::from_utf8(bytes).map_err(|error| not_utf8(path, &error))?;
    read(&text, path)
}

/// Tells of the first byte that is no UTF-8.
fn not_utf8(path: &Path, error: &std::string::FromUtf8Error) -> Faults {
    let from = error.utf8_error().valid_up_to();
    let before = String::from_utf8_lossy(&error.as_bytes()[..from]);
    let place = Place {
        line: before.matches('\n').count() + 1,
        column: before.chars().rev().take_while(|c| *c != '\n').count() + 1,
        bytes: from..from + char::REPLACEMENT_CHARACTER.len_utf8(),
    };
    let finding = Finding::new(&place, "this is not UTF-8").help("Save the file as UTF-8.");
    let text = presentable(&String::from_utf8_lossy(error.as_bytes()), &[]);
    Faults::new(
        path,
        vec![finding],
        Some(Arc::new(NamedSource::new(path.display().to_string(), text))),
    )
}

/// Reads an inventory and tells its warnings on standard error.
///
/// # Errors
/// Everything that is wrong with it, ready to be shown.
pub fn load_and_warn(path: &Path) -> miette::Result<Fleet> {
    let (fleet, warnings) = load(path)?;
    for warning in warnings {
        eprintln!("{:?}", miette::Report::new(warning));
    }
    Ok(fleet)
}

/// Checks an inventory's text. `path` names it, and its directory is where relative paths count from.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(text: &str, path: &Path) -> Result<(Fleet, Vec<Warning>), Faults> {
    read_as(Hosts::Machines, text, path)
}

/// As [`read`]; what would be wrong with machines alone is none of the faults where the hosts are something else.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read_as(hosts: Hosts, text: &str, path: &Path) -> Result<(Fleet, Vec<Warning>), Faults> {
    let directory = path.parent().unwrap_or(Path::new(""));
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader::default();
    let fleet = match tree::parse(text) {
        Ok(tree) => fleet::build(&tree, directory, hosts, &mut reader),
        Err(fault) => {
            reader.fault(Finding::new(&fault.place, fault.message).help(fault.help));
            None
        }
    };
    let source = NamedSource::new(path.display().to_string(), presentable(text, &reader.clear_secrets));
    let source = Arc::new(source.with_language("yaml"));
    reader.warnings.sort_by_key(|finding| finding.place.bytes.start);
    match fleet {
        Some(fleet) => {
            let warn = |finding| Fault::new(finding, Some(source.clone()), Severity::Warning);
            Ok((fleet, reader.warnings.into_iter().map(warn).collect()))
        }
        None => {
            if reader.faults.is_empty() {
                reader.fault(
                    Finding::new(&Place::start(), "something is wrong, and pistream cannot say what")
                        .help("This is a mistake in pistream: please report it with this inventory."),
                );
            }
            reader.faults.sort_by_key(|finding| finding.place.bytes.start);
            Err(Faults::new(path, reader.faults, Some(source)))
        }
    }
}

/// The JSON Schema of the inventory, from the definition that reads it.
pub(crate) fn schema() -> schemars::Schema {
    let settings = schemars::generate::SchemaSettings::draft2020_12();
    settings.into_generator().into_root_schema_for::<keys::InventoryKeys>()
}

/// The text as a terminal may see it: without what would disturb that and without secrets in clear. Byte for byte, so
/// that places stay what they are.
fn presentable(text: &str, found: &[Range<usize>]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let Some(value) = secret_in_line(line) {
            blot(&mut bytes, start + value.start..start + value.end);
        }
        start += line.len();
    }
    for range in found {
        blot(&mut bytes, range.clone());
    }
    // blotting replaces whole characters only
    let text = String::from_utf8(bytes).unwrap_or_default();
    text.chars().map(stand_in).collect()
}

/// The character itself, or a harmless one of as many bytes.
fn stand_in(c: char) -> char {
    match c.len_utf8() {
        _ if matches!(c, '\n' | '\t') || !disturbs_terminal(c) => c,
        // of a line's end, where lines end the DOS way
        _ if c == '\r' => ' ',
        1 => '?',
        2 => '\u{b7}',
        _ => char::REPLACEMENT_CHARACTER,
    }
}

/// What follows a key that sounds like a secret's and is no `{env: …}`: where the text is no YAML or the key is
/// misspelled, nothing else knows it for one.
fn secret_in_line(line: &str) -> Option<Range<usize>> {
    let lower = line.to_ascii_lowercase();
    let values = ["pas", "secret", "token", "key"].iter().filter_map(|word| {
        let from = lower.find(word)?;
        let colon = from + lower[from..].find(':')?;
        if lower[from..colon].starts_with("keyframe") || lower[from..colon].contains(char::is_whitespace) {
            return None;
        }
        let value = line[colon + 1..].trim();
        let clear = !value.is_empty() && !value.starts_with(['{', '*', '|', '>', '#']);
        let start = colon + 1 + line[colon + 1..].find(value)?;
        clear.then_some(start..start + value.len())
    });
    values.min_by_key(|value| value.start)
}

fn blot(bytes: &mut [u8], range: Range<usize>) {
    let end = range.end.min(bytes.len());
    for (at, byte) in bytes.iter_mut().enumerate().take(end).skip(range.start) {
        if *byte != b'\n' {
            // the same length for every secret, as far as there is room
            *byte = if at < range.start + 3 { b'*' } else { b' ' };
        }
    }
}
