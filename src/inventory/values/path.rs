//! Paths: of files on this machine, and on a host. Looks at neither.

use std::path::PathBuf;

use schemars::{Schema, SchemaGenerator, json_schema};

use crate::inventory::fault::Finding;
use crate::inventory::reader::{Read, Reader, shown};
use crate::inventory::tree::Node;

/// A path on this machine. `~/` is the home directory, a relative one counts from the inventory's directory.
#[derive(Debug, Clone)]
pub(in crate::inventory) struct LocalPath(pub(in crate::inventory) PathBuf);

impl Read for LocalPath {
    fn read(node: &Node, reader: &mut Reader) -> Option<LocalPath> {
        let text = reader.scalar(node, "a path")?;
        if text.is_empty() || text.chars().any(char::is_control) {
            let message = format!("`{}` is not a path", shown(text));
            reader.fault(Finding::new(&node.place, message).help("Accepted: the path of a file on this machine."));
            return None;
        }
        Some(LocalPath(PathBuf::from(text)))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1 })
    }
}

/// An absolute path on a host.
#[derive(Debug, Clone)]
pub(in crate::inventory) struct HostPath(pub(in crate::inventory) PathBuf);

/// `HostPath` as a regular expression, but for `.` and `..`.
const HOST_PATH_PATTERN: &str = "^(/[A-Za-z0-9._@+-]+)+$";

/// Whether it is an absolute path of harmless characters; `further` are those besides any path's.
pub(super) fn is_host_path(text: &str, further: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || "._@+-".contains(c) || further.contains(c);
    let part = |part: &str| !part.is_empty() && part != "." && part != ".." && part.chars().all(legal);
    // no option, whoever gets it as an argument, since it starts with a slash
    let parts = text.strip_prefix('/').map(|rest| rest.split('/').all(part));
    parts == Some(true) && text.len() <= 255
}

impl Read for HostPath {
    fn read(node: &Node, reader: &mut Reader) -> Option<HostPath> {
        let text = reader.scalar(node, "an absolute path")?;
        if !is_host_path(text, "") {
            let finding = Finding::new(&node.place, format!("`{}` is not a path pistream can use", shown(text))).help(
                "Accepted: an absolute path of letters, digits and . _ @ + - without `..`, `//` or a `/` at its end.",
            );
            reader.fault(finding);
            return None;
        }
        Some(HostPath(PathBuf::from(text)))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": HOST_PATH_PATTERN, "maxLength": 255 })
    }
}
