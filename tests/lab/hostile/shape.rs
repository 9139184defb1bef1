//! One inventory with every key that takes text, and a place to put another value at each.
//!
//! One value a line: the line of a fault tells which value it is about.

use std::fs;
use std::path::Path;

/// `«legal»` is where a value stands; the keys' files are named by the values of `file` in `restream`.
const TEXT: &str = "\
defaults:
  ssh:
    user: «pi»
    port: «22»
    identity: «id_ed25519»
    jump: «admin@gate.example.net:22»
    transport: «auto»
ca:
  passphrase: {file: «seal»}
servers:
  hub:
    ssh:
      host: «10.0.0.1»
      user: «admin»
      password: {file: «login»}
      sudo_password: {file: «sudo»}
    address: «hub.example.net»
    names:
      - «hub.example.org»
    tls: «on»
    nginx:
      install: «package»
      source: «https://nginx.org/download/nginx-1.26.3.tar.gz»
      source_sha256: «69ee2b237744036e61d24b836668aad3040dda461fe6f570f1787eab570c75aa»
      rtmp_module: «https://deb.debian.org/module.tar.xz»
      rtmp_module_sha256: «6531e5ed75b01dfe786e08e0eb8ffd664b6f271f3e57223fe59dba965fcefd84»
    https: «on»
    https_port: «18443»
    rtmps_port: «19360»
    rtmp_port: «19350»
    http_port: «18080»
    status_port: «18081»
    publish:
      - «10.0.0.0/24»
      - «fd00::/8»
    play:
      - «0.0.0.0/0»
    recording:
      path: «/srv/video»
      interval: «1h»
    hls:
      fragment: «2s»
      playlist: «20s»
    dash:
      fragment: «2s»
      playlist: «20s»
  loft:
    ssh: «10.0.0.9»
    names:
      - «loft.example.net»
    https:
      certificate: «letsencrypt»
      email: «admin@example.net»
      acme: «https://acme.example.net/directory»
sites:
  «farm»:
    uplink: «4M»
cameras:
  porch:
    ssh: «pi@10.0.0.2»
    site: «farm»
    stream: «porch»
    server: «hub»
    address: «10.0.0.2»
    tls: «on»
    source:
      v4l2: «/dev/video0»
    size: «640x480»
    fps: «15»
    encoder: «auto»
    bitrate: «250k»
    adapt:
      lowest: «50k»
      fps: «5»
      size: «320x240»
    audio: «silent»
    latency: «low»
    keyframe_interval: «2s»
    profile: «high»
    level: «4.0»
    controls:
      rotate: «180»
      «sharpness»: 5
    restream:
      - url: «rtmp://127.0.0.1:19350/app»
        key: {file: «key0»}
      - url: «rtmp://127.0.0.1:19350/app»
        key: {file: «key1»}
      - url: «rtmp://127.0.0.1:19350/app»
        key: {file: «key2»}
      - url: «rtmps://live.example.net/app»
        key: {file: «key3»}
        ca: «trusted.pem»
      - server: «loft»
    stall_after: «10s»
    recover:
      reset: «on»
      reboots_per_day: «2»
  attic:
    ssh: «10.0.0.3»
    server: hub
    source:
      file: «/srv/film.mp4»
  «garden»:
    ssh: «10.0.0.4»
    server: hub
    source: «test»
  cellar:
    ssh: 10.0.0.5
    server: hub
    source: rpicam
    controls:
      gain: «1.5»
viewers:
  «anna»:
    password: {file: «anna»}
    cameras:
      - «porch»
      - «gard*»
";

/// An authority's certificate, named by `ca` in `restream`.
const TRUSTED: &str = include_str!("../../../inventory/example-authority.pem");

/// How many stream keys it names.
pub const KEYS: usize = 4;

/// The secrets' files, and where the inventory asks for each.
pub const SECRETS: [(&str, &str); KEYS + 3] = [
    ("login", "servers.hub.ssh.password"),
    ("sudo", "servers.hub.ssh.sudo_password"),
    ("key0", "cameras.porch.restream[0].key"),
    ("key1", "cameras.porch.restream[1].key"),
    ("key2", "cameras.porch.restream[2].key"),
    ("key3", "cameras.porch.restream[3].key"),
    ("anna", "viewers.anna.password"),
];

/// A place for a value.
pub struct Slot {
    pub legal: &'static str,
    pub value: String,
    /// Of the inventory, from 1.
    pub line: usize,
    key: &'static str,
}

pub struct Shape {
    pub slots: Vec<Slot>,
}

impl Shape {
    pub fn new() -> Shape {
        let slot = |(at, text): (usize, &'static str)| {
            let (before, rest) = text.split_once('«')?;
            let legal = rest.split_once('»')?.0;
            let key = before.trim_matches([' ', ':', '{', '-']).rsplit([' ', '{']).next()?;
            Some(Slot {
                legal,
                value: legal.to_owned(),
                line: at + 1,
                key,
            })
        };
        Shape {
            slots: TEXT.lines().enumerate().filter_map(slot).collect(),
        }
    }

    /// The inventory. JSON's strings are YAML's: a value arrives as it is, whatever it is.
    pub fn text(&self) -> String {
        let mut slots = self.slots.iter();
        let line = |line: &str| match (line.split_once('«'), line.split_once('»')) {
            (Some((before, _)), Some((_, after))) => {
                let value = serde_json::to_string(&slots.next().unwrap().value).unwrap();
                format!("{before}{value}{after}\n")
            }
            _ => format!("{line}\n"),
        };
        TEXT.lines().map(line).collect()
    }

    /// The value of the first slot of this key.
    pub fn value_of(&self, key: &str) -> &str {
        let matching = |slot: &&Slot| slot.key == key && slot.legal.starts_with('/');
        &self.slots.iter().find(matching).unwrap().value
    }

    /// Makes these values legal again, and tells how many were not.
    pub fn calm(&mut self, which: impl Fn(&Slot) -> bool) -> usize {
        let spoiled = |slot: &&mut Slot| slot.value != slot.legal && which(slot);
        let calmed = self.slots.iter_mut().filter(spoiled);
        calmed.map(|slot| slot.value = slot.legal.to_owned()).count()
    }

    /// Writes the secrets' files under the names the inventory has for them, as far as there can be such a file.
    pub fn write_keys(&self, directory: &Path, keys: &[String]) {
        fs::write(directory.join("trusted.pem"), TRUSTED).unwrap();
        let secrets = self
            .slots
            .iter()
            .filter(|slot| slot.key == "file" && !slot.legal.starts_with('/'));
        for slot in secrets {
            let key = slot
                .legal
                .strip_prefix("key")
                .map_or("login", |n| &keys[n.parse::<usize>().unwrap()]);
            if slot.value.contains('/') {
                continue;
            }
            // some names are none: refused by the inventory, or by the file system
            let _ = fs::write(directory.join(&slot.value), format!("{key}\n"));
        }
    }
}
