//! How recordings are kept (`/etc/pistream/recordings.toml`, read by `pistream-agent keep`), and what is asked about them
//! (`pistream-agent recordings`).

use serde::{Deserialize, Serialize};

/// `/etc/pistream/recordings.toml`, rendered from `templates/recordings.toml.j2`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepConfig {
    /// Where nginx writes its chunks, and below which they are kept: an absolute path.
    pub path: String,
    /// Where the page's lists of recordings are written: an absolute path, in memory.
    pub index: String,
    /// The ffmpeg and ffprobe programs: absolute paths.
    pub ffmpeg: String,
    pub ffprobe: String,
    /// nginx's own socket on which recording is stopped and resumed: an absolute path.
    pub control: String,
    pub format: Format,
    /// Older chunks are deleted. Seconds.
    pub keep: u64,
    /// What all chunks together may take.
    pub at_most: Amount,
    /// What must stay free on the disk.
    pub keep_free: Amount,
    /// For `keep_free` none goes that is younger. Seconds.
    pub keep_at_least: u64,
    /// The streams that are recorded, with what holds for each alone.
    #[serde(default, rename = "stream")]
    pub streams: Vec<StreamLimits>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamLimits {
    pub name: String,
    /// Seconds; none: as for all.
    pub keep: Option<u64>,
    /// None: as much as there is for all.
    pub at_most: Option<Amount>,
}

/// So much of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    Bytes(u64),
    /// Of the whole disk, 0 to 100.
    Percent(u8),
}

/// How the keeper's unit says of itself that nothing is recorded.
pub const RECORDING_STOPPED: &str = "recording is stopped: the disk is full";

/// How it says that it cannot get at them.
pub const RECORDINGS_UNREADABLE: &str = "the recordings cannot be read";

/// What a finished chunk is kept as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// The same pictures in a container that browsers play.
    Mp4,
    /// As it was received.
    Flv,
}

/// What `pistream-agent recordings` reads from stdin. Times are seconds since 1970, UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingsRequest {
    /// As in [`KeepConfig`].
    pub path: String,
    pub ffmpeg: String,
    /// Only of these streams; all that are there when empty.
    pub streams: Vec<String>,
    /// Only what has pictures after this time and before that.
    pub from: u64,
    pub to: u64,
    pub want: Want,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Want {
    /// The chunks: ends in `Event::Recordings`.
    Chunks,
    /// The chunks, and what the server knows of the time between them.
    Gaps,
    /// One film of one stream: `Event::Media`, piece by piece, then `Event::Recordings` with the chunks it is made of.
    Film,
}

/// What is there, and what is missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recordings {
    /// By time.
    pub chunks: Vec<RecordedChunk>,
    pub gaps: Vec<Gap>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedChunk {
    pub stream: String,
    /// Seconds since 1970, UTC.
    pub start: u64,
    pub end: u64,
    pub bytes: u64,
    /// Relative to the recordings' directory.
    pub file: String,
    /// nginx is still writing it.
    pub growing: bool,
}

/// A time without pictures of a stream, between two chunks or after the last one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    pub stream: String,
    /// Seconds since 1970, UTC.
    pub start: u64,
    pub end: u64,
    /// As far as the server's journal tells: "the server was stopped", "nothing arrived any more: …".
    pub why: String,
}
