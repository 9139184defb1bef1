//! Whence the viewers' certificate: a file on the server, or an authority that speaks ACME, and who asks there.

use schemars::{Schema, SchemaGenerator, json_schema};

use super::path::HostPath;
use super::tarball::is_https_url;
use crate::inventory::fault::Finding;
use crate::inventory::reader::{Read, Reader, shown};
use crate::inventory::tree::Node;

const LETSENCRYPT: &str = "letsencrypt";

#[derive(Debug, Clone)]
pub(in crate::inventory) enum WebCertificate {
    LetsEncrypt,
    File(HostPath),
}

impl Read for WebCertificate {
    fn read(node: &Node, reader: &mut Reader) -> Option<WebCertificate> {
        match reader.scalar(node, "letsencrypt or an absolute path")? {
            LETSENCRYPT => Some(WebCertificate::LetsEncrypt),
            _ => HostPath::read(node, reader).map(WebCertificate::File),
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "const": LETSENCRYPT }, HostPath::schema(generator)] })
    }
}

/// The URL of an ACME directory (RFC 8555, section 7.1.1).
#[derive(Debug, Clone)]
pub(in crate::inventory) struct AcmeUrl(pub(in crate::inventory) String);

impl Read for AcmeUrl {
    fn read(node: &Node, reader: &mut Reader) -> Option<AcmeUrl> {
        let text = reader.scalar(node, "an https:// URL")?;
        if !is_https_url(text) {
            let finding = Finding::new(&node.place, "this is not the URL of an ACME directory")
                .help("Accepted: https://host/path without a user or password.");
            reader.fault(finding);
            return None;
        }
        Some(AcmeUrl(text.to_owned()))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^https://", "maxLength": 1000 })
    }
}

/// An address for mail, of the letters that nearly all have: it becomes an argument of a command.
#[derive(Debug, Clone)]
pub(in crate::inventory) struct Email(pub(in crate::inventory) String);

/// `Email` as a regular expression.
const EMAIL_PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9._+-]*@[A-Za-z0-9.-]+$";

impl Read for Email {
    fn read(node: &Node, reader: &mut Reader) -> Option<Email> {
        let text = reader.scalar(node, "an e-mail address")?;
        let is_of = |part: &str, further: &str| {
            let legal = |c: char| c.is_ascii_alphanumeric() || further.contains(c);
            part.starts_with(|c: char| c.is_ascii_alphanumeric()) && part.chars().all(legal)
        };
        let parts = text.split_once('@');
        if text.len() > 254 || !parts.is_some_and(|(user, host)| is_of(user, "._+-") && is_of(host, ".-")) {
            let finding = Finding::new(&node.place, format!("`{}` is not an e-mail address", shown(text)))
                .help("Accepted: name@host of letters, digits and . _ + -");
            reader.fault(finding);
            return None;
        }
        Some(Email(text.to_owned()))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": EMAIL_PATTERN, "maxLength": 254 })
    }
}
