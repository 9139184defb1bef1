//! Where a stream is passed on to.

use super::{Camera, Fleet, Name, Secret, Server};
use std::fmt;

/// A further server that gets the stream: Twitch, YouTube, a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restream {
    pub to: Destination,
    /// The last part of the path at the target. `None`: the stream's own name.
    pub key: Option<Secret>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// Somebody else's server.
    Url(Target),
    /// A server of this fleet, which knows the sender by its certificate. Both have `tls` on, and it is not the camera's
    /// own.
    Server(Name),
}

/// `rtmp[s]://host[:port]/app`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// RTMPS; then `host` is a name, since it is what the target's certificate must be for.
    pub tls: bool,
    /// A DNS name or an IP address, an IPv6 one without brackets.
    pub host: String,
    pub port: u16,
    pub app: String,
    /// The certificates of the authorities that may have signed the target's, PEM. `None`: those the server's system trusts.
    pub ca: Option<String>,
}

impl Target {
    /// Where RTMP, or RTMPS, is expected when nothing else is said.
    pub fn default_port(tls: bool) -> u16 {
        match tls {
            true => 443,
            false => 1935,
        }
    }

    /// `host:port`, an IPv6 address in brackets.
    pub fn address(&self) -> String {
        host_and_port(&self.host, self.port)
    }
}

/// `host:port`, an IPv6 address in brackets.
pub fn host_and_port(host: &str, port: u16) -> String {
    match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}

/// As whoever wrote the target's documentation writes it: without a port that goes without saying.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "rtmps" } else { "rtmp" };
        let address = self.address();
        let host = match self.port == Target::default_port(self.tls) {
            true => address.rsplit_once(':').map_or(&*address, |(host, _)| host),
            false => &address,
        };
        write!(f, "{scheme}://{host}/{}", self.app)
    }
}

impl Fleet {
    /// The cameras of other servers whose streams this one gets as a backup, in the order of the file.
    pub fn backups_of<'a>(&'a self, server: &'a Server) -> impl Iterator<Item = &'a Camera> {
        let to_it = |r: &Restream| matches!(&r.to, Destination::Server(name) if *name == server.name);
        self.cameras.iter().filter(move |c| c.restream.iter().any(to_it))
    }

    /// The cameras whose streams a server shows: its own, then those it gets as a backup.
    pub fn shown_by<'a>(&'a self, server: &'a Server) -> impl Iterator<Item = &'a Camera> {
        self.cameras_of(server).chain(self.backups_of(server))
    }

    /// Whether this server passes streams on to another of the fleet.
    pub fn sends(&self, server: &Server) -> bool {
        let mut targets = self.cameras_of(server).flat_map(|c| &c.restream);
        targets.any(|r| matches!(r.to, Destination::Server(_)))
    }
}
