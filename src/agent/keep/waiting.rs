//! Chunks that nginx wrote and that are not filed yet: which are still being written, and which could not be filed so far.

use crate::archive::Chunk;
use crate::posix;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where the kernel cannot say who writes a file (NFS and the like): so long unchanged, it is finished. nginx drops a
/// publisher that sends nothing for 10 s, and that ends his recording.
const QUIET: Duration = Duration::from_secs(60);
/// A chunk of which no film could be made so often is filed as it is.
const ATTEMPTS: u32 = 3;
const RETRY: Duration = Duration::from_secs(30);

/// How a chunk stands.
struct Known {
    path: PathBuf,
    /// Its size, and since when it has not changed.
    size: Option<(u64, Instant)>,
    attempts: u32,
    not_before: Option<Instant>,
}

#[derive(Default)]
pub(super) struct Waiting(Vec<Known>);

impl Waiting {
    /// Forgets all but these.
    pub(super) fn retain(&mut self, incoming: &[Chunk]) {
        self.0.retain(|known| incoming.iter().any(|c| c.path == known.path));
    }

    fn known(&mut self, path: &Path) -> &mut Known {
        let at = self.0.iter().position(|known| known.path == path);
        let at = at.unwrap_or_else(|| {
            self.0.push(Known {
                path: path.to_owned(),
                size: None,
                attempts: 0,
                not_before: None,
            });
            self.0.len() - 1
        });
        &mut self.0[at]
    }

    /// Whether somebody still writes it.
    pub(super) fn grows(&mut self, chunk: &Chunk, now: Instant) -> bool {
        if let Ok(written) = posix::is_written(&chunk.path) {
            return written;
        }
        let known = self.known(&chunk.path);
        let (size, since) = *known.size.get_or_insert((chunk.bytes, now));
        if size != chunk.bytes {
            known.size = Some((chunk.bytes, now));
            return true;
        }
        now.duration_since(since) < QUIET
    }

    /// Whether its last failure was a moment ago.
    pub(super) fn rests(&mut self, chunk: &Chunk, now: Instant) -> bool {
        self.known(&chunk.path).not_before.is_some_and(|moment| now < moment)
    }

    /// Whether there will be no film of it.
    pub(super) fn is_hopeless(&mut self, chunk: &Chunk) -> bool {
        self.known(&chunk.path).attempts >= ATTEMPTS
    }

    pub(super) fn failed(&mut self, chunk: &Chunk, now: Instant) {
        let known = self.known(&chunk.path);
        known.attempts += 1;
        known.not_before = Some(now + RETRY);
    }
}
