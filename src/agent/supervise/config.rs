//! `camera.toml` as a [`CameraConfig`] that can be run, or one line that says where it is wrong.

mod judge;

use crate::toml;
use pistream_agent::CameraConfig;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A file of this size is no camera's configuration.
const LARGEST: u64 = 1 << 20;

#[derive(Debug, thiserror::Error)]
pub(super) enum ConfigError {
    #[error("{path}: cannot be read: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path}: {size} bytes are too many for a camera's configuration (at most {LARGEST})")]
    Size { path: PathBuf, size: u64 },
    #[error("{path}:{line}:{column}: {message}")]
    Wrong {
        path: PathBuf,
        line: usize,
        column: usize,
        message: String,
    },
}

/// Reads and judges the file.
///
/// # Errors
/// Always one line. What is wrong inside the file is told as `file:line:column: message`.
pub(super) fn read(path: &Path) -> Result<CameraConfig, ConfigError> {
    let unreadable = |source| ConfigError::Read {
        path: path.to_owned(),
        source,
    };
    let size = fs::metadata(path).map_err(unreadable)?.len();
    if size > LARGEST {
        return Err(ConfigError::Size {
            path: path.to_owned(),
            size,
        });
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    parse(&text).map_err(|((line, column), message)| ConfigError::Wrong {
        path: path.to_owned(),
        line,
        column,
        message,
    })
}

/// The configuration, or the place at which it is wrong and what is wrong there.
pub(super) fn parse(text: &str) -> Result<CameraConfig, (toml::Place, String)> {
    let config: CameraConfig = toml::read(text)?;
    match judge::fault(&config) {
        Some((pipeline, key, message)) => {
            let element = pipeline.map(|index| ("pipeline", index));
            let place = |key| toml::place(text, element, key);
            Err((place(key).or_else(|| place("pipeline")).unwrap_or((1, 1)), message))
        }
        None => Ok(config),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    const GOOD: &str = r#"stream = "porch"
ffmpeg = "/usr/bin/ffmpeg"
status_socket = "/run/pistream/status.sock"
stall_after = 10
bitrate = 250000

[[pipeline]]
name = "v4l2-copy"
device = "/dev/video0"
requires = [{ v4l2 = { device = "/dev/video0", format = "H264" } }]
arguments = ["-f", "video4linux2"]
[pipeline.controls]
video_bitrate = 250000

[[pipeline]]
name = "test-pattern"
requires = [{ encoder = "libx264" }, { file = "/etc/hostname" }]
arguments = ["-re"]
"#;

    fn wrong(text: &str) -> (usize, usize, String) {
        let ((line, column), message) = parse(text).expect_err("should be refused");
        (line, column, message)
    }

    #[test]
    fn a_good_one() {
        let config = parse(GOOD).unwrap();
        assert_eq!(config.pipelines.len(), 2);
        assert_eq!(config.pipelines[0].controls["video_bitrate"], 250_000.into());
    }

    #[test]
    fn unknown_key_is_found_where_it_stands() {
        let (line, column, message) = wrong(&GOOD.replace("[pipeline.controls]", "contols = 1\n[pipeline.controls]"));
        assert_eq!((line, column), (12, 1), "{message}");
        assert!(message.contains("contols") && !message.contains('\n'), "{message}");
    }

    #[test]
    fn wrong_type_is_found_where_it_stands() {
        let (line, column, message) = wrong(&GOOD.replace("stall_after = 10", "stall_after = \"ten\""));
        assert_eq!((line, column), (4, 1), "{message}");
        assert!(message.ends_with(" for key `stall_after`"), "{message}");
    }

    #[test]
    fn broken_syntax() {
        let (line, _, message) = wrong(&GOOD.replace("\"porch\"", "\"porch"));
        assert_eq!(line, 1, "{message}");
    }

    #[test]
    fn values_that_cannot_work() {
        for (from, to, line, words) in [
            ("stall_after = 10", "stall_after = 0", 4, "1 to 3600"),
            ("\"/usr/bin/ffmpeg\"", "\"ffmpeg\"", 2, "absolute path"),
            (
                "stall_after = 10",
                "stall_after = 10\nrungs = [\"../x\"]",
                5,
                "beside this one",
            ),
            ("\"/run/pistream/status.sock\"", "\"/run/\\u0000\"", 3, "absolute path"),
            ("device = \"/dev/video0\"\nreq", "req", 11, "names no `device`"),
            ("[\"-re\"]", "[]", 18, "no arguments"),
            ("format = \"H264\"", "format = \"H26\"", 10, "four characters"),
            ("[\"-re\"]", "[\"{device}\"]", 18, "would find one"),
            (
                "[\"-re\"]",
                "[\"-re\"]\ncapture = { program = \"a/b\", arguments = [] }",
                19,
                "name a program",
            ),
            (
                "encoder = \"libx264\"",
                "listed = { program = \"\" }",
                17,
                "names no program",
            ),
            (
                "[\"-re\"]",
                "[\"-re\"]\ncapture = { program = \"a\", arguments = [\"{camera}\"] }",
                19,
                "would find one",
            ),
            (
                "device = \"/dev/video0\"\nreq",
                "device = \"/dev/video0\"\nadapt = { lowest = 60000, highest = 250000, step = 25000 }\nreq",
                10,
                "multiples of a step",
            ),
            (
                "name = \"test",
                "adapt = { lowest = 1, highest = 1, step = 1 }\nname = \"test",
                16,
                "names no `device`",
            ),
        ] {
            let text = GOOD.replace(from, to);
            assert_ne!(text, GOOD, "{from}");
            let (at, _, message) = wrong(&text);
            assert!(message.contains(words), "{message}");
            assert_eq!(at, line, "{message}");
        }
    }
}
