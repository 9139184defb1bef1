//! What verify and status ask of the server's agent, and the facts they get. Facts only: judging them is the deployer's
//! part.

use serde::{Deserialize, Serialize};

/// What `pistream-agent inspect` reads from stdin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InspectRequest {
    /// For status, instead of all that verify wants to know.
    #[serde(default)]
    pub glance: Option<Glance>,
    /// The ffmpeg program: an absolute path.
    pub ffmpeg: String,
    /// Base of the streams, as seen from an address that may play: "rtmp://127.0.0.1:1935/live".
    pub rtmp: String,
    /// The same application through an address that may neither publish nor play, or none where every address may.
    pub outsider: Option<Outsider>,
    /// Where cameras come in by TLS, if they do.
    pub door: Option<Door>,
    /// Where viewers come in by HTTPS, if they do.
    pub front: Option<Front>,
    /// nginx-rtmp's statistics: "http://127.0.0.1:8081/stat".
    pub stat: String,
    /// Base of HLS and DASH as seen from an address that may play: "http://127.0.0.1:8080".
    pub http: String,
    /// Whose journal tells what became of restreams: "pistream-door.service".
    pub unit: String,
    /// Give up on a stream after so long. Seconds.
    pub timeout: u64,
    pub streams: Vec<StreamRequest>,
}

/// Only look, at once: nothing is played, decoded, tried or waited for, and no picture grows older.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Glance {
    /// systemd's units whose states are wanted.
    pub units: Vec<String>,
    /// The file with the server's own key and certificate, if it has one.
    pub own: Option<String>,
    /// The file with the certificate that viewers see, where it is another.
    pub web: Option<String>,
    /// Where viewers come in by HTTP or HTTPS.
    pub web_port: u16,
    /// Where recordings lie, if any are made.
    pub recordings: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outsider {
    /// "rtmp://10.77.0.10:1935/live"
    pub rtmp: String,
    /// Whether this address is outside the publishers' list, the players' list, or both.
    pub may_not_publish: bool,
    pub may_not_play: bool,
}

/// The server's TLS side, where cameras are known by their certificates.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Door {
    /// "rtmps://127.0.0.1:1936/live"
    pub rtmps: String,
    /// The file with the server's own key and certificate: of the fleet, but no camera's.
    pub own: String,
    /// A key and a certificate for it, PEM, that claim to be a camera's but are nobody's: made for this question alone.
    pub impostor: String,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Door { rtmps, own, .. } = self;
        f.debug_struct("Door").field("rtmps", rtmps).field("own", own).finish()
    }
}

/// The server's HTTPS side, and who is to call there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Front {
    /// What its certificate must be good for: an address or a DNS name.
    pub name: String,
    /// The file that the certificate must lead to, PEM: the authority's, or the certificate itself.
    pub trust: String,
    /// Whether that is the certificate itself.
    pub is_shown: bool,
    pub callers: Vec<Caller>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// "no login", "anna's login" ...
    pub with: String,
    /// An address of this host, which decides from where the call comes, and the port: "127.0.0.1:8443".
    pub to: String,
    /// Of the HTTP header: "Basic YW5uYTpzZWNyZXQ=".
    pub authorization: Option<String>,
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Caller { with, to, .. } = self;
        f.debug_struct("Caller").field("with", with).field("to", to).finish()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamRequest {
    pub name: String,
    /// Decode at least so many frames of it.
    pub frames: u32,
    /// The directory its recordings grow in, if it is recorded.
    pub recordings: Option<String>,
    /// Path of the playlist under `http`, if HLS is on: "/hls/porch/index.m3u8".
    pub hls: Option<String>,
    /// Path of the manifest under `http`, if DASH is on: "/dash/porch/index.mpd".
    pub dash: Option<String>,
    /// Its restream targets, each by the Unix socket that leads to it: "restream-porch-1.sock", wherever that is.
    pub restreams: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    pub streams: Vec<StreamFacts>,
    pub outsider: Option<OutsiderFacts>,
    /// Empty where no camera comes by TLS.
    pub impostors: Vec<ImpostorFacts>,
    /// Empty where no viewer comes by HTTPS.
    pub callers: Vec<CallerFacts>,
    /// When the server's certificate ends. Seconds since 1970; none where it has none.
    pub certificate_until: Option<u64>,
    /// When the one ends that viewers see, where it is another.
    #[serde(default)]
    pub web_certificate_until: Option<u64>,
    /// At a glance alone.
    #[serde(default)]
    pub glance: Option<Seen>,
}

