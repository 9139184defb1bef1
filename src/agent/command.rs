//! Runs one program to its end and keeps what it said. No shell, no stdin that could wait, always a deadline.

use crate::posix;
use pistream_agent::Fault;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Where the system's programs are.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A tool's last words are enough to know why it failed.
const LAST_LINES: usize = 20;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("start {program}")]
    Start { program: String, source: io::Error },
    #[error("wait for {program}")]
    Wait { program: String, source: io::Error },
    #[error("wait for {program}, {seconds} s")]
    TimedOut {
        program: String,
        seconds: u64,
        output: String,
    },
    #[error("wait for {program}")]
    GivenUp { program: String },
    #[error("run {program}")]
    Failed {
        program: String,
        status: ExitStatus,
        output: String,
    },
}

impl Error {
    /// What the program printed before it failed.
    pub(crate) fn output(&self) -> &str {
        match self {
            Error::TimedOut { output, .. } | Error::Failed { output, .. } => output,
            Error::Start { .. } | Error::Wait { .. } | Error::GivenUp { .. } => "",
        }
    }

    /// The cause in the words of whoever failed.
    pub(crate) fn cause(&self) -> String {
        match self {
            Error::Start { program, source } => format!("{program}: {source}"),
            Error::Wait { program, source } => format!("{program}: {source}"),
            Error::GivenUp { program } => format!("{program}: given up before it ended"),
            Error::TimedOut {
                program,
                seconds,
                output,
            } => format!("{program} did not end within {seconds} s\n{}", last_lines(output))
                .trim_end()
                .to_owned(),
            Error::Failed {
                program,
                status,
                output,
            } if output.trim().is_empty() => format!("{program}: {status}"),
            Error::Failed { output, .. } => last_lines(output),
        }
    }

    pub(crate) fn fault(&self, attempted: impl Into<String>) -> Fault {
        Fault {
            attempted: attempted.into(),
            cause: self.cause(),
            advice: None,
        }
    }
}

/// Runs `program`, found in the system's own directories, and returns what it printed (stdout and stderr together).
///
/// The output goes to a file in memory, not a pipe: a child that outlives a killed agent (apt in the middle of an
/// installation) is not torn down by SIGPIPE but finishes.
pub(crate) fn run(program: &str, arguments: &[&str], deadline: Duration) -> Result<String, Error> {
    run_in(Path::new("/"), program, arguments, deadline)
}

/// [`run`] with a working directory.
pub(crate) fn run_in(directory: &Path, program: &str, arguments: &[&str], deadline: Duration) -> Result<String, Error> {
    run_while(directory, program, arguments, deadline, &mut || true)
}

/// [`run_in`], asking `go_on` many times a second whether the program is still wanted.
pub(crate) fn run_while(
    directory: &Path,
    program: &str,
    arguments: &[&str],
    deadline: Duration,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<String, Error> {
    run_with(directory, program, arguments, (Stdio::null(), None), deadline, go_on)
}

/// [`run`] with something on stdin, perhaps, and stdout into a file; what it said is stderr alone.
pub(crate) fn run_piped(
    program: &str,
    arguments: &[&str],
    input: Option<File>,
    output: &File,
    deadline: Duration,
) -> Result<String, Error> {
    let streams = (input.map_or_else(Stdio::null, Stdio::from), Some(output));
    run_with(Path::new("/"), program, arguments, streams, deadline, &mut || true)
}

fn run_with(
    directory: &Path,
    program: &str,
    arguments: &[&str],
    (stdin, stdout): (Stdio, Option<&File>),
    deadline: Duration,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<String, Error> {
    let start = |source| Error::Start {
        program: program.to_owned(),
        source,
    };
    let mut sink = posix::anonymous_file().map_err(start)?;
    let mut child = Command::new(program)
        .args(arguments)
        .env("PATH", PATH)
        .env("LC_ALL", "C.UTF-8")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("NEEDRESTART_MODE", "l")
        .current_dir(directory)
        .stdin(stdin)
        .stdout(stdout.unwrap_or(&sink).try_clone().map_err(start)?)
        .stderr(sink.try_clone().map_err(start)?)
        .process_group(0)
        .spawn()
        .map_err(start)?;
    let end = Instant::now() + deadline;
    let mut pause = Duration::from_millis(1);
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if !go_on() => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(Error::GivenUp {
                    program: program.to_owned(),
                });
            }
            Ok(None) if Instant::now() < end => std::thread::sleep(pause),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                let output = printed(&mut sink);
                return Err(Error::TimedOut {
                    program: program.to_owned(),
                    seconds: deadline.as_secs(),
                    output,
                });
            }
            Err(source) => {
                return Err(Error::Wait {
                    program: program.to_owned(),
                    source,
                });
            }
        }
        pause = (pause * 2).min(Duration::from_millis(20));
    };
    let output = printed(&mut sink);
    if status.success() {
        Ok(output)
    } else {
        Err(Error::Failed {
            program: program.to_owned(),
            status,
            output,
        })
    }
}

/// Where a program is: `name` itself if it is an absolute path, else the first of that name in the system's directories.
/// `None` if there is none that can be executed.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let executable = |path: &PathBuf| {
        let mode = std::fs::metadata(path)
            .ok()
            .filter(|m| m.is_file())?
            .permissions()
            .mode();
        (mode & 0o111 != 0).then_some(())
    };
    // an absolute path takes the place of the directory it is joined to
    let mut places = PATH.split(':').map(|directory| Path::new(directory).join(name));
    places.find(|path| executable(path).is_some())
}

fn printed(sink: &mut File) -> String {
    let mut bytes = Vec::new();
    // What cannot be read back is lost words, not a failed command.
    let _ = sink.rewind().and_then(|()| sink.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(crate) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
}
