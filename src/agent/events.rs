//! The agent's side of the conversation: events out, one JSON line each. Nobody else writes to stdout.

use pistream_agent::{Event, PROTOCOL};
use std::io::Write;

/// Which build this is; the deployer names the agent's file on the host by it.
pub(crate) const BUILD: &str = match option_env!("PISTREAM_BUILD_ID") {
    Some(build) => build,
    None => "dev",
};

/// The first line of every conversation.
pub(crate) fn hello() {
    emit(&greeting());
}

pub(crate) fn greeting() -> Event {
    Event::Hello {
        protocol: PROTOCOL,
        build: BUILD.to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
    }
}

/// One event as one line of JSON.
pub(crate) fn line(event: &Event) -> serde_json::Result<String> {
    let mut line = serde_json::to_string(event)?;
    line.push('\n');
    Ok(line)
}

/// Prints one event at once. That nobody listens any more is no reason to stop: a transaction ends by itself.
pub(crate) fn emit(event: &Event) {
    let _ = tell(event);
}

/// Prints one event at once.
///
/// # Errors
/// Nobody listens any more.
pub(crate) fn tell(event: &Event) -> std::io::Result<()> {
    let line = line(event)?;
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes()).and_then(|()| out.flush())
}

pub(crate) fn note(text: impl Into<String>) {
    emit(&Event::Note { text: text.into() });
}
