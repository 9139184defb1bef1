//! How a camera streams (`/etc/pistream/camera.toml`, read by `pistream-agent supervise`), and how it fares (`status`).

use super::ControlValue;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `/etc/pistream/camera.toml`, rendered from `templates/camera.toml.j2`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraConfig {
    /// The stream's name on the server.
    pub stream: String,
    /// The ffmpeg program: an absolute path.
    pub ffmpeg: String,
    /// Where the supervisor listens for `status`: an absolute path to a Unix socket.
    pub status_socket: String,
    /// No new frame for so long means stalled. Seconds.
    pub stall_after: u64,
    /// The file whose last certificate is the camera's own: an absolute path; none where it streams without TLS.
    pub certificate: Option<String>,
    /// What the inventory asked for, told back by status. Bits per second.
    pub bitrate: u32,
    /// The same with less to send, each with less than the one before: names of files beside this one, whose pipelines of
    /// the same names are run instead while the network does not carry more.
    #[serde(default)]
    pub rungs: Vec<String>,
    /// Where starting anew does not help, root may reset the camera's device.
    #[serde(default)]
    pub reset: bool,
    /// Where nothing helps, root may boot the host anew, so often in 24 hours.
    #[serde(default)]
    pub reboots_per_day: u32,
    /// The ways this camera can stream, best first; the first whose requirements hold is run.
    #[serde(rename = "pipeline")]
    pub pipelines: Vec<Pipeline>,
}

/// One fully rendered way from camera to server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    /// "v4l2-copy", "test-pattern", "file-copy" ...
    pub name: String,
    #[serde(default)]
    pub requires: Vec<Requirement>,
    /// A program that delivers the pictures: its stdout is ffmpeg's stdin, and the two live and die together.
    pub capture: Option<Capture>,
    /// Where `controls` are set, before ffmpeg starts and in the order of their names as far as its driver lets: a path, or
    /// [`DEVICE`].
    pub device: Option<String>,
    /// V4L2 controls by their names as the driver has them in lower case with underscores ("video_bitrate").
    #[serde(default)]
    pub controls: BTreeMap<String, ControlValue>,
    /// ffmpeg's arguments after the program name, complete, without log-level or stdin options (the agent adds those).
    /// [`DEVICE`] stands for the device found, [`BITRATE`] for `bitrate`, or for less where the encoder makes more of it.
    pub arguments: Vec<String>,
    /// Between which bitrates `video_bitrate` of `device` follows what the network carries; without them it stays as set.
    #[serde(default)]
    pub adapt: Option<Bounds>,
}

/// Between which bitrates the encoder is kept. Bits per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    pub lowest: u32,
    pub highest: u32,
    /// What the driver rounds to.
    pub step: u32,
}

/// In a pipeline's `device` and `arguments`: the path of the device that met its [`Requirement::V4l2`].
pub const DEVICE: &str = "{device}";

/// In the arguments of a pipeline's `capture`: the number of the camera that met its [`Requirement::Listed`].
pub const CAMERA: &str = "{camera}";

/// In a pipeline's `arguments` and in those of its `capture`: the bitrate that the encoder is told at its start. Bits per second.
pub const BITRATE: &str = "{bitrate}";

/// At the beginning of one of a pipeline's `arguments`, before a width in pixels and a `}`: so many bytes as the lines of the
/// board's raw pictures of this width are apart.
pub const STRIDE: &str = "{stride ";

/// A program beside ffmpeg, and its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    /// A name that the system's directories of programs know, or an absolute path.
    pub program: String,
    pub arguments: Vec<String>,
}

/// What must hold for a pipeline to be run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Requirement {
    /// A V4L2 device; the first of several, by its number, that is as wanted.
    V4l2(WantedDevice),
    /// A board that is not known to lack what this asks for.
    Board {
        /// An H.264 encoder: every Raspberry Pi before the 5 has one.
        encodes: bool,
    },
    /// A program: a name that the system's directories of programs know, or an absolute path.
    Program {
        name: String,
        /// What has to be installed where it is missing.
        package: String,
    },
    /// A camera that libcamera knows: this program lists it when asked with `--list-cameras`.
    Listed {
        program: String,
        /// Its number there ("1"), or how its sensor is called ("imx708"); without it any.
        camera: Option<String>,
    },
    /// A readable file.
    File(String),
    /// An ffmpeg encoder through which five frames really went (a list of names proves nothing).
    Encoder(String),
}

