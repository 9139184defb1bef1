//! Values about the picture: size, bitrate, encoder, profile, level.

use schemars::{Schema, SchemaGenerator, json_schema};

use super::word::Word;
use crate::inventory::fault::Finding;
use crate::inventory::h264;
use crate::inventory::reader::{Read, Reader, shown};
use crate::inventory::tree::Node;
use crate::model::{Bitrate, Encoder, Profile, Size};

impl Word for Encoder {
    const WORDS: &'static [(&'static str, Encoder)] = &[
        ("auto", Encoder::Auto),
        ("copy", Encoder::Copy),
        ("h264_omx", Encoder::H264Omx),
        ("h264_v4l2m2m", Encoder::H264V4l2m2m),
        ("libx264", Encoder::Libx264),
    ];
}

impl Word for Profile {
    const WORDS: &'static [(&'static str, Profile)] = &[
        ("baseline", Profile::Baseline),
        ("main", Profile::Main),
        ("high", Profile::High),
    ];
}

/// An H.264 level, times ten.
#[derive(Debug, Clone, Copy)]
pub(in crate::inventory) struct Level(pub(in crate::inventory) u8);

impl Read for Level {
    fn read(node: &Node, reader: &mut Reader) -> Option<Level> {
        let text = reader.scalar(node, "an H.264 level like 4.0")?;
        let level = h264::LEVELS.iter().find(|level| {
            let written = h264::in_words(level.number);
            written == text || written.strip_suffix(".0") == Some(text)
        });
        if level.is_none() {
            let levels: Vec<String> = h264::LEVELS.iter().map(|level| h264::in_words(level.number)).collect();
            let finding = Finding::new(&node.place, format!("`{}` is not an H.264 level", shown(text)))
                .help(format!("Accepted: {}.", levels.join(", ")));
            reader.fault(finding);
        }
        level.map(|level| Level(level.number))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        let mut accepted: Vec<serde_json::Value> = Vec::new();
        for level in &h264::LEVELS {
            accepted.push(h264::in_words(level.number).into());
            accepted.push((f64::from(level.number) / 10.0).into());
        }
        json_schema!({ "enum": accepted })
    }
}

/// Narrowest and widest picture, in pixels; what fits is the level's business.
const SIDES: std::ops::RangeInclusive<u32> = 32..=4096;

impl Read for Size {
    fn read(node: &Node, reader: &mut Reader) -> Option<Size> {
        let text = reader.scalar(node, "a size like 640x480")?;
        let side = |text: &str| {
            text.parse::<u32>()
                .ok()
                .filter(|_| text.chars().all(|c| c.is_ascii_digit()))
        };
        let size = text.split_once('x').and_then(|(width, height)| {
            Some(Size {
                width: side(width)?,
                height: side(height)?,
            })
        });
        let accepted = "Accepted: WIDTHxHEIGHT in even numbers of pixels, 32 to 4096 (640x480, 1280x720).";
        let message = match size {
            Some(size) if !SIDES.contains(&size.width) || !SIDES.contains(&size.height) => {
                format!("{} is out of range", shown(text))
            }
            Some(size) if size.width % 2 != 0 || size.height % 2 != 0 => {
                format!("{size} has an odd side, and H.264 wants even ones")
            }
            Some(size) => return Some(size),
            None => format!("`{}` is not a size", shown(text)),
        };
        reader.fault(Finding::new(&node.place, message).help(accepted));
        None
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9]+x[0-9]+$" })
    }
}

impl Read for Bitrate {
    fn read(node: &Node, reader: &mut Reader) -> Option<Bitrate> {
        let text = reader.scalar(node, "a bitrate like 250k")?;
        let fault = |message: String| {
            let accepted = "Accepted: 25k to 25M in steps of 25k (the Pi's encoder knows no other): 250k, 1M, 2.5M.";
            Finding::new(&node.place, message).help(accepted)
        };
        let finding = match bits_per_second(text) {
            None => fault(format!("`{}` is not a bitrate", shown(text))),
            Some(bits) => match u32::try_from(bits).ok().and_then(Bitrate::new) {
                Some(bitrate) => return Some(bitrate),
                None => {
                    let step = u64::from(Bitrate::STEP);
                    let below = bits / step * step;
                    if !(step..=u64::from(Bitrate::MAX)).contains(&bits) {
                        fault(format!("{} is out of range", shown(text)))
                    } else {
                        let near = format!("{} or {}?", bitrate_in_words(below), bitrate_in_words(below + step));
                        fault(format!("{} is not a multiple of 25 000 bits per second", shown(text))).label(near)
                    }
                }
            },
        };
        reader.fault(finding);
        None
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?[kM]?$" },
            { "type": "integer", "minimum": Bitrate::STEP, "maximum": Bitrate::MAX, "multipleOf": Bitrate::STEP },
        ] })
    }
}

/// What an uplink carries, bits per second.
#[derive(Debug, Clone, Copy)]
pub(in crate::inventory) struct Uplink(pub(in crate::inventory) u64);

impl Uplink {
    const RANGE: std::ops::RangeInclusive<u64> = 50_000..=10_000_000_000;
}

impl Read for Uplink {
    fn read(node: &Node, reader: &mut Reader) -> Option<Uplink> {
        let text = reader.scalar(node, "an uplink like 2M")?;
        let bits = bits_per_second(text);
        let message = match bits {
            Some(bits) if Uplink::RANGE.contains(&bits) => return Some(Uplink(bits)),
            Some(_) => format!("{} is out of range", shown(text)),
            None => format!("`{}` is not what an uplink carries", shown(text)),
        };
        let help = "Accepted: bits per second, 50k to 10000M: 800k, 2M, 2.5M.";
        reader.fault(Finding::new(&node.place, message).help(help));
        None
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?[kM]?$" },
            { "type": "integer", "minimum": Uplink::RANGE.start(), "maximum": Uplink::RANGE.end() },
        ] })
    }
}

/// 250k, 2.5M, 250000. `None` too for a fraction of a bit and what no `u64` holds.
fn bits_per_second(text: &str) -> Option<u64> {
    let (number, unit) = match text.strip_suffix('k') {
        Some(number) => (number, 3),
        None => text.strip_suffix('M').map_or((text, 0), |number| (number, 6)),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.len() <= 12 && text.chars().all(|c| c.is_ascii_digit());
    let fraction = if fraction == "0" {
        ""
    } else {
        fraction.trim_end_matches('0')
    };
    if !digits(whole) || !(fraction.is_empty() || digits(fraction)) || fraction.len() > unit {
        return None;
    }
    format!("{whole}{fraction:0<unit$}").parse().ok()
}

/// The other way round: 250k, 2M, 2025k.
pub(in crate::inventory) fn bitrate_in_words(bits_per_second: u64) -> String {
    match bits_per_second {
        bits if bits >= 1_000_000 && bits % 1_000_000 == 0 => format!("{}M", bits / 1_000_000),
        bits => format!("{}k", bits / 1_000),
    }
}
