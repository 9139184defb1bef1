//! A program that delivers pictures to ffmpeg's stdin (`rpicam-vid`), and why it ended.
//!
//! Ffmpeg's watchdog is its watchdog too: pictures that do not come are frames that do not advance.

use super::cause::capture as cause;
use super::ffmpeg::Said;
use super::journal::{Sieve, log};
use super::process::{self, Process};
use crate::command;
use pistream_agent::Cause;
use std::collections::VecDeque;
use std::io;
use std::process::{ChildStdout, Command, ExitStatus, Stdio};
use std::time::Instant;

/// So many of its last lines are kept to tell why it ended.
const LAST_LINES: usize = 20;

/// A running capture program. Dropping it kills its group and reaps it.
pub(super) struct Capture {
    process: Process,
    /// Its name, without a directory.
    name: String,
    lines: VecDeque<(Instant, String)>,
    /// It has closed its stderr.
    silent: bool,
    /// We asked it to end.
    told: bool,
    ended: Option<ExitStatus>,
}

impl Capture {
    /// Starts it; `hear` is called for each of its lines, on a thread of its own that ends with [`Said::End`].
    ///
    /// # Errors
    /// What the operating system says when there is no such program, or it or the thread cannot be started.
    pub(super) fn start(
        capture: &pistream_agent::Capture,
        mut hear: impl FnMut(Said) + Send + 'static,
    ) -> io::Result<(Capture, ChildStdout)> {
        let program = command::find(&capture.program).ok_or(io::ErrorKind::NotFound)?;
        let mut command = Command::new(&program);
        command
            .args(&capture.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = Process::start(&mut command)?;
        let (stdout, stderr) = (process.take_stdout(), process.take_stderr());
        let (Some(stdout), Some(stderr)) = (stdout, stderr) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        process::listen("capture-stderr", stderr, move |line| match line {
            Some(line) if says_nothing(line) => {}
            Some(line) => hear(Said::Line(line.to_owned())),
            None => hear(Said::End),
        })?;
        let name = program
            .file_name()
            .map_or_else(Default::default, |n| n.to_string_lossy());
        let capture = Capture {
            process,
            name: name.into_owned(),
            lines: VecDeque::with_capacity(LAST_LINES),
            silent: false,
            told: false,
            ended: None,
        };
        Ok((capture, stdout))
    }

    pub(super) fn hear(&mut self, said: Said, sieve: &mut Sieve, now: Instant) {
        match said {
            Said::Line(line) => {
                let line = format!("{}: {line}", self.name);
                if let Some(message) = sieve.pass(&line, now) {
                    log(message);
                }
                if self.lines.len() == LAST_LINES {
                    self.lines.pop_front();
                }
                self.lines.push_back((now, line));
            }
            Said::End => self.silent = true,
            Said::Progress { .. } => {}
        }
    }

    /// It has said all it will ever say.
    pub(super) fn is_silent(&self) -> bool {
        self.silent
    }

    pub(super) fn signal(&mut self, signal: libc::c_int) {
        self.told |= self.ended.is_none();
        self.process.signal(signal);
    }

    /// Whether it has ended; what it started is killed before it is reaped.
    ///
    /// # Errors
    /// As [`Process::poll`].
    pub(super) fn has_ended(&mut self) -> io::Result<bool> {
        self.ended = self.process.poll()?;
        Ok(self.ended.is_some())
    }

    /// Trouble it told of since then, whether it has ended or not. What it got over earlier is no cause of anything now.
    pub(super) fn complaint(&self, since: Instant) -> Option<(Cause, String)> {
        cause::complaint(self.since(since))
    }

    fn since(&self, since: Instant) -> impl DoubleEndedIterator<Item = &str> {
        let lines = self.lines.iter().filter(move |(at, _)| *at >= since);
        lines.map(|(_, line)| line.as_str())
    }

    /// Why it ended by itself, as told since then; `None` if it runs, was told to end, or ended because ffmpeg no longer
    /// read.
    pub(super) fn failure(&self, since: Instant) -> Option<(Cause, String)> {
        let status = self
            .ended
            .filter(|status| !self.told && !cause::is_broken_pipe(*status, self.since(since)))?;
        let complaint = self.complaint(since);
        Some(complaint.unwrap_or_else(|| cause::end(&self.name, status, self.since(since).next_back())))
    }
}

/// `rpicam-vid` tells of every frame ("#12 (15.00 fps) exp 33239.00 …"), libcamera of its every step.
fn says_nothing(line: &str) -> bool {
    let information = line.contains("]  INFO ") || line.contains("] INFO ");
    line.starts_with('#') || information && !line.contains(cause::IN_USE)
}
