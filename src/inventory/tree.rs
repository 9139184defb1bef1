//! YAML text as a tree in which every key and value knows its place. The one door of serde-saphyr.
//!
//! Knows no key of the inventory. It keeps scalars as they were written (`off`, `0750`, `1.10` stay text), keeps
//! duplicate keys so that all of them can be told at once, and applies merge keys (`<<`).

mod raw;

use std::ops::Range;

use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Location, Spanned};

use self::raw::Raw;

/// A value and where it is written.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) place: Place,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    /// `~`, `null`, or nothing at all.
    Null,
    /// As written, without quotes.
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: Key,
    pub(super) value: Node,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) place: Place,
}

/// Where something is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    /// From 1.
    pub(super) line: usize,
    /// From 1, in characters.
    pub(super) column: usize,
    /// Bytes of the text.
    pub(super) bytes: Range<usize>,
}

impl Place {
    /// The very beginning of the file.
    pub(super) fn start() -> Place {
        Place {
            line: 1,
            column: 1,
            bytes: 0..0,
        }
    }

    fn new(location: Location) -> Place {
        let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let span = location.span();
        let from = number(span.byte_offset().unwrap_or(0));
        let length = number(span.byte_len().unwrap_or(0));
        Place {
            line: number(location.line()).max(1),
            column: number(location.column()).max(1),
            bytes: from..from.saturating_add(length),
        }
    }

    /// The same place with its bytes counted anew from line and column: the parser's own errors come without them.
    fn found_in(self, text: &str) -> Place {
        let before: usize = text.split_inclusive('\n').take(self.line - 1).map(str::len).sum();
        let line = text.get(before..).unwrap_or_default();
        let within: usize = line.chars().take(self.column - 1).map(char::len_utf8).sum();
        let from = (before + within).min(text.len());
        let length = text
            .get(from..)
            .and_then(|rest| rest.chars().next())
            .map_or(0, char::len_utf8);
        Place {
            bytes: from..from + length,
            ..self
        }
    }
}

/// Why the text is no YAML.
#[derive(Debug)]
pub(super) struct SyntaxFault {
    pub(super) message: String,
    /// What to do.
    pub(super) help: &'static str,
    pub(super) place: Place,
}

impl Node {
    /// What kind of value this is, for a person.
    pub(super) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Scalar(_) => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a map of keys",
        }
    }
}

/// Reads one document.
///
/// # Errors
/// The first thing that is no YAML, or that is beyond what any inventory needs: more than 100 000 values after all
/// aliases are followed, or 32 levels of nesting (both stop alias bombs).
pub(super) fn parse(text: &str) -> Result<Node, SyntaxFault> {
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        with_snippet: false,
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 100_000 },
        budget: serde_saphyr::budget! {
            max_nodes: 100_000,
            max_events: 300_000,
            max_depth: 32,
            max_aliases: 10_000,
        },
    };
    let raw: Spanned<Raw> = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let place = error
            .location()
            .map_or_else(Place::start, |location| Place::new(location).found_in(text));
        let (message, help) = plain_message(&error);
        let tab = text.lines().nth(place.line - 1).is_some_and(|line| line.contains('\t'));
        let help = if tab {
            "YAML indents by spaces: replace the tab."
        } else {
            help
        };
        SyntaxFault { message, help, place }
    })?;
    Ok(locate(raw, text))
}

/// The library's message without its own mention of the place, which is told in ours, and in an inventory's words; and
/// what to do.
fn plain_message(error: &serde_saphyr::Error) -> (String, &'static str) {
    let message = error.without_snippet().to_string();
    let first = message.lines().next().unwrap_or_default();
    let message = first.find(" at line ").map_or(first, |end| &first[..end]).trim_end();
    for (theirs, ours, help) in [
        (
            "alias replay limit exceeded",
            "aliases (`*name`) that unfold to far more than any inventory needs",
            "Write it out, or use `defaults:`.",
        ),
        (
            "multiple YAML documents",
            "a second document after `---`",
            "An inventory is one document: give each a file of its own.",
        ),
        (
            "recursive references",
            "an alias (`*name`) inside of what it stands for",
            "Write it out.",
        ),
        (
            "recursion limit",
            "nested deeper than any inventory",
            "An inventory is a few levels deep: see reference.yml.",
        ),
        (
            "budget breached",
            "far more than any inventory holds",
            "Is this another file?",
        ),
    ] {
        if message.starts_with(theirs) {
            return (ours.to_owned(), help);
        }
    }
    let help = "This is not YAML. Every key stands on a line of its own, `key: value`, indented by spaces below what it \
                belongs to.";
    (message.to_owned(), help)
}

fn locate(raw: Spanned<Raw>, text: &str) -> Node {
    let place = Place::new(raw.defined);
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Plain => Value::Scalar(text.get(place.bytes.clone()).unwrap_or_default().trim().to_owned()),
        Raw::Text(text) => Value::Scalar(text),
        Raw::List(items) => Value::List(items.into_iter().map(|item| locate(item, text)).collect()),
        Raw::Map(entries) => Value::Map(merge(entries, text)),
    };
    Node { value, place }
}

/// Entries in the order of the file; those of `<<` last, and only where no key of the map itself says otherwise.
fn merge(raw: Vec<(Spanned<Raw>, Spanned<Raw>)>, text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut merged = Vec::new();
    for (key, value) in raw {
        let key = locate(key, text);
        let value = locate(value, text);
        let name = match key.value {
            Value::Scalar(name) => name,
            Value::Null => "~".to_owned(),
            Value::List(_) | Value::Map(_) => "?".to_owned(),
        };
        let key = Key {
            text: name,
            place: key.place,
        };
        if key.text != "<<" {
            entries.push(Entry { key, value });
            continue;
        }
        match value.value {
            Value::Map(map) => merged.extend(map),
            Value::List(maps) if maps.iter().all(|m| matches!(m.value, Value::Map(_))) => {
                merged.extend(maps.into_iter().flat_map(|m| match m.value {
                    Value::Map(map) => map,
                    _ => Vec::new(),
                }));
            }
            // left in place, where the reader tells of an unknown key `<<`
            _ => entries.push(Entry { key, value }),
        }
    }
    for entry in merged {
        if !entries.iter().any(|e| e.key.text == entry.key.text) {
            entries.push(entry);
        }
    }
    entries
}
