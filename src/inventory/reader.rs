//! Reads typed values out of the located tree and collects every fault on the way.
//!
//! `Read` is what a type must be able to do to stand in an inventory: be read, be described to an editor (JSON Schema)
//! and be laid over a default. Knows no key itself (`keys`), and no kind of value (`values`).

use std::collections::HashMap;
use std::ops::Range;

use schemars::{Schema, SchemaGenerator};

use super::fault::Finding;
use super::tree::{Entry, Key, Node, Place, Value};
use crate::model::Name;
use crate::told::disturbs_terminal;

pub(super) trait Read: Sized {
    /// `None`: it is wrong, and the reader was told why.
    fn read(node: &Node, reader: &mut Reader) -> Option<Self>;

    fn schema(generator: &mut SchemaGenerator) -> Schema;

    /// What holds when both this and a default are given.
    fn over(self, _default: Self) -> Self {
        self
    }
}

/// A key that was written, and where. `value` is `None` where it was wrong (and told).
#[derive(Debug, Clone)]
pub(super) struct Given<T> {
    pub(super) value: Option<T>,
    pub(super) place: Place,
}

impl<T: Read> Given<T> {
    /// `None` for a key without a value: as good as not written.
    pub(super) fn read(node: &Node, reader: &mut Reader) -> Option<Given<T>> {
        match node.value {
            Value::Null => None,
            _ => Some(Given {
                value: T::read(node, reader),
                place: node.place.clone(),
            }),
        }
    }

    /// The default of a key, from its text in the definition.
    pub(super) fn default(text: &str) -> Option<Given<T>> {
        let node = Node {
            value: Value::Scalar(text.to_owned()),
            place: Place::start(),
        };
        Given::read(&node, &mut Reader::default())
    }

    pub(super) fn over(given: Option<Given<T>>, default: Option<Given<T>>) -> Option<Given<T>> {
        match (given, default) {
            (Some(given), Some(default)) => {
                let value = match (given.value, default.value) {
                    (Some(given), Some(default)) => Some(given.over(default)),
                    (Some(given), None) => Some(given),
                    (None, _) => None,
                };
                Some(Given {
                    value,
                    place: given.place,
                })
            }
            (given, default) => given.or(default),
        }
    }
}

/// A key's value: what was given or its default. `None` where it was wrong.
pub(super) fn value<T: Clone>(given: &Option<Given<T>>) -> Option<T> {
    given.as_ref().and_then(|given| given.value.clone())
}

/// Most faults told of one file.
pub(super) const MOST: usize = 100;

/// What has been found so far.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) faults: Vec<Finding>,
    pub(super) warnings: Vec<Finding>,
    /// Bytes of the file that hold a secret in clear, never to be shown.
    pub(super) clear_secrets: Vec<Range<usize>>,
}

impl Reader {
    /// Tells the same thing about the same place once, and no more than a person would read.
    pub(super) fn fault(&mut self, finding: Finding) {
        if self.faults.len() < MOST && !self.faults.contains(&finding) {
            self.faults.push(finding);
        }
    }

    pub(super) fn warn(&mut self, finding: Finding) {
        if self.warnings.len() < MOST && !self.warnings.contains(&finding) {
            self.warnings.push(finding);
        }
    }

    /// The text of a single value. `accepted` describes what belongs there.
    pub(super) fn scalar<'a>(&mut self, node: &'a Node, accepted: &str) -> Option<&'a str> {
        if let Value::Scalar(text) = &node.value {
            return Some(text);
        }
        self.wrong_kind(node, accepted);
        None
    }

    /// The entries of a map, without those whose key stood there already. `accepted` describes what belongs there.
    pub(super) fn entries<'a>(&mut self, node: &'a Node, accepted: &str) -> Option<Vec<&'a Entry>> {
        let map = match &node.value {
            Value::Null => return Some(Vec::new()),
            Value::Map(map) => map,
            Value::Scalar(_) | Value::List(_) => {
                self.wrong_kind(node, accepted);
                return None;
            }
        };
        let mut seen: HashMap<&str, &Key> = HashMap::new();
        let mut entries = Vec::new();
        for entry in map {
            match seen.get(entry.key.text.as_str()) {
                Some(first) => self.duplicate(&entry.key, first),
                None => {
                    seen.insert(&entry.key.text, &entry.key);
                    entries.push(entry);
                }
            }
        }
        Some(entries)
    }

    fn duplicate(&mut self, second: &Key, first: &Key) {
        let finding = Finding::new(&second.place, format!("`{}` is written twice", shown(&second.text)))
            .label(format!("first on line {}", first.place.line))
            .help("Remove one of the two, or give it another name.");
        self.fault(finding);
    }

    pub(super) fn wrong_kind(&mut self, node: &Node, accepted: &str) {
        self.fault(Finding::new(
            &node.place,
            format!("{} where {accepted} belongs", node.kind()),
        ));
    }

    /// `known` in the order in which they are told.
    pub(super) fn unknown_key(&mut self, entry: &Entry, known: &[&str]) {
        let mut finding = Finding::new(&entry.key.place, format!("unknown key `{}`", shown(&entry.key.text)));
        if let Some(near) = nearest(&entry.key.text, known) {
            finding = finding.label(format!("did you mean `{near}`?"));
        }
        self.fault(finding.help(format!("Accepted here: {}.", known.join(", "))));
    }
}

