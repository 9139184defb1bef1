//! What the agent tells while it works, one JSON line each.

use crate::{DeviceFacts, Facts, HostFacts, Recordings, Status};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The first line of every conversation.
    Hello { protocol: u32, build: String, arch: String },
    /// The agent waits for something outside its control, e.g. another program's hold on apt's lock.
    Waiting { what: String, seconds: u64 },
    /// A step begins that takes more than a moment ("installing nginx, ffmpeg").
    Working { what: String },
    /// One difference between plan and host: found (mode check) or mended (mode apply).
    Change {
        item: Item,
        action: Action,
        diff: Option<String>,
    },
    /// The host made a key and asks for a certificate: a PKCS#10 request with an empty subject, PEM. The agent waits for
    /// one line, an [`Answer`], on its stdin.
    Certify { request: String },
    /// The host builds from a tarball of this digest that the deployer has. The agent waits for an [`Answer`].
    Tarball { sha256: String },
    /// Worth a person's eye, but no failure.
    Note { text: String },
    /// The end of `apply`.
    Finished { outcome: Outcome },
    /// The end of `status`.
    Status { status: Box<Status> },
    /// The end of `controls`.
    Controls { devices: Vec<DeviceFacts> },
    /// The end of `inspect`.
    Facts { facts: Box<Facts> },
    /// The end of `facts`.
    HostFacts { facts: Box<HostFacts> },
    /// The next bytes of a film, in base64 (RFC 4648, padded).
    Media { base64: String },
    /// The end of `recordings`.
    Recordings { recordings: Box<Recordings> },
    /// The end of anything that could not be done at all.
    Failed { fault: Fault },
}

/// What the deployer says to [`Event::Certify`] and [`Event::Tarball`], one JSON line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// For the key that was asked for; PEM.
    Certificate { pem: String },
    /// The tarball that was asked for, in base64 (RFC 4648, padded).
    Tarball { base64: String },
    /// There will be none.
    Refused { why: String },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
pub enum Item {
    Package(String),
    User(String),
    Directory(String),
    File(String),
    Unit(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Install,
    Build,
    Create,
    Update,
    Remove,
    Enable,
    Disable,
    Start,
    Stop,
    Reload,
    Restart,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The host is as the plan wants it; nothing was written.
    Unchanged,
    /// The host is now as the plan wants it.
    Changed { changes: u32 },
    /// Mode check: so many changes wait.
    Pending { changes: u32 },
    /// Something failed; the host is as it was before.
    RolledBack { fault: Fault },
    /// Something failed and not everything could be put back; `fault` says what.
    HalfDone { fault: Fault },
    /// Refused before anything was touched.
    Refused { fault: Fault },
}

/// One failure: what was attempted, on what, why it failed, what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// "install packages", "check nginx configuration", "restart pistream-camera.service"
    pub attempted: String,
    /// The cause in the words of whoever failed (last lines of a tool's output, an OS error).
    pub cause: String,
    /// What the user can do.
    pub advice: Option<String>,
}
