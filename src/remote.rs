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
#[cfg(test)]
mod tests;

pub use error::Error;

use crate::assets;
use crate::secrets::Clear;
use crate::transport::{self, Connection, Exit, Running};
use error::last_words;
use pistream_agent::{Answer, Event, PROTOCOL};
use script::{Line, PROMPT, Places};
use serde::Serialize;
use std::borrow::Cow;
use std::pin::Pin;
use std::time::Duration;
use streams::{Lines, Outbox, TAIL, Tail};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

/// Until the agent has greeted, so long a silence means that it never will.
const SILENCE: Duration = Duration::from_secs(60);
/// How long the far side may take to end after its last word.
const FAREWELL: Duration = Duration::from_secs(10);

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
    Talk::new(running, line_of(request)?, sudo_password, &assets::agent)
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
    Talk::new(running, line_of(request)?, None, &assets::agent)
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

/// Finds the agent for a machine.
type Assets<'a> = &'a (dyn Fn(&str) -> Result<Cow<'static, [u8]>, assets::Error> + Sync);

/// A conversation under way. All three streams move at once: a far side that must write before it can read, or the
/// other way round, never waits for us.
struct Talk<'a> {
    running: Running,
    /// Empty once the far side has closed its end, or we ours.
    stdin: Option<Pin<Box<dyn AsyncWrite + Send>>>,
    outbox: Outbox,
    request: Option<Vec<u8>>,
    sudo_password: Option<&'a Clear>,
    assets: Assets<'a>,
    stdout: Lines,
    stderr: Tail,
    prompts: usize,
    shell: bool,
    greeted: bool,
    fault: Option<String>,
    noise: String,
}

impl<'a> Talk<'a> {
    fn new(
        mut running: Running,
        request: Option<Vec<u8>>,
        sudo_password: Option<&'a Clear>,
        assets: Assets<'a>,
    ) -> Self {
        let stdin = std::mem::replace(&mut running.stdin, Box::pin(tokio::io::sink()));
        Talk {
            running,
            stdin: Some(stdin),
            outbox: Outbox::default(),
            request,
            sudo_password,
            assets,
            stdout: Lines::default(),
            stderr: Tail::default(),
            prompts: 0,
            shell: false,
            greeted: false,
            fault: None,
            noise: String::new(),
        }
    }

    async fn run(mut self, on_event: Listener<'_>) -> Result<Event, Error> {
        let mut deadline = Instant::now() + SILENCE;
        loop {
            while let Some(line) = self.stdout.next() {
                if let Some(event) = self.hear(&line)? {
                    if is_last(&event) {
                        self.part().await;
                        return Ok(event);
                    }
                    if let Some(answer) = on_event(event) {
                        self.outbox.add(line_of(Some(&answer))?.unwrap_or_default());
                    }
                }
            }
            if !self.step(deadline).await? {
                return Err(self.why_it_ended().await);
            }
            deadline = Instant::now() + SILENCE;
        }
    }

    /// Moves whatever can move. False when stdout has ended.
    async fn step(&mut self, deadline: Instant) -> Result<bool, Error> {
        let mut errors = [0; 4096];
        tokio::select! {
            more = self.stdout.fill(&mut self.running.stdout) => return more,
            count = self.running.stderr.read(&mut errors), if self.stderr.open => {
                self.stderr.add(&errors[..count.unwrap_or(0)]);
                self.answer_sudo()?;
            }
            count = write(&mut self.stdin, self.outbox.next()), if self.stdin.is_some() && !self.outbox.is_empty() => {
                match count {
                    Ok(count) if count > 0 => self.outbox.advance(count),
                    // the far side has closed its end: what it says on its way out tells why
                    _ => self.stdin = None,
                }
            }
            () = tokio::time::sleep_until(deadline), if !self.greeted => {
                return Err(Error::Silent { seconds: SILENCE.as_secs() });
            }
        }
        Ok(true)
    }