/// A map with these keys, for a person.
pub(super) fn accepted_keys(keys: &[&str]) -> String {
    let more = if keys.len() > 3 { ", …" } else { "" };
    format!(
        "a map of keys ({}{more})",
        keys.iter().take(3).copied().collect::<Vec<_>>().join(", ")
    )
}

/// User's text inside a message: nothing that disturbs a terminal, and not for ever.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let clean: String = text
        .chars()
        .take(LONGEST)
        .map(|c| if disturbs_terminal(c) { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        format!("{clean}…")
    } else {
        clean
    }
}

/// The known word a person most likely meant.
pub(super) fn nearest<'a>(text: &str, known: &[&'a str]) -> Option<&'a str> {
    let text = text.to_lowercase().replace('-', "_");
    let close = |word: &&&str| {
        let word = word.replace('-', "_");
        let far = strsim::damerau_levenshtein(&text, &word);
        far * 3 <= word.len().max(3) || (text.len() >= 4 && word.starts_with(&text))
    };
    // `min_by_key` takes the first of equals: the order of `known` decides
    known
        .iter()
        .filter(close)
        .min_by_key(|word| strsim::damerau_levenshtein(&text, word))
        .copied()
}

/// A map whose keys are the user's own names.
#[derive(Debug, Clone)]
pub(super) struct Named<T> {
    pub(super) entries: Vec<(Name, Place, T)>,
    /// Some had a wrong name and are not among `entries`.
    pub(super) incomplete: bool,
}

impl<T: Read> Read for Named<T> {
    fn read(node: &Node, reader: &mut Reader) -> Option<Named<T>> {
        let mut named = Named {
            entries: Vec::new(),
            incomplete: false,
        };
        for entry in reader.entries(node, "a map of names")? {
            let value = T::read(&entry.value, reader);
            match (super::values::name(&entry.key.text, &entry.key.place, reader), value) {
                (Some(name), Some(value)) => named.entries.push((name, entry.key.place.clone(), value)),
                _ => named.incomplete = true,
            }
        }
        Some(named)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let value = T::schema(generator);
        schemars::json_schema!({
            "type": ["object", "null"],
            "propertyNames": { "pattern": super::values::NAME_PATTERN, "maxLength": Name::MAX },
            "additionalProperties": value,
        })
    }
}

impl<T: Read> Read for Vec<Given<T>> {
    /// One value is as good as a list of one.
    fn read(node: &Node, reader: &mut Reader) -> Option<Vec<Given<T>>> {
        let Value::List(items) = &node.value else {
            return Some(Given::read(node, reader).into_iter().collect());
        };
        Some(items.iter().filter_map(|item| Given::read(item, reader)).collect())
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let item = T::schema(generator);
        schemars::json_schema!({ "anyOf": [item, { "type": "array", "items": item }] })
    }
}

/// Something that can be switched off, or on with its keys.
#[derive(Debug, Clone)]
pub(super) enum Switch<T> {
    Off,
    On(T),
}

impl<T: Read + Default> Read for Switch<T> {
    fn read(node: &Node, reader: &mut Reader) -> Option<Switch<T>> {
        match &node.value {
            Value::Scalar(text) => match text.as_str() {
                "off" | "false" => Some(Switch::Off),
                "on" | "true" => Some(Switch::On(T::default())),
                other => {
                    let finding = Finding::new(&node.place, format!("`{}` is neither on nor off", shown(other)))
                        .help("Accepted: off, on, or a map of keys.");
                    reader.fault(finding);
                    None
                }
            },
            _ => T::read(node, reader).map(Switch::On),
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let on = T::schema(generator);
        schemars::json_schema!({ "anyOf": [{ "enum": ["off", "on", false, true] }, on] })
    }

    fn over(self, default: Switch<T>) -> Switch<T> {
        match (self, default) {
            (Switch::On(given), Switch::On(default)) => Switch::On(given.over(default)),
            (given, _) => given,
        }
    }
}
