//! Whole numbers within bounds.

use schemars::{Schema, SchemaGenerator, json_schema};

use crate::inventory::fault::Finding;
use crate::inventory::reader::{Read, Reader, shown};
use crate::inventory::tree::Node;

/// A whole number within bounds, both included.
#[derive(Debug, Clone, Copy)]
pub(in crate::inventory) struct Whole<const MIN: u32, const MAX: u32>(pub(in crate::inventory) u32);

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
