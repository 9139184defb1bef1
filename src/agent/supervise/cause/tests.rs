//! What ffmpeg 5.1.9 printed in each of these situations, statistics and [info] left out.

use super::*;
use std::time::Duration;

const EXIT_1: i32 = 1 << 8;
const EXIT_255: i32 = 255 << 8;
const SIGKILL: i32 = 9;

fn told(raw_status: i32, streamed: u64, lines: &[&str]) -> (Cause, String) {
    told_lately(raw_status, streamed, lines, lines.len())
}

/// The same of lines of which so many came since all was well.
fn told_lately(raw_status: i32, streamed: u64, lines: &[&str], recent: usize) -> (Cause, String) {
    let since = Instant::now();
    let earlier = lines.len() - recent;
    let at = |index| since - Duration::from_secs(u64::from(index < earlier));
    let lines = lines.iter().enumerate();
    let lines: Vec<_> = lines.map(|(index, line)| (at(index), (*line).to_owned())).collect();
    classify(&Ending {
        status: Some(ExitStatus::from_raw(raw_status)),
        lines: &lines,
        since,
        streamed: Duration::from_secs(streamed),
    })
}

#[test]
fn refused_port() {
    let (cause, words) = told(
        EXIT_1,
        0,
        &[
            "[tcp @ 0x560aec3e1dc0] [error] Connection to tcp://127.0.0.1:1?tcp_nodelay=0 failed: Connection refused",
            "[rtmp @ 0x560aec3e38c0] [error] Cannot open connection tcp://127.0.0.1:1?tcp_nodelay=0",
            "[error] rtmp://127.0.0.1:1/live/x: Connection refused",
        ],
    );
    assert_eq!(cause, Cause::NotListening);
    assert_eq!(
        words,
        "tcp: Connection to tcp://127.0.0.1:1?tcp_nodelay=0 failed: Connection refused"
    );
}

#[test]
fn no_answer() {
    let line = "[tcp @ 0x5581c1b2cdc0] [error] Connection to tcp://203.0.113.7:1935?tcp_nodelay=0 failed: Connection timed out";
    assert_eq!(told(EXIT_1, 0, &[line]).0, Cause::Network);
}

#[test]
fn name_not_found() {
    let (cause, _) = told(
        EXIT_1,
        0,
        &[
            "[tcp @ 0x5650e16a7dc0] [error] Failed to resolve hostname no-such-host.invalid: Name or service not known",
            "[rtmp @ 0x5650e16a98c0] [error] Cannot open connection tcp://no-such-host.invalid:1935?tcp_nodelay=0",
            "[error] rtmp://no-such-host.invalid/live/x: Input/output error",
        ],
    );
    assert_eq!(cause, Cause::Unresolved);
}

#[test]
fn no_route() {
    let (cause, _) = told(EXIT_1, 0, &["[error] rtmp://[2001:db8::1]/live/x: No route to host"]);
    assert_eq!(cause, Cause::Network);
}

#[test]
fn connection_closed_in_the_handshake() {
    let (cause, words) = told(
        EXIT_1,
        0,
        &[
            "[rtmp @ 0x55995551a8c0] [error] Cannot read RTMP handshake response",
            "[error] rtmp://127.0.0.1:53375/live/x: Connection reset by peer",
        ],
    );
    assert_eq!(
        (cause, words.as_str()),
        (Cause::ServerRefused, "rtmp: Cannot read RTMP handshake response")
    );
}

#[test]
fn name_taken() {
    let (cause, words) = told(
        EXIT_1,
        0,
        &[
            "[rtmp @ 0x55c3a40bb8c0] [error] Server error: Already publishing",
            "[error] rtmp://127.0.0.1:21935/live/x: Operation not permitted",
        ],
    );
    assert_eq!(
        (cause, words.as_str()),
        (Cause::NameTaken, "rtmp: Server error: Already publishing")
    );
}

#[test]
fn unknown_application_or_callback_that_said_no() {
    let (cause, _) = told(
        EXIT_1,
        0,
        &["[error] rtmp://127.0.0.1:21935/nothere/x: Input/output error"],
    );
    assert_eq!(cause, Cause::ServerRefused);
}

#[test]
fn broken_pipe_is_a_refusal_after_a_frame_and_the_network_after_a_minute() {
    let lines = [
        "[flv @ 0x56188f043980] [warning] Failed to update header with correct duration.",
        "[error] Error writing trailer of rtmp://127.0.0.1:21935/deny/x: Broken pipe",
        "[error] Error closing file rtmp://127.0.0.1:21935/deny/x: Broken pipe",
    ];
    let (cause, words) = told(EXIT_1, 0, &lines);
    assert_eq!(cause, Cause::ServerRefused);
    assert!(words.contains("this address may not publish"), "{words}");
    assert_eq!(told(EXIT_1, 60, &lines).0, Cause::Network);
}

