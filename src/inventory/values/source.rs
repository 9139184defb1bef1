//! Where a camera's pictures come from.

use std::path::PathBuf;

use schemars::{Schema, SchemaGenerator, json_schema};

use super::path::{HostPath, is_host_path};
use crate::inventory::fault::Finding;
use crate::inventory::reader::{Read, Reader, nearest, shown};
use crate::inventory::tree::{Node, Value};
use crate::model::{CsiCamera, Source};

const ACCEPTED: &str = "auto, rpicam, {rpicam: 1}, {rpicam: imx708}, usb, {usb: /dev/video0}, {v4l2: /dev/video0}, test or \
                        {file: /path/on/the/host}";

/// Besides what any path on a host may hold: udev puts these into the names of devices by their places
/// (`/dev/v4l/by-path/platform-fd500000.pcie-pci-0000:01:00.0-usb-0:1.3:1.0-video-index0`).
const IN_DEVICES: &str = ":=";
const DEVICE_PATTERN: &str = "^/dev(/[A-Za-z0-9._@+:=-]+)+$";

/// More cameras than any Pi can have.
const CAMERAS: u32 = 16;
/// Longer than any sensor is called.
const LONGEST_SENSOR: usize = 31;
const SENSOR_PATTERN: &str = "^[a-z0-9_]*[a-z][a-z0-9_]*$";

impl Read for Source {
    fn read(node: &Node, reader: &mut Reader) -> Option<Source> {
        let accepted = format!("Accepted: {ACCEPTED}.");
        if let Value::Scalar(text) = &node.value {
            match text.as_str() {
                "auto" => return Some(Source::Auto),
                "rpicam" => return Some(Source::Rpicam(None)),
                "usb" => return Some(Source::Usb(None)),
                "test" => return Some(Source::TestPattern),
                _ => {}
            }
            let mut finding = Finding::new(&node.place, format!("`{}` is not a source", shown(text))).help(accepted);
            if let Some(near) = nearest(text, &["auto", "rpicam", "usb", "test"]) {
                finding = finding.label(format!("did you mean `{near}`?"));
            }
            reader.fault(finding);
            return None;
        }
        let entries = reader.entries(node, ACCEPTED)?;
        let [entry] = entries.as_slice() else {
            reader.fault(Finding::new(&node.place, "a source is one thing").help(accepted));
            return None;
        };
        match entry.key.text.as_str() {
            "file" => HostPath::read(&entry.value, reader).map(|path| Source::File(path.0)),
            "v4l2" => device(&entry.value, reader).map(Source::V4l2),
            "usb" => device(&entry.value, reader).map(|path| Source::Usb(Some(path))),
            "rpicam" => csi_camera(&entry.value, reader).map(|camera| Source::Rpicam(Some(camera))),
            _ => {
                reader.unknown_key(entry, &["rpicam", "usb", "v4l2", "file"]);
                None
            }
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let device = json_schema!({ "type": "string", "pattern": DEVICE_PATTERN, "maxLength": 255 });
        let camera = json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 0, "exclusiveMaximum": CAMERAS },
            { "type": "string", "pattern": SENSOR_PATTERN, "maxLength": LONGEST_SENSOR },
        ] });
        let of = |key: &str, value: Schema| json_schema!({ "type": "object", "properties": { key: value }, "required": [key], "additionalProperties": false });
        json_schema!({ "anyOf": [
            { "enum": ["auto", "rpicam", "usb", "test"] },
            of("rpicam", camera),
            of("usb", device.clone()),
            of("v4l2", device),
            of("file", HostPath::schema(generator)),
        ] })
    }
}

/// The path of a V4L2 device.
fn device(node: &Node, reader: &mut Reader) -> Option<PathBuf> {
    let text = reader.scalar(node, "a device like /dev/video0")?;
    if !text.starts_with("/dev/") {
        let finding = Finding::new(&node.place, "a V4L2 device lies in /dev")
            .help("Accepted: /dev/video0, /dev/v4l/by-id/… and the like.");
        reader.fault(finding);
        return None;
    }
    if !is_host_path(text, IN_DEVICES) {
        let message = format!("`{}` is not a device pistream can use", shown(text));
        let help =
            "Accepted: a path in /dev of letters, digits and . _ @ + - : = without `..`, `//` or a `/` at its end.";
        reader.fault(Finding::new(&node.place, message).help(help));
        return None;
    }
    Some(PathBuf::from(text))
}

fn csi_camera(node: &Node, reader: &mut Reader) -> Option<CsiCamera> {
    let text = reader.scalar(node, "a camera's number or its sensor")?;
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let camera = match text.parse() {
        Ok(number) => Some(CsiCamera::Number(number)).filter(|_| number < CAMERAS),
        Err(_) => {
            let named = text.len() <= LONGEST_SENSOR && text.chars().all(legal);
            let word = text.chars().any(|c| c.is_ascii_lowercase());
            (named && word).then(|| CsiCamera::Sensor(text.to_owned()))
        }
    };
    if camera.is_none() {
        let message = format!("`{}` is neither a camera's number nor a sensor", shown(text));
        let help = "Accepted: what `rpicam-vid --list-cameras` on the Pi (or `pistream facts`) lists it as: its number, from \
                    0, or its sensor like imx708.";
        reader.fault(Finding::new(&node.place, message).help(help));
    }
    camera
}