    /// Takes one line in; an event is for the caller.
    fn hear(&mut self, line: &str) -> Result<Option<Event>, Error> {
        match Line::read(line) {
            Line::Event(Event::Hello { protocol, .. }) if !self.greeted => {
                if protocol != PROTOCOL {
                    return Err(Error::Protocol {
                        ours: PROTOCOL,
                        theirs: protocol,
                    });
                }
                self.greeted = true;
                self.outbox.add(self.request.take().unwrap_or_default());
            }
            Line::Event(event) if self.greeted => return Ok(Some(event)),
            Line::Shell if !self.shell => {
                self.shell = true;
                self.noise.clear();
            }
            Line::Need { system, machine } if self.shell && !self.greeted => {
                if system != "Linux" {
                    return Err(Error::NotLinux { system });
                }
                let agent = (self.assets)(&machine)?;
                self.outbox.add(format!("{}\n", agent.len()).into_bytes());
                self.outbox.add(agent);
            }
            Line::Fault(fault) if self.shell && !self.greeted => self.fault = Some(fault),
            _ => {
                self.noise.push_str(line);
                self.noise.push('\n');
                let surplus = self.noise.len().saturating_sub(TAIL);
                let cut = (surplus..).find(|&i| self.noise.is_char_boundary(i)).unwrap_or(0);
                self.noise.drain(..cut);
            }
        }
        Ok(None)
    }

    fn answer_sudo(&mut self) -> Result<(), Error> {
        while !self.greeted && self.stderr.take(PROMPT) {
            self.prompts += 1;
            match self.sudo_password {
                None => return Err(Error::SudoPasswordMissing),
                Some(_) if self.prompts > 1 => return Err(Error::SudoPasswordWrong),
                Some(password) => {
                    self.outbox.add(format!("{}\n", password.expose()).into_bytes());
                }
            }
        }
        Ok(())
    }

    /// After the last word: closes stdin and lets the far side end by itself.
    async fn part(mut self) {
        self.stdin = None;
        let _ = tokio::time::timeout(FAREWELL, self.drain()).await;
        let _ = tokio::time::timeout(FAREWELL, self.running.wait()).await;
    }

    async fn drain(&mut self) {
        let mut buffer = [0; 4096];
        while self.running.stdout.read(&mut buffer).await.is_ok_and(|n| n > 0) {}
        while self.stderr.open {
            let count = self.running.stderr.read(&mut buffer).await.unwrap_or(0);
            self.stderr.add(&buffer[..count]);
        }
    }

    /// stdout ended before the last word.
    async fn why_it_ended(mut self) -> Error {
        self.stdin = None;
        let _ = tokio::time::timeout(FAREWELL, self.drain()).await;
        let exit = tokio::time::timeout(FAREWELL, self.running.wait()).await;
        let stderr = self.stderr.text();
        if let Some(fault) = &self.fault {
            return Error::of_fault(fault, &stderr);
        }
        if let Some(error) = Error::of_sudo(&stderr).filter(|_| self.shell && !self.greeted) {
            return error;
        }
        let said = if stderr.trim().is_empty() {
            last_words(&self.noise)
        } else {
            last_words(&stderr)
        };
        let ending = match exit {
            Ok(Err(e @ transport::Error::Lost { .. })) => return Error::Transport(e),
            _ if !self.shell => return Error::Shell { said },
            Ok(Ok(Exit::Status(status))) => format!("exit status {status}"),
            Ok(Ok(Exit::Signal)) => "killed by a signal".to_owned(),
            Ok(Err(e)) => e.to_string(),
            Err(_) => "it closed its output but did not exit".to_owned(),
        };
        Error::Died { ending, said }
    }
}

fn is_last(event: &Event) -> bool {
    matches!(
        event,
        Event::Finished { .. }
            | Event::Status { .. }
            | Event::Controls { .. }
            | Event::Facts { .. }
            | Event::HostFacts { .. }
            | Event::Recordings { .. }
            | Event::Failed { .. }
    )
}

async fn write(stdin: &mut Option<Pin<Box<dyn AsyncWrite + Send>>>, bytes: &[u8]) -> std::io::Result<usize> {
    match stdin {
        Some(stdin) => stdin.write(bytes).await,
        None => Ok(0),
    }
}
