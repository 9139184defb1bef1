//! One chunk filed: counted, remuxed, read back, put in its place; only then nginx's file goes. Or filed as it is.
//!
//! Interrupted anywhere it leaves nginx's file, and at most a file whose name says that it is not finished.

use super::tool::{Tool, ToolError};
use crate::{archive, files};
use pistream_agent::{Format, KeepConfig};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A file of at most so many bytes without a picture is what a refused or short-lived publisher leaves: FLV's header (13
/// bytes), perhaps the stream's description.
const STUB: u64 = 4096;

/// Why there is no film: one line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct JobError(String);

impl JobError {
    fn disk(attempted: &str, path: &Path, error: &io::Error) -> JobError {
        JobError(format!("{attempted} {}: {error}", path.display()))
    }
}

impl From<ToolError> for JobError {
    fn from(error: ToolError) -> JobError {
        JobError(error.to_string())
    }
}

impl From<files::Error> for JobError {
    fn from(error: files::Error) -> JobError {
        JobError(error.line())
    }
}

/// What became of a chunk.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Done {
    /// It lies here now.
    Filed(PathBuf),
    /// Nothing was in it; it is gone.
    Stub,
}

/// Packets of video and of audio, as ffprobe counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    video: u64,
    audio: u64,
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} packets of video and {} of audio", self.video, self.audio)
    }
}

impl Counts {
    /// Of lines like "video,75".
    fn read(text: &str) -> Counts {
        let mut counts = Counts::default();
        for line in text.lines() {
            let (kind, number) = line.trim_end_matches(',').split_once(',').unwrap_or_default();
            let number = number.parse().unwrap_or(0);
            match kind {
                "video" => counts.video += number,
                "audio" => counts.audio += number,
                _ => {}
            }
        }
        counts
    }
}

enum Stage {
    CountReceived,
    Remux(Counts),
    CountFiled(Counts),
}

/// Under way. Dropped before its end it leaves nothing behind but nginx's file.
pub(super) struct Job {
    pub(super) chunk: archive::Chunk,
    ffmpeg: String,
    ffprobe: String,
    root: PathBuf,
    unfinished: PathBuf,
    stage: Stage,
    tool: Tool,
}

impl Job {
    /// Begins to make a film of a finished chunk.
    pub(super) fn start(config: &KeepConfig, chunk: archive::Chunk) -> Result<Job, JobError> {
        let root = PathBuf::from(&config.path);
        let place = archive::place(&root, &chunk.stream, chunk.start, "mp4");
        let tool = count(&config.ffprobe, &chunk.path)?;
        Ok(Job {
            chunk,
            ffmpeg: config.ffmpeg.clone(),
            ffprobe: config.ffprobe.clone(),
            unfinished: archive::unfinished(&place),
            root,
            stage: Stage::CountReceived,
            tool,
        })
    }

    /// Goes on, if there is something to go on with.
    pub(super) fn step(&mut self) -> Result<Option<Done>, JobError> {
        let printed = match self.tool.poll() {
            Ok(None) => return Ok(None),
            Ok(Some(printed)) => printed,
            // what is too small to be a film is no failure
            Err(_) if matches!(self.stage, Stage::CountReceived) && self.chunk.bytes <= STUB => String::new(),
            Err(error) => return Err(error.into()),
        };
        match self.stage {
            Stage::CountReceived => {
                let received = Counts::read(&printed);
                if received.video == 0 {
                    return self.without_pictures().map(Some);
                }
                make_directory(&self.unfinished)?;
                self.tool = remux(&self.ffmpeg, &self.chunk.path, &self.unfinished)?;
                self.stage = Stage::Remux(received);
            }
            Stage::Remux(received) => {
                self.tool = count(&self.ffprobe, &self.unfinished)?;
                self.stage = Stage::CountFiled(received);
            }
            Stage::CountFiled(received) => {
                let filed = Counts::read(&printed);
                if filed != received {
                    return Err(JobError(format!("{received} were received, {filed} are in the film")));
                }
                return self.commit().map(Some);
            }
        }
        Ok(None)
    }

    fn without_pictures(&self) -> Result<Done, JobError> {
        if self.chunk.bytes > STUB {
            return Err(JobError("no pictures can be read from it".to_owned()));
        }
        files::remove(&self.chunk.path)?;
        Ok(Done::Stub)
    }

