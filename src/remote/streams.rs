//! What is still to be written to the far side; its stdout cut into lines; the end of its stderr. All survive being
//! dropped in the middle of a read or write.

use super::Error;
use crate::told::harmless;
use std::borrow::Cow;
use std::collections::VecDeque;
use tokio::io::{AsyncRead, AsyncReadExt};

/// No event is longer, diffs of large files included. Bytes.
const MAX_LINE: usize = 16 * 1024 * 1024;
/// What is kept of stderr, for messages. Bytes.
pub(super) const TAIL: usize = 8 * 1024;

/// What is still to be written. The agent in it is the program's own copy, shared by all hosts.
#[derive(Default)]
pub(super) struct Outbox {
    parts: VecDeque<Cow<'static, [u8]>>,
    /// So much of the first part is written.
    written: usize,
}

impl Outbox {
    pub(super) fn add(&mut self, part: impl Into<Cow<'static, [u8]>>) {
        let part = part.into();
        if !part.is_empty() {
            self.parts.push_back(part);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// What to write next.
    pub(super) fn next(&self) -> &[u8] {
        self.parts.front().map(|part| &part[self.written..]).unwrap_or_default()
    }

    /// So many bytes of [`Outbox::next`] are written.
    pub(super) fn advance(&mut self, count: usize) {
        self.written += count;
        if self.parts.front().is_some_and(|part| self.written >= part.len()) {
            self.parts.pop_front();
            self.written = 0;
        }
    }
}

/// stdout, cut into lines.
#[derive(Default)]
pub(super) struct Lines {
    buffer: Vec<u8>,
    /// So much of the buffer holds no end of line.
    searched: usize,
}

impl Lines {
    pub(super) fn next(&mut self) -> Option<String> {
        let end = self.searched + self.buffer[self.searched..].iter().position(|&b| b == b'\n')?;
        let line: Vec<u8> = self.buffer.drain(..=end).collect();
        self.searched = 0;
        let text = String::from_utf8_lossy(&line);
        Some(harmless(text.trim_end_matches(['\r', '\n'])))
    }

    /// Reads on. False at the end; nothing is lost if it is dropped before it is done.
    pub(super) async fn fill(&mut self, stdout: &mut (impl AsyncRead + Unpin)) -> Result<bool, Error> {
        self.searched = self.buffer.len();
        if self.searched > MAX_LINE {
            return Err(Error::LineTooLong { bytes: MAX_LINE });
        }
        // an error of a stream is the end of it: why, the exit status says
        Ok(stdout.read_buf(&mut self.buffer).await.unwrap_or(0) > 0)
    }
}

/// stderr: the end of it for messages, and the place up to which it has been looked at for sudo's prompt.
pub(super) struct Tail {
    bytes: Vec<u8>,
    seen: usize,
    /// Until the far side has closed it.
    pub(super) open: bool,
}

impl Default for Tail {
    fn default() -> Tail {
        Tail {
            bytes: Vec::new(),
            seen: 0,
            open: true,
        }
    }
}

impl Tail {
    /// No bytes mean the end.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.open = !bytes.is_empty();
        self.bytes.extend_from_slice(bytes);
        let surplus = self.bytes.len().saturating_sub(TAIL);
        self.bytes.drain(..surplus);
        self.seen = self.seen.saturating_sub(surplus);
    }

    /// Whether `word` stands in what was not looked at yet.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let found = self.bytes[self.seen..]
            .windows(word.len())
            .position(|w| w == word.as_bytes());
        if let Some(at) = found {
            self.seen += at + word.len();
        }
        found.is_some()
    }

    pub(super) fn text(&self) -> String {
        harmless(&String::from_utf8_lossy(&self.bytes).replace('\r', ""))
    }
}
