//! Why a capture program ended, likewise. The texts are those of rpicam-apps and of libcamera's pipeline handlers.

use super::{Sign, sign};
use pistream_agent::Cause;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// A line that holds all these words tells this cause.
const SIGNS: &[Sign] = &[
    sign(Cause::Camera, &["no cameras available"]),
    sign(Cause::Camera, &["failed to acquire camera"]),
    sign(Cause::Camera, &["in use by another process"]),
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

/// It wrote to somebody who had gone.
pub(in crate::supervise) fn is_broken_pipe(status: ExitStatus) -> bool {
    status.signal() == Some(libc::SIGPIPE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXIT_255: i32 = 255 << 8;
    const SIGKILL: i32 = 9;

    #[test]
    fn rpicams_own_words() {
        for (line, cause) in [
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
