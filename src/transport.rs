//! One road to one host: connect, start a command, talk to it. Nothing here knows what is said.
//!
//! | road    | what it is                                                            |
//! |---------|-----------------------------------------------------------------------|
//! | russh   | SSH within this process; no process per host                          |
//! | openssh | the user's own `ssh`, for whatever only that can do                   |
//! | local   | `sh` on this machine                                                  |
//!
//! Both ssh roads refuse an unknown host key and fail with the same [`Error`]s.

mod doorstep;
mod effective;
mod error;
mod local;
mod openssh;
mod russh;
#[cfg(test)]
pub(crate) mod tests;

pub use error::Error;

use crate::model::{Secret, Ssh, Transport};
use crate::secrets::{Clear, Secrets};
use effective::Settings;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// Longest wait for a TCP connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait for the host's first words and the key exchange: a Pi Zero under load takes seconds.
const GREETING_TIMEOUT: Duration = Duration::from_secs(20);
/// Longest wait for the whole login.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(60);
/// A silent connection is asked for a sign of life after so long, three times; then it counts as lost.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// Names another file than `~/.ssh/config`, as `ssh -F` does.
pub const SSH_CONFIG_VARIABLE: &str = "PISTREAM_SSH_CONFIG";

/// What a connection needs besides the model: secrets in clear, and the user's surroundings.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// The login password. Only russh can use one.
    pub password: Option<Clear>,
    /// What sudo on the host may ask for.
    pub sudo_password: Option<Clear>,
    /// Read instead of `~/.ssh/config`.
    pub ssh_config: Option<PathBuf>,
    /// Somebody sits at the terminal and can be asked for a key's passphrase.
    pub ask: bool,
}

impl Credentials {
    /// The secrets of one host, with the ssh configuration that the environment names; asks only on a terminal.
    pub fn of(ssh: &Ssh, secrets: &Secrets) -> Credentials {
        let clear = |secret: &Option<Secret>| secret.as_ref().map(|s| secrets.text(s));
        Credentials {
            password: clear(&ssh.password),
            sudo_password: clear(&ssh.sudo_password),
            ssh_config: std::env::var_os(SSH_CONFIG_VARIABLE)
                .filter(|v| !v.is_empty())
                .map(PathBuf::from),
            ask: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
        }
    }
}

/// An open road to one host. Dropping it closes it.
pub struct Connection {
    road: Road,
    why: String,
}

enum Road {
    Local(local::Local),
    Openssh(openssh::Openssh),
    Russh(russh::Russh),
}

/// A command that runs on the host. Its standard streams close when they are dropped.
pub struct Running {
    pub stdin: Pin<Box<dyn AsyncWrite + Send>>,
    pub stdout: Pin<Box<dyn AsyncRead + Send>>,
    pub stderr: Pin<Box<dyn AsyncRead + Send>>,
    exit: Pin<Box<dyn Future<Output = Result<Exit, Error>> + Send>>,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this status.
    Status(u32),
    /// By a signal (over openssh this cannot be told from a lost connection).
    Signal,
}

impl Running {
    /// Closes stdin, if it still is open, and waits for the command's end.
    ///
    /// # Errors
    /// [`Error::Lost`] if the connection went first.
    pub async fn wait(self) -> Result<Exit, Error> {
        drop(self.stdin);
        self.exit.await
    }
}

impl Connection {
    /// Starts `command` in the login shell of the user on the host.
    ///
    /// # Errors
    /// [`Error::NoExec`], [`Error::Lost`].
    pub async fn start(&self, command: &str) -> Result<Running, Error> {
        match &self.road {
            Road::Local(road) => road.start(command),
            Road::Openssh(road) => road.start(command).await,
            Road::Russh(road) => road.start(command).await,
        }
    }

    /// Which road it is and why: "russh", "openssh (ProxyCommand is set)".
    pub fn road(&self) -> &str {
        &self.why
    }
}

/// Connects to a host by the road the inventory asks for, or by the best one.
///
/// # Errors
/// [`Error`] says what stood in the way.
pub async fn connect(ssh: &Ssh, clear: &Credentials) -> Result<Connection, Error> {
    if ssh.transport == Transport::Local {
        return Ok(Connection {
            road: Road::Local(local::Local),
            why: "local".to_owned(),
        });
    }
    effective::check_address(ssh)?;
    let settings = effective::settings(ssh, clear.ssh_config.as_deref()).await?;
    let obstacle = obstacle(&settings, clear.password.is_some());
    let (take_openssh, why) = match (ssh.transport, obstacle) {
        (Transport::Openssh, _) => (true, "openssh (as the inventory says)".to_owned()),
        (Transport::Auto, Some(obstacle)) => (true, format!("openssh ({obstacle})")),
        (Transport::Russh, Some(obstacle)) => (
            false,
            format!("russh (as the inventory says, although {obstacle}, which it ignores)"),
        ),
        (_, None) => (false, "russh".to_owned()),
        (Transport::Local, _) => (false, String::new()),
    };
    let road = if take_openssh {
        Road::Openssh(openssh::Openssh::connect(ssh, &settings, clear).await?)
    } else {
        Road::Russh(russh::Russh::connect(&settings, clear).await?)
    };
    Ok(Connection { road, why })
}

/// Starts a program of this machine without any road: for the demo's own agent.
///
/// # Errors
/// [`Error::Here`].
pub fn spawn(program: &Path, arguments: &[&str]) -> Result<Running, Error> {
    local::spawn(program, arguments)
}

/// Why russh cannot honour the user's settings for a host or for one of its jump hosts.
fn obstacle(settings: &Settings, password: bool) -> Option<String> {
    settings.obstacle(password).or_else(|| {
        russh::trusted_by_authority(settings).then(|| "known_hosts trusts it by a certificate authority".to_owned())
    })
}
