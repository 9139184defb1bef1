//! A program that a host builds from sources, because its distribution has none.

use crate::Package;
use serde::{Deserialize, Serialize};

/// Where `program` is, it is what the plan wants: its directory is named for everything it is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// For messages: "nginx".
    pub name: String,
    /// Its absolute path, two below [`crate::AGENT_DIR`].
    pub program: String,
    /// What building takes. Looked at only while the program is not there.
    pub packages: Vec<Package>,
    pub tarballs: Vec<Tarball>,
    /// POSIX shell. Has the tarballs one after the other on its stdin and their sizes in bytes as its arguments; prints the
    /// program. Holds neither `${` nor `$$`, which systemd would take for its own.
    pub script: String,
}

/// Something packed, that is looked into only after its digest was compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tarball {
    /// As the inventory names it, for messages.
    pub name: String,
    /// 64 digits, a to f small.
    pub sha256: String,
    /// `https://…`, from where the host loads it. `None`: the deployer has it, and is asked by [`crate::Event::Tarball`].
    pub url: Option<String>,
}
