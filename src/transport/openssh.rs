//! The road through the user's own `ssh`, by the openssh crate: whatever their configuration can do, this can.
//!
//! One `ssh` master process per host; its control socket lies in a private directory that goes with the connection.

mod complaint;

use super::doorstep::{self, Place};
use super::effective::Settings;
use super::{CONNECT_TIMEOUT, Credentials, Error, Exit, KEEPALIVE, LOGIN_TIMEOUT, Running, russh};
use crate::model::Ssh;
use ::openssh::{Child, ControlPersist, Error as Library, KnownHosts, Session, SessionBuilder, Stdio};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::UnixStream;

/// A master that nobody is connected to ends by itself, so that a killed deployer leaves no process. Seconds.
const IDLE: NonZeroUsize = NonZeroUsize::new(60).unwrap();

/// Longest directory for the control socket: ssh adds 45 bytes, and a socket's path holds 107 on Linux.
const MAX_DIRECTORY: usize = 60;

/// The master is told that somebody is there by one connection to its socket on which nothing is ever said: a camera may wait
/// longer than [`IDLE`] for its server before its first command. The kernel closes it with this process, however that ends.
pub(super) struct Openssh {
    host: String,
    // dropped in this order: the master counts as idle from here on, the session closes it, then its directory goes
    _presence: UnixStream,
    session: Arc<Session>,
    control: Arc<TempDir>,
}

impl Openssh {
    pub(super) async fn connect(ssh: &Ssh, settings: &Settings, clear: &Credentials) -> Result<Openssh, Error> {
        Openssh::connect_idling(ssh, settings, clear, IDLE).await
    }

    /// With so many seconds until a master that nobody is connected to ends.
    async fn connect_idling(
        ssh: &Ssh,
        settings: &Settings,
        clear: &Credentials,
        idle: NonZeroUsize,
    ) -> Result<Openssh, Error> {
        let control = control_directory()?;
        let config = clear.ssh_config.as_deref();
        let mut builder = builder(&control, config, idle);
        if let Some(user) = &ssh.user {
            builder.user(user.clone());
        }
        if let Some(port) = ssh.port {
            builder.port(port);
        }
        if let Some(file) = &ssh.identity {
            builder.keyfile(file);
        }
        if let Some(jump) = &ssh.jump {
            builder.jump_hosts(jump.split(','));
        }
        let places = doorstep::enter_all(settings).await?;
        let connected = tokio::time::timeout(LOGIN_TIMEOUT, builder.connect_mux(&ssh.host)).await;
        let session = match connected {
            Err(_) => {
                return Err(Error::TimedOut {
                    host: settings.alias.clone(),
                    port: settings.port,
                });
            }
            Ok(Ok(session)) => session,
            Ok(Err(e)) => return Err(told(e, settings, config, &places).await),
        };
        drop(places);
        let host = settings.alias.clone();
        let presence = UnixStream::connect(session.control_socket())
            .await
            .map_err(|_| Error::Lost { host: host.clone() })?;
        Ok(Openssh {
            host,
            _presence: presence,
            session: Arc::new(session),
            control: Arc::new(control),
        })
    }

