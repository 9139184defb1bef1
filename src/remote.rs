//! The agent on a host, seen from here: one exec per conversation, whether the agent is there already or must be sent.
//!
//! ```text
//! deployer                                 host
//!    │  sh -c '…become root…' '…run…'        │
//!    │──────────────────────────────────────►│  root? else sudo
//!    │◄─ sudo's prompt (stderr) ─────────────│
//!    │── password ──────────────────────────►│
//!    │◄─ pistream-need Linux aarch64 ────────│  only where this build's agent is missing
//!    │── byte count, agent (gzip) ──────────►│  unpacked beside, renamed, run
//!    │◄─ {"event":"hello",…} ────────────────│
//!    │── request (one line of JSON) ────────►│
//!    │◄─ events … ───────────────────────────│
//!    │── an answer, if one asks for it ─────►│
//!    │◄─ the last event ─────────────────────│
//! ```
//!
//! Nothing is written before the far side has asked for it, so a password can never be read as data, nor data as a
//! password. Knows no plan and draws nothing.

mod error;
mod script;
mod streams;
mod talk;
#[cfg(test)]
mod tests;

pub use error::Error;

use crate::assets;
use crate::secrets::Clear;
use crate::transport::{self, Connection};
use pistream_agent::{Answer, Event};
use script::Places;
use serde::Serialize;
use talk::Talk;

/// What the agent is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Apply,
    Status,
    Controls,
    Inspect,
    Facts,
    Recordings,
}

impl Verb {
    fn word(self) -> &'static str {
        match self {
            Verb::Apply => "apply",
            Verb::Status => "status",
            Verb::Controls => "controls",
            Verb::Inspect => "inspect",
            Verb::Facts => "facts",
            Verb::Recordings => "recordings",
        }
    }
}

/// What becomes of an agent that had to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// It stays, as [`pistream_agent::AGENT_DIR`]`/agent-<build id>`.
    Installed,
    /// It goes when it is done: the host stays as it was.
    Temporary,
}

/// Takes an event, and gives the answer that the agent waits for, if it does.
pub type Listener<'a> = &'a mut (dyn FnMut(Event) -> Option<Answer> + Send);

/// Holds one conversation with the agent of a host, as root. `on_event` gets every event between the greeting and the
/// last one, which is returned.
///
/// # Errors
/// [`Error`]. That the agent itself failed is no error here but its last event.
pub async fn converse<R: Serialize>(
    connection: &Connection,
    verb: Verb,
    keep: Keep,
    request: Option<&R>,
    sudo_password: Option<&Clear>,
    on_event: Listener<'_>,
) -> Result<Event, Error> {
    let command = script::command(verb, keep, &Places::HOST);
    let running = connection.start(&command).await?;
    Talk::new(running, line_of(request)?, sudo_password, &assets::gzipped_agent)
        .run(on_event)
        .await
}

/// Holds one conversation with an agent that is a program on this machine, as whoever runs pistream.
///
/// # Errors
/// As [`converse`].
pub async fn ask_program<R: Serialize>(
    program: &std::path::Path,
    arguments: &[&str],
    request: Option<&R>,
) -> Result<Event, Error> {
    let running = transport::spawn(program, arguments)?;
    Talk::new(running, line_of(request)?, None, &assets::gzipped_agent)
        .run(&mut |_| None)
        .await
}

fn line_of<R: Serialize>(request: Option<&R>) -> Result<Option<Vec<u8>>, Error> {
    let mut line = request.map(serde_json::to_vec).transpose()?;
    if let Some(line) = &mut line {
        line.push(b'\n');
    }
    Ok(line)
}