    /// On disk before it has its name, and its name on disk before nginx's file goes.
    fn commit(&self) -> Result<Done, JobError> {
        let to_disk = || {
            let received = fs::metadata(&self.chunk.path)?;
            let film = File::options().write(true).open(&self.unfinished)?;
            let written = SystemTime::UNIX_EPOCH + Duration::from_secs(self.chunk.modified);
            film.set_permissions(received.permissions())?;
            film.set_modified(written)?;
            film.sync_all()
        };
        to_disk().map_err(|error| JobError::disk("put on disk", &self.unfinished, &error))?;
        let place = free_place(&self.root, &self.chunk, "mp4", &self.unfinished)?;
        put(&self.unfinished, &place)?;
        files::remove(&self.chunk.path)?;
        Ok(Done::Filed(place))
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        // after the end there is none; one that stays is removed at the next start
        let _ = fs::remove_file(&self.unfinished);
    }
}

/// Files a finished chunk as nginx wrote it.
pub(super) fn file_as_it_is(config: &KeepConfig, chunk: &archive::Chunk) -> Result<Done, JobError> {
    if chunk.bytes <= STUB && config.format == Format::Flv && chunk.bytes < SMALLEST_FLV {
        files::remove(&chunk.path)?;
        return Ok(Done::Stub);
    }
    let place = free_place(Path::new(&config.path), chunk, "flv", &chunk.path)?;
    put(&chunk.path, &place)?;
    Ok(Done::Filed(place))
}

fn put(film: &Path, place: &Path) -> Result<(), JobError> {
    fs::rename(film, place).map_err(|error| JobError::disk("file", place, &error))?;
    Ok(files::sync_parent(place)?)
}

/// FLV's header and the first tag's: less holds nothing. Bytes.
const SMALLEST_FLV: u64 = 13 + 11;

/// Where `film` is filed, and its directory is there: in the place of its chunk, or in the next second's that is free, where a
/// clock that came to the same time twice has named two chunks alike. A film as large is the same one, filed before a crash.
fn free_place(root: &Path, chunk: &archive::Chunk, extension: &str, film: &Path) -> Result<PathBuf, JobError> {
    let bytes = |path: &Path| fs::metadata(path).ok().map(|found| found.len());
    let mut start = chunk.start;
    loop {
        let place = archive::place(root, &chunk.stream, start, extension);
        if bytes(&place).is_none() || bytes(&place) == bytes(film) {
            make_directory(&place)?;
            return Ok(place);
        }
        start += 1;
    }
}

/// `<root>/<stream>/<day>`, on disk with its parents.
fn make_directory(place: &Path) -> Result<(), JobError> {
    let Some(day) = place.parent() else { return Ok(()) };
    if day.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(day).map_err(|error| JobError::disk("make directory", day, &error))?;
    files::sync_parent(day)?;
    day.parent().map_or(Ok(()), files::sync_parent)?;
    Ok(())
}

fn count(ffprobe: &str, path: &Path) -> Result<Tool, ToolError> {
    let arguments = [
        "-v",
        "error",
        "-count_packets",
        "-show_entries",
        "stream=codec_type,nb_read_packets",
        "-of",
        "csv=p=0",
        &path.to_string_lossy(),
    ];
    Tool::start(ffprobe, &arguments)
}

fn remux(ffmpeg: &str, from: &Path, to: &Path) -> Result<Tool, ToolError> {
    let arguments = [
        "-v",
        "error",
        "-nostdin",
        "-y",
        "-i",
        &from.to_string_lossy(),
        "-map",
        "0:v",
        "-map",
        "0:a?",
        "-c",
        "copy",
        "-movflags",
        "+faststart",
        "-f",
        "mp4",
        &to.to_string_lossy(),
    ];
    Tool::start(ffmpeg, &arguments)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_film_never_takes_the_place_of_another_one() {
        let root = std::env::temp_dir().join(format!("pistream-places-{}", std::process::id()));
        fs::create_dir_all(&root).unwrap();
        // the last second of a day
        let received = root.join("porch.20260131T235959Z.flv");
        let place = root.join("porch/2026-01-31/porch.20260131T235959Z.flv");
        let next = root.join("porch/2026-02-01/porch.20260201T000000Z.flv");
        let filed = |content: &str| {
            fs::write(&received, content).unwrap();
            let chunk = archive::Chunk::at(received.clone()).unwrap();
            let there = free_place(&root, &chunk, "flv", &received).unwrap();
            put(&received, &there).unwrap();
            there
        };
        assert_eq!(filed("first"), place);
        assert_eq!(filed("second"), next);
        // as after a crash between filing it and taking away what was received
        assert_eq!(filed("third."), next);
        assert_eq!(fs::read(&place).unwrap(), b"first");
        fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn packets_are_counted_by_kind() {
        let counts = |video, audio| Counts { video, audio };
        assert_eq!(Counts::read("video,75\n"), counts(75, 0));
        assert_eq!(Counts::read("video,75\naudio,210\nsubtitle,3\n"), counts(75, 210));
        assert_eq!(Counts::read("data,\nvideo,75,\n"), counts(75, 0));
        assert_eq!(Counts::read(""), counts(0, 0));
    }
}