    pub(super) async fn start(&self, command: &str) -> Result<Running, Error> {
        let mut child = Arc::clone(&self.session)
            .arc_raw_command(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .await
            .map_err(|e| self.no_exec(&e))?;
        let streams = (child.stdin().take(), child.stdout().take(), child.stderr().take());
        let (Some(stdin), Some(stdout), Some(stderr)) = streams else {
            return Err(Error::NoExec {
                host: self.host.clone(),
                cause: "no pipes".to_owned(),
            });
        };
        let exit = Box::pin(exit(child, Arc::clone(&self.control), self.host.clone()));
        Ok(Running {
            stdin: Box::pin(stdin),
            stdout: Box::pin(stdout),
            stderr: Box::pin(stderr),
            exit,
        })
    }

    /// Where the control socket lies.
    #[cfg(test)]
    pub(super) fn control_path(&self) -> &Path {
        self.control.path()
    }

    fn no_exec(&self, e: &Library) -> Error {
        let host = self.host.clone();
        match e {
            Library::Disconnected => Error::Lost { host },
            e => Error::NoExec { host, cause: chain(e) },
        }
    }
}

/// Waits for the command's end. `_control` must outlive it.
async fn exit(child: Child<Arc<Session>>, _control: Arc<TempDir>, host: String) -> Result<Exit, Error> {
    let session = child.session();
    match child.wait().await {
        Ok(status) => Ok(status
            .code()
            .and_then(|c| u32::try_from(c).ok())
            .map_or(Exit::Signal, Exit::Status)),
        // the crate takes the status 127 out of the row
        Err(Library::Remote(e)) if e.kind() == std::io::ErrorKind::NotFound => Ok(Exit::Status(127)),
        // a signal and a lost connection look alike; a master that still answers decides it
        Err(Library::RemoteProcessTerminated) if session.check().await.is_ok() => Ok(Exit::Signal),
        Err(_) => Err(Error::Lost { host }),
    }
}

fn builder(control: &TempDir, config: Option<&Path>, idle: NonZeroUsize) -> SessionBuilder {
    let mut builder = SessionBuilder::default();
    builder
        .control_directory(control.path())
        .control_persist(ControlPersist::IdleFor(idle))
        .known_hosts_check(KnownHosts::Strict)
        .connect_timeout(CONNECT_TIMEOUT)
        .server_alive_interval(KEEPALIVE);
    if let Some(file) = config {
        builder.config_file(file);
    }
    builder
}

/// What the crate reports is ssh's own text for everything that goes wrong before the connection stands.
/// `places` are those at the doors on the way, the last one at the door of these settings.
async fn told(e: Library, settings: &Settings, config: Option<&Path>, places: &[Place]) -> Error {
    let text = match &e {
        Library::Connect(io) if io.raw_os_error() == Some(2) => {
            let why = "`ssh.transport` or a setting asks for it".to_owned();
            return Error::NoSshProgram {
                host: settings.alias.clone(),
                why,
            };
        }
        Library::Connect(io) => io.to_string(),
        e => chain(e),
    };
    let (own, before) = places.split_last().unzip();
    if let Some(jump) = settings.jump.as_ref().filter(|_| complaint::beyond_jump(&text)) {
        return Box::pin(why_not_through(jump, settings, config, before.unwrap_or_default())).await;
    }
    let mut error = complaint::understand(&text, settings);
    if let Some(own) = own {
        own.close(&error);
    }
    match &mut error {
        // ssh does not show the key it does not know: ask the host itself
        Error::HostKeyUnknown { fingerprint, .. } => *fingerprint = russh::fingerprint(settings).await,
        // nor does it say that it had a key which it could not open
        Error::KeyRefused { .. } => {
            if let Some(file) = russh::locked(settings).await {
                return Error::PassphraseNeeded { file };
            }
        }
        _ => {}
    }
    error
}

/// ssh keeps to itself why a jump host was no way through: go there, and see.
async fn why_not_through(jump: &Settings, settings: &Settings, config: Option<&Path>, places: &[Place]) -> Error {
    let control = match control_directory() {
        Ok(control) => control,
        Err(e) => return e,
    };
    let mut builder = builder(&control, config, IDLE);
    builder.user(jump.user.clone()).port(jump.port);
    match tokio::time::timeout(LOGIN_TIMEOUT, builder.connect_mux(&jump.alias)).await {
        Err(_) => Error::TimedOut {
            host: jump.alias.clone(),
            port: jump.port,
        },
        Ok(Err(e)) => told(e, jump, config, places).await,
        Ok(Ok(_)) => Error::Unreachable {
            host: settings.alias.clone(),
            cause: format!("jump host {} does not get through to it", jump.alias),
        },
    }
}

/// An error with its causes in one line.
fn chain(e: &dyn std::error::Error) -> String {
    let mut text = e.to_string();
    let mut next = e.source();
    while let Some(cause) = next {
        text += &format!(": {cause}");
        next = cause.source();
    }
    text
}

fn control_directory() -> Result<TempDir, Error> {
    use std::os::unix::fs::PermissionsExt;
    let wished = std::env::temp_dir();
    let parent = if wished.as_os_str().len() > MAX_DIRECTORY {
        PathBuf::from("/tmp")
    } else {
        wished
    };
    tempfile::Builder::new()
        .prefix("pistream-")
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempdir_in(&parent)
        .map_err(|e| Error::Here {
            attempted: "creating a private directory for ssh's control socket",
            cause: format!("{}: {e}", parent.display()),
        })
}

#[cfg(test)]
mod tests;
