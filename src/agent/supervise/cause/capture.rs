//! Why a capture program ended, likewise. The texts are those of rpicam-apps and of libcamera's pipeline handlers.

use super::{Sign, sign};
use pistream_agent::Cause;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// libcamera's reason why it could not be acquired, which it takes for information.
pub(in crate::supervise) const IN_USE: &str = "in use by another process";

/// A line that holds all these words tells this cause.
const SIGNS: &[Sign] = &[
    sign(Cause::Camera, &["no cameras available"]),
    sign(Cause::Camera, &[IN_USE]),
    sign(Cause::Camera, &["failed to acquire camera"]),
    sign(Cause::Camera, &["failed to start camera"]),
    sign(Cause::Camera, &["frontend has timed out"]),
    sign(Cause::Camera, &["timeout detected"]),
    sign(Cause::Encoder, &["failed to open V4L2 H264 encoder"]),
    sign(Cause::Encoder, &["find an appropriate H.264 codec"]),
];

/// The trouble a capture program told of, if it is of a known kind.
pub(in crate::supervise) fn complaint<'a>(lines: impl Iterator<Item = &'a str>) -> Option<(Cause, String)> {
    let lines: Vec<&str> = lines.collect();
    SIGNS.iter().find_map(|sign| {
        let tells = |line: &&&str| sign.words.iter().all(|word| line.contains(word));
        lines.iter().find(tells).map(|line| (sign.cause, (*line).to_owned()))
    })
}

/// Why a capture program ended that told of nothing known: its business is the camera.
pub(in crate::supervise) fn end(name: &str, status: ExitStatus, last: Option<&str>) -> (Cause, String) {
    match (status.signal(), last) {
        (Some(signal), _) => (Cause::Killed, format!("{name} was killed by signal {signal}")),
        (None, Some(line)) => (Cause::Camera, line.to_owned()),
        (None, None) => (Cause::Camera, format!("{name} ended with {status}, saying nothing")),
    }
}

/// How who wrote to somebody that had gone says so, where it does not die of SIGPIPE: rpicam-vid, anybody else.
const BROKEN_PIPE: [&str; 2] = ["failed to write output bytes", "Broken pipe"];

/// It wrote to somebody who had gone.
pub(in crate::supervise) fn is_broken_pipe<'a>(status: ExitStatus, mut lines: impl Iterator<Item = &'a str>) -> bool {
    let says = |line: &str| BROKEN_PIPE.iter().any(|words| line.contains(words));
    status.signal() == Some(libc::SIGPIPE) || lines.any(says)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXIT_255: i32 = 255 << 8;
    const SIGKILL: i32 = 9;

    #[test]
    fn a_broken_pipe_is_told_by_a_signal_or_in_rpicams_words() {
        let is = |raw, line| is_broken_pipe(ExitStatus::from_raw(raw), std::iter::once(line));
        assert!(is(libc::SIGPIPE, "rpicam-vid: Halting"));
        assert!(is(libc::SIGABRT, "rpicam-vid:   what():  failed to write output bytes"));
        assert!(is(EXIT_255, "rpicam-vid: av_interleaved_write_frame(): Broken pipe"));
        assert!(!is(libc::SIGABRT, "rpicam-vid:   what():  failed to queue buffer"));
    }

    #[test]
    fn rpicams_own_words() {
        for (line, cause) in [
            (
                "rpicam-vid: [0:59:20.977] [3232]  INFO Camera camera.cpp:1021 Pipeline handler in use by another process",
                Cause::Camera,
            ),
            ("rpicam-vid: ERROR: *** no cameras available ***", Cause::Camera),
            (
                "rpicam-vid: ERROR: *** failed to acquire camera /base/soc/i2c0mux ***",
                Cause::Camera,
            ),
            (
                "rpicam-vid: ERROR: *** failed to open V4L2 H264 encoder ***",
                Cause::Encoder,
            ),
        ] {
            let lines = ["rpicam-vid: Preview window unavailable", line];
            assert_eq!(complaint(lines.into_iter()), Some((cause, line.to_owned())));
        }
        assert_eq!(complaint(std::iter::once("rpicam-vid: Halting")), None);
        let ended = |raw, last: Option<&str>| end("rpicam-vid", ExitStatus::from_raw(raw), last);
        assert_eq!(
            ended(SIGKILL, None),
            (Cause::Killed, "rpicam-vid was killed by signal 9".to_owned())
        );
        assert_eq!(
            ended(EXIT_255, None).1,
            "rpicam-vid ended with exit status: 255, saying nothing"
        );
        assert_eq!(ended(EXIT_255, Some("last words")).1, "last words");
    }
}