#[test]
fn no_camera() {
    let (cause, words) = told(
        EXIT_1,
        0,
        &[
            "[video4linux2,v4l2 @ 0x564cf5000980] [error] Cannot open video device /dev/video0: No such file or directory",
            "[error] /dev/video0: No such file or directory",
        ],
    );
    assert_eq!(cause, Cause::Camera);
    assert!(
        words.starts_with("video4linux2,v4l2: Cannot open video device /dev/video0"),
        "{words}"
    );
}

#[test]
fn camera_that_broke_while_streaming_is_not_the_server() {
    let (cause, _) = told(
        EXIT_1,
        60,
        &[
            "[video4linux2,v4l2 @ 0x564cf5000980] [error] ioctl(VIDIOC_DQBUF): Input/output error",
            "[error] /dev/video0: Input/output error",
            "[error] Error writing trailer of rtmp://127.0.0.1/live/x: Broken pipe",
        ],
    );
    assert_eq!(cause, Cause::Camera);
}

#[test]
fn what_was_got_over_long_ago_is_no_cause_but_better_than_no_word_at_all() {
    let pps = "[h264 @ 0x55f0] [error] non-existing PPS 0 referenced";
    let lines = [pps, "[error] Error closing file rtmp://127.0.0.1/live/x: Broken pipe"];
    assert_eq!(told_lately(EXIT_1, 60, &lines, 1).0, Cause::Network);
    assert_eq!(told(EXIT_1, 0, &lines).0, Cause::Camera);
    let words = "h264: non-existing PPS 0 referenced".to_owned();
    assert_eq!(told_lately(EXIT_1, 60, &[pps], 0), (Cause::Unknown, words));
    let end = "ffmpeg came to the end of its input".to_owned();
    assert_eq!(told_lately(0, 60, &[pps], 0), (Cause::Unknown, end));
}

#[test]
fn encoders_that_do_not_open() {
    let m2m = [
        "[h264_v4l2m2m @ 0x558e5fdec2c0] [error] Could not find a valid device",
        "[h264_v4l2m2m @ 0x558e5fdec2c0] [error] can't configure encoder",
        "[error] Error initializing output stream 0:0 -- Error while opening encoder for output stream #0:0 - maybe \
         incorrect parameters such as bit_rate, rate, width or height",
    ];
    assert_eq!(told(EXIT_1, 0, &m2m).0, Cause::Encoder);
    let x264 = ["x264 [error]: invalid profile: bogus", m2m[2]];
    assert_eq!(told(EXIT_1, 0, &x264).0, Cause::Encoder);
}

#[test]
fn signals() {
    assert_eq!(
        told(SIGKILL, 60, &[]),
        (Cause::Killed, "ffmpeg was killed by signal 9".to_owned())
    );
    // "[info] Exiting normally, received signal 15." is not kept; the status says it
    assert_eq!(told(EXIT_255, 60, &[]).0, Cause::Killed);
}

#[test]
fn what_nothing_tells_is_unknown_in_ffmpegs_words() {
    let (cause, words) = told(EXIT_1, 0, &["[error] /nonexistent.mp4: No such file or directory"]);
    assert_eq!(
        (cause, words.as_str()),
        (Cause::Unknown, "/nonexistent.mp4: No such file or directory")
    );
    let (cause, words) = told(
        EXIT_1,
        0,
        &["[fatal] Error splitting the argument list: Option not found"],
    );
    assert_eq!(
        (cause, words.as_str()),
        (Cause::Unknown, "Error splitting the argument list: Option not found")
    );
    assert_eq!(
        told(0, 3, &[]),
        (Cause::Unknown, "ffmpeg came to the end of its input".to_owned())
    );
    assert_eq!(
        told(7 << 8, 3, &[]).1,
        "ffmpeg ended with exit status: 7, saying nothing"
    );
}

#[test]
fn plain_words() {
    assert_eq!(
        plain("[flv @ 0x1] [warning] Failed to update header"),
        "flv: Failed to update header"
    );
    assert_eq!(plain("[2001:db8::1] is no tag"), "[2001:db8::1] is no tag");
    assert_eq!(plain(""), "");
    assert_eq!(plain("[unclosed"), "[unclosed");
}
