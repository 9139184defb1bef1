//! `camera.toml` as a [`CameraConfig`] that can be run, or one line that says where it is wrong.

use super::rungs;
use pistream_agent::{Bounds, CAMERA, CameraConfig, DEVICE, Requirement, WantedDevice};
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
    parse(&text).map_err(|(at, message)| {
        let (line, column) = position(&text, at);
        ConfigError::Wrong {
            path: path.to_owned(),
            line,
            column,
            message,
        }
    })
}

/// The configuration, or the byte at which it is wrong and what is wrong there.
pub(super) fn parse(text: &str) -> Result<CameraConfig, (usize, String)> {
    let config: CameraConfig = toml::from_str(text).map_err(|error| {
        let message = error.message().lines().collect::<Vec<_>>().join("; ");
        (error.span().map_or(0, |span| span.start), message)
    })?;
    match fault(&config) {
        Some((pipeline, key, message)) => Err((find(text, pipeline, key), message)),
        None => Ok(config),
    }
}

/// What the types cannot say: the pipeline it is in (if in one), the key, and what is wrong with its value.
fn fault(config: &CameraConfig) -> Option<(Option<usize>, &'static str, String)> {
    let unlike_a_path = |key: &str, value: &str| {
        let good = value.starts_with('/') && !value.contains('\0');
        (!good).then(|| format!("`{key}` must be an absolute path, not {value:?}"))
    };
    if config.stall_after == 0 || config.stall_after > 3600 {
        return Some((
            None,
            "stall_after",
            "`stall_after` must be 1 to 3600 seconds".to_owned(),
        ));
    }
    let certificate = config.certificate.iter().map(|path| ("certificate", path));
    for (key, value) in [("ffmpeg", &config.ffmpeg), ("status_socket", &config.status_socket)]
        .into_iter()
        .chain(certificate)
    {
        if let Some(message) = unlike_a_path(key, value) {
            return Some((None, key, message));
        }
    }
    if let Some(message) = rungs::unlike_names(&config.rungs) {
        return Some((None, "rungs", message));
    }
    if config.pipelines.is_empty() {
        return Some((None, "pipeline", "at least one [[pipeline]] is needed".to_owned()));
    }
    for (index, pipeline) in config.pipelines.iter().enumerate() {
        let name = &pipeline.name;
        if pipeline.arguments.is_empty() {
            return Some((Some(index), "arguments", format!("pipeline `{name}` has no arguments")));
        }
        if pipeline.device.is_none() && !pipeline.controls.is_empty() {
            let message = format!("pipeline `{name}` sets controls but names no `device`");
            return Some((Some(index), "controls", message));
        }
        if let Some(message) = pipeline
            .device
            .as_ref()
            .filter(|device| *device != DEVICE)
            .and_then(|device| unlike_a_path("device", device))
        {
            return Some((Some(index), "device", message));
        }
        let finds = |requirement: &Requirement| matches!(requirement, Requirement::V4l2(_));
        let asks = pipeline
            .arguments
            .iter()
            .chain(&pipeline.device)
            .any(|text| text == DEVICE);
        if asks && !pipeline.requires.iter().any(finds) {
            let message = format!("pipeline `{name}` uses {DEVICE} but requires no `v4l2` that would find one");
            return Some((Some(index), "arguments", message));
        }
        let lists = |requirement: &Requirement| matches!(requirement, Requirement::Listed { camera: Some(_), .. });
        let mut of_capture = pipeline.capture.iter().flat_map(|capture| &capture.arguments);
        if of_capture.any(|text| text == CAMERA) && !pipeline.requires.iter().any(lists) {
            let message = format!("pipeline `{name}` uses {CAMERA} but requires no `listed` that would find one");
            return Some((Some(index), "capture", message));
        }
        if let Some(program) = pipeline.capture.as_ref().map(|capture| &capture.program)
            && !names_a_program(program)
        {
            let message = format!("`capture` must name a program, not {program:?}");
            return Some((Some(index), "capture", message));
        }
        if let Some(message) = pipeline
            .adapt
            .and_then(|bounds| unlike_bounds(name, pipeline.device.is_some(), bounds))
        {
            return Some((Some(index), "adapt", message));
        }
        for requirement in &pipeline.requires {
            let wrong = match requirement {
                Requirement::V4l2(WantedDevice {
                    format: Some(format), ..
                }) if format.len() != 4 => Some(format!("a pixel format has four characters, not {format:?}")),
                Requirement::V4l2(wanted) => wanted.device.as_ref().and_then(|path| unlike_a_path("device", path)),
                Requirement::Program { name, .. } | Requirement::Listed { program: name, .. } => {
                    (!names_a_program(name)).then(|| format!("{name:?} names no program"))
                }
                Requirement::File(path) => unlike_a_path("file", path),
                Requirement::Board { .. } | Requirement::Encoder(_) => None,
            };
            if let Some(message) = wrong {
                return Some((Some(index), "requires", message));
            }
        }
    }
    None
}

/// A name without directories, or an absolute path.
fn names_a_program(name: &str) -> bool {
    !name.is_empty() && !name.contains('\0') && (name.starts_with('/') || !name.contains('/'))
}

/// What is wrong with the bounds of this pipeline's bitrate, if anything.
fn unlike_bounds(name: &str, has_device: bool, bounds: Bounds) -> Option<String> {
    let Bounds { lowest, highest, step } = bounds;
    if !has_device {
        return Some(format!("pipeline `{name}` adapts its bitrate but names no `device`"));
    }
    let good =
        step > 0 && lowest > 0 && lowest <= highest && lowest.is_multiple_of(step) && highest.is_multiple_of(step);
    (!good).then(|| {
        format!("`adapt` needs 0 < lowest <= highest, both multiples of a step, not {lowest}, {highest} and {step}")
    })
}

/// Where the line begins that sets `key` (of the pipeline with this index, if any) or opens the table of that name;
/// where the pipeline begins, if no such line is found.
fn find(text: &str, pipeline: Option<usize>, key: &str) -> usize {
    let mut at = 0;
    let mut pipelines = 0;
    let mut wanted = None;
    for line in text.split_inclusive('\n') {
        let start = at + (line.len() - line.trim_start().len());
        at += line.len();
        let line = line.trim_start();
        if line.starts_with("[[pipeline]]") {
            pipelines += 1;
            if pipeline.is_some_and(|index| index + 1 == pipelines) {
                wanted = Some(start);
            }
        }
        if pipeline.is_some() && pipeline != pipelines.checked_sub(1) {
            continue;
        }
        let name = line.trim_start_matches('[');
        let name = name.strip_prefix("pipeline.").unwrap_or(name);
        if name
            .strip_prefix(key)
            .is_some_and(|rest| rest.trim_start().starts_with(['=', ']', '.']))
        {
            return start;
        }
    }
    wanted.unwrap_or(0)
}

/// Line and column (both from 1, the column in characters) of a byte.
fn position(text: &str, at: usize) -> (usize, usize) {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    (line, column)
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
        let (at, message) = parse(text).expect_err("should be refused");
        let (line, column) = position(text, at);
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
        assert_eq!((line, column), (4, 15), "{message}");
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

    #[test]
    fn positions_count_characters() {
        assert_eq!(position("ab\nüx", 5), (2, 2));
        assert_eq!(position("ab\nüx", 4), (2, 1));
        assert_eq!(position("", 99), (1, 1));
    }
}