/// What a V4L2 device must be.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedDevice {
    /// Only the one at this path; without it any of `/dev/video*`.
    pub device: Option<String>,
    /// Its driver's or its card's name begins with one of these; empty: with anything.
    #[serde(default)]
    pub named: Vec<String>,
    /// It captures in this pixel format (four characters, "H264"); without it, it need not capture at all.
    pub format: Option<String>,
    /// It lists this picture in that format, if it lists any.
    pub picture: Option<Picture>,
    /// If it is the Pi's own camera of the legacy stack: what its firmware must have kept for the GPU. MB.
    pub gpu_memory: Option<u32>,
}

/// Pixels, and frames per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Picture {
    pub width: u32,
    pub height: u32,
    pub fps: u32,
}

/// What `pistream-agent status` answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    pub build: String,
    pub stream: String,
    pub state: StreamState,
    /// The pipeline in use, and why it and not a better one.
    pub pipeline: Option<String>,
    pub why: String,
    /// Since the supervisor started.
    pub uptime_seconds: u64,
    /// Since ffmpeg last started; 0 when it is not running.
    pub streaming_seconds: u64,
    /// ffmpeg's process id while it runs.
    pub ffmpeg_pid: Option<u32>,
    /// Frames since ffmpeg last started.
    pub frames: u64,
    /// Measured over the last seconds.
    pub fps: f64,
    /// Bits per second asked of the encoder, read back from the driver where there is one.
    pub bitrate_set: u32,
    /// Bits per second measured over the last seconds.
    pub bitrate_measured: u64,
    /// V4L2 controls as read back from the driver after setting.
    pub controls: BTreeMap<String, i64>,
    /// Of those that the driver made something else of: what was asked for.
    #[serde(default)]
    pub adjusted: BTreeMap<String, i64>,
    /// How often ffmpeg had to be started again, by cause.
    pub restarts: BTreeMap<Cause, u64>,
    /// The same since the host's day began (UTC).
    #[serde(default)]
    pub restarts_today: BTreeMap<Cause, u64>,
    /// How often root was asked to reset the device since the supervisor started, by cause.
    #[serde(default)]
    pub resets: BTreeMap<Cause, u64>,
    /// How often to boot the host anew, likewise.
    #[serde(default)]
    pub reboots: BTreeMap<Cause, u64>,
    /// The last failure, in words.
    pub last_error: Option<String>,
    /// Its cause.
    #[serde(default)]
    pub last_cause: Option<Cause>,
    /// For how long nothing has been streamed; 0 while it streams.
    #[serde(default)]
    pub down_seconds: u64,
    /// Until it is tried again, while it waits for that. Seconds.
    #[serde(default)]
    pub next_try_seconds: Option<u64>,
    /// When the camera's own certificate ends. Seconds since 1970; none where it has none.
    pub certificate_until: Option<u64>,
    /// What is wrong with the host itself: its clock, its power supply.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// What the bitrate follows, where it follows the network.
    #[serde(default)]
    pub governed: Option<Governed>,
}

/// A bitrate that follows what the network carries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Governed {
    /// What shall flow now. Bits per second; the driver may have to be set to less for it.
    pub target: u32,
    /// Bytes that ffmpeg has sent and the server has not acknowledged.
    pub backlog: u64,
    /// Why the target is what it is.
    pub why: String,
    /// How often ffmpeg was started anew for it, where the encoder cannot be told otherwise.
    #[serde(default)]
    pub steps: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamState {
    #[default]
    Starting,
    /// Frames advance.
    Streaming,
    /// ffmpeg is down and will be started again after a pause.
    BackingOff,
    /// No pipeline's requirements hold; tried again at intervals.
    NoPipeline,
}

/// Why a stream broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The capture device vanished or gave an error.
    Camera,
    /// The encoder refused to open or failed.
    Encoder,
    /// There was no way to the server, or none any more: no route, no answer, a connection that broke.
    Network,
    /// The server's name has no address: DNS is away, or the name is wrong.
    Unresolved,
    /// The server's host answered that nothing listens there.
    NotListening,
    /// The server answered and said no; closing the connection at once is its way to refuse an address.
    ServerRefused,
    /// Somebody publishes under this name already: it may be this camera's own last connection, half dead.
    NameTaken,
    /// The server's certificate was not accepted, or the camera's own has expired.
    Certificate,
    /// The clock was never set since power came, so no certificate is valid.
    Clock,
    /// No new frame for `stall_after` seconds although ffmpeg was alive and well: the camera fell silent.
    Stalled,
    /// ffmpeg is there but does not run: stopped, or stuck in the kernel.
    Frozen,
    /// ffmpeg ended by a signal from elsewhere.
    Killed,
    /// ffmpeg ended for a reason its output does not tell.
    Unknown,
}
