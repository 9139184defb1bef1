//! What a deploy does for, and to, the disk of a camera host.

use crate::fleet::{Fleet, deploy, streams_again, verify};
use crate::hosts::{Image, Lab, wait_for};
use std::time::{Duration, Instant, SystemTime};

const SETTINGS: &str = "/etc/systemd/journald.conf.d/pistream.conf";
const TMP: &str = "/etc/systemd/system/tmp.mount";
/// How long a streaming host is watched.
const STEADY: Duration = Duration::from_secs(20);

/// The files the journal is written to now, and the last line of the camera's unit in it.
fn journal(lab: &Lab) -> (String, String) {
    let files = lab.root(
        "porch",
        "ls -l /proc/$(systemctl show -P MainPID systemd-journald)/fd | grep -o '/[^ ]*\\.journal$' | sort -u",
    );
    let last = lab.root("porch", "journalctl -q -n 1 -o cat -u pistream-camera");
    (files, last)
}

/// What apt and the packages' questions need of /tmp, watched while a package comes.
fn apt_has_room(lab: &Lab) {
    let most = lab.root(
        "porch",
        "while :; do du -sk /tmp; sleep 0.02; done >/run/used & used=$!
         apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --reinstall tzdata >/run/apt.log 2>&1
         echo $?; kill $used; sort -n /run/used | tail -1 | cut -f1",
    );
    let (done, most) = most.split_once('\n').unwrap();
    assert_eq!(done, "0", "{}", lab.root("porch", "cat /run/apt.log"));
    println!("apt, with /tmp in memory: at most {most} kB of it used");
}

/// The container's disk, seen from outside: whatever is written to it shows there.
fn nothing_reaches_the_disk(lab: &Lab) {
    let (start, since) = (Instant::now(), SystemTime::now());
    wait_for(STEADY * 2, "a quiet while", || start.elapsed() >= STEADY);
    let mut written = Vec::new();
    let mut directories = vec![lab.disk("porch")];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap().flatten() {
            let Ok(found) = entry.metadata() else { continue };
            if found.is_dir() {
                directories.push(entry.path());
            }
            if found.modified().unwrap() > since {
                written.push(entry.path());
            }
        }
    }
    assert!(
        written.is_empty(),
        "written while nothing but streaming went on: {written:?}"
    );
    println!("in {STEADY:?} of streaming nothing reached the camera's disk");
}

#[test]
fn journal_and_tmp_go_to_memory_and_back_and_an_overlay_root_is_refused() {
    let lab = Lab::up(Image::Fat, &["hub", "porch"]);
    lab.root(
        "porch",
        "mkdir -p /var/log/journal && systemctl restart systemd-journald && journalctl --flush",
    );
    // the containers' own is in memory: here it lies on the disk, as on a Pi
    lab.root("porch", "umount -l /tmp && chmod 1777 /tmp");
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
            &format!("create {TMP}"),
            "restart systemd-journald.service",
            "enable tmp.mount",
            "start tmp.mount"
        ]
    );
    let mounted = lab.root("porch", "findmnt -no FSTYPE,SIZE /tmp");
    assert_eq!(mounted.split_whitespace().collect::<Vec<_>>(), ["tmpfs", "64M"]);
    apt_has_room(&lab);
    lab.root("porch", "systemctl restart pistream-camera");
    let (files, last) = journal(&lab);
    assert!(
        files.lines().all(|file| file.starts_with("/run/log/journal/")),
        "{files}"
    );
    assert!(!last.is_empty(), "the unit's words are lost");
    assert_eq!(deploy(&lab, &[]).must_exit(0).result("porch").0, "unchanged");
    streams_again(&lab, "porch", Duration::from_secs(30));
    nothing_reaches_the_disk(&lab);
    verify(&lab).must_hold();

    fleet.cameras[0].2 = plain;
    let back = fleet.deploy(&lab).must_exit(0);
    assert!(
        back.changes("porch")
            .contains(&"restart systemd-journald.service".to_owned()),
        "{}",
        back.text()
    );
    for file in [SETTINGS, TMP] {
        assert!(!lab.ssh("porch", &format!("test -e {file}")).status.success(), "{file}");
    }
    let text = back.text();
    assert!(text.contains("tmp.mount stays as it is until the next boot"), "{text}");
    let links = lab.root("porch", "find /etc/systemd/system -name tmp.mount");
    assert_eq!(links, "", "it would be mounted again");
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
