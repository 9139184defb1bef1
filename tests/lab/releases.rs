//! The Debian releases under the Raspberry Pi OS that people run: bullseye (ffmpeg 4.3, systemd 247), bookworm (every other
//! test's hosts) and trixie (ffmpeg 7.1, systemd 257, nginx 1.26).

use crate::fleet::{Fleet, deploy, status, verify};
use crate::hosts::{Image, Lab};

#[test]
fn a_server_on_trixie_takes_in_cameras_of_bullseye_bookworm_and_trixie() {
    let lab = Lab::up(Image::Bare, &["today"]);
    lab.up_release("trixie", &["hub", "new"]);
    lab.up_release("bullseye", &["old"]);
    let cameras = ["old", "today", "new"];
    let fleet = Fleet::new(&lab, "russh", &cameras);
    fleet.deploy(&lab).must_exit(0);
    verify(&lab).must_hold();
    let again = deploy(&lab, &[]).must_exit(0);
    for host in ["hub", "old", "today", "new"] {
        assert_eq!(again.result(host).0, "unchanged", "{}", again.text());
    }
    for camera in cameras {
        let version = lab.root(camera, "ffmpeg -version | head -1");
        let status = status(&lab, camera).unwrap();
        println!(
            "{camera}: {version}: {:.1} fps, {} kbit/s",
            status.fps,
            status.bitrate_measured / 1000
        );
        let said = lab.root(camera, "journalctl --no-pager -q _PID=1 | grep pistream");
        assert!(said.contains("Started"), "{camera}: {said}");
        // no setting of the unit that this systemd does not know
        for complaint in ["Unknown", "Failed to parse", "ignoring"] {
            assert!(!said.contains(complaint), "{camera}: {said}");
        }
        is_confined(&lab, camera, "pistream-camera.service");
    }
    is_confined(&lab, "hub", "pistream-server.service");
    is_confined(&lab, "hub", "pistream-recordings.service");
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
