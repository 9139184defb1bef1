//! The fast road: SSH within this process, by the russh crate.
//!
//! The host key is checked against the user's known_hosts before anything is said; jump hosts are gone through by
//! direct-tcpip channels.

mod doorkeeper;
mod identity;
mod known_hosts;
mod login;

use super::effective::Settings;
use super::{CONNECT_TIMEOUT, Credentials, Error, Exit, GREETING_TIMEOUT, LOGIN_TIMEOUT, Running, doorstep};
use crate::secrets::Clear;
use ::russh::client::{self, Handle, Msg};
use ::russh::{Channel, ChannelMsg};
use doorkeeper::{Doorkeeper, Refusal, configuration};
use known_hosts::KnownHosts;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// What of a command's output waits here until it is read, per stream. Bytes.
const PIPE: usize = 64 * 1024;

/// A chain of sessions, the last one to the host itself.
pub(super) struct Russh {
    host: String,
    session: Arc<Session>,
}

struct Session {
    handle: Handle<Doorkeeper>,
    /// The session this one runs through: it lives as long as this one does.
    _through: Option<Box<Session>>,
}

impl Russh {
    pub(super) async fn connect(settings: &Settings, clear: &Credentials) -> Result<Russh, Error> {
        let password = clear.password.as_ref();
        if clear.ask {
            login::unlock_first(settings, password).await;
        }
        let mut asked: Vec<PathBuf> = Vec::new();
        let session = loop {
            match open(settings, password).await {
                // everything else was refused: ask while no connection waits, then knock again
                Err(Error::PassphraseNeeded { file }) if clear.ask && !asked.contains(&file) => {
                    // what came of it is remembered
                    let _ = identity::unlock(&file).await;
                    asked.push(file);
                }
                opened => break opened?,
            }
        };
        Ok(Russh {
            host: settings.alias.clone(),
            session: Arc::new(session),
        })
    }

    pub(super) async fn start(&self, command: &str) -> Result<Running, Error> {
        let lost = || Error::Lost {
            host: self.host.clone(),
        };
        let mut channel = self.session.handle.channel_open_session().await.map_err(|e| match e {
            ::russh::Error::ChannelOpenFailure(cause) => Error::NoExec {
                host: self.host.clone(),
                cause: format!("no session: {cause:?}"),
            },
            _ => lost(),
        })?;
        channel.exec(true, command).await.map_err(|_| lost())?;
        loop {
            match channel.wait().await {
                Some(ChannelMsg::Success) => break,
                Some(ChannelMsg::Failure) => {
                    return Err(Error::NoExec {
                        host: self.host.clone(),
                        cause: "the server refused it".to_owned(),
                    });
                }
                Some(_) => {}
                None => return Err(lost()),
            }
        }
        Ok(self.run(channel))
    }

    /// Splits the channel into the three streams and the exit status.
    fn run(&self, channel: Channel<Msg>) -> Running {
        let stdin = Box::pin(channel.make_writer());
        let (mut output, stdout) = tokio::io::duplex(PIPE);
        let (mut errors, stderr) = tokio::io::duplex(PIPE);
        let (tell, told) = oneshot::channel();
        // the session must outlive the command, whoever drops the connection first
        let session = Arc::clone(&self.session);
        let host = self.host.clone();
        tokio::spawn(async move {
            let mut channel = channel;
            let mut exit = None;
            // whoever does not read a stream any more misses it, but does not stop the other: write errors are nothing
            while let Some(message) = channel.wait().await {
                match message {
                    ChannelMsg::Data { data } => {
                        let _ = output.write_all(&data).await;
                    }
                    ChannelMsg::ExtendedData { data, .. } => {
                        let _ = errors.write_all(&data).await;
                    }
                    ChannelMsg::ExitStatus { exit_status } => exit = Some(Exit::Status(exit_status)),
                    ChannelMsg::ExitSignal { .. } => exit = Some(Exit::Signal),
                    ChannelMsg::Close => break,
                    _ => {}
                }
            }
            let _ = tell.send(exit);
            drop(session);
        });
        let exit = async move { told.await.ok().flatten().ok_or(Error::Lost { host }) };
        Running {
            stdin,
            stdout: Box::pin(stdout),
            stderr: Box::pin(stderr),
            exit: Box::pin(exit),
        }
    }
}

/// Whether a known-hosts file knows the host, or a jump host, only by a certificate authority: russh road's blind spot.
pub(super) fn trusted_by_authority(settings: &Settings) -> bool {
    KnownHosts::of(settings).by_authority_alone() || settings.jump.as_deref().is_some_and(trusted_by_authority)
}

/// The fingerprint of the key a host shows, without logging in; `None` if it cannot be reached directly.
pub(super) async fn fingerprint(settings: &Settings) -> Option<String> {
    if settings.jump.is_some() {
        return None;
    }
    let known = KnownHosts::empty();
    let stream = dial(settings).await.ok()?;
    let doorkeeper = Doorkeeper {
        settings: settings.clone(),
        known,
    };
    let greeting = client::connect_stream(Arc::new(configuration(&KnownHosts::empty())), stream, doorkeeper);
    match tokio::time::timeout(CONNECT_TIMEOUT, greeting).await {
        Ok(Err(Refusal::Told(Error::HostKeyUnknown { fingerprint, .. }))) => fingerprint,
        _ => None,
    }
}

