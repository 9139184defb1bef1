//! Durations, always with their unit.

use std::time::Duration;

use schemars::{Schema, SchemaGenerator, json_schema};

use crate::inventory::fault::Finding;
use crate::inventory::reader::{Read, Reader, shown};
use crate::inventory::tree::Node;

/// A duration within bounds (milliseconds, both included).
#[derive(Debug, Clone, Copy)]
pub(in crate::inventory) struct Span<const MIN: u64, const MAX: u64>(pub(in crate::inventory) Duration);

impl<const MIN: u64, const MAX: u64> Span<MIN, MAX> {
    fn accepted() -> String {
        let from = in_words(Duration::from_millis(MIN));
        let to = in_words(Duration::from_millis(MAX));
        format!("Accepted: {from} to {to}, with its unit (500ms, 2s, 30m, 1h).")
    }
}

impl<const MIN: u64, const MAX: u64> Read for Span<MIN, MAX> {
    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let text = reader.scalar(node, "a duration like 2s")?;
        let fault = |message: String| Finding::new(&node.place, message).help(Self::accepted());
        let Ok(duration) = humantime::parse_duration(text) else {
            let finding = match text.parse::<f64>() {
                Ok(_) => {
                    fault(format!("`{}` has no unit", shown(text))).label(format!("seconds? write {}s", shown(text)))
                }
                Err(_) => fault(format!("`{}` is not a duration", shown(text))),
            };
            reader.fault(finding);
            return None;
        };
        if !(Duration::from_millis(MIN)..=Duration::from_millis(MAX)).contains(&duration) {
            reader.fault(fault(format!("{} is out of range", shown(text))));
            return None;
        }
        if duration.subsec_nanos() % 1_000_000 != 0 {
            reader.fault(fault(format!("{} is finer than a millisecond", shown(text))));
            return None;
        }
        Some(Span(duration))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9]", "examples": ["500ms", "2s", "30m", "1h"] })
    }
}

/// "1h", "2s 500ms"
pub(in crate::inventory) fn in_words(duration: Duration) -> String {
    humantime::format_duration(duration).to_string()
}
