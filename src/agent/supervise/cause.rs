//! Why ffmpeg ended, told from its exit status and its last lines. A table; no I/O.
//!
//! The texts are those of ffmpeg 5.1 (Debian 12); 4.3 and 7.1 print the same words around other line prefixes.

pub(super) mod capture;

use pistream_agent::Cause;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// A run shorter than this that ends with a broken connection was shown the door rather than cut off: nginx-rtmp closes
/// the connection of a publisher it denies after the first frame.
pub(super) const SHOWN_THE_DOOR: std::time::Duration = std::time::Duration::from_secs(2);

/// How one run of ffmpeg ended.
#[derive(Debug)]
pub(super) struct Ending<'a> {
    /// `None` when it could not be learnt.
    pub(super) status: Option<ExitStatus>,
    /// The last lines ffmpeg printed, oldest first, without statistics and information.
    pub(super) lines: &'a [String],
    /// How long frames had been advancing.
    pub(super) streamed: std::time::Duration,
}

/// One line of the table: a line of ffmpeg's that holds all these words tells this cause.
struct Sign {
    words: &'static [&'static str],
    cause: Cause,
}

const fn sign(cause: Cause, words: &'static [&'static str]) -> Sign {
    Sign { words, cause }
}

/// The most telling first: an "Input/output error" names no culprit by itself, the line before it may.
const SIGNS: &[Sign] = &[
    // the network, before the server was reached
    sign(Cause::Unresolved, &["Failed to resolve hostname"]),
    sign(
        Cause::NotListening,
        &["Connection to tcp://", " failed: Connection refused"],
    ),
    sign(Cause::Network, &["Connection to tcp://", " failed: "]),
    sign(Cause::NotListening, &["rtmp", "Connection refused"]),
    sign(Cause::Network, &["No route to host"]),
    sign(Cause::Network, &["Network is unreachable"]),
    sign(Cause::Network, &["Network unreachable"]),
    // the server answered
    sign(Cause::NameTaken, &["Already publishing"]),
    sign(Cause::ServerRefused, &["Server error:"]),
    sign(Cause::ServerRefused, &["NetStream.Publish."]),
    sign(Cause::ServerRefused, &["NetConnection.Connect."]),
    sign(Cause::Certificate, &["Peer certificate failed verification"]),
    sign(Cause::Certificate, &["certificate's owner does not match hostname"]),
    sign(Cause::Certificate, &["Unable to set cert/key files"]),
    sign(Cause::ServerRefused, &["Cannot read RTMP handshake response"]),
    // the capture device
    sign(Cause::Camera, &["Cannot open video device"]),
    sign(Cause::Camera, &["ioctl(VIDIOC_"]),
    sign(Cause::Camera, &["video4linux2", "[error]"]),
    sign(Cause::Camera, &["/dev/video"]),
    sign(Cause::Camera, &["No such device"]),
    sign(Cause::Camera, &["non-existing PPS"]),
    // the encoder
    sign(Cause::Encoder, &["Could not find a valid device"]),
    sign(Cause::Encoder, &["can't configure encoder"]),
    sign(Cause::Encoder, &["Error while opening encoder"]),
    sign(Cause::Encoder, &["Unknown encoder"]),
    sign(Cause::Encoder, &["Video encoding failed"]),
    sign(Cause::Encoder, &["Error submitting video frame to the encoder"]),
    // connected, then lost: decided by how long it had streamed
    sign(Cause::Network, &["rtmp", "Connection timed out"]),
    sign(Cause::Network, &["rtmp", "Connection reset by peer"]),
    sign(Cause::Network, &["rtmp", "Broken pipe"]),
    sign(Cause::Network, &["av_interleaved_write_frame()"]),
    // refused without a word: an application that does not exist, an on_publish that said no
    sign(Cause::ServerRefused, &["rtmp", "Input/output error"]),
    sign(Cause::ServerRefused, &["rtmp", "Operation not permitted"]),
];

/// The cause, and the line that told it (or the last line, or the exit status in words).
pub(super) fn classify(ending: &Ending<'_>) -> (Cause, String) {
    for sign in SIGNS {
        let tells = |line: &&String| sign.words.iter().all(|word| line.contains(word));
        if let Some(line) = ending.lines.iter().find(tells) {
            return judged(sign, ending, plain(line));
        }
    }
    let last = ending.lines.last().map(|line| plain(line));
    match ending.status.and_then(|status| status.signal()) {
        Some(signal) => (Cause::Killed, format!("ffmpeg was killed by signal {signal}")),
        // ffmpeg catches TERM, INT and QUIT, closes its output and exits with 255
        None if ending.status.and_then(|status| status.code()) == Some(255) => {
            (Cause::Killed, "ffmpeg was told by a signal to end".to_owned())
        }
        None if ending.status.is_some_and(|status| status.success()) => (
            Cause::Unknown,
            last.unwrap_or_else(|| "ffmpeg came to the end of its input".to_owned()),
        ),
        None => (Cause::Unknown, last.unwrap_or_else(|| described(ending.status))),
    }
}

fn judged(sign: &Sign, ending: &Ending<'_>, words: String) -> (Cause, String) {
    let lost = sign
        .words
        .iter()
        .any(|word| matches!(*word, "Broken pipe" | "Connection reset by peer"));
    if lost && ending.streamed < SHOWN_THE_DOOR {
        let hint = "the server closed the connection at once, as it does when this address may not publish this name";
        (Cause::ServerRefused, format!("{words}; {hint}"))
    } else {
        (sign.cause, words)
    }
}

fn described(status: Option<ExitStatus>) -> String {
    status.map_or_else(
        || "ffmpeg ended".to_owned(),
        |status| format!("ffmpeg ended with {status}, saying nothing"),
    )
}

/// A line of ffmpeg's without the address of the object that spoke and without its level:
/// `[tcp @ 0x560aec3e1dc0] [error] Connection …` is `tcp: Connection …`.
pub(super) fn plain(line: &str) -> String {
    let mut rest = line.trim();
    let mut speaker = None;
    while let Some((tag, after)) = rest.strip_prefix('[').and_then(|tagged| tagged.split_once(']')) {
        if let Some((name, _)) = tag.split_once(" @ ") {
            speaker = Some(name);
        } else if !matches!(
            tag,
            "panic" | "fatal" | "error" | "warning" | "info" | "verbose" | "debug"
        ) {
            break;
        }
        rest = after.trim_start();
    }
    speaker.map_or_else(|| rest.to_owned(), |name| format!("{name}: {rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const EXIT_1: i32 = 1 << 8;
    const EXIT_255: i32 = 255 << 8;
    const SIGKILL: i32 = 9;

    fn told(raw_status: i32, streamed: u64, lines: &[&str]) -> (Cause, String) {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        classify(&Ending {
            status: Some(ExitStatus::from_raw(raw_status)),
            lines: &lines,
            streamed: Duration::from_secs(streamed),
        })
    }

    // The lines below are what ffmpeg 5.1.9 printed in each of these situations, statistics and [info] left out.

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
}
