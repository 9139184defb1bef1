//! The fleet as meant: every value here has been checked, so nothing after this module validates again.
//!
//! Knows no YAML, no template and no host. `inventory` is the only way in.

pub mod libcamera;
mod restream;
mod rungs;
#[cfg(test)]
pub(crate) mod samples;

pub use restream::{Destination, Restream, Target, host_and_port};

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// One inventory, understood. Never empty: at least one server; every camera's server is one of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Fleet {
    /// In the order of the file.
    pub servers: Vec<Server>,
    /// In the order of the file.
    pub cameras: Vec<Camera>,
    /// In the order of the file. None: whoever comes from an address in `play` may see every camera.
    pub viewers: Vec<Viewer>,
    /// By which the key of the fleet's certificate authority is sealed, if the inventory says so.
    pub passphrase: Option<Secret>,
}

impl Fleet {
    /// The server a camera publishes to.
    pub fn server_of(&self, camera: &Camera) -> Option<&Server> {
        self.servers.iter().find(|s| s.name == camera.server)
    }

    /// Whether this camera comes by RTMPS, with a certificate of its own; else by plain RTMP, known by its address.
    pub fn by_tls(&self, camera: &Camera) -> bool {
        camera.tls && self.server_of(camera).is_some_and(|server| server.tls)
    }

    /// The cameras that publish to this server, in the order of the file.
    pub fn cameras_of<'a>(&'a self, server: &'a Server) -> impl Iterator<Item = &'a Camera> {
        self.cameras.iter().filter(|c| c.server == server.name)
    }
}

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
    /// Length of a segment; cut at the first keyframe after it.
    pub fragment: Duration,
    /// What the playlist spans.
    pub playlist: Duration,
}

/// A camera host and its stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Camera {
    pub name: Name,
    pub ssh: Ssh,
    /// What it publishes as, default its name. Unique per server.
    pub stream: Name,
    pub server: Name,
    /// From which address the server sees it publish. `None` only where its certificate tells who it is, or the server's
    /// `publish` covers it.
    pub address: Option<IpAddr>,
    /// As its server does; false: by plain RTMP whatever the server can do.
    pub tls: bool,
    pub source: Source,
    pub size: Size,
    /// Frames per second.
    pub fps: u32,
    pub encoder: Encoder,
    /// What it streams at, and the most; no more than its share of its site's uplink.
    pub bitrate: Bitrate,
    /// How far down it may follow what the network carries. `None`: everything stays.
    pub adapt: Option<Adapt>,
    pub audio: Audio,
    /// How far behind its viewers may be.
    pub latency: Latency,
    /// Between two keyframes; with `latency: low` at most [`Latency::LOW`].
    pub keyframe_interval: Duration,
    pub profile: Profile,
    /// H.264 level times ten: 40 is 4.0.
    pub level: u8,
    /// Further V4L2 controls by name, set as given.
    pub controls: BTreeMap<String, Control>,
    pub restream: Vec<Restream>,
    /// Without a new frame for so long, ffmpeg is started anew.
    pub stall_after: Duration,
    pub recording: RecordingLimits,
    pub sd_card: SdCard,
}

/// What a camera may become while the network does not carry more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adapt {
    /// At most the camera's `bitrate`.
    pub lowest: Bitrate,
    /// When that is not enough: fewer frames per second than the camera's `fps`.
    pub fps: Option<u32>,
    /// When that is not enough either: a picture smaller than the camera's `size`.
    pub size: Option<Size>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Whatever camera the Pi has.
    Auto,
    /// A V4L2 device that delivers H.264 by itself or raw pictures (the legacy camera stack's /dev/video0).
    V4l2(PathBuf),
    /// The camera that libcamera knows, through rpicam-vid or libcamera-vid; of several this one, else the first.
    Rpicam(Option<CsiCamera>),
    /// A USB camera: the one at this path, or any.
    Usb(Option<PathBuf>),
    /// ffmpeg's test picture, encoded on the host.
    TestPattern,
    /// A video file on the host, played in a loop.
    File(PathBuf),
}

