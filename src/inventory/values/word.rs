//! Values that are one word of a few. What a word does is none of its business.

use schemars::{Schema, SchemaGenerator, json_schema};

use crate::inventory::fault::Finding;
use crate::inventory::reader::{Read, Reader, nearest, shown};
use crate::inventory::tree::Node;
use crate::model::{Audio, Latency, RecordingFormat, SdCard, Transport};

/// One word of a few.
pub(super) fn word<T: Copy>(node: &Node, reader: &mut Reader, words: &[(&str, T)]) -> Option<T> {
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

/// What is written as one of these words, and nothing else.
pub(super) trait Word: Copy + 'static {
    const WORDS: &'static [(&'static str, Self)];
}

impl<T: Word> Read for T {
    fn read(node: &Node, reader: &mut Reader) -> Option<T> {
        word(node, reader, T::WORDS)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<&str> = T::WORDS.iter().map(|(word, _)| *word).collect();
        json_schema!({ "enum": words })
    }
}

impl Word for Transport {
    const WORDS: &'static [(&'static str, Transport)] = &[
        ("auto", Transport::Auto),
        ("russh", Transport::Russh),
        ("openssh", Transport::Openssh),
        ("local", Transport::Local),
    ];
}

impl Word for SdCard {
    const WORDS: &'static [(&'static str, SdCard)] = &[("normal", SdCard::Normal), ("tmpfs", SdCard::Tmpfs)];
}

impl Word for Latency {
    const WORDS: &'static [(&'static str, Latency)] = &[("normal", Latency::Normal), ("low", Latency::Low)];
}

impl Word for RecordingFormat {
    const WORDS: &'static [(&'static str, RecordingFormat)] =
        &[("mp4", RecordingFormat::Mp4), ("flv", RecordingFormat::Flv)];
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
pub(in crate::inventory) struct OnOff(pub(in crate::inventory) bool);

impl Read for OnOff {
    fn read(node: &Node, reader: &mut Reader) -> Option<OnOff> {
        let words = [("on", true), ("off", false), ("true", true), ("false", false)];
        word(node, reader, &words).map(OnOff)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": ["on", "off", true, false] })
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
