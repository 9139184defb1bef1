//! The single values of an inventory: how each is written, and what it may hold.
//!
//! Names, addresses and paths end in configuration files, unit files, URLs and command lines. So each has its own list
//! of allowed characters here, and none of the lists holds anything that a shell, nginx, systemd or TOML reads as more
//! than a character. What several values mean together is the business of `fleet`.

mod amount;
mod host;
mod picture;
mod rtmp;
mod source;
mod tarball;
mod time;

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::{Schema, SchemaGenerator, json_schema};

pub(super) use self::amount::Share;
pub(super) use self::host::{Address, HostName, Jump, UserName, host_part};
pub(super) use self::picture::{Level, Uplink, bitrate_in_words};
pub(super) use self::rtmp::{RTMP_URL_PATTERN, RtmpUrl};
pub(super) use self::tarball::{Install, Sha256};
pub(super) use self::time::{Span, in_words};
use super::fault::Finding;
use super::reader::{Read, Reader, nearest, shown};
use super::tree::{Node, Place};
use crate::model::{Audio, Control, Latency, Name, SdCard, Transport};

/// `Name` as a regular expression.
pub(super) const NAME_PATTERN: &str = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$";

/// A name of a host or stream; tells what is wrong with it.
pub(super) fn name(text: &str, place: &Place, reader: &mut Reader) -> Option<Name> {
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
pub(super) struct NamePattern(pub(super) glob::Pattern);

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

impl Read for bool {
    fn read(node: &Node, reader: &mut Reader) -> Option<bool> {
        word(node, reader, &[("true", true), ("false", false)])
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "boolean" })
    }
}

/// A plain switch.
#[derive(Debug, Clone, Copy)]
pub(super) struct OnOff(pub(super) bool);

impl Read for OnOff {
    fn read(node: &Node, reader: &mut Reader) -> Option<OnOff> {
        let words = [("on", true), ("off", false), ("true", true), ("false", false)];
        word(node, reader, &words).map(OnOff)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": ["on", "off", true, false] })
    }
}

impl Read for Transport {
    fn read(node: &Node, reader: &mut Reader) -> Option<Transport> {
        word(node, reader, &TRANSPORTS)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": TRANSPORTS.map(|(word, _)| word) })
    }
}

const SD_CARDS: [(&str, SdCard); 2] = [("normal", SdCard::Normal), ("tmpfs", SdCard::Tmpfs)];

impl Read for SdCard {
    fn read(node: &Node, reader: &mut Reader) -> Option<SdCard> {
        word(node, reader, &SD_CARDS)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": SD_CARDS.map(|(word, _)| word) })
    }
}

const AUDIOS: [(&str, Audio); 3] = [("off", Audio::Off), ("silent", Audio::Silent), ("false", Audio::Off)];

impl Read for Audio {
    fn read(node: &Node, reader: &mut Reader) -> Option<Audio> {
        word(node, reader, &AUDIOS)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": ["off", "silent", false] })
    }
}

const LATENCIES: [(&str, Latency); 2] = [("normal", Latency::Normal), ("low", Latency::Low)];

impl Read for Latency {
    fn read(node: &Node, reader: &mut Reader) -> Option<Latency> {
        word(node, reader, &LATENCIES)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": LATENCIES.map(|(word, _)| word) })
    }
}

const TRANSPORTS: [(&str, Transport); 4] = [
    ("auto", Transport::Auto),
    ("russh", Transport::Russh),
    ("openssh", Transport::Openssh),
    ("local", Transport::Local),
];

/// One word of a few.
fn word<T: Copy>(node: &Node, reader: &mut Reader, words: &[(&str, T)]) -> Option<T> {
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let accepted = names.join(", ");
    let text = reader.scalar(node, &format!("one of {accepted}"))?;
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        let mut finding = Finding::new(&node.place, format!("`{}` is none of {accepted}", shown(text)));
        if let Some(near) = nearest(text, &names) {
            finding = finding.label(format!("did you mean `{near}`?"));
        }
        reader.fault(finding.help(format!("Accepted: {accepted}.")));
    }
    found
}

/// A whole number within bounds, both included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whole<const MIN: u32, const MAX: u32>(pub(super) u32);

