//! The lab itself: hosts boot, lose power and the network, come back, and nothing stays.

use crate::hosts::{Image, Lab, wait_for};
use std::path::Path;
use std::time::Duration;

#[test]
fn hosts_boot_lose_power_and_come_back_with_their_disks() {
    let lab = Lab::up(Image::Bare, &["hub", "porch"]);
    assert_eq!(lab.root("hub", "systemctl is-system-running --wait"), "running");
    assert_eq!(
        lab.root("porch", "hostname; . /etc/os-release; echo $VERSION_CODENAME"),
        "porch\nbookworm"
    );
    lab.root("porch", "echo kept >/var/tmp/file");
    lab.power_cut("porch");
    assert!(!lab.ssh("porch", "true").status.success());
    lab.power_on("porch");
    assert_eq!(lab.root("porch", "cat /var/tmp/file"), "kept");
}

#[test]
fn a_cut_cable_keeps_hosts_apart_until_it_is_mended() {
    let lab = Lab::up(Image::Bare, &["hub", "porch"]);
    let reach = format!("timeout 5 bash -c 'exec 3<>/dev/tcp/{}/22'", lab.ip("hub"));
    lab.root("porch", &reach);
    lab.root(
        "porch",
        &format!("nohup sh -c \"until ! {reach}; do :; done; echo cut >/var/tmp/seen\" >/dev/null 2>&1 &"),
    );
    let seen = lab.disk("porch").join("var/tmp/seen");
    assert!(!seen.exists(), "the server was missed before the cut");
    lab.cut_network("porch");
    assert!(!lab.ssh("porch", "true").status.success());
    wait_for(Duration::from_secs(20), "the camera to miss its server", || {
        seen.exists()
    });
    lab.restore_network("porch");
    wait_for(Duration::from_secs(20), "the network", || {
        lab.ssh("porch", "true").status.success()
    });
}

#[test]
fn nothing_stays_of_a_lab() {
    let lab = Lab::up(Image::Bare, &["hub"]);
    let id = lab.id();
    drop(lab);
    assert!(!Path::new("/run/pistream-lab").join(&id).exists());
    assert!(!Path::new("/run/netns").join(format!("plab{id}-hub")).exists());
    assert!(!Path::new("/sys/class/net").join(format!("plab{id}")).exists());
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
    assert!(!mounts.contains(&format!("/run/pistream-lab/{id}/")), "{mounts}");
}
