//! A USB camera at the virtual Pi: the kernel's own USB core and uvcvideo, the device itself played by a program
//! (`tests/lab/pi/usb_camera`).

use super::{control, told};
use crate::fleet::{Fleet, facts, status, streams_again, verify};
use crate::hosts::{Lab, wait_for};
use pistream_agent::Cause;
use std::time::{Duration, Instant};

/// Where udev keeps it, whatever its number.
const LASTING: &str = "/dev/v4l/by-id/usb-pistream_Emulated_Camera_0001-video-index0";
/// Until the server receives: encoders start slowly on an emulated processor.
const START: Duration = Duration::from_secs(90);

/// From raw pictures to JPEG to H.264: one camera is exchanged for another, and the way follows.
pub(super) fn a_usb_camera(lab: &Lab, fleet: &mut Fleet) {
    let start = Instant::now();
    plug_in(lab, "raw");
    refused(
        lab,
        fleet,
        "encoder: copy, size: 160x120, fps: 5",
        "offers YUYV, not H264",
    );

    fleet.cameras[0].1 = "250k";
    fleet.cameras[0].2 =
        "source: usb, encoder: libx264, size: 160x120, fps: 5, keyframe_interval: 1s, stall_after: 4s, \
                          recover: on, controls: {brightness: 12, power_line_frequency: 60 Hz, \
                          focus_absolute: 40, focus_automatic_continuous: 0}"
            .into();
    fleet.deploy(lab).must_exit(0);
    streams_again(lab, "porch", START);
    streams_by(lab, "usb-yuyv-x264");
    is_told_by_name(lab);

    lab.root("porch", "systemctl stop usb-camera@raw");
    told(lab, Cause::Camera, "no V4L2 device is called uvcvideo");
    plug_in(lab, "all");
    let back = streams_again(lab, "porch", START);
    println!("USB camera plugged in again: the server received again after {back:.1?}");
    streams_by(lab, "usb-x264");
    // the camera that came knew nothing of them
    assert_eq!(control(lab, LASTING, "brightness"), "12");
    assert_eq!(control(lab, LASTING, "power_line_frequency"), "2", "60 Hz");
    // the driver takes it only once the automatic is off, whose name comes after it
    assert_eq!(control(lab, LASTING, "focus_absolute"), "40");
    assert_eq!(control(lab, LASTING, "focus_automatic_continuous"), "0");
    a_stall_that_switching_its_port_off_and_on_ends(lab);

    refused(
        lab,
        fleet,
        "encoder: copy, size: 800x600, fps: 15",
        "lists no 800x600; the nearest is 640x480 (H264)",
    );
    fleet.cameras[0].1 = "400k";
    fleet.cameras[0].2 = format!("source: {{usb: {LASTING}}}, size: 320x240, fps: 15, keyframe_interval: 1s");
    fleet.deploy(lab).must_exit(0);
    streams_again(lab, "porch", START);
    streams_by(lab, "usb-copy");
    for (name, default) in [
        ("brightness", "0"),
        ("focus_absolute", "0"),
        ("focus_automatic_continuous", "1"),
    ] {
        assert_eq!(control(lab, LASTING, name), default, "{name}: no longer configured");
    }
    verify(lab).must_hold();
    println!("USB camera: {:.0?}", start.elapsed());
}

/// As a camera of these pictures is plugged in: `tests/lab/pi/build` knows which.
fn plug_in(lab: &Lab, pictures: &str) {
    lab.root("porch", &format!("systemctl start usb-camera@{pictures}"));
    wait_for(Duration::from_secs(20), "udev to know the USB camera", || {
        lab.ssh("porch", &format!("test -e {LASTING}")).status.success()
    });
}

/// Before anything is changed: what streams goes on.
fn refused(lab: &Lab, fleet: &Fleet, keys: &str, reason: &str) {
    let before = status(lab, "porch").unwrap().ffmpeg_pid;
    let mut wrong = fleet.clone();
    wrong.cameras[0].1 = "1M";
    wrong.cameras[0].2 = format!("source: usb, {keys}");
    let refused = wrong.deploy(lab).must_exit(1);
    let (_, detail) = refused.result("porch");
    assert!(detail.contains(reason), "{keys}: {detail}");
    assert!(detail.contains("/dev/video1: Emulated Camera"), "{keys}: {detail}");
    assert_eq!(status(lab, "porch").unwrap().ffmpeg_pid, before, "{keys}");
}

fn streams_by(lab: &Lab, pipeline: &str) {
    let now = status(lab, "porch").unwrap();
    assert_eq!(now.pipeline.as_deref(), Some(pipeline), "{now:?}");
}

/// By driver, lasting path and formats; and which of its two devices has none.
fn is_told_by_name(lab: &Lab) {
    let told = facts(lab, &["porch"]);
    let devices = told["hosts"][0]["facts"]["camera"]["devices"].as_array().unwrap();
    let of_usb: Vec<_> = devices.iter().filter(|device| device["driver"] == "uvcvideo").collect();
    assert_eq!(of_usb.len(), 2, "{told:#}");
    assert_eq!(
        (&of_usb[0]["lasting"], &of_usb[0]["formats"]),
        (&LASTING.into(), &serde_json::json!(["YUYV"])),
        "{told:#}"
    );
    assert_eq!(of_usb[1]["formats"], serde_json::json!([]), "{told:#}");
    let card = of_usb[0]["card"].as_str().unwrap();
    assert_eq!(
        card, "Emulated Camera: \u{fffd}[31mCam",
        "what its maker wrote reaches a terminal"
    );
}

/// The device sends nothing more until the kernel configures it anew.
fn a_stall_that_switching_its_port_off_and_on_ends(lab: &Lab) {
    lab.root("porch", "systemctl kill -s USR1 usb-camera@all");
    let stalled = Instant::now();
    let reset = wait_for(START, "a reset to be asked for", || {
        status(lab, "porch").is_some_and(|now| now.resets.contains_key(&Cause::Stalled))
    });
    streams_again(lab, "porch", START);
    let took = stalled.elapsed();
    let said = lab.root("porch", super::recovering::SAID);
    assert!(said.contains("switched off and on at its USB port"), "{said}");
    println!(
        "USB camera silent for good: reset asked for after {reset:.1?}, the server received again after {took:.1?}"
    );
}
