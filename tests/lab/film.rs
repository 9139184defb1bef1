//! What many cameras stream while something is measured: a film of few bits, passed on as it is. Twenty encoders would need
//! another machine.

use crate::hosts::{Lab, run};
use std::fs;
use std::process::Command;

/// 160x120, five pictures a second, a keyframe every two seconds. It is sent over and over, without a seam.
const FILM: &str = "testsrc2=size=160x120:rate=5";

/// A camera's keys in the inventory, for a host that got the film; at 50k.
pub const CAMERA: &str =
    "source: {file: /srv/film.flv}, encoder: copy, size: 160x120, fps: 5, keyframe_interval: 2s, force_bitrate: true";

/// Onto disks of hosts that are yet to boot; all have the same one.
pub fn hand_out(lab: &Lab, names: &[&str]) {
    let film = lab.home().join("film.flv");
    let mut encode = Command::new("ffmpeg");
    encode.args([
        "-v", "error", "-f", "lavfi", "-i", FILM, "-t", "120", "-c:v", "libx264", "-pix_fmt", "yuv420p",
    ]);
    encode.args(["-g", "10", "-keyint_min", "10", "-sc_threshold", "0", "-bf", "0"]);
    encode.args(["-b:v", "50k", "-maxrate", "50k", "-bufsize", "100k"]);
    run(encode.arg(&film));
    for name in names {
        let place = lab.disk(name).join("srv");
        fs::create_dir_all(&place).unwrap();
        fs::hard_link(&film, place.join("film.flv")).unwrap();
    }
}
