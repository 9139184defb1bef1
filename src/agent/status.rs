//! `pistream-agent status`: asks the running supervisor over its Unix socket and passes the answer on.
//!
//! Knows nothing of how the supervisor works; the answer's meaning is the contract's.

use crate::events;
use pistream_agent::{Event, Fault};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// The supervisor answers from memory; one that takes longer is not well.
const PATIENCE: Duration = Duration::from_secs(5);
/// Far more than an answer needs. Bytes.
const LARGEST: u64 = 1 << 20;

#[derive(Debug, thiserror::Error)]
enum StatusError {
    #[error("nothing answers: {0}")]
    Connect(io::Error),
    #[error("no answer came in time: {0}")]
    Read(io::Error),
    #[error("this is no answer: {0:?}")]
    Incomplete(String),
}

/// Prints the supervisor's answer, or a greeting and [`Event::Failed`]. Exit code 0 when there was an answer, else 1.
pub fn run(socket: &Path) -> ExitCode {
    match ask(socket) {
        Ok(answer) => {
            // that nobody listens any more is no failure of the supervisor's
            let _ = io::stdout().write_all(answer.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            let fault = Fault {
                attempted: format!("ask the supervisor at {}", socket.display()),
                cause: error.to_string(),
                advice: Some("see whether it runs: systemctl status pistream-camera".to_owned()),
            };
            events::hello();
            events::emit(&Event::Failed { fault });
            ExitCode::FAILURE
        }
    }
}

/// The answer as it came: lines of events, the last of them the status. Not read any further than that: what is in them is
/// for the deployer, and to understand every event would cost a tenth of the agent's size.
fn ask(socket: &Path) -> Result<String, StatusError> {
    let stream = UnixStream::connect(socket).map_err(StatusError::Connect)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(StatusError::Read)?;
    let mut answer = String::new();
    stream
        .take(LARGEST)
        .read_to_string(&mut answer)
        .map_err(StatusError::Read)?;
    let last = answer
        .lines()
        .next_back()
        .map(|line| serde_json::from_slice::<Kind>(line.as_bytes()));
    match last {
        Some(Ok(kind)) if kind.event == "status" => Ok(answer),
        _ => Err(StatusError::Incomplete(answer.chars().take(200).collect())),
    }
}

/// Of an event, which one it is.
#[derive(serde::Deserialize)]
struct Kind {
    event: String,
}
