//! A camera's further V4L2 controls: which may be named at all, and how values are written. What the camera takes, only its
//! driver knows: the agent asks it.

use std::collections::BTreeMap;

use schemars::{Schema, SchemaGenerator, json_schema};

use crate::inventory::fault::Finding;
use crate::inventory::reader::{Read, Reader, shown};
use crate::inventory::tree::{Node, Place};
use crate::model::{Control, Fraction};

/// Further V4L2 controls, and where each is set.
#[derive(Debug, Clone, Default)]
pub(in crate::inventory) struct Controls(pub(in crate::inventory) BTreeMap<String, (Control, Place)>);

impl Controls {
    pub(in crate::inventory) fn without_places(self) -> BTreeMap<String, Control> {
        self.0.into_iter().map(|(name, (setting, _))| (name, setting)).collect()
    }
}

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
    if let Some(fraction) = Fraction::parse(text) {
        // 2.0 is a whole number, of which any driver may know something
        let whole = (fraction.thousandths % 1000 == 0).then_some(fraction.thousandths / 1000);
        return Some(whole.map_or(Control::Fraction(fraction), Control::Number));
    }
    let printable = |c: char| c.is_ascii_graphic() || c == ' ';
    let named = text.len() <= LONGEST_ENTRY && text.chars().all(printable);
    // a number that V4L2 cannot hold is no name
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
            } else if let Some(text) = reader.scalar(&entry.value, "a number or an entry of a menu") {
                match control(text) {
                    Some(value) => {
                        controls.0.insert(key.text.clone(), (value, entry.value.place.clone()));
                    }
                    None => {
                        let message = format!("`{}` is no value of a V4L2 control", shown(text));
                        let help = "Accepted: a whole number (0 and 1 for off and on), of libcamera's cameras with up to three \
                                    decimals, or an entry of a menu by its name, as `pistream controls` shows them.";
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
                { "type": "number" },
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
