//! The recordings on disk: how they are named, where they lie, when they begin and end. Reads only.
//!
//! ```text
//! <path>/porch.20260131T140000Z.flv                       nginx writes it
//! <path>/porch/2026-01-31/porch.20260131T140000Z.mp4      filed by `keep`, by stream and day (UTC)
//! <path>/porch/2026-01-31/.porch.20260131T140000Z.part    not finished, worth nothing
//! ```
//!
//! Whatever is named otherwise is not ours: it is neither told of nor touched.

mod mp4;
mod stamp;

pub(crate) use stamp::{day, stamp};

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Of a file that is not finished.
const UNFINISHED: &str = ".part";

/// What recording leaves free on a disk of so many bytes, come what may.
pub(crate) fn reserve(total: u64) -> u64 {
    (64 << 20).min(total / 50)
}

/// One file of pictures.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Chunk {
    /// When it begins. Seconds since 1970, UTC, from its name.
    pub(crate) start: u64,
    pub(crate) stream: String,
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    /// When it was written last. Seconds since 1970; a filed chunk keeps the time of what nginx wrote.
    pub(crate) modified: u64,
}

impl Chunk {
    pub(crate) fn at(path: PathBuf) -> Option<Chunk> {
        let (stream, start) = parts(path.file_name()?.to_str()?)?;
        // neither a link nor a directory, and one that has gone meanwhile is no failure
        let metadata = fs::symlink_metadata(&path).ok().filter(fs::Metadata::is_file)?;
        Some(Chunk {
            start,
            stream: stream.to_owned(),
            bytes: metadata.len(),
            modified: u64::try_from(metadata.mtime()).unwrap_or(0),
            path,
        })
    }

    /// When its pictures end. Seconds since 1970: the beginning and the film's own length, or when it was written last.
    /// Never after the next chunk's beginning, which is cut to the second, too.
    pub(crate) fn end(&self) -> u64 {
        let length = match self.path.extension() {
            Some(extension) if extension == "mp4" => mp4::seconds(&self.path),
            _ => None,
        };
        let end = length.map_or(self.modified, |seconds| self.start + seconds as u64);
        end.max(self.start)
    }
}

/// Stream and beginning, from a name like "porch.20260131T140000Z.mp4".
fn parts(name: &str) -> Option<(&str, u64)> {
    let (stream, rest) = name.split_once('.')?;
    let (time, kind) = rest.split_once('.')?;
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let known = matches!(kind, "flv" | "mp4") && !stream.is_empty() && stream.chars().all(legal);
    known.then(|| stamp::parse(time)).flatten().map(|start| (stream, start))
}

/// Where a chunk is filed.
pub(crate) fn place(root: &Path, stream: &str, start: u64, extension: &str) -> PathBuf {
    let name = format!("{stream}.{}.{extension}", stamp(start));
    root.join(stream).join(day(start)).join(name)
}

/// Where it waits until it is finished: beside its place, hidden.
pub(crate) fn unfinished(place: &Path) -> PathBuf {
    let name = place.file_stem().map(|n| n.to_string_lossy()).unwrap_or_default();
    place.with_file_name(format!(".{name}{UNFINISHED}"))
}

/// What nginx writes or has written, by time.
///
/// # Errors
/// The directory cannot be read.
pub(crate) fn incoming(root: &Path) -> io::Result<Vec<Chunk>> {
    let received = |path: &PathBuf| path.extension().is_some_and(|e| e == "flv");
    let chunks = names(root)?.into_iter().filter(received).filter_map(Chunk::at);
    Ok(by_time(chunks.collect()))
}

/// What is filed, by time.
///
/// # Errors
/// The directory cannot be read; one below it that cannot be read has nothing in it.
pub(crate) fn filed(root: &Path) -> io::Result<Vec<Chunk>> {
    let files = days(root)?.into_iter().flat_map(|day| names(&day).unwrap_or_default());
    Ok(by_time(files.filter_map(Chunk::at).collect()))
}

/// When the oldest recording begins: seconds since 1970. Of what is filed only the first day's files are looked at.
///
/// # Errors
/// The directory cannot be read.
pub(crate) fn oldest(root: &Path) -> io::Result<Option<u64>> {
    let days = days(root)?;
    let first = days.iter().filter_map(|day| day.file_name()).min();
    let of_first = days.iter().filter(|day| day.file_name() == first);
    let filed = of_first.flat_map(|day| names(day).unwrap_or_default());
    let begin = |path: PathBuf| parts(path.file_name()?.to_str()?).map(|(_, start)| start);
    Ok(filed.chain(names(root)?).filter_map(begin).min())
}

/// The oldest first.
pub(crate) fn by_time(mut chunks: Vec<Chunk>) -> Vec<Chunk> {
    chunks.sort_unstable();
    chunks
}

/// Files that nobody will finish: whoever wrote them has gone.
///
/// # Errors
/// The directory cannot be read.
pub(crate) fn leftovers(root: &Path) -> io::Result<Vec<PathBuf>> {
    let unfinished = |path: &PathBuf| {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let inner = name.strip_prefix('.').and_then(|n| n.strip_suffix(UNFINISHED));
        inner.is_some_and(|inner| parts(&format!("{inner}.mp4")).is_some())
    };
    let files = days(root)?.into_iter().flat_map(|day| names(&day).unwrap_or_default());
    Ok(files.filter(unfinished).collect())
}

/// `<root>/<stream>/<day>` of every stream and day.
fn days(root: &Path) -> io::Result<Vec<PathBuf>> {
    let directories = |path: &Path| -> io::Result<Vec<PathBuf>> {
        let own = |path: &PathBuf| fs::symlink_metadata(path).is_ok_and(|m| m.is_dir());
        Ok(names(path)?.into_iter().filter(own).collect())
    };
    let streams = directories(root)?;
    Ok(streams
        .iter()
        .flat_map(|stream| directories(stream).unwrap_or_default())
        .collect())
}

fn names(directory: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(directory)?.map(|entry| entry.map(|e| e.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_stream_and_time() {
        assert_eq!(parts("porch.20260131T140000Z.flv"), Some(("porch", 1_769_868_000)));
        assert_eq!(parts("porch-2.20260131T140000Z.mp4"), Some(("porch-2", 1_769_868_000)));
        for other in [
            "porch.flv",
            "porch.20260131T140000Z",
            "porch.20260131T140000Z.mkv",
            "porch.20260131T140000Z.flv.part",
            ".porch.20260131T140000Z.part",
            "Porch.20260131T140000Z.flv",
            "..20260131T140000Z.flv",
            "porch.20260231T140000Z.flv",
            "notes.txt",
        ] {
            assert_eq!(parts(other), None, "{other}");
        }
    }

    #[test]
    fn a_chunk_is_filed_by_stream_and_day() {
        let place = place(Path::new("/srv/video"), "porch", 1_769_868_000, "mp4");
        assert_eq!(
            place,
            Path::new("/srv/video/porch/2026-01-31/porch.20260131T140000Z.mp4")
        );
        let beside = Path::new("/srv/video/porch/2026-01-31/.porch.20260131T140000Z.part");
        assert_eq!(unfinished(&place), beside);
    }
}
