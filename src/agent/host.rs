//! Where this host's files are: at `/`, or below a directory that plays the host (tests, demo). Decides nothing else.

use crate::posix;
use std::path::{Path, PathBuf};

/// The machine that a plan is applied to.
pub(crate) struct Host {
    root: Option<PathBuf>,
    /// Whether owner and group of files can be set and are compared: as root, and below another directory only where
    /// that has accounts of its own.
    pub(crate) ownership: bool,
}

impl Host {
    pub(crate) fn new(root: Option<&Path>) -> Host {
        let accounts = root.is_none_or(|r| r.join("etc/passwd").exists());
        Host {
            root: root.map(Path::to_path_buf),
            ownership: posix::effective_uid() == 0 && accounts,
        }
    }

    /// Where the plan's absolute `path` really lies.
    pub(crate) fn real(&self, path: &str) -> PathBuf {
        match &self.root {
            Some(root) => root.join(path.trim_start_matches('/')),
            None => PathBuf::from(path),
        }
    }

    /// A file of pistream's memory between two applies.
    pub(crate) fn state(&self, name: &str) -> PathBuf {
        self.real(pistream_agent::STATE_DIR).join(name)
    }

    /// The directory that plays the host, if one does. Packages, users and units belong to the machine itself.
    pub(crate) fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }
}
