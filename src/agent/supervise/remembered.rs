//! Which V4L2 controls have been set here, so that one that the configuration no longer names goes back to the driver's
//! default.
//!
//! Only what was set here is ever put back: what an owner set by `v4l2-ctl` stays. The memory lies in `/run`, beside the
//! status socket: it lives exactly as long as what it remembers, since a driver forgets its controls at a reboot too.

use super::journal::log;
use crate::camera::{Camera, CameraError};
use crate::files;
use pistream_agent::ControlValue;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The controls of each device.
type Names = BTreeMap<String, BTreeSet<String>>;

#[derive(Debug)]
pub(super) struct Remembered {
    path: PathBuf,
    names: Names,
}

impl Remembered {
    /// What the last supervisor left, if anything: a memory that cannot be read is none.
    pub(super) fn beside(socket: &Path) -> Remembered {
        let path = socket.with_file_name("controls.json");
        let names = fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok());
        Remembered {
            path,
            names: names.unwrap_or_default(),
        }
    }

    /// Before `wanted` is set on `device` (on none at all: an empty map): whatever else was set goes back to its default.
    /// A device that is gone is told of and forgotten: its driver decides from then on. What a device does not let go stays
    /// remembered for the next time.
    pub(super) fn exchange(&mut self, device: Option<&str>, wanted: &BTreeMap<String, ControlValue>) {
        let mut now = Names::new();
        if let Some(device) = device.filter(|_| !wanted.is_empty()) {
            now.insert(device.to_owned(), wanted.keys().cloned().collect());
        }
        for (device, names) in &self.names {
            let kept = now.get(device);
            let mut dropped = Vec::new();
            for name in names {
                if kept.is_none_or(|kept| !kept.contains(name)) {
                    dropped.push(name);
                }
            }
            if dropped.is_empty() {
                continue;
            }
            let tell = |name, done: Result<i64, CameraError>| match done {
                Ok(default) => log(format_args!(
                    "control {name}: no longer configured, back to the driver's default {default}"
                )),
                Err(error) => {
                    stays(&error);
                    now.entry(device.clone()).or_default().insert(name);
                }
            };
            if let Err(error) = Camera::open(Path::new(device)).and_then(|camera| camera.reset(&dropped, tell)) {
                stays(&error);
            }
        }
        if now != self.names {
            self.names = now;
            if let Err(error) = self.write() {
                log(error.line());
            }
        }
    }

    fn write(&self) -> Result<(), files::Error> {
        // names alone always have a text
        let text = serde_json::to_vec(&self.names).unwrap_or_default();
        files::write_atomically(&self.path, &text)
    }
}

fn stays(error: &CameraError) {
    log(format_args!(
        "controls that are no longer configured stay as they are: {error}"
    ));
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_is_known_to_the_next_supervisor_and_written_only_when_it_changes() {
        let directory = std::env::temp_dir().join(format!("pistream-remembered-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let socket = directory.join("status.sock");
        let wanted = BTreeMap::from([("rotate".to_owned(), ControlValue::Number(180))]);
        let mut remembered = Remembered::beside(&socket);
        remembered.exchange(Some("/dev/no-such-video"), &wanted);
        let path = directory.join("controls.json");
        let written = fs::read_to_string(&path).unwrap();
        assert_eq!(written, r#"{"/dev/no-such-video":["rotate"]}"#);

        fs::remove_file(&path).unwrap();
        remembered.exchange(Some("/dev/no-such-video"), &wanted);
        assert!(!path.exists(), "written although nothing changed");
        fs::write(&path, written).unwrap();

        let mut next = Remembered::beside(&socket);
        assert_eq!(next.names, remembered.names);
        next.exchange(None, &BTreeMap::new());
        assert_eq!(fs::read_to_string(&path).unwrap(), "{}");
        fs::write(&path, "no JSON").unwrap();
        assert_eq!(Remembered::beside(&socket).names, Names::new());
        fs::remove_dir_all(&directory).unwrap();
    }
}
