//! A camera of libcamera's: a stand-in for rpicam-vid, since no container has a Raspberry Pi's camera, and everything
//! behind it real. And what `pistream facts` tells of such hosts.

use crate::fleet::{Fleet, facts, status, streams_again, verify};
use crate::hosts::{Image, Lab, all, wait_for};
use pistream_agent::Cause;
use serde_json::Value;
use std::time::Duration;

const STAND_IN: &str = include_str!("../rpicam-vid-standin");
/// Its lines are padded: no multiple of 64 pixels.
const CAMERA: &str = "size: 400x240, fps: 15, keyframe_interval: 1s";

/// A server, a camera host with the stand-in, and no stream yet.
fn lab() -> (Lab, Fleet) {
    let lab = Lab::up(Image::Fat, &["hub", "porch"]);
    let install = format!("cat >/usr/local/bin/rpicam-vid <<'END'\n{STAND_IN}END\nchmod 755 /usr/local/bin/rpicam-vid");
    lab.root("porch", &install);
    let fleet = Fleet::new(&lab, "russh", &["porch"]);
    (lab, fleet)
}

#[test]
fn a_stand_in_for_rpicam_vid_streams_h264_and_raw_pictures_to_a_real_server() {
    let (lab, mut fleet) = lab();
    for (keys, pipeline) in [
        ("source: rpicam, encoder: copy", "rpicam-h264"),
        ("source: {rpicam: imx708}", "rpicam-x264"),
        ("source: auto", "rpicam-x264"),
    ] {
        fleet.cameras[0].2 = format!("{keys}, {CAMERA}");
        fleet.deploy(&lab).must_exit(0);
        streams_again(&lab, "porch", Duration::from_secs(40));
        let now = status(&lab, "porch").unwrap();
        assert_eq!(now.pipeline.as_deref(), Some(pipeline), "{now:?}");
        println!("{keys}: {pipeline} ({})", now.why);
        verify(&lab).must_hold();
    }
    // on the way down the ladder each rung said what it lacks
    let why = status(&lab, "porch").unwrap().why;
    assert!(why.contains("v4l2-copy passed over: no V4L2 device is called"), "{why}");
    assert!(
        why.contains("rpicam-h264 passed over: no V4L2 device is called bcm2835-codec"),
        "{why}"
    );

    // the camera comes loose: told by name, and streaming again once it is back
    lab.root("porch", "echo camera-gone >/usr/local/bin/fault; pkill -KILL -f lavfi");
    let mut told = None;
    wait_for(Duration::from_secs(40), "the camera to be missed", || {
        told = status(&lab, "porch").filter(|now| now.restarts.contains_key(&Cause::Camera));
        told.is_some()
    });
    let error = told.and_then(|now| now.last_error).unwrap_or_default();
    assert_eq!(error, "rpicam-vid: ERROR: *** no cameras available ***");
    lab.root("porch", "rm /usr/local/bin/fault");
    let healed = streams_again(&lab, "porch", Duration::from_secs(60));
    println!("camera gone: streaming {healed:.1?} after it was back");
    let groups = lab.root("porch", "id -nG pistream");
    let render = lab.ssh("porch", "getent group render").status.success();
    assert_eq!(groups.split(' ').any(|group| group == "render"), render, "{groups}");
    a_pi_5_is_refused_what_it_has_no_encoder_for_and_its_lines_are_its_own(&lab, &mut fleet);
    let left = lab.root("porch", "systemctl stop pistream-camera; pgrep -c ffmpeg || true");
    assert_eq!(left, "0", "processes are left");
}

