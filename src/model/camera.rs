//! A camera as meant: where its pictures come from, how they are encoded, and what may become of them.

mod rungs;

use super::{Fraction, Name, RecordingLimits, Restream, Ssh};
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

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
    pub recover: Recover,
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

/// What root does for a camera that starting anew does not bring back; by default nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recover {
    /// Its device is reset.
    pub reset: bool,
    /// So often in 24 hours the host is booted anew.
    pub reboots_per_day: u32,
}

impl Recover {
    /// Whether there is anything for root to do.
    pub fn is_on(self) -> bool {
        self.reset || self.reboots_per_day > 0
    }
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
    /// Of libcamera's cameras alone.
    Fraction(Fraction),
    /// An entry of a menu by its name: 1 to 31 printable ASCII characters.
    Entry(String),
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Control::Number(number) => number.fmt(f),
            Control::Fraction(fraction) => fraction.fmt(f),
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
    /// Keyframes every [`Latency::LOW`] at least, and segments as short, or shorter where they need none.
    Low,
}

impl Latency {
    /// Between two keyframes, and so of a segment that is cut at them, where latency is to be low. Shorter ones would cost more
    /// bits than they gain: the way to the viewer and the player's margin remain.
    pub const LOW: Duration = Duration::from_millis(500);

    /// The interval itself, or less where latency is to be low.
    pub fn cap(self, interval: Duration) -> Duration {
        match self {
            Latency::Normal => interval,
            Latency::Low => interval.min(Latency::LOW),
        }
    }

    /// A segment's length where no keyframe is needed to cut: two go between two keyframes.
    pub fn cap_anywhere(self, length: Duration) -> Duration {
        self.cap(length * 2) / 2
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
