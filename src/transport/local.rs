//! The road to this machine: `sh`, without ssh. For the demo, and for hosts that deploy themselves.

use super::{Error, Exit, Running};
use std::path::Path;
use std::process::Stdio;
use tokio::process::Command;

pub(super) struct Local;

impl Local {
    pub(super) fn start(&self, command: &str) -> Result<Running, Error> {
        spawn("sh".as_ref(), &["-c", command])
    }
}

/// Starts a program of this machine.
///
/// # Errors
/// [`Error::Here`].
pub(super) fn spawn(program: &Path, arguments: &[&str]) -> Result<Running, Error> {
    let failed = |cause: String| Error::Here {
        attempted: "starting a program on this machine",
        cause,
    };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| failed(format!("{}: {e}", program.display())))?;
    let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(failed("no pipes".to_owned()));
    };
    let exit = async move {
        let status = child.wait().await.map_err(|e| Error::Here {
            attempted: "waiting for a program on this machine",
            cause: e.to_string(),
        })?;
        Ok(status
            .code()
            .and_then(|c| u32::try_from(c).ok())
            .map_or(Exit::Signal, Exit::Status))
    };
    Ok(Running {
        stdin: Box::pin(stdin),
        stdout: Box::pin(stdout),
        stderr: Box::pin(stderr),
        exit: Box::pin(exit),
    })
}
