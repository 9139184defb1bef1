//! What a deploy does for, and to, the disk of a camera host.

use crate::fleet::{Fleet, deploy, streams_again};
use crate::hosts::{Image, Lab};
use std::time::Duration;

const SETTINGS: &str = "/etc/systemd/journald.conf.d/pistream.conf";

/// The files the journal is written to now, and the last line of the camera's unit in it.
fn journal(lab: &Lab) -> (String, String) {
    let files = lab.root(
        "porch",
        "ls -l /proc/$(systemctl show -P MainPID systemd-journald)/fd | grep -o '/[^ ]*\\.journal$' | sort -u",
    );
    let last = lab.root("porch", "journalctl -q -n 1 -o cat -u pistream-camera");
    (files, last)
}

#[test]
fn the_journal_goes_to_memory_and_back_and_an_overlay_root_is_refused() {
    let lab = Lab::up(Image::Fat, &["hub", "porch"]);
    lab.root(
        "porch",
        "mkdir -p /var/log/journal && systemctl restart systemd-journald && journalctl --flush",
    );
    let mut fleet = Fleet::new(&lab, "russh", &["porch"]);
    let plain = fleet.cameras[0].2.clone();
    fleet.deploy(&lab).must_exit(0);
    assert!(journal(&lab).0.starts_with("/var/log/journal/"), "{:?}", journal(&lab));

    fleet.cameras[0].2 = format!("{plain}, sd_card: tmpfs");
    let changed = fleet.deploy(&lab).must_exit(0);
    assert_eq!(
        changed.changes("porch"),
        [
            "create /etc/systemd/journald.conf.d",
            &format!("create {SETTINGS}"),
            "restart systemd-journald.service"
        ]
    );
    lab.root("porch", "systemctl restart pistream-camera");
    let (files, last) = journal(&lab);
    assert!(
        files.lines().all(|file| file.starts_with("/run/log/journal/")),
        "{files}"
    );
    assert!(!last.is_empty(), "the unit's words are lost");
    assert_eq!(deploy(&lab, &[]).must_exit(0).result("porch").0, "unchanged");

    fleet.cameras[0].2 = plain;
    let back = fleet.deploy(&lab).must_exit(0);
    assert!(
        back.changes("porch")
            .contains(&"restart systemd-journald.service".to_owned()),
        "{}",
        back.text()
    );
    assert!(!lab.ssh("porch", &format!("test -e {SETTINGS}")).status.success());
    streams_again(&lab, "porch", Duration::from_secs(30));

    // a host that boots with an overlay says so on its kernel's command line
    lab.root(
        "porch",
        "echo overlayroot=tmpfs >/run/cmdline && mount --bind /run/cmdline /proc/cmdline",
    );
    let refused = deploy(&lab, &[]).must_exit(1);
    let (_, detail) = refused.result("porch");
    assert!(
        detail.contains("is an overlay: what a deploy writes is gone after a reboot"),
        "{detail}"
    );
    assert!(detail.contains("disable_overlayfs"), "{detail}");
}