/// The first key file that cannot be used because it is encrypted and the agent does not hold it.
pub(super) async fn locked(settings: &Settings) -> Option<PathBuf> {
    login::locked(settings).await
}

/// Stands for somebody at a terminal, who is asked once for each key file.
#[cfg(test)]
pub(super) fn as_if_typed(file: &std::path::Path, passphrase: &str) {
    let needed = || Error::PassphraseNeeded { file: file.to_owned() };
    let answer = identity::open(file, &Clear::new(passphrase)).ok_or_else(needed);
    identity::remember(file, answer);
}

async fn open(settings: &Settings, password: Option<&Clear>) -> Result<Session, Error> {
    let through = match &settings.jump {
        None => None,
        // the password is the host's: a jump host is entered by key
        Some(jump) => Some(Box::new(Box::pin(open(jump, None)).await?)),
    };
    let place = doorstep::enter(settings).await?;
    let greeted = greet(settings, through.as_deref()).await;
    let mut handle = greeted.inspect_err(|e| place.close(e))?;
    tokio::time::timeout(LOGIN_TIMEOUT, login::login(&mut handle, settings, password))
        .await
        .map_err(|_| timed_out(settings))??;
    drop(place);
    Ok(Session {
        handle,
        _through: through,
    })
}

/// Connects, through the jump host where there is one, and knows the host.
async fn greet(settings: &Settings, through: Option<&Session>) -> Result<Handle<Doorkeeper>, Error> {
    let known = KnownHosts::of(settings);
    let configuration = Arc::new(configuration(&known));
    let doorkeeper = Doorkeeper {
        settings: settings.clone(),
        known,
    };
    let (Some(through), Some(jump)) = (through, &settings.jump) else {
        let stream = dial(settings).await?;
        return in_time(settings, client::connect_stream(configuration, stream, doorkeeper)).await;
    };
    let port = u32::from(settings.port);
    let opening = through
        .handle
        .channel_open_direct_tcpip(settings.host.as_str(), port, "127.0.0.1", 0);
    let channel = tokio::time::timeout(LOGIN_TIMEOUT, opening)
        .await
        .map_err(|_| timed_out(settings))?
        .map_err(|e| beyond_jump(settings, jump, &e))?;
    let stream = channel.into_stream();
    in_time(settings, client::connect_stream(configuration, stream, doorkeeper)).await
}

/// The key exchange, with a deadline.
async fn in_time(
    settings: &Settings,
    greeting: impl Future<Output = Result<Handle<Doorkeeper>, Refusal>>,
) -> Result<Handle<Doorkeeper>, Error> {
    match tokio::time::timeout(GREETING_TIMEOUT, greeting).await {
        Err(_) => Err(timed_out(settings)),
        Ok(Ok(handle)) => Ok(handle),
        Ok(Err(Refusal::Told(error))) => Err(error),
        Ok(Err(Refusal::Library(e))) => Err(match e {
            ::russh::Error::IO(e) => unreachable(settings, &e),
            ::russh::Error::Disconnect | ::russh::Error::HUP => Error::Unreachable {
                host: settings.alias.clone(),
                cause: "it closed the connection at once".to_owned(),
            },
            e => Error::Protocol {
                host: settings.alias.clone(),
                cause: e.to_string(),
            },
        }),
    }
}

/// A TCP connection to the first address that answers.
async fn dial(settings: &Settings) -> Result<TcpStream, Error> {
    let addresses = tokio::net::lookup_host((settings.host.as_str(), settings.port))
        .await
        .map_err(|_| Error::NameNotFound {
            host: settings.host.clone(),
        })?;
    let mut last = Error::NameNotFound {
        host: settings.host.clone(),
    };
    let deadline = tokio::time::Instant::now() + CONNECT_TIMEOUT;
    for address in addresses {
        match tokio::time::timeout_at(deadline, TcpStream::connect(address)).await {
            Err(_) => return Err(timed_out(settings)),
            Ok(Err(e)) => last = unreachable(settings, &e),
            Ok(Ok(stream)) => {
                // Nagle's algorithm and delayed acknowledgements cost 40 ms per exec (measured)
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
        }
    }
    Err(last)
}

fn timed_out(settings: &Settings) -> Error {
    Error::TimedOut {
        host: settings.alias.clone(),
        port: settings.port,
    }
}

fn unreachable(settings: &Settings, e: &std::io::Error) -> Error {
    let host = settings.alias.clone();
    match e.kind() {
        ErrorKind::ConnectionRefused => Error::Refused {
            host,
            port: settings.port,
        },
        ErrorKind::TimedOut => Error::TimedOut {
            host,
            port: settings.port,
        },
        _ => Error::Unreachable {
            host,
            cause: e.to_string(),
        },
    }
}

fn beyond_jump(settings: &Settings, jump: &Settings, e: &::russh::Error) -> Error {
    let cause = match e {
        ::russh::Error::ChannelOpenFailure(cause) => format!("jump host {} says {cause:?}", jump.alias),
        _ => format!("lost the connection to jump host {}", jump.alias),
    };
    Error::Unreachable {
        host: settings.alias.clone(),
        cause,
    }
}
