//! Names of hosts, streams and viewers, and patterns of them. What has a name, and whether it exists, `fleet` knows.

use schemars::{Schema, SchemaGenerator, json_schema};

use crate::inventory::fault::Finding;
use crate::inventory::reader::{Read, Reader, shown};
use crate::inventory::tree::{Node, Place};
use crate::model::Name;

/// `Name` as a regular expression.
pub(in crate::inventory) const NAME_PATTERN: &str = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$";

/// A name of a host or stream; tells what is wrong with it.
pub(in crate::inventory) fn name(text: &str, place: &Place, reader: &mut Reader) -> Option<Name> {
    let name = Name::new(text);
    if name.is_none() {
        let message = match text.chars().count() {
            long if long > Name::MAX => format!("a name of {long} characters: `{}`", shown(text)),
            _ => format!("`{}` is not a name", shown(text)),
        };
        let mut finding = Finding::new(place, message);
        if let Some(legal) = legal_name(text) {
            finding = finding.label(format!("`{legal}` would do"));
        }
        let help = "A name is 1 to 63 of a-z, 0-9 and `-`, starting and ending with a letter or digit.";
        reader.fault(finding.help(help));
    }
    name
}

/// The nearest legal name: lower case, everything else a single `-`.
pub(crate) fn legal_name(text: &str) -> Option<Name> {
    let mut legal = String::new();
    for c in text.chars().map(|c| c.to_ascii_lowercase()) {
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            legal.push(c);
        } else if !legal.is_empty() && !legal.ends_with('-') {
            legal.push('-');
        }
    }
    legal.truncate(Name::MAX);
    Name::new(legal.trim_end_matches('-'))
}

impl Read for Name {
    fn read(node: &Node, reader: &mut Reader) -> Option<Name> {
        let text = reader.scalar(node, "a name like `porch`")?;
        name(text, &node.place, reader)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": NAME_PATTERN, "maxLength": Name::MAX })
    }
}

/// Names of cameras: one, or all that fit a pattern with `*` and `?`.
#[derive(Debug, Clone)]
pub(in crate::inventory) struct NamePattern(pub(in crate::inventory) glob::Pattern);

const PATTERN_PATTERN: &str = "^[a-z0-9*?-]+$";

impl Read for NamePattern {
    fn read(node: &Node, reader: &mut Reader) -> Option<NamePattern> {
        let text = reader.scalar(node, "a camera's name or a pattern like `garden*`")?;
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-*?".contains(c);
        let written = (1..=Name::MAX).contains(&text.len()) && text.chars().all(legal);
        let pattern = glob::Pattern::new(text).ok().filter(|_| written);
        if pattern.is_none() {
            let message = format!("`{}` is neither a name nor a pattern of names", shown(text));
            let finding = Finding::new(&node.place, message)
                .help("Accepted: 1 to 63 of a-z, 0-9, `-`, `*` (anything) and `?` (any one character).");
            reader.fault(finding);
        }
        pattern.map(NamePattern)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": PATTERN_PATTERN, "maxLength": Name::MAX })
    }
}
