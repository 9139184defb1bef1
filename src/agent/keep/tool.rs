//! One run of ffmpeg or ffprobe beside the main loop: started, looked at, ended for certain. Never waited for.

use crate::posix;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A chunk of the largest length at the largest bitrate is copied within this time, even by a slow disk.
const PATIENCE: Duration = Duration::from_secs(3600);
/// The end of what a tool complained of is enough. Bytes.
const WORDS: usize = 400;

#[derive(Debug, thiserror::Error)]
pub(super) enum ToolError {
    #[error("start {program}: {source}")]
    Start { program: String, source: io::Error },
    #[error("wait for {program}: {source}")]
    Wait { program: String, source: io::Error },
    #[error("{program} did not end within {} s", PATIENCE.as_secs())]
    TimedOut { program: String },
    #[error("{program}: {words}")]
    Failed { program: String, words: String },
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
        start().map_err(|source| ToolError::Start {
            program: program.to_owned(),
            source,
        })
    }

    /// What it printed, once it has ended well.
    pub(super) fn poll(&mut self) -> Result<Option<String>, ToolError> {
        let program = || self.program.clone();
        let status = match self.child.try_wait() {
            Ok(Some(status)) => status,
            Ok(None) if Instant::now() < self.deadline => return Ok(None),
            Ok(None) => return Err(ToolError::TimedOut { program: program() }),
            Err(source) => {
                let program = program();
                return Err(ToolError::Wait { program, source });
            }
        };
        if status.success() {
            return Ok(Some(printed(&mut self.stdout)));
        }
        let said = printed(&mut self.stderr);
        let from = said.char_indices().rev().nth(WORDS).map_or(0, |(at, _)| at);
        let words = said[from..].trim().replace('\n', "; ");
        Err(ToolError::Failed {
            program: self.program.clone(),
            words: if words.is_empty() { status.to_string() } else { words },
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

fn printed(file: &mut File) -> String {
    let mut bytes = Vec::new();
    // what cannot be read back is lost words
    let _ = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}
