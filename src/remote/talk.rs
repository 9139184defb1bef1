//! A conversation with the far side, from its first line to the agent's last event. Which command it runs there, and what the
//! events mean, the caller knows.

use super::error::last_words;
use super::script::{Line, PROMPT};
use super::streams::{Lines, Outbox, TAIL, Tail};
use super::{Error, Listener, line_of};
use crate::assets;
use crate::secrets::Clear;
use crate::transport::{self, Exit, Running};
use pistream_agent::{Event, PROTOCOL};
use std::borrow::Cow;
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

/// Until the agent has greeted, so long a silence means that it never will.
const SILENCE: Duration = Duration::from_secs(60);
/// How long the far side may take to end after its last word.
const FAREWELL: Duration = Duration::from_secs(10);

/// Finds the agent for a machine, compressed by gzip.
pub(super) type Assets<'a> = &'a (dyn Fn(&str) -> Result<Cow<'static, [u8]>, assets::Error> + Sync);

/// A conversation under way. All three streams move at once: a far side that must write before it can read, or the
/// other way round, never waits for us.
pub(super) struct Talk<'a> {
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
    pub(super) fn new(
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

    pub(super) async fn run(mut self, on_event: Listener<'_>) -> Result<Event, Error> {
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
