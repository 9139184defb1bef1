//! What is built from: where it lies, and its digest.

use schemars::{Schema, SchemaGenerator, json_schema};

use super::path::LocalPath;
use super::word::word;
use crate::inventory::fault::Finding;
use crate::inventory::reader::{Read, Reader, shown};
use crate::inventory::tree::Node;
use crate::model::Origin;

/// Whether nginx is built from sources.
#[derive(Debug, Clone, Copy)]
pub(in crate::inventory) struct Install(pub(in crate::inventory) bool);

impl Read for Install {
    fn read(node: &Node, reader: &mut Reader) -> Option<Install> {
        word(node, reader, &[("package", false), ("source", true)]).map(Install)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": ["package", "source"] })
    }
}

/// Whether it is one, of characters that are no more than that in a command, without a user or password.
pub(super) fn is_https_url(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || "._~/+-%=&?:,".contains(c);
    text.len() <= 1000
        && text.strip_prefix("https://").is_some_and(|rest| {
            let host = rest.split('/').next().unwrap_or_default();
            !host.is_empty() && rest.chars().all(legal)
        })
}

impl Read for Origin {
    /// A URL is an argument of curl in a systemd unit on the host: nothing in it may be more than a character there, and no
    /// password stand in it.
    fn read(node: &Node, reader: &mut Reader) -> Option<Origin> {
        let text = reader.scalar(node, "an https:// URL or a path")?;
        if !text.contains("://") {
            return LocalPath::read(node, reader).map(|path| Origin::File(path.0));
        }
        if !is_https_url(text) {
            if text.contains('@') {
                reader.clear_secrets.push(node.place.bytes.clone());
            }
            let finding = Finding::new(&node.place, "this is not a URL pistream can load from")
                .help("Accepted: https://host/path without a user or password, or the path of a file on this machine.");
            reader.fault(finding);
            return None;
        }
        Some(Origin::Url(text.to_owned()))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1 })
    }
}

/// 64 hexadecimal digits, small ones.
#[derive(Debug, Clone)]
pub(in crate::inventory) struct Sha256(pub(in crate::inventory) String);

impl Read for Sha256 {
    fn read(node: &Node, reader: &mut Reader) -> Option<Sha256> {
        let text = reader.scalar(node, "a sha256")?;
        if text.len() != 64 || !text.chars().all(|c| c.is_ascii_hexdigit()) {
            let finding = Finding::new(&node.place, format!("`{}` is not a sha256", shown(text)))
                .help("Accepted: the 64 digits that `sha256sum FILE` prints.");
            reader.fault(finding);
            return None;
        }
        Some(Sha256(text.to_ascii_lowercase()))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9A-Fa-f]{64}$" })
    }
}
