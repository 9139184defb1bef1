//! The contract between deployer and agent: plan in, events out; camera configuration; status; facts for verify.
//!
//! Types and serde alone. No I/O, no default of policy, no knowledge of templates or hosts may enter here:
//! both programs depend on this library.
//!
//! On the wire every conversation is: one JSON document on the agent's stdin (the request, one line), JSON lines on
//! its stdout (events). The first line the agent prints is [`Event::Hello`]; whatever stands before it (login
//! messages) is noise. Where the agent must be answered ([`Event::Certify`], [`Event::Tarball`]) the answer is one more line
//! on its stdin. The last line is [`Event::Finished`], [`Event::Status`], [`Event::Controls`], [`Event::Facts`],
//! [`Event::HostFacts`], [`Event::Recordings`] or [`Event::Failed`].

mod contract;
pub use contract::*;

/// Raised whenever a message changes its meaning; the deployer refuses an agent that greets with another number.
pub const PROTOCOL: u32 = 1;

/// Where the agent of one build lives on a host: `<AGENT_DIR>/agent-<build id>`.
pub const AGENT_DIR: &str = "/usr/local/lib/pistream";

/// Where the agent keeps what it must remember between two applies (state, journal).
pub const STATE_DIR: &str = "/var/lib/pistream";

/// The system user under which a host's services run.
pub const USER: &str = "pistream";

/// How a camera streams: a [`CameraConfig`].
pub const CAMERA_CONFIG: &str = "/etc/pistream/camera.toml";

/// The supervisor's status socket (in a tmpfs: nothing is written to the SD card).
pub const STATUS_SOCKET: &str = "/run/pistream/status.sock";

/// The file beside its status socket by which a supervisor asks for what only root may do.
pub const RECOVER_REQUEST: &str = "recover";