/// One of several cameras that libcamera knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CsiCamera {
    /// As `rpicam-vid --list-cameras` counts, from 0.
    Number(u32),
    /// By its sensor: "imx708", which "imx708_wide" is too. Lower-case letters, digits and `_`.
    Sensor(String),
}

impl fmt::Display for CsiCamera {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CsiCamera::Number(number) => number.fmt(f),
            CsiCamera::Sensor(sensor) => sensor.fmt(f),
        }
    }
}

impl Source {
    /// Whether there is a way from this source through this encoder.
    pub fn goes_with(&self, encoder: Encoder) -> bool {
        match self {
            Source::Auto | Source::V4l2(_) => true,
            // systems that have libcamera no longer have OpenMAX
            Source::Rpicam(_) | Source::Usb(_) => encoder != Encoder::H264Omx,
            Source::TestPattern => matches!(encoder, Encoder::Auto | Encoder::Libx264),
            Source::File(_) => matches!(encoder, Encoder::Auto | Encoder::Copy | Encoder::Libx264),
        }
    }
}

/// Where the host keeps its logs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SdCard {
    /// Where it always did.
    #[default]
    Normal,
    /// In memory: nothing wears the card out, and nothing is left of them after a reboot.
    Tmpfs,
}

/// What a V4L2 control is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    Number(i64),
    /// An entry of a menu by its name: 1 to 31 printable ASCII characters.
    Entry(String),
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Control::Number(number) => number.fmt(f),
            Control::Entry(entry) => entry.fmt(f),
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Encoder {
    /// The cheapest the host can do.
    #[default]
    Auto,
    /// Pass on what the source delivers.
    Copy,
    /// The Pi's encoder through OpenMAX, which systems before Debian 11 have.
    H264Omx,
    /// The Pi's encoder through V4L2; no Pi 5 has it.
    H264V4l2m2m,
    /// Encode on the CPU.
    Libx264,
}

/// What sound a stream has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Audio {
    #[default]
    Off,
    /// A track with nothing to hear, for players of HLS that do not start without one.
    Silent,
}

/// How far behind the viewers of HLS, DASH and the page may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Latency {
    /// What costs no bits.
    #[default]
    Normal,
    /// Keyframes and segments of [`Latency::LOW`] at most.
    Low,
}

impl Latency {
    /// Between two keyframes, and so of a segment, where latency is to be low. Shorter ones would cost more bits than they
    /// gain: the way to the viewer and the player's margin remain.
    pub const LOW: Duration = Duration::from_millis(500);

    /// The interval itself, or less where latency is to be low.
    pub fn cap(self, interval: Duration) -> Duration {
        match self {
            Latency::Normal => interval,
            Latency::Low => interval.min(Latency::LOW),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    Baseline,
    Main,
    High,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// Bits per second; a multiple of 25 000, the step of the Pi's encoder, within 25 000 ..= 25 000 000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bitrate(u32);

impl Size {
    /// Pixels.
    pub fn area(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

impl Bitrate {
    /// Step and smallest value of `video_bitrate` in the bcm2835-v4l2 driver, bits per second.
    pub const STEP: u32 = 25_000;
    /// Largest value of `video_bitrate` in the bcm2835-v4l2 driver, bits per second.
    pub const MAX: u32 = 25_000_000;

    /// `None` if out of range or between two steps.
    pub fn new(bits_per_second: u32) -> Option<Bitrate> {
        let ok = (Self::STEP..=Self::MAX).contains(&bits_per_second) && bits_per_second.is_multiple_of(Self::STEP);
        ok.then_some(Bitrate(bits_per_second))
    }

    pub fn bits_per_second(self) -> u32 {
        self.0
    }
}

/// Somebody who may watch, by a login of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// The login's name, too.
    pub name: Name,
    pub password: Secret,
    /// The cameras to be seen, by their names in the inventory and in its order.
    pub cameras: Vec<Name>,
}
