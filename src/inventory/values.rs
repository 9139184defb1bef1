//! The single values of an inventory: how each is written, and what it may hold.
//!
//! Names, addresses and paths end in configuration files, unit files, URLs and command lines. So each has its own list
//! of allowed characters here, and none of the lists holds anything that a shell, nginx, systemd or TOML reads as more
//! than a character. What several values mean together is the business of `fleet`.

mod acme;
mod amount;
mod controls;
mod host;
mod name;
mod path;
mod picture;
mod rtmp;
mod source;
mod tarball;
mod time;
mod whole;
mod word;

pub(super) use self::acme::{AcmeUrl, Email, WebCertificate};
pub(super) use self::amount::Share;
pub(super) use self::controls::Controls;
pub(super) use self::host::{Address, HostName, Jump, UserName, host_part};
pub(crate) use self::name::legal_name;
pub(super) use self::name::{NAME_PATTERN, NamePattern, name};
pub(super) use self::path::{HostPath, LocalPath};
pub(super) use self::picture::{Level, Uplink, bitrate_in_words};
pub(super) use self::rtmp::{RTMP_URL_PATTERN, RtmpUrl};
pub(super) use self::tarball::{Install, Sha256};
pub(super) use self::time::{Span, in_words};
pub(super) use self::whole::Whole;
pub(super) use self::word::OnOff;
