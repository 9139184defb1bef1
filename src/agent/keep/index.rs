//! The page's lists of recordings, one file per stream: what is there, from when to when. Written when it has changed,
//! to a directory in memory: the disk of the recordings may be full.

use super::shelf::Filed;
use crate::archive::Chunk;
use crate::files;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Serialize)]
struct List<'a> {
    chunks: Vec<Entry<'a>>,
    /// Finished, and not filed yet: there are pictures of that time, though nobody can have them so far.
    filing: Vec<Span>,
    /// Since when the chunk is written that is not finished. Seconds since 1970.
    recording: Option<u64>,
}

#[derive(Serialize)]
struct Entry<'a> {
    /// Relative to the recordings' directory.
    file: &'a str,
    /// Seconds since 1970.
    start: u64,
    end: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct Span {
    /// Seconds since 1970.
    start: u64,
    end: u64,
}

pub(super) struct Index {
    directory: PathBuf,
    /// What the file of each stream holds.
    written: Vec<(String, String)>,
}

impl Index {
    pub(super) fn new(directory: &str) -> Index {
        Index {
            directory: PathBuf::from(directory),
            written: Vec::new(),
        }
    }

    /// Writes the lists that have changed. `filed` by time, `finished` what waits to be, some of it no longer; `growing` what
    /// nginx is writing.
    pub(super) fn write(
        &mut self,
        root: &Path,
        filed: &[Filed],
        finished: &[Chunk],
        growing: &[&Chunk],
    ) -> Result<(), files::Error> {
        let mut lists: BTreeMap<&str, List<'_>> = BTreeMap::new();
        let empty = || List {
            chunks: Vec::new(),
            filing: Vec::new(),
            recording: None,
        };
        for Filed { chunk, end } in filed {
            let relative = chunk.path.strip_prefix(root).ok().and_then(Path::to_str);
            let Some(file) = relative else { continue };
            lists.entry(&chunk.stream).or_insert_with(empty).chunks.push(Entry {
                file,
                start: chunk.start,
                end: *end,
                bytes: chunk.bytes,
            });
        }
        for chunk in finished {
            let list = lists.entry(&chunk.stream).or_insert_with(empty);
            let (start, end) = (chunk.start, chunk.end());
            // who was refused leaves a file without pictures
            if end > start && list.chunks.binary_search_by_key(&start, |filed| filed.start).is_err() {
                list.filing.push(Span { start, end });
            }
        }
        for chunk in growing {
            lists.entry(&chunk.stream).or_insert_with(empty).recording = Some(chunk.start);
        }
        files::own_directory(&self.directory)?;
        for (stream, list) in &lists {
            // a list of numbers and names always has a text
            let text = serde_json::to_string(list).unwrap_or_default();
            let known = self.written.iter().position(|(of, _)| of == stream);
            if known.is_some_and(|at| self.written[at].1 == text) {
                continue;
            }
            files::write_atomically(&self.file(stream), text.as_bytes())?;
            match known {
                Some(at) => self.written[at].1 = text,
                None => self.written.push(((*stream).to_owned(), text)),
            }
        }
        while let Some(at) = self.written.iter().position(|(s, _)| !lists.contains_key(s.as_str())) {
            files::remove(&self.file(&self.written[at].0))?;
            self.written.swap_remove(at);
        }
        Ok(())
    }

    fn file(&self, stream: &str) -> PathBuf {
        self.directory.join(format!("{stream}.json"))
    }
}
