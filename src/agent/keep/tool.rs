//! One run of ffmpeg or ffprobe beside the main loop: started, looked at, ended for certain. Never waited for.

use crate::posix;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A chunk of the largest length at the largest bitrate is copied within this time, even by a slow disk.
const PATIENCE: Duration = Duration::from_secs(3600);
/// The end of what a tool complained of is enough. Bytes.
const WORDS: usize = 400;

/// What it says itself, or why it could not be run, or did not end.
#[derive(Debug, thiserror::Error)]
#[error("{program}: {words}")]
pub(crate) struct ToolError {
    pub(crate) program: String,
    pub(crate) words: String,
}

/// Ends with its value, and with this process.
pub(super) struct Tool {
    program: String,
    child: Child,
    stdout: File,
    stderr: File,
    deadline: Instant,
}

impl Tool {
    pub(super) fn start(program: &str, arguments: &[&str]) -> Result<Tool, ToolError> {
        let start = || {
            // files in memory, not pipes: nobody has to read while it writes
            let (stdout, stderr) = (posix::anonymous_file()?, posix::anonymous_file()?);
            let mut command = Command::new(program);
            command
                .args(arguments)
                .env("LC_ALL", "C.UTF-8")
                .current_dir("/")
                .stdin(Stdio::null())
                .stdout(stdout.try_clone()?)
                .stderr(stderr.try_clone()?);
            for ours in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] {
                command.env_remove(ours);
            }
            posix::die_with_parent(&mut command);
            Ok(Tool {
                program: program.to_owned(),
                child: command.spawn()?,
                stdout,
                stderr,
                deadline: Instant::now() + PATIENCE,
            })
        };
        start().map_err(|error: io::Error| ToolError {
            program: program.to_owned(),
            words: error.to_string(),
        })
    }

    /// What it printed, once it has ended well.
    pub(super) fn poll(&mut self) -> Result<Option<String>, ToolError> {
        let words = match self.child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(Some(printed(&mut self.stdout))),
            Ok(Some(status)) => last_words(&mut self.stderr, status),
            Ok(None) if Instant::now() < self.deadline => return Ok(None),
            Ok(None) => "does not end".to_owned(),
            Err(error) => error.to_string(),
        };
        Err(ToolError {
            program: self.program.clone(),
            words,
        })
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        // both fail only for a child that has ended already
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The end of what a program that failed complained of, or how it ended.
pub(crate) fn last_words(complaints: &mut File, status: ExitStatus) -> String {
    let said = printed(complaints);
    let from = said.char_indices().rev().nth(WORDS).map_or(0, |(at, _)| at);
    match said[from..].trim() {
        "" => status.to_string(),
        words => words.replace('\n', "; "),
    }
}

fn printed(file: &mut File) -> String {
    let mut bytes = Vec::new();
    // what cannot be read back is lost words
    let _ = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}
