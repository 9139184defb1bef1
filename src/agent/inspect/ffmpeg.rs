//! Starting ffmpeg and listening to it, always with a deadline and never longer than this process lives.

use crate::posix;
use ffmpeg_sidecar::command::FfmpegCommand;
use std::io::{BufRead, BufReader, PipeWriter, Read};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Between two looks whether ffmpeg has ended.
const PAUSE: Duration = Duration::from_millis(20);

/// A word of ffmpeg's is at most so long.
const LONGEST_LINE: u64 = 64 << 10;

/// The last error lines tell the cause.
const ERRORS_KEPT: usize = 4;

#[derive(Debug, thiserror::Error)]
pub(super) enum FfmpegError {
    #[error("start {program}: {source}")]
    Start { program: String, source: std::io::Error },
    #[error("{program} -version says nothing of a version")]
    Version { program: String },
}

/// An ffmpeg that is there.
pub(super) struct Ffmpeg {
    program: String,
    /// The option that hands on every frame as it comes: renamed in ffmpeg 5.1, the old name goes with a later one.
    passthrough: &'static str,
}

impl Ffmpeg {
    /// Asks `program` for its version.
    pub(super) fn find(program: &str) -> Result<Ffmpeg, FfmpegError> {
        let start = |source| FfmpegError::Start {
            program: program.to_owned(),
            source,
        };
        let output = std::process::Command::new(program)
            .arg("-version")
            .stdin(Stdio::null())
            .output()
            .map_err(start)?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let version = text.strip_prefix("ffmpeg version ").ok_or(FfmpegError::Version {
            program: program.to_owned(),
        })?;
        Ok(Ffmpeg {
            program: program.to_owned(),
            passthrough: passthrough(version),
        })
    }

    /// A command that reads no stdin, levels its log lines ("[error] ...") and dies with this process.
    pub(super) fn command(&self) -> FfmpegCommand {
        let mut command = FfmpegCommand::new_with_path(&self.program);
        command.hide_banner().args(["-nostdin", "-nostats"]);
        let inner = command.as_inner_mut();
        inner.stdin(Stdio::null());
        posix::die_with_parent(inner);
        command
    }

    /// Hands on every frame as it comes: neither doubled nor dropped.
    pub(super) fn passthrough(&self) -> [&'static str; 2] {
        [self.passthrough, "passthrough"]
    }
}

fn passthrough(version: &str) -> &'static str {
    let major: Option<u32> = version
        .split(|c: char| !c.is_ascii_digit())
        .next()
        .and_then(|n| n.parse().ok());
    match major {
        Some(old) if old <= 5 => "-vsync",
        _ => "-fps_mode",
    }
}

/// Lets the command's child keep `pipe`; its name for ffmpeg is "pipe:<number>", returned.
pub(super) fn hand_down(command: &mut FfmpegCommand, pipe: &PipeWriter) -> String {
    let descriptor = pipe.as_raw_fd();
    // SAFETY: between fork and exec only fcntl is called, which is async-signal-safe; the descriptor is open as long as
    // the caller holds the pipe, which it does until after the start.
    unsafe {
        command
            .as_inner_mut()
            .pre_exec(move || match libc::fcntl(descriptor, libc::F_SETFD, 0) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            });
    }
    format!("pipe:{descriptor}")
}

/// Waits until the child has ended, `enough` is true or `deadline` has passed; in the last two cases ends it. `Some` when it ended by itself.
pub(super) fn wait(child: &mut Child, deadline: Instant, enough: impl Fn() -> bool) -> Option<ExitStatus> {
    while !enough() && Instant::now() < deadline {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        std::thread::sleep(PAUSE);
    }
    // it may have ended in this very moment; then there is nobody to kill
    let _ = child.kill();
    let _ = child.wait();
    None
}

/// What ffmpeg wrote to stderr.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// Of the input's video, "High"; empty while unknown.
    pub(super) profile: String,
    errors: Vec<String>,
}

impl Words {
    /// Reads to the end.
    pub(super) fn read(stderr: impl Read) -> Words {
        let mut words = Words::default();
        lines(stderr, |line| words.line(line));
        words
    }

    fn line(&mut self, line: &str) {
        if self.profile.is_empty()
            && let Some(found) = profile(line)
        {
            self.profile = found.to_owned();
        }
        let error = line.split_once("[error] ").or_else(|| line.split_once("[fatal] "));
        if let Some((_, error)) = error {
            if self.errors.len() == ERRORS_KEPT {
                self.errors.remove(0);
            }
            self.errors.push(error.trim().to_owned());
        }
    }

    /// The last error lines, one after the other; empty when there was none.
    pub(super) fn errors(&self) -> String {
        self.errors.join("; ")
    }

    /// Whether no connection came about at all: then the server has not answered anything.
    pub(super) fn unconnected(&self) -> bool {
        self.errors
            .iter()
            .any(|e| e.contains("Cannot open connection") || e.starts_with("Connection to tcp:"))
    }
}

/// Hands every line of `from` to `take`, until its end. A line too long comes in pieces.
pub(super) fn lines(from: impl Read, mut take: impl FnMut(&str)) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    loop {
        line.clear();
        match from.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => take(String::from_utf8_lossy(&line).trim_end()),
        }
    }
}

/// "High" of "Stream #0:0: Video: h264 (High), yuv420p, 640x480, 25 fps".
fn profile(line: &str) -> Option<&str> {
    let (_, video) = line.split_once(": Video: ")?;
    let (_, rest) = video.split(", ").next()?.split_once(" (")?;
    let (profile, _) = rest.split_once(')')?;
    // "(avc1 / 0x31637661)" is the codec's tag, not a profile
    (!profile.contains(" / ")).then_some(profile)
}

#[cfg(test)]
#[path = "ffmpeg_tests.rs"]
mod tests;
