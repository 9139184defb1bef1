//! How a server records, and that its recordings lie where they harm nobody: the directory becomes pistream's alone.

use std::path::Path;

use crate::inventory::Hosts;
use crate::inventory::definition::Keys;
use crate::inventory::fault::Finding;
use crate::inventory::keys::RecordingKeys;
use crate::inventory::reader::{Read, Reader, Switch, value};
use crate::model::Recording;

/// Where the hardened service sees nothing (systemd's ProtectHome and PrivateTmp), or what is gone after a reboot.
const HIDDEN: [&str; 7] = ["/home", "/root", "/run", "/tmp", "/var/lock", "/var/run", "/var/tmp"];

/// The system's, with everything in them (Filesystem Hierarchy Standard 3.0), and pistream's own: what it knows, whom root
/// trusts and what root runs.
const TAKEN: [&str; 13] = [
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/sbin", "/sys", "/usr", OWN,
];
const OWN: &str = "/var/lib/pistream";
/// The part of it that is there for recordings.
const OWN_RECORDINGS: &str = "/var/lib/pistream/recordings";

const ELSEWHERE: &str = "Take /srv/recordings, /var/lib/pistream/recordings, or where a disk is mounted.";

/// Others have something in them: a directory of their own below these is what recordings may have, too.
const SHARED: [&str; 15] = [
    "/media",
    "/mnt",
    "/opt",
    "/srv",
    "/var",
    "/var/backups",
    "/var/cache",
    "/var/crash",
    "/var/lib",
    "/var/local",
    "/var/log",
    "/var/mail",
    "/var/opt",
    "/var/spool",
    "/var/www",
];

/// `None`: wrong. `Some(None)`: off.
pub(super) fn recording(
    switch: Option<Switch<RecordingKeys>>,
    hosts: Hosts,
    reader: &mut Reader,
) -> Option<Option<Recording>> {
    let Some(Switch::On(keys)) = switch else {
        return Some(None);
    };
    let keys = keys.over(RecordingKeys::defaults());
    let path = value(&keys.path)?.0.clone();
    if let (Some((message, help)), Some(given), Hosts::Machines) = (fault(&path), &keys.path, hosts) {
        reader.fault(Finding::new(&given.place, message).help(help));
        return None;
    }
    Some(Some(Recording {
        path,
        interval: value(&keys.interval)?.0,
        format: value(&keys.format)?,
        keep: value(&keys.keep)?.0,
        at_most: value(&keys.at_most)?.0,
        keep_free: value(&keys.keep_free)?.0,
        keep_at_least: value(&keys.keep_at_least)?.0,
    }))
}

/// Why recordings cannot lie there, and where they can.
fn fault(path: &Path) -> Option<(String, String)> {
    let below = |parents: &[&'static str]| parents.iter().copied().find(|parent| path.starts_with(parent));
    if let Some(hidden) = below(&HIDDEN) {
        let help = format!("The service that writes them sees nothing there. {ELSEWHERE}");
        return Some((format!("recordings cannot lie below {hidden}"), help));
    }
    let locked = "The directory would be pistream's alone.";
    if let Some(taken) = below(&TAKEN).filter(|_| !path.starts_with(OWN_RECORDINGS)) {
        let whose = if taken == OWN { "pistream's own" } else { "the system's" };
        let message = format!("{} is {whose}: recordings cannot lie there", path.display());
        return Some((message, format!("{locked} {ELSEWHERE}")));
    }
    let shared = SHARED.iter().any(|shared| path == Path::new(shared));
    shared.then(|| {
        let message = format!("{} is not for recordings alone", path.display());
        (
            message,
            format!("{locked} Take one of its own below it: {}/recordings.", path.display()),
        )
    })
}
