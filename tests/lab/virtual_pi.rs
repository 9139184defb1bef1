//! A Pi with the legacy camera stack: the driver's own controls rule what comes over the wire.

use crate::fleet::{Fleet, bitrate_received, facts, status, streams_again, verify};
use crate::hosts::{Image, Lab};
use std::time::Duration;

/// What the camera delivers may differ from what was asked by this share.
const TOLERANCE: f64 = 0.15;

#[test]
fn the_bitrate_of_the_inventory_is_the_drivers_and_the_wires() {
    let lab = Lab::up(Image::Fat, &["hub"]);
    lab.up_pi("porch");
    let mut fleet = Fleet::new(&lab, "russh", &["porch"]);
    fleet.cameras[0].2 = "source: auto, size: 800x600, fps: 30, keyframe_interval: 1s".into();
    for (bitrate, bits) in [("1M", 1_000_000), ("250k", 250_000)] {
        fleet.cameras[0].1 = bitrate;
        if bits == 250_000 {
            // below the floor at which real encoders are known to freeze: the inventory must insist
            fleet.cameras[0].2 += ", force_bitrate: true";
        }
        let deployed = fleet.deploy(&lab).must_exit(0);
        assert_eq!(deployed.result("porch").0, "changed", "{}", deployed.text());
        streams_again(&lab, "porch", Duration::from_secs(90));

        let now = status(&lab, "porch").unwrap();
        assert_eq!(now.pipeline.as_deref(), Some("v4l2-copy"), "{now:?}");
        assert_eq!(now.bitrate_set, bits, "{now:?}");
        assert_eq!(driver(&lab, "video_bitrate"), bits.to_string());
        assert_eq!(driver(&lab, "repeat_sequence_header"), "1");
        let received = bitrate_received(&lab, "porch", Duration::from_secs(15));
        println!("bitrate {bitrate}: the server received {:.0} kbit/s", received / 1000.0);
        let off = (received - f64::from(bits)).abs() / f64::from(bits);
        assert!(off < TOLERANCE, "{received:.0} bit/s received of {bits} set");
    }
    verify(&lab).must_hold();

    let told = facts(&lab, &["porch"]);
    let camera = &told["hosts"][0]["facts"]["camera"];
    assert_eq!(camera["stack"], "legacy", "{told}");
    assert_eq!(camera["devices"][0]["card"], "mmal service 16.1", "{told}");
    assert_eq!(camera["pipelines"][0]["name"], "v4l2-copy", "{told}");
    assert!(camera["pipelines"][0]["obstacle"].is_null(), "{told}");
    let holder = &camera["holders"][0];
    let (program, unit) = (&holder["program"], &holder["unit"]);
    assert_eq!(
        (program, unit),
        (&"ffmpeg".into(), &"pistream-camera.service".into()),
        "{told}"
    );

    // a Pi that boots without a network lives years back; certificates must be good then, too
    lab.root("porch", "date -s 2003-03-03 && systemctl restart pistream-camera");
    let since = streams_again(&lab, "porch", Duration::from_secs(90));
    println!("clock 2003-03-03: streaming after {since:.1?}");
}

#[test]
fn a_camera_that_falls_silent_without_an_error_is_started_anew() {
    let lab = Lab::up(Image::Fat, &["hub"]);
    lab.up_pi("porch");
    let mut fleet = Fleet::new(&lab, "russh", &["porch"]);
    fleet.cameras[0].1 = "1M";
    fleet.cameras[0].2 = "source: auto, size: 800x600, fps: 30, keyframe_interval: 1s".into();
    fleet.deploy(&lab).must_exit(0);
    streams_again(&lab, "porch", Duration::from_secs(90));
    let fault = "/sys/devices/platform/picam_emu.0/fault";
    lab.root("porch", &format!("echo stall >{fault}"));
    let found = crate::hosts::wait_for(Duration::from_secs(40), "the stall to be found", || {
        status(&lab, "porch").is_some_and(|s| s.restarts.contains_key(&pistream_agent::Cause::Stalled))
    });
    lab.root("porch", &format!("echo run >{fault}"));
    let healed = streams_again(&lab, "porch", Duration::from_secs(90));
    println!("camera silent: found after {found:.1?}, streaming {healed:.1?} after it woke");
}

fn driver(lab: &Lab, control: &str) -> String {
    let answer = lab.root("porch", &format!("v4l2-ctl -d /dev/video0 -C {control}"));
    answer.rsplit(": ").next().unwrap().to_owned()
}
