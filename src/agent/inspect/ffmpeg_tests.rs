//! Against lines of ffmpeg 5.1.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn words(text: &str) -> Words {
    Words::read(text.as_bytes())
}

#[test]
fn the_input_tells_the_profile() {
    let said = words(
        "[info] Input #0, flv, from 'rtmp://127.0.0.1:1935/live/good':\n\
         [info]   Stream #0:0: Video: h264 (Constrained Baseline), yuv420p, 640x480 [SAR 1:1 DAR 4:3], 249 kb/s, 25 fps\n\
         [info]   Stream #0:0: Video: rawvideo (Y800 / 0x30303859), gray, 64x48, q=2-31, 614 kb/s, 25 fps, 25 tbn\n",
    );
    assert_eq!(said.profile, "Constrained Baseline");
    assert_eq!(said.errors(), "");
}

#[test]
fn a_tag_is_no_profile() {
    assert_eq!(
        profile("[info]   Stream #0:0: Video: rawvideo (I420 / 0x30323449), yuv420p, 64x64"),
        None
    );
    assert_eq!(profile("[info]   Stream #0:0: Video: flv1, yuv420p, 320x240"), None);
    assert_eq!(
        profile("[info]   Stream #0:0(und): Video: h264 (High) (avc1 / 0x31637661), yuv420p"),
        Some("High")
    );
}

#[test]
fn a_refusal_and_a_missing_server_differ() {
    let refused = words("[error] rtmp://10.99.0.1:1935/live/good: Input/output error\n");
    assert!(!refused.unconnected());
    assert_eq!(refused.errors(), "rtmp://10.99.0.1:1935/live/good: Input/output error");
    let absent = words(
        "[tcp @ 0x55dec159d9c0] [error] Connection to tcp://10.99.0.1:1939?tcp_nodelay=0 failed: Connection refused\n\
         [rtmp @ 0x55dec159d0c0] [error] Cannot open connection tcp://10.99.0.1:1939?tcp_nodelay=0\n\
         [error] rtmp://10.99.0.1:1939/live/good: Connection refused\n",
    );
    assert!(absent.unconnected());
}

#[test]
fn which_option_hands_on_every_frame() {
    assert_eq!(passthrough("4.3.4-0+deb11u1+rpt3 Copyright"), "-vsync");
    assert_eq!(passthrough("5.1.9-0+deb12u1 Copyright"), "-vsync");
    assert_eq!(passthrough("7.1.5-0+deb13u1+rpt2 Copyright"), "-fps_mode");
    assert_eq!(passthrough("N-118000-gabcdef Copyright"), "-fps_mode");
}