/// By the model that Raspberry Pi's kernels tell in /proc/cpuinfo: a stand-in for the board.
fn a_pi_5_is_refused_what_it_has_no_encoder_for_and_its_lines_are_its_own(lab: &Lab, fleet: &mut Fleet) {
    lab.root(
        "porch",
        "printf 'Model\\t\\t: Raspberry Pi 5 Model B Rev 1.0\\n' >/run/cpuinfo && mount --bind /run/cpuinfo /proc/cpuinfo",
    );
    let before = status(lab, "porch").and_then(|now| now.ffmpeg_pid);
    for keys in ["encoder: copy", "encoder: h264_v4l2m2m"] {
        fleet.cameras[0].2 = format!("source: rpicam, {keys}, size: 640x480");
        let refused = fleet.deploy(lab).must_exit(1);
        let (_, detail) = refused.result("porch");
        assert!(
            detail.contains("a Raspberry Pi 5 Model B Rev 1.0 has no H.264 encoder"),
            "{detail}"
        );
        assert!(detail.contains("write `encoder: libx264`"), "{detail}");
    }
    assert_eq!(
        status(lab, "porch").and_then(|now| now.ffmpeg_pid),
        before,
        "something was changed"
    );
    // its image processor pads the lines to 128 pixels: 512 instead of 448
    // the service has a /proc of its own
    lab.root(
        "porch",
        "echo 128 >/usr/local/bin/padding; board=/run/systemd/system/pistream-camera.service.d; mkdir -p $board && \
         printf '[Service]\nBindReadOnlyPaths=/run/cpuinfo:/proc/cpuinfo\n' >$board/board.conf && systemctl daemon-reload",
    );
    fleet.cameras[0].2 = format!("source: rpicam, {CAMERA}");
    fleet.deploy(lab).must_exit(0);
    streams_again(lab, "porch", Duration::from_secs(40));
    let ffmpeg = status(lab, "porch").and_then(|now| now.ffmpeg_pid).unwrap();
    let told = lab.root("porch", &format!("tr '\\0' ' ' </proc/{ffmpeg}/cmdline"));
    assert!(
        told.contains("-video_size 512x240") && told.contains("crop=400:240:0:0"),
        "{told}"
    );
    lab.root("porch", "rm /usr/local/bin/padding; umount /proc/cpuinfo");
}

#[test]
fn facts_tell_what_each_host_is_and_what_its_stand_in_for_a_camera_can_do() {
    let (lab, mut fleet) = lab();
    fleet.cameras[0].2 = format!("source: auto, {CAMERA}");
    fleet.write(&lab);
    let before = &facts(&lab, &["porch"])["hosts"][0]["facts"];
    assert_eq!(before["camera"]["no_pipelines"], "no camera is deployed here");
    // looking leaves nothing behind
    assert_eq!(
        lab.root(
            "porch",
            "ls -d /usr/local/lib/pistream /tmp/pistream.* 2>/dev/null || true"
        ),
        ""
    );
    fleet.deploy(&lab).must_exit(0);
    lab.root(
        "porch",
        "printf '[Service]\\nExecStart=/bin/sleep infinity\\n' >/run/systemd/system/motion.service && systemctl start motion",
    );

    let told = facts(&lab, &[]);
    assert_eq!(
        (&told["hosts"][0]["host"], &told["hosts"][1]["host"]),
        (&"hub".into(), &"porch".into())
    );
    let porch = &told["hosts"][1]["facts"];
    let system = porch["system"].as_str().unwrap();
    assert_eq!(lab.root("porch", ". /etc/os-release; echo \"$PRETTY_NAME\""), system);
    assert_eq!(lab.root("porch", "uname -r"), porch["kernel"]);
    assert_eq!(lab.root("porch", "uname -m"), porch["kernel_architecture"]);
    assert_eq!(
        lab.root("porch", "dpkg --print-architecture"),
        porch["userland_architecture"]
    );
    assert_eq!(
        lab.root("porch", "stat -f -c %T / | cut -d/ -f1"),
        porch["root"]["kind"].as_str().unwrap().replace("overlay", "overlayfs")
    );
    assert!(porch["memory"].as_u64() > Some(100_000_000), "{porch}");
    let camera = &porch["camera"];
    assert_eq!(
        (&camera["stack"], &camera["listed_by"]),
        (&"none".into(), &"rpicam-vid".into())
    );
    assert_eq!(camera["listed"].as_array().map(Vec::len), Some(2), "{camera}");
    assert_eq!(camera["takers"], serde_json::json!(["motion.service"]));
    let pipelines = camera["pipelines"].as_array().unwrap();
    let can: Vec<&Value> = pipelines
        .iter()
        .filter(|p| p["obstacle"].is_null())
        .map(|p| &p["name"])
        .collect();
    assert_eq!(can, ["rpicam-x264"], "{camera}");
    let libcamera = pipelines.iter().find(|p| p["name"] == "libcamera-x264").unwrap();
    assert_eq!(
        libcamera["obstacle"],
        "libcamera-vid is not installed (sudo apt install libcamera-apps)"
    );

    println!(
        "{}",
        all(&lab.pistream(&["facts", "-i", "hosts.yml", "porch"]).output().unwrap())
    );

    lab.power_cut("porch");
    let output = lab.pistream(&["facts", "-i", "hosts.yml"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", all(&output));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("no camera is deployed here") && text.contains("porch"),
        "{text}"
    );
}
