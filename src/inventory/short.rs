//! Maps of keys that have a short form: `ssh: user@host:port`, a restream target as its URL. And secrets, which have
//! none on purpose.

use std::path::PathBuf;

use schemars::{Schema, SchemaGenerator, json_schema};

use super::fault::Finding;
use super::keys::{RestreamKeys, SshKeys};
use super::reader::{Given, Read, Reader, shown};
use super::tree::{Node, Place, Value};
use super::values::{LocalPath, RTMP_URL_PATTERN, RtmpUrl, UserName, Whole, host_part};
use crate::model::Secret;

/// A map of keys with a short form.
pub(super) trait Short: Read {
    fn short(text: &str, place: &Place, reader: &mut Reader) -> Option<Self>;

    /// What the short form looks like, as a regular expression.
    const PATTERN: &'static str;
}

/// The map of keys, or its short form.
#[derive(Debug, Clone)]
pub(super) struct OrShort<T>(pub(super) T);

impl<T: Short> Read for OrShort<T> {
    fn read(node: &Node, reader: &mut Reader) -> Option<OrShort<T>> {
        match &node.value {
            Value::Scalar(text) => T::short(text, &node.place, reader),
            _ => T::read(node, reader),
        }
        .map(OrShort)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let map = T::schema(generator);
        json_schema!({ "anyOf": [{ "type": "string", "pattern": T::PATTERN }, map] })
    }

    fn over(self, default: OrShort<T>) -> OrShort<T> {
        OrShort(self.0.over(default.0))
    }
}

/// `[user@]host[:port]`
pub(super) const SSH_PATTERN: &str = "^([A-Za-z0-9._-]+@)?[A-Za-z0-9\\[:][A-Za-z0-9._:\\]-]*$";

impl Short for SshKeys {
    const PATTERN: &'static str = SSH_PATTERN;

    fn short(text: &str, place: &Place, reader: &mut Reader) -> Option<SshKeys> {
        const ACCEPTED: &str = "Accepted: [user@]host[:port], an IPv6 address with a port in brackets \
                                (pi@[fd00::7]:22), or a map of keys.";
        let (user, host) = text
            .rsplit_once('@')
            .map_or((None, text), |(user, host)| (Some(user), host));
        if user.is_some_and(|user| user.contains(':')) {
            reader.clear_secrets.push(place.bytes.clone());
            let finding = Finding::new(place, "a password in clear").help(format!("{ACCEPTED} {SECRET_HELP}"));
            reader.fault(finding);
            return None;
        }
        let checked = user.map(UserName::new);
        if let Some(None) = checked {
            let message = format!("`{}` is not a user name", shown(user.unwrap_or_default()));
            reader.fault(Finding::new(place, message).help(ACCEPTED));
            return None;
        }
        let Some((host, port)) = host_part(host) else {
            let message = format!("`{}` is not a host that ssh could reach", shown(host));
            reader.fault(Finding::new(place, message).help(ACCEPTED));
            return None;
        };
        fn given<T>(value: T, place: &Place) -> Given<T> {
            Given {
                value: Some(value),
                place: place.clone(),
            }
        }
        Some(SshKeys {
            host: Some(given(host, place)),
            user: checked.flatten().map(|user| given(user, place)),
            port: port.map(|port| given(Whole(u32::from(port)), place)),
            ..SshKeys::default()
        })
    }
}

impl Short for RestreamKeys {
    const PATTERN: &'static str = RTMP_URL_PATTERN;

    fn short(text: &str, place: &Place, reader: &mut Reader) -> Option<RestreamKeys> {
        let url = RtmpUrl::new(text, place, reader)?;
        Some(RestreamKeys {
            url: Some(Given {
                value: Some(url),
                place: place.clone(),
            }),
            ..RestreamKeys::default()
        })
    }
}

/// How to write a secret.
const SECRET_HELP: &str = "Write where it comes from: {env: NAME}, {file: path} or {command: \"pass show …\"}.";

impl Read for Secret {
    fn read(node: &Node, reader: &mut Reader) -> Option<Secret> {
        if let Value::Scalar(_) = node.value {
            reader.clear_secrets.push(node.place.bytes.clone());
            reader.fault(Finding::new(&node.place, "a secret in clear").help(SECRET_HELP));
            return None;
        }
        let entries = reader.entries(node, "a secret's source ({env: NAME}, {file: path}, {command: …})")?;
        let [entry] = entries.as_slice() else {
            let message = match entries.len() {
                0 => "a secret without a source",
                _ => "a secret with several sources",
            };
            reader.fault(Finding::new(&node.place, message).help(SECRET_HELP));
            return None;
        };
        match entry.key.text.as_str() {
            "env" => {
                let name = reader.scalar(&entry.value, "a variable's name")?;
                let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
                if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(legal) {
                    // it might be the secret itself
                    reader.clear_secrets.push(entry.value.place.bytes.clone());
                    let finding = Finding::new(&entry.value.place, "this is no name of an environment variable").help(
                        "Accepted: letters, digits and `_`, not starting with a digit: {env: PISTREAM_PASSWORD}.",
                    );
                    reader.fault(finding);
                    return None;
                }
                Some(Secret::Env(name.to_owned()))
            }
            "file" => LocalPath::read(&entry.value, reader).map(|path| Secret::File(path.0)),
            "command" => {
                let command = reader.scalar(&entry.value, "a command")?.trim();
                if command.is_empty() || command.contains('\0') {
                    reader.fault(Finding::new(&entry.value.place, "an empty command").help(SECRET_HELP));
                    return None;
                }
                Some(Secret::Command(command.to_owned()))
            }
            _ => {
                // the value of a key nobody knows might be the secret itself
                reader.clear_secrets.push(entry.value.place.bytes.clone());
                reader.unknown_key(entry, &["env", "file", "command"]);
                None
            }
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        let source = |key: &str, about: &str| {
            let mut properties = serde_json::Map::new();
            properties.insert(
                key.to_owned(),
                serde_json::json!({ "type": "string", "minLength": 1, "description": about }),
            );
            serde_json::json!({
                "type": "object", "properties": properties, "required": [key], "additionalProperties": false,
            })
        };
        json_schema!({ "anyOf": [
            source("env", "An environment variable of this machine."),
            source("file", "A file on this machine, relative to the inventory; its last newline does not count."),
            source("command", "A command on this machine, run by sh -c; its last newline does not count."),
        ] })
    }
}

/// A local path as it is meant: `~/` is home, a relative one counts from `directory`.
pub(super) fn locate(path: PathBuf, directory: &std::path::Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(below), Some(home)) => home.join(below),
        _ if directory.as_os_str().is_empty() => path,
        _ => directory.join(path),
    }
}

/// A secret as it is meant: its file is a local path.
pub(super) fn locate_secret(secret: Secret, directory: &std::path::Path) -> Secret {
    match secret {
        Secret::File(path) => Secret::File(locate(path, directory)),
        secret => secret,
    }
}
