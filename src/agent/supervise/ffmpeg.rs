//! One ffmpeg process: started so that it cannot outlive the agent, read line by line, ended for certain.
//!
//! Decides nothing: what a line or an exit means is for others. ffmpeg-sidecar builds the command and parses the
//! statistics; its iterator is not used, since it can hang for good after a `Stream #…` line that follows statistics.

use super::process::{self, Process};
use ffmpeg_sidecar::command::FfmpegCommand;
use ffmpeg_sidecar::log_parser::try_parse_progress;
use std::io;
use std::process::{ExitStatus, Stdio};

/// What ffmpeg says on stderr.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// Statistics: frames and bytes that left the muxer since the start.
    Progress { frames: u64, bytes: u64 },
    /// A warning, an error, or a line without a level. Information is left out.
    Line(String),
    /// Nobody holds stderr any more.
    End,
}

/// A running ffmpeg. Dropping it kills its group and reaps it.
pub(super) struct Ffmpeg {
    process: Process,
}

impl Ffmpeg {
    /// Starts `program` with these arguments and this stdin; `hear` is called for everything it says, on a thread of its
    /// own that ends with [`Said::End`].
    ///
    /// # Errors
    /// What the operating system says when the program or the thread cannot be started.
    pub(super) fn start(
        program: &str,
        arguments: &[String],
        stdin: Stdio,
        mut hear: impl FnMut(Said) + Send + 'static,
    ) -> io::Result<Ffmpeg> {
        let mut command = FfmpegCommand::new_with_path(program);
        // the statistics are the pulse: ask for them, whatever ffmpeg's default is where stderr is no terminal
        command.args(["-hide_banner", "-nostdin", "-stats"]).args(arguments);
        let inner = command.as_inner_mut();
        // the crate asks for pipes; nobody listens to ffmpeg's stdout
        inner.stdin(stdin).stdout(Stdio::null());
        let mut process = Process::start(inner)?;
        let stderr = process.take_stderr();
        let ffmpeg = Ffmpeg { process };
        if let Some(stderr) = stderr {
            process::listen("ffmpeg-stderr", stderr, move |line| {
                if let Some(said) = line.map_or(Some(Said::End), said) {
                    hear(said);
                }
            })?;
        }
        Ok(ffmpeg)
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Sends a signal to ffmpeg and whatever it started, unless it has been reaped.
    pub(super) fn signal(&self, signal: libc::c_int) {
        self.process.signal(signal);
    }

    /// The exit status, once ffmpeg has ended; what it started is killed before it is reaped.
    ///
    /// # Errors
    /// What waitpid says; it cannot fail for a child of ours that nobody else waits for.
    pub(super) fn poll(&mut self) -> io::Result<Option<ExitStatus>> {
        self.process.poll()
    }
}

/// What a line says; information says nothing.
pub(super) fn said(line: &str) -> Option<Said> {
    // other lines may hold "size=" as well; only statistics have a frame count
    if line.contains("frame=")
        && let Some(progress) = try_parse_progress(line)
    {
        return Some(Said::Progress {
            frames: progress.frame.into(),
            bytes: u64::from(progress.size_kb) * 1024,
        });
    }
    let information = line.starts_with("[info]") || line.contains("] [info]");
    (!information).then(|| Said::Line(line.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(text: &[u8]) -> Vec<Said> {
        let mut heard = Vec::new();
        process::read_lines(text, |line| heard.extend(line.map_or(Some(Said::End), said)));
        heard
    }

    #[test]
    fn statistics_lines_and_information_are_told_apart() {
        let text = b"[info] Input #0, lavfi, from 'testsrc2':\n\
            [info] frame=   15 fps=0.0 q=30.0 size=      36kB time=00:00:00.93 bitrate= 316.1kbits/s speed=1.84x    \r\
            [libx264 @ 0x55d3a55d77c0] [info] kb/s:289.66\n\
            [flv @ 0x56188f043980] [warning] Failed to update header with correct duration.\n\
            [info] frame=   43 fps= 15 q=30.0 Lsize=     100KiB time=00:00:02.80 bitrate= 293.8kbits/s speed=0.997x\n\
            x264 [error]: invalid profile: bogus";
        assert_eq!(
            heard(text),
            [
                Said::Progress {
                    frames: 15,
                    bytes: 36 * 1024
                },
                Said::Line(
                    "[flv @ 0x56188f043980] [warning] Failed to update header with correct duration.".to_owned()
                ),
                Said::Progress {
                    frames: 43,
                    bytes: 100 * 1024
                },
                Said::Line("x264 [error]: invalid profile: bogus".to_owned()),
                Said::End,
            ]
        );
    }

    #[test]
    fn statistics_without_a_size_still_count_frames() {
        let line = b"[info] frame=    5 fps=0.0 q=-0.0 Lsize=N/A time=00:00:00.20 bitrate=N/A speed=11.3x\r";
        assert_eq!(heard(line), [Said::Progress { frames: 5, bytes: 0 }, Said::End]);
    }
}
