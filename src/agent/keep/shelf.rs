//! What is filed: read from the disk now and then, kept by time in between.

use crate::archive::{self, Chunk};
use crate::files;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Between two looks at everything that is filed: somebody else may have taken or brought something.
const RESCAN: Duration = Duration::from_secs(300);

/// A chunk in its place.
pub(super) struct Filed {
    pub(super) chunk: Chunk,
    /// Seconds since 1970.
    pub(super) end: u64,
}

pub(super) struct Shelf {
    root: PathBuf,
    filed: Vec<Filed>,
    scanned: Option<Instant>,
}

impl Shelf {
    pub(super) fn new(root: &Path) -> Shelf {
        Shelf {
            root: root.to_owned(),
            filed: Vec::new(),
            scanned: None,
        }
    }

    /// By time, oldest first.
    pub(super) fn all(&self) -> &[Filed] {
        &self.filed
    }

    pub(super) fn bytes(&self) -> u64 {
        self.filed.iter().map(|f| f.chunk.bytes).sum()
    }

    /// Reads again what is there, if that was long ago; `beat` is called often meanwhile: each new film is opened once, and
    /// a slow disk takes its time for thousands.
    pub(super) fn rescan(&mut self, now: Instant, mut beat: impl FnMut()) -> std::io::Result<()> {
        if self.scanned.is_some_and(|at| now.duration_since(at) < RESCAN) {
            return Ok(());
        }
        let chunks = archive::filed(&self.root)?;
        self.scanned = Some(now);
        let before = std::mem::take(&mut self.filed);
        for chunk in chunks {
            beat();
            let known = before.binary_search_by(|filed| filed.chunk.cmp(&chunk));
            let end = known.map_or_else(|_| chunk.end(), |at| before[at].end);
            self.filed.push(Filed { chunk, end });
        }
        Ok(())
    }

    pub(super) fn add(&mut self, chunk: Chunk) {
        let at = self.filed.partition_point(|f| f.chunk < chunk);
        let end = chunk.end();
        self.filed.insert(at, Filed { chunk, end });
    }

    /// This file is gone: its day's and its stream's directory go too, if nothing is left in them.
    pub(super) fn forget(&mut self, path: &Path) {
        self.filed.retain(|f| f.chunk.path != path);
        let directories = path.ancestors().skip(1).take(2);
        for directory in directories.filter(|d| *d != self.root && d.starts_with(&self.root)) {
            if files::remove_empty_directory(directory).is_ok_and(|removed| !removed) {
                return;
            }
        }
    }
}
