//! A streaming server as meant: its nginx, what it records, and for whom it listens.

use super::{Name, Network, Ssh};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A streaming server.
#[derive(Debug, Clone, PartialEq)]
pub struct Server {
    pub name: Name,
    pub ssh: Ssh,
    /// Where cameras and viewers reach it: an IP address or a DNS name.
    pub address: String,
    /// By which else it is reached: its certificate is good for these, too.
    pub names: Vec<String>,
    /// Cameras come by RTMPS, both sides with a certificate; default on. Off: by plain RTMP, known by their addresses.
    pub tls: bool,
    pub nginx: Nginx,
    /// RTMPS for cameras, default 1936.
    pub rtmps_port: u16,
    /// RTMP, default 1935: for viewers, and without TLS for cameras too.
    pub rtmp_port: u16,
    /// How viewers' HTTPS is done. `None`: they get plain HTTP.
    pub https: Option<Https>,
    /// HLS, DASH and the page by HTTPS, default 8443.
    pub https_port: u16,
    /// The same by plain HTTP, default 8080; with HTTPS for the server itself alone.
    pub http_port: u16,
    /// Statistics and nginx's questions to itself, loopback only, default 8081.
    pub status_port: u16,
    /// From where cameras may publish. With TLS empty: from anywhere; without: besides each camera's own address.
    pub publish: Vec<Network>,
    /// Who may play. Empty: nobody but the server itself; where there are viewers with logins, they from anywhere, but RTMP.
    pub play: Vec<Network>,
    pub recording: Option<Recording>,
    pub hls: Option<Segments>,
    pub dash: Option<Segments>,
}

/// Where a server's nginx comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Nginx {
    /// The distribution's packages.
    #[default]
    Package,
    /// Built on the server from pinned sources.
    Source {
        nginx: Tarball,
        /// nginx-rtmp-module.
        module: Tarball,
    },
}

/// A pinned tarball.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tarball {
    pub origin: Origin,
    /// 64 digits, a to f small.
    pub sha256: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// `https://…`, loaded by the server itself.
    Url(String),
    /// A file on the deployer, sent to the server.
    File(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Url(url) => f.write_str(url),
            Origin::File(path) => path.display().fmt(f),
        }
    }
}

impl Server {
    /// Whether the fleet's authority gives it a certificate: for cameras, for viewers, or both.
    pub fn has_certificate(&self) -> bool {
        self.tls || self.https == Some(Https::Own)
    }
}

/// By which certificate viewers know the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Https {
    /// The one that the fleet's own authority gave the server.
    Own,
    /// One that the user put on the server, with its chain; both absolute paths there.
    Files { certificate: PathBuf, key: PathBuf },
    /// One that the server gets and renews by ACME, asked at its port 80.
    Acme {
        /// A DNS name by which the server is reached.
        name: String,
        /// The `https://` URL of the authority's directory.
        directory: String,
        /// By which address the authority knows the user.
        email: Option<String>,
    },
}

/// Recording to disk, in chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Absolute; a directory per stream and day below it.
    pub path: PathBuf,
    /// Length of one chunk, default 1 h.
    pub interval: Duration,
    pub format: RecordingFormat,
    /// Older chunks are deleted, default 30 days.
    pub keep: Duration,
    /// What all recordings together may take, default 80 % of the disk.
    pub at_most: Amount,
    /// What must stay free on the disk, default 1 GB.
    pub keep_free: Amount,
    /// For that none goes that is younger, default 24 h: recording stops instead.
    pub keep_at_least: Duration,
}

/// What a finished chunk is kept as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordingFormat {
    /// The same pictures in a container that browsers play.
    Mp4,
    /// As it was received.
    Flv,
}

/// So much of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    Bytes(u64),
    /// Of the whole disk, 0 to 100.
    Percent(u8),
}

/// How one camera's recordings are kept otherwise than the server says. `None`: as it says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordingLimits {
    pub keep: Option<Duration>,
    pub at_most: Option<Amount>,
}

/// HLS or DASH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segments {
    /// Length of a segment; of HLS the least, it ends at the next keyframe.
    pub fragment: Duration,
    /// What the playlist spans.
    pub playlist: Duration,
}
