//! `inventory/reference.yml` against the definition it documents, and both examples against the schema.

use super::*;
use crate::inventory::keys::{
    AdaptKeys, CaKeys, CameraKeys, CameraRecordingKeys, DefaultsKeys, HttpsKeys, InventoryKeys, NginxKeys,
    RecordingKeys, RecoverKeys, RestreamKeys, SegmentKeys, ServerKeys, SiteKeys, SshKeys, ViewerKeys,
};
use crate::inventory::tree::{self, Entry, Node, Value};

const REFERENCE: &str = include_str!("../../../inventory/reference.yml");
const HOSTS: &str = include_str!("../../../inventory/hosts.yml");

/// The node at a path of keys and list positions.
fn at<'a>(mut node: &'a Node, path: &str) -> &'a Node {
    for step in path.split('.').filter(|step| !step.is_empty()) {
        node = match &node.value {
            Value::Map(entries) => &entries.iter().find(|e| e.key.text == step).expect(path).value,
            Value::List(items) => &items[step.parse::<usize>().unwrap()],
            Value::Scalar(_) | Value::Null => panic!("{path}"),
        };
    }
    node
}

/// Each map of keys, and where the reference explains it; of keys that exclude each other, in several places.
const EXPLAINED: [(&[&str], &str); 16] = [
    (InventoryKeys::KEYS, ""),
    (DefaultsKeys::KEYS, "defaults"),
    (CaKeys::KEYS, "ca"),
    (SshKeys::KEYS, "servers.attic.ssh"),
    (ServerKeys::KEYS, "servers.hub"),
    (NginxKeys::KEYS, "servers.hub.nginx"),
    (HttpsKeys::KEYS, "servers.attic.https servers.hall.https"),
    (RecordingKeys::KEYS, "servers.hub.recording"),
    (SegmentKeys::KEYS, "servers.hub.hls"),
    (SiteKeys::KEYS, "sites.farm"),
    (CameraKeys::KEYS, "cameras.porch"),
    (CameraRecordingKeys::KEYS, "cameras.garden.recording"),
    (AdaptKeys::KEYS, "cameras.garden.adapt"),
    (RecoverKeys::KEYS, "cameras.garden.recover"),
    (RestreamKeys::KEYS, "cameras.garden.restream"),
    (ViewerKeys::KEYS, "viewers.anna"),
];

fn map(node: &Node) -> Option<&Vec<Entry>> {
    match &node.value {
        Value::Map(entries) => Some(entries),
        _ => None,
    }
}

#[test]
fn every_key_stands_in_the_reference_below_a_line_of_meaning() {
    let tree = tree::parse(REFERENCE).unwrap();
    let lines: Vec<&str> = REFERENCE.lines().collect();
    for (keys, path) in EXPLAINED {
        let places = path.split(' ').map(|place| at(&tree, place));
        let written: Vec<_> = places
            .flat_map(|place| match &place.value {
                Value::Map(written) => written.iter().collect::<Vec<_>>(),
                Value::List(items) => items.iter().filter_map(map).flatten().collect(),
                Value::Scalar(_) | Value::Null => panic!("{path} is no map"),
            })
            .collect();
        let mut names: Vec<&str> = Vec::new();
        for entry in &written {
            if !names.contains(&entry.key.text.as_str()) {
                names.push(&entry.key.text);
            }
        }
        assert_eq!(names, keys, "{path}: every key, in the order of the definition");
        for entry in written {
            let before = lines[entry.key.place.line - 2].trim_start().trim_start_matches("- ");
            assert!(
                before.starts_with("# "),
                "{path}.{} on line {}",
                entry.key.text,
                entry.key.place.line
            );
        }
    }
}

#[test]
fn the_defaults_it_states_are_the_real_ones() {
    let stated = load(Path::new("inventory/reference.yml")).unwrap().0;
    let bare = good(
        "servers:\n  hub: {ssh: admin@203.0.113.7}\n  attic: {ssh: admin@203.0.113.8}\n\
         cameras:\n  porch: {ssh: pi@192.168.0.10, server: hub}\n",
    );
    assert_eq!(stated.servers[0], bare.servers[0]);
    assert_eq!(stated.cameras[0], bare.cameras[0]);
}

#[test]
fn the_examples_load_without_a_warning() {
    for path in ["inventory/reference.yml", "inventory/hosts.yml"] {
        let (fleet, warnings) = load(Path::new(path)).unwrap();
        assert_eq!((fleet.cameras.len(), warnings.len()), (2, 0), "{path}");
    }
}

fn json(yaml: &str) -> serde_json::Value {
    serde_yaml::from_str(yaml).unwrap()
}

fn validator() -> jsonschema::Validator {
    jsonschema::validator_for(&serde_json::to_value(schema()).unwrap()).unwrap()
}

#[test]
fn the_examples_fit_the_schema() {
    let validator = validator();
    for yaml in [HOSTS, REFERENCE] {
        let errors: Vec<String> = validator
            .iter_errors(&json(yaml))
            .map(|e| format!("{}: {e}", e.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let validator = validator();
    let host = "servers: {hub: {ssh: a@203.0.113.7}}\ncameras: {porch: {ssh: pi@192.168.0.10, KEY}}";
    for key in [
        "bitrate: 250k",
        "source: rpicam, encoder: h264_v4l2m2m",
        "source: usb",
        "source: {usb: /dev/video2}, encoder: copy",
        "source: {usb: /dev/v4l/by-path/platform-x.pcie-pci-0000:01:00.0-usb-0:1.3:1.0-video-index0}",
        "source: {rpicam: 1}",
        "source: {rpicam: imx708}",
        "source: {v4l2: /dev/video0}, encoder: h264_omx",
    ] {
        let text = host.replace("KEY", key);
        assert!(validator.is_valid(&json(&text)), "the schema refuses {key}");
        good(&text);
    }
    for key in [
        "bitrat: 250k",
        "bitrate: 80X",
        "bitrate: 256001",
        "fps: fast",
        "fps: 0",
        "size: wide",
        "profile: hihg",
        "level: 4.5",
        "stream: ../x",
        "source: {usb: x}",
        "source: {rpicam: 16}",
        "source: {rpicam: imx708 wide}",
        "controls: {video_bitrate: 1}",
        "restream: [http://x/y]",
        "restream: [{server: ../x}]",
        "address: porch.local",
        "stall_after: 10",
        "encoder: omx",
    ] {
        let text = host.replace("KEY", key);
        assert!(!validator.is_valid(&json(&text)), "the schema accepts {key}");
        assert!(!faults(&text).is_empty());
    }
}
