//! A host as meant: its name, the way to it, where secrets come from, and networks.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

/// A host's or stream's name: 1 to 63 of `a-z 0-9 -`, starting and ending with a letter or digit (an RFC 1123 label in
/// lower case), so that it is safe in a path, a URL, a unit name and an nginx configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// Longest name, in bytes (RFC 1123 label).
    pub const MAX: usize = 63;

    /// `None` if `text` is not a name.
    pub fn new(text: &str) -> Option<Name> {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let ok = !text.is_empty()
            && text.len() <= Self::MAX
            && text.chars().all(inner)
            && !text.starts_with('-')
            && !text.ends_with('-');
        ok.then(|| Name(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How to reach a host.
#[derive(Debug, Clone, PartialEq)]
pub struct Ssh {
    /// A name, an address, or an alias of the user's ssh configuration.
    pub host: String,
    /// `None`: what the user's ssh would take.
    pub user: Option<String>,
    /// `None`: what the user's ssh would take (22).
    pub port: Option<u16>,
    /// Private key file; `None`: what the user's ssh would offer.
    pub identity: Option<PathBuf>,
    /// `[user@]host[:port]` of a jump host.
    pub jump: Option<String>,
    pub transport: Transport,
    /// Login password (openssh cannot use one; russh can).
    pub password: Option<Secret>,
    /// What `sudo` on the host asks for, when it asks.
    pub sudo_password: Option<Secret>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transport {
    /// russh where it can honour the user's ssh settings for this host, else openssh.
    #[default]
    Auto,
    Russh,
    Openssh,
    /// This machine, without ssh.
    Local,
}

/// Where a secret comes from. The secret itself is never part of the model.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Secret {
    /// An environment variable of the deployer.
    Env(String),
    /// A file on the deployer; its content without the last newline.
    File(PathBuf),
    /// A command on the deployer, run by `sh -c`; its output without the last newline.
    Command(String),
}

/// An address or a network in CIDR notation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    pub address: IpAddr,
    /// Leading bits that count: at most 32 for IPv4, 128 for IPv6.
    pub prefix: u8,
}

impl Network {
    /// Whether `ip` lies within.
    pub fn contains(&self, ip: IpAddr) -> bool {
        fn same(a: &[u8], b: &[u8], bits: u8) -> bool {
            let whole = usize::from(bits / 8);
            let rest = bits % 8;
            a[..whole] == b[..whole] && (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0)
        }
        match (self.address, ip) {
            (IpAddr::V4(n), IpAddr::V4(i)) => same(&n.octets(), &i.octets(), self.prefix.min(32)),
            (IpAddr::V6(n), IpAddr::V6(i)) => same(&n.octets(), &i.octets(), self.prefix.min(128)),
            _ => false,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}
