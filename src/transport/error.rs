//! Why there is no road to a host. Both ssh roads speak these words; what the user can do next is [`Error::help`].

use std::path::PathBuf;

/// Every variant names the host as the user would recognise it: a jump host fails under its own name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("{what} {text:?} is not something ssh could connect to")]
    BadAddress { what: &'static str, text: String },
    #[error("host name {host} not found")]
    NameNotFound { host: String },
    #[error("{host} refused the connection on port {port}")]
    Refused { host: String, port: u16 },
    #[error("{host} did not answer on port {port} in time")]
    TimedOut { host: String, port: u16 },
    #[error("{host} cannot be reached: {cause}")]
    Unreachable { host: String, cause: String },
    #[error("{host} refused every key for user {user} (offered: {})", offered(.tried))]
    KeyRefused {
        host: String,
        user: String,
        tried: Vec<String>,
    },
    #[error("{host} refused the password for user {user}")]
    PasswordRefused { host: String, user: String },
    #[error("the host key of {host} is unknown{}{}", under(.alias), in_brackets(.fingerprint))]
    HostKeyUnknown {
        host: String,
        port: u16,
        /// The only name it may be known by, where the user's configuration gives it one (HostKeyAlias).
        alias: Option<String>,
        /// `SHA256:…`; `None` where the road does not tell.
        fingerprint: Option<String>,
        /// The file that would hold the key.
        known_hosts: PathBuf,
    },
    #[error("the host key of {host} has changed{}: {} line {line} holds another", in_brackets(.fingerprint), .file.display())]
    HostKeyChanged {
        host: String,
        fingerprint: Option<String>,
        file: PathBuf,
        line: usize,
    },
    #[error("the host key of {host} is revoked")]
    HostKeyRevoked { host: String },
    #[error("there is no ssh program on this machine, and {host} needs one: {why}")]
    NoSshProgram { host: String, why: String },
    #[error("the ssh configuration for {host} is faulty: {cause}")]
    SshConfiguration { host: String, cause: String },
    #[error("identity file {} cannot be read: {cause}", .file.display())]
    IdentityUnreadable { file: PathBuf, cause: String },
    #[error("identity file {} is encrypted and no ssh-agent holds its key", .file.display())]
    PassphraseNeeded { file: PathBuf },
    #[error("the passphrase does not open identity file {}", .file.display())]
    PassphraseWrong { file: PathBuf },
    #[error("{host} and pistream found no common ground in the SSH protocol: {cause}")]
    Protocol { host: String, cause: String },
    #[error("{host} did not start the command: {cause}")]
    NoExec { host: String, cause: String },
    #[error("lost the connection to {host}")]
    Lost { host: String },
    #[error("{attempted} failed: {cause}")]
    Here { attempted: &'static str, cause: String },
}

impl Error {
    /// Whether the next one to try would find the same: nobody is there, or says a word.
    pub(super) fn nobody_there(&self) -> bool {
        matches!(
            self,
            Error::NameNotFound { .. } | Error::Refused { .. } | Error::TimedOut { .. }
        )
    }

    /// What the user can do about it, as one or two sentences.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Error::NameNotFound { host } => {
                format!("correct the name, or add {host} to your DNS, /etc/hosts or ~/.ssh/config")
            }
            Error::Refused { port, .. } => {
                format!("is sshd running there, and on port {port}? (`ssh.port` sets another)")
            }
            Error::TimedOut { .. } | Error::Unreachable { .. } => {
                "is the host powered, on the network, and its address right?".to_owned()
            }
            Error::KeyRefused { user, host, tried } if tried.is_empty() => format!(
                "no key was found to offer: name one with `ssh.identity`, or create one with `ssh-keygen` and install \
                 it with `ssh-copy-id {user}@{host}`"
            ),
            Error::KeyRefused { user, host, .. } => format!(
                "install a key with `ssh-copy-id {user}@{host}`, name the right one with `ssh.identity`, or give \
                 `ssh.password` (with `ssh.transport: russh`)"
            ),
            Error::PasswordRefused { .. } => {
                "check `ssh.user` and the source of `ssh.password`; the host may also not accept passwords at all"
                    .to_owned()
            }
            Error::HostKeyUnknown {
                host,
                port,
                alias,
                known_hosts,
                ..
            } => format!(
                "compare the fingerprint with the host's own (`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on its \
                 console), then accept it with `ssh-keyscan -p {port} {host}{} >> {}`",
                renamed(alias),
                known_hosts.display()
            ),
            Error::HostKeyChanged { file, line, .. } => format!(
                "either the host was set up anew or somebody is in between: find out which before anything else; if it \
                 was set up anew, delete line {line} of {}",
                file.display()
            ),
            Error::HostKeyRevoked { .. } => "do not use this host until it has a new key".to_owned(),
            Error::NoSshProgram { .. } => {
                "install the OpenSSH client (Debian: `apt install openssh-client`)".to_owned()
            }
            Error::SshConfiguration { host, .. } => format!("`ssh -G {host}` shows the same"),
            Error::IdentityUnreadable { .. } => "correct `ssh.identity` or the file's permissions".to_owned(),
            Error::PassphraseNeeded { file } => {
                format!(
                    "run `ssh-add {}` first, or start pistream on a terminal and it will ask",
                    file.display()
                )
            }
            Error::PassphraseWrong { file } => format!("try `ssh-keygen -yf {}`", file.display()),
            Error::Protocol { .. } => "`ssh.transport: openssh` may know an older or newer way".to_owned(),
            Error::NoExec { .. } => "the account's login shell must be able to run `sh`".to_owned(),
            Error::BadAddress { .. } | Error::Lost { .. } | Error::Here { .. } => return None,
        })
    }
}

fn offered(tried: &[String]) -> String {
    if tried.is_empty() {
        "none".to_owned()
    } else {
        tried.join(", ")
    }
}

fn under(alias: &Option<String>) -> String {
    alias
        .as_ref()
        .map(|a| format!(" by its name {a} (HostKeyAlias)"))
        .unwrap_or_default()
}

/// What puts the alias before the keys that ssh-keyscan prints.
fn renamed(alias: &Option<String>) -> String {
    alias
        .as_ref()
        .map(|a| format!(" | sed 's|^[^# ]* |{a} |'"))
        .unwrap_or_default()
}

fn in_brackets(text: &Option<String>) -> String {
    text.as_ref().map(|f| format!(" ({f})")).unwrap_or_default()
}
