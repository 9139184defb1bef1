//! One secret from one source.
//!
//! An error names the source, never what came out of it.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::Clear;
use crate::model::Secret;

/// How long a command may take to tell its secret.
const DEADLINE: Duration = Duration::from_secs(10);

/// No password or stream key is longer, in bytes; and nginx reads no word of more than 4096, quotes and escapes included.
const LONGEST: u64 = 1024;

/// What is read of a command's output and of its complaints, in bytes: beyond it, it writes into a closed pipe.
const MOST_PRINTED: u64 = 64 * 1024;

#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("the environment variable {0} is not set: export it, then run this again")]
    ReadVariable(String),
    #[error("cannot read {path}: {source}", path = path.display())]
    ReadFile { path: PathBuf, source: io::Error },
    #[error("cannot run `{command}`: {source}")]
    RunCommand { command: String, source: io::Error },
    #[error("`{command}` failed ({status}){told}")]
    CommandFailed {
        command: String,
        status: ExitStatus,
        told: String,
    },
    #[error("`{command}` took longer than {} s and was stopped", DEADLINE.as_secs())]
    CommandDeadline { command: String },
    #[error("what {from} gives is not a secret: {why}")]
    Understand { from: String, why: &'static str },
}

pub(super) fn fetch(secret: &Secret) -> Result<Clear, Error> {
    match secret {
        Secret::Env(name) => match std::env::var_os(name) {
            None => Err(Error::ReadVariable(name.clone())),
            Some(value) => understand(value.into_encoded_bytes(), || {
                format!("the environment variable {name}")
            }),
        },
        Secret::File(path) => {
            let bytes = read(path).map_err(|source| Error::ReadFile {
                path: path.clone(),
                source,
            })?;
            understand(bytes, || path.display().to_string())
        }
        Secret::Command(command) => understand(run(command, DEADLINE)?, || format!("`{command}`")),
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The text without its last newline, if it can be a secret at all.
fn understand(mut bytes: Vec<u8>, from: impl Fn() -> String) -> Result<Clear, Error> {
    for newline in [b'\n', b'\r'] {
        if bytes.last() == Some(&newline) {
            bytes.pop();
        }
    }
    let too_long = bytes.len() as u64 > LONGEST;
    let refuse = |why| Err(Error::Understand { from: from(), why });
    match String::from_utf8(bytes) {
        _ if too_long => refuse("it is longer than 1 KiB"),
        Err(_) => refuse("it is not UTF-8"),
        Ok(text) if text.is_empty() => refuse("it is empty"),
        // it would end a line where one line is expected: sudo's standard input, a configuration file
        Ok(text) if text.chars().any(char::is_control) => refuse("it has a line break or control character in it"),
        Ok(text) => Ok(Clear::new(text)),
    }
}

/// What the command prints.
pub(super) fn run(command: &str, deadline: Duration) -> Result<Vec<u8>, Error> {
    let cannot = |source| Error::RunCommand {
        command: command.to_owned(),
        source,
    };
    let mut child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // a group of its own, so that what it started ends with it
        .process_group(0)
        .spawn()
        .map_err(cannot)?;
    let until = Instant::now() + deadline;
    let output = child.stdout.take().map(in_background);
    let errors = child.stderr.take().map(in_background);
    let ended = ended(&mut child, until).map_err(cannot)?;
    let printed = output.and_then(|output| {
        output
            .recv_timeout(until.saturating_duration_since(Instant::now()))
            .ok()
    });
    let (Some(status), Some(printed)) = (ended, printed) else {
        stop(&mut child);
        return Err(Error::CommandDeadline {
            command: command.to_owned(),
        });
    };
    if !status.success() {
        let told = errors
            .and_then(|errors| errors.recv_timeout(Duration::from_millis(200)).ok())
            .unwrap_or_default();
        let told = String::from_utf8_lossy(&told);
        let told = told.lines().rev().find(|line| !line.trim().is_empty());
        let told = told
            .map(|line| format!(": {}", line.trim().replace(char::is_control, " ")))
            .unwrap_or_default();
        return Err(Error::CommandFailed {
            command: command.to_owned(),
            status,
            told,
        });
    }
    Ok(printed)
}

/// Reads to the end without making anybody wait: a pipe can outlive the command that was given it.
fn in_background(pipe: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // what could be read before an error is all there is
        let _ = pipe.take(MOST_PRINTED).read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}

/// `None`: still running at the deadline.
fn ended(child: &mut Child, until: Instant) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= until {
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Ends the command and whatever it started.
fn stop(child: &mut Child) {
    // std can signal a process, not a group; if even this fails, there is nobody left to tell
    let _ = Command::new("sh")
        .args(["-c", "kill -s KILL -- \"-$0\"", &child.id().to_string()])
        .status();
    let _ = child.kill();
    let _ = child.wait();
}