impl<const MIN: u32, const MAX: u32> Read for Whole<MIN, MAX> {
    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let text = reader.scalar(node, "a whole number")?;
        let number = text.parse().ok().filter(|number| (MIN..=MAX).contains(number));
        if number.is_none() {
            let message = match text.parse::<i128>() {
                Ok(_) => format!("{} is out of range", shown(text)),
                Err(_) => format!("`{}` is not a whole number", shown(text)),
            };
            reader.fault(Finding::new(&node.place, message).help(format!("Accepted: {MIN} to {MAX}.")));
        }
        number.map(Whole)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

/// A path on this machine. `~/` is the home directory, a relative one counts from the inventory's directory.
#[derive(Debug, Clone)]
pub(super) struct LocalPath(pub(super) PathBuf);

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
pub(super) struct HostPath(pub(super) PathBuf);

/// `HostPath` as a regular expression, but for `.` and `..`.
const HOST_PATH_PATTERN: &str = "^(/[A-Za-z0-9._@+-]+)+$";

/// Whether it is an absolute path of harmless characters; `further` are those besides any path's.
fn is_host_path(text: &str, further: &str) -> bool {
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

/// Further V4L2 controls.
#[derive(Debug, Clone, Default)]
pub(super) struct Controls(pub(super) BTreeMap<String, Control>);

/// Controls pistream sets itself, and the key that says to what.
const OWN_CONTROLS: [(&str, &str); 5] = [
    ("video_bitrate", "Write `bitrate:` instead."),
    ("h264_profile", "Write `profile:` instead."),
    ("h264_level", "Write `level:` instead."),
    ("h264_i_frame_period", "Write `keyframe_interval:` instead."),
    (
        "repeat_sequence_header",
        "It is always on: viewers who come late need it.",
    ),
];

/// The kernel's names of menu entries have at most so many bytes.
const LONGEST_ENTRY: usize = 31;

/// Whether the camera has such a control, and what it takes, only its driver knows: the agent asks it.
fn control(text: &str) -> Option<Control> {
    if let Ok(number) = text.parse() {
        return Some(Control::Number(number));
    }
    let printable = |c: char| c.is_ascii_graphic() || c == ' ';
    let named = text.len() <= LONGEST_ENTRY && text.chars().all(printable);
    // a number that V4L2 cannot hold, or with a fraction, is no name
    let word = text.chars().any(|c| c.is_ascii_alphabetic());
    (named && word).then(|| Control::Entry(text.to_owned()))
}

impl Read for Controls {
    fn read(node: &Node, reader: &mut Reader) -> Option<Controls> {
        let mut controls = Controls::default();
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        for entry in reader.entries(node, "a map of controls like {rotate: 180}")? {
            let key = &entry.key;
            if let Some((_, instead)) = OWN_CONTROLS.iter().find(|(control, _)| *control == key.text) {
                let message = format!("`{}` is set by pistream itself", key.text);
                reader.fault(Finding::new(&key.place, message).help(*instead));
            } else if key.text.is_empty() || key.text.len() > 63 || !key.text.chars().all(legal) {
                let message = format!("`{}` is no name of a V4L2 control", shown(&key.text));
                let help = "Accepted: a-z, 0-9 and `_`, as `v4l2-ctl -L` on the camera lists them.";
                reader.fault(Finding::new(&key.place, message).help(help));
            } else if let Some(text) = reader.scalar(&entry.value, "a whole number or an entry of a menu") {
                match control(text) {
                    Some(value) => {
                        controls.0.insert(key.text.clone(), value);
                    }
                    None => {
                        let message = format!("`{}` is no value of a V4L2 control", shown(text));
                        let help = "Accepted: a whole number (0 and 1 for off and on), or an entry of a menu by its name, \
                                    as `pistream controls` shows them.";
                        reader.fault(Finding::new(&entry.value.place, message).help(help));
                    }
                }
            }
        }
        Some(controls)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "propertyNames": { "pattern": "^[a-z0-9_]+$", "maxLength": 63, "not": { "enum": OWN_CONTROLS.map(|(c, _)| c) } },
            "additionalProperties": { "anyOf": [
                { "type": "integer" },
                { "type": "string", "minLength": 1, "maxLength": LONGEST_ENTRY },
            ] },
        })
    }

    /// Control by control.
    fn over(self, mut default: Controls) -> Controls {
        default.0.extend(self.0);
        default
    }
}
