//! The Debian releases under the Raspberry Pi OS that people run: bullseye (ffmpeg 4.3, systemd 247), bookworm (5.1, 252) and
//! trixie (7.1, 257), as cameras of servers on bookworm and on trixie.

use crate::fleet::{deploy, status, verify};
use crate::hosts::{Image, Lab};

/// Cameras and what they run.
const CAMERAS: [(&str, &str); 3] = [("old", "bullseye"), ("today", "bookworm"), ("new", "trixie")];
const SERVERS: [&str; 2] = ["hub-bookworm", "hub-trixie"];

/// Two servers, and which camera streams to which.
fn write(lab: &Lab, server_of: [&str; 3]) {
    let mut text = "servers:\n".to_owned();
    for server in SERVERS {
        let (ssh, player) = (lab.address_for(server, "russh"), lab.id());
        text += &format!("  {server}: {{ssh: {ssh}, play: [10.77.{player}.1], hls: {{fragment: 1s, playlist: 5s}}}}\n");
    }
    text += "defaults: {camera: {source: test, size: 320x240, fps: 15, keyframe_interval: 1s}}\ncameras:\n";
    for ((camera, _), server) in CAMERAS.iter().zip(server_of) {
        let ssh = lab.address_for(camera, "russh");
        text += &format!("  {camera}: {{ssh: {ssh}, server: {server}}}\n");
    }
    lab.write_inventory(&text);
}

/// Deploys, verifies, and deploys again without a change.
fn holds(lab: &Lab, server_of: [&str; 3]) {
    write(lab, server_of);
    deploy(lab, &[]).must_exit(0);
    verify(lab).must_hold();
    let again = deploy(lab, &[]).must_exit(0);
    let cameras = CAMERAS.map(|(camera, _)| camera);
    for host in SERVERS.iter().chain(&cameras) {
        assert_eq!(again.result(host).0, "unchanged", "{}", again.text());
    }
}

#[test]
fn servers_on_bookworm_and_trixie_take_in_cameras_of_bullseye_bookworm_and_trixie_that_move_between_them() {
    let lab = Lab::up(Image::Bare, &["hub-bookworm", "today"]);
    lab.up_release("trixie", &["hub-trixie", "new"]);
    lab.up_release("bullseye", &["old"]);
    let [bookworm, trixie] = SERVERS;
    holds(&lab, [bookworm, bookworm, trixie]);
    holds(&lab, [trixie, trixie, bookworm]);
    for (camera, release) in CAMERAS {
        let version = lab.root(camera, "ffmpeg -version | head -1");
        let status = status(&lab, camera).unwrap();
        println!(
            "{camera}, {release}: {version}: {:.1} fps, {} kbit/s",
            status.fps,
            status.bitrate_measured / 1000
        );
        is_confined(&lab, camera, "pistream-camera.service");
    }
    for server in SERVERS {
        for nginx in ["server", "door", "front"] {
            is_confined(&lab, server, &format!("pistream-{nginx}.service"));
        }
        is_confined(&lab, server, "pistream-recordings.service");
    }
    for host in SERVERS.iter().chain(&CAMERAS.map(|(camera, _)| camera)) {
        let said = lab.root(host, "journalctl --no-pager -q _PID=1 | grep pistream");
        assert!(said.contains("Started"), "{host}: {said}");
        // no setting of the units that this systemd does not know
        for complaint in ["Unknown", "Failed to parse", "ignoring"] {
            assert!(!said.contains(complaint), "{host}: {said}");
        }
    }
}

/// What systemd itself thinks of how little the unit may do: at most 2.5 on its scale from 0 (nothing) to 10 (everything).
pub fn is_confined(lab: &Lab, host: &str, unit: &str) {
    let ask = format!("LC_ALL=C.UTF-8 systemd-analyze --no-pager security {unit}");
    let told = lab.root(host, &ask);
    let words = told
        .lines()
        .find_map(|line| line.split_once("Overall exposure level for"));
    let level = words.and_then(|(_, words)| words.split_whitespace().nth(1)?.parse::<f64>().ok());
    let level = level.unwrap_or_else(|| panic!("{host}: {told}"));
    let systemd = lab.root(host, "systemctl --version | head -1");
    println!("{host}: {unit}: exposure {level} of {systemd}");
    assert!(level <= 2.5, "{host}: {told}");
}
