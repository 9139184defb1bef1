//! Why ffmpeg ended, told from its exit status and its last lines. A table; no I/O.
//!
//! The texts are those of ffmpeg 5.1 (Debian 12); 4.3 and 7.1 print the same words around other line prefixes.

pub(super) mod capture;
#[cfg(test)]
mod tests;

use pistream_agent::Cause;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Instant;

/// A run shorter than this that ends with a broken connection was shown the door rather than cut off: nginx-rtmp closes
/// the connection of a publisher it denies after the first frame.
pub(super) const SHOWN_THE_DOOR: std::time::Duration = std::time::Duration::from_secs(2);

/// How one run of ffmpeg ended.
#[derive(Debug)]
pub(super) struct Ending<'a> {
    /// `None` when it could not be learnt.
    pub(super) status: Option<ExitStatus>,
    /// The last lines ffmpeg printed, oldest first, without statistics and information.
    /// Each with when it came.
    pub(super) lines: &'a [(Instant, String)],
    /// What was said before, while all was still well, tells of nothing that ended it.
    pub(super) since: Instant,
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

/// The cause, and the line that told it (or the last line, however old, or the exit status in words).
pub(super) fn classify(ending: &Ending<'_>) -> (Cause, String) {
    let is_recent = |(at, _): &&(Instant, String)| *at >= ending.since;
    for sign in SIGNS {
        let tells = |said: &&(Instant, String)| is_recent(said) && sign.words.iter().all(|word| said.1.contains(word));
        if let Some((_, line)) = ending.lines.iter().find(tells) {
            return judged(sign, ending, plain(line));
        }
    }
    let last = ending.lines.last();
    let of_the_end = last.is_some_and(|said| is_recent(&said));
    let last = last.map(|(_, line)| plain(line));
    match ending.status.and_then(|status| status.signal()) {
        Some(signal) => (Cause::Killed, format!("ffmpeg was killed by signal {signal}")),
        // ffmpeg catches TERM, INT and QUIT, closes its output and exits with 255
        None if ending.status.and_then(|status| status.code()) == Some(255) => {
            (Cause::Killed, "ffmpeg was told by a signal to end".to_owned())
        }
        None if ending.status.is_some_and(|status| status.success()) => (
            Cause::Unknown,
            last.filter(|_| of_the_end)
                .unwrap_or_else(|| "ffmpeg came to the end of its input".to_owned()),
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