/// What a [`Glance`] sees besides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// In the order of the request.
    pub units: Vec<UnitFacts>,
    /// From how many addresses somebody is connected to the port for the web; `None`: the kernel does not tell.
    pub web_viewers: Option<u64>,
    pub disk: Option<DiskFacts>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitFacts {
    pub name: String,
    /// "active", "failed", "inactive" ...
    pub state: String,
    /// What it says of itself, if it does.
    pub says: String,
}

/// The disk that recordings lie on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskFacts {
    /// Bytes.
    pub total: u64,
    pub free: u64,
    /// When the oldest recording begins. Seconds since 1970.
    pub oldest: Option<u64>,
    /// Why it could not be looked at, if so.
    pub error: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StreamFacts {
    pub name: String,
    /// What the server's statistics say of its publisher; `Err` says why there is nothing to say.
    pub ingest: Option<Ingest>,
    pub decoded: Option<Decoded>,
    pub recording: Option<Growth>,
    pub hls: Option<Growth>,
    pub dash: Option<Growth>,
    /// In the order of the request.
    pub restreams: Vec<RestreamFacts>,
    /// Players by RTMP, who are neither its publisher nor a restream.
    #[serde(default)]
    pub players: u64,
}

/// A restream target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestreamFacts {
    /// The connection was up at two moments and forwarded something between them.
    pub connected: bool,
    /// What the server's nginx last said of a connection that is not.
    pub last: Option<String>,
}

/// One publisher in nginx-rtmp's statistics, observed at two moments.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ingest {
    /// A publisher holds the name.
    pub publishing: bool,
    pub address: String,
    /// Received between the two moments.
    pub bytes: u64,
    /// Between the two moments.
    pub milliseconds: u64,
    /// Why nothing could be read, if so.
    pub error: Option<String>,
}

/// What a decoder made of the stream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Decoded {
    pub frames: u32,
    /// Frames whose decoded picture differs at all from the one before. Says little by itself: an encoder that refines
    /// a still picture changes almost every frame a little.
    pub distinct: u32,
    /// Frames in which something visibly changed since the last frame so counted: in a 64 x 48 grid the mean luma of
    /// some cell moved by more than 12 of 255. A frozen picture that is encoded anew stays at 0.
    pub moving: u32,
    /// Mean luma of the brightest frame, 0..255 (black is 16 in limited range).
    pub luma: f64,
    pub width: u32,
    pub height: u32,
    /// From the timestamps of the packets received.
    pub fps: f64,
    /// Bits per second of the packets received, from their timestamps; over whole keyframe intervals where at least
    /// one was received.
    pub bitrate: u64,
    pub codec: String,
    pub profile: String,
    /// Why decoding ended early, in ffmpeg's words.
    pub error: Option<String>,
}

/// Something that must get longer or newer, observed at two moments.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// What was looked at: a file's path, a playlist's address.
    pub what: String,
    pub advanced: bool,
    /// "1 204 224 -> 1 282 048 bytes", "segment 812 -> 814", or why it could not be read.
    pub detail: String,
}

/// Somebody who tried to publish through the TLS side with what is no camera's certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImpostorFacts {
    /// "no certificate", "another authority's certificate" ...
    pub with: String,
    /// None: undecided, then `detail` says why.
    pub refused: Option<bool>,
    /// In ffmpeg's words.
    pub detail: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutsiderFacts {
    /// None: not tried, since this address may publish; or undecided, then `detail` says why.
    pub publish_refused: Option<bool>,
    /// None: not tried, since this address may play; or undecided, then `detail` says why.
    pub play_refused: Option<bool>,
    /// In ffmpeg's words.
    pub detail: String,
}

/// What somebody got who asked for the page's list of cameras.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerFacts {
    pub with: String,
    /// HTTP's. None: no answer under a good certificate, then `detail` says why.
    pub status: Option<u16>,
    /// In openssl's words.
    pub detail: String,
}
