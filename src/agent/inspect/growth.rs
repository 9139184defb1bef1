//! Recording, HLS and DASH of one stream: looked at until each has got longer or newer, or the time is over.

use super::{playlist, web};
use crate::{archive, posix};
use pistream_agent::{Growth, StreamRequest};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// Between two looks at the same thing.
const PAUSE: Duration = Duration::from_millis(500);

pub(super) struct Grown {
    pub(super) recording: Option<Growth>,
    pub(super) hls: Option<Growth>,
    pub(super) dash: Option<Growth>,
}

/// Looks at whatever `stream` is asked for, until all of it has advanced or `deadline` has passed.
pub(super) fn watch(stream: &StreamRequest, http: &str, deadline: Instant) -> Grown {
    let at = |path: &String| format!("{}{path}", http.trim_end_matches('/'));
    let recording = stream
        .recordings
        .as_ref()
        .map(|d| Place::Recording(PathBuf::from(d), stream.name.clone()));
    let mut watches = [
        recording,
        stream.hls.as_ref().map(at).map(Place::Hls),
        stream.dash.as_ref().map(at).map(Place::Dash),
    ]
    .map(|place| place.map(Watch::new));
    loop {
        for watch in watches.iter_mut().flatten().filter(|w| !w.advanced) {
            watch.look();
        }
        if watches.iter().flatten().all(|w| w.advanced) || Instant::now() + PAUSE > deadline {
            break;
        }
        std::thread::sleep(PAUSE);
    }
    let [recording, hls, dash] = watches.map(|w| w.map(Watch::conclude));
    Grown { recording, hls, dash }
}

#[derive(Debug, thiserror::Error)]
enum GrowthError {
    #[error("read directory {directory}: {source}")]
    ReadDirectory { directory: PathBuf, source: std::io::Error },
    #[error("the disk is full ({megabytes} MB free): nothing is recorded until there is room")]
    DiskFull { megabytes: u64 },
    #[error("no recording of {stream} in {directory}")]
    NoRecording { stream: String, directory: PathBuf },
    #[error(transparent)]
    Web(#[from] web::WebError),
    #[error("{url}: {source}")]
    Playlist {
        url: String,
        source: playlist::PlaylistError,
    },
    #[error("{url} is empty")]
    EmptySegment { url: String },
}

enum Place {
    /// Directory, stream.
    Recording(PathBuf, String),
    /// The playlist's address.
    Hls(String),
    /// The manifest's address.
    Dash(String),
}

/// A place at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Look {
    /// The file, where a place has one file after another.
    file: Option<PathBuf>,
    /// Bytes of the file, or the newest segment's position.
    position: u64,
}

impl Look {
    fn advanced_since(&self, before: &Look) -> bool {
        if self.file == before.file {
            self.position > before.position
        } else {
            self.position > 0
        }
    }
}

impl Place {
    fn look(&self) -> Result<Look, GrowthError> {
        match self {
            Place::Recording(directory, stream) => newest_recording(directory, stream),
            Place::Hls(url) => segment(url, playlist::newest_of_hls),
            Place::Dash(url) => segment(url, playlist::newest_of_dash),
        }
    }

    fn describe(&self, look: Option<&Look>) -> String {
        match (self, look.and_then(|l| l.file.as_ref())) {
            (_, Some(file)) => file.display().to_string(),
            (Place::Recording(directory, _), None) => directory.display().to_string(),
            (Place::Hls(url) | Place::Dash(url), None) => url.clone(),
        }
    }
}

struct Watch {
    place: Place,
    first: Option<Look>,
    last: Option<Look>,
    error: Option<GrowthError>,
    advanced: bool,
}

impl Watch {
    fn new(place: Place) -> Self {
        Watch {
            place,
            first: None,
            last: None,
            error: None,
            advanced: false,
        }
    }

    fn look(&mut self) {
        match self.place.look() {
            Ok(look) => {
                let first = self.first.get_or_insert_with(|| look.clone());
                // a playlist that begins anew at 0 is measured from there
                if look.file == first.file && look.position < first.position {
                    *first = look.clone();
                }
                self.advanced = look.advanced_since(first);
                self.last = Some(look);
                self.error = None;
            }
            Err(error) => self.error = Some(error),
        }
    }

    fn conclude(self) -> Growth {
        let what = self.place.describe(self.last.as_ref());
        let detail = match (&self.first, &self.last, &self.error) {
            (_, _, Some(error)) => error.to_string(),
            (Some(first), Some(last), None) => {
                let (from, to) = (grouped(first.position), grouped(last.position));
                match self.place {
                    Place::Recording(..) if first.file != last.file => format!("a new file, {to} bytes"),
                    Place::Recording(..) => format!("{from} -> {to} bytes"),
                    Place::Hls(_) => format!("segment {from} -> {to}"),
                    Place::Dash(_) => format!("segment at {from} -> {to}"),
                }
            }
            _ => "not looked at".to_owned(),
        };
        Growth {
            what,
            advanced: self.advanced,
            detail,
        }
    }
}

/// The newest segment of a playlist or manifest; it counts only if it can be had.
fn segment(
    url: &str,
    newest: fn(&str) -> Result<playlist::Newest, playlist::PlaylistError>,
) -> Result<Look, GrowthError> {
    let text = web::text(url)?;
    let newest = newest(&text).map_err(|source| GrowthError::Playlist {
        url: url.to_owned(),
        source,
    })?;
    let media = web::join(url, &newest.reference);
    if !web::has_content(&media)? {
        return Err(GrowthError::EmptySegment { url: media });
    }
    Ok(Look {
        file: None,
        position: newest.position,
    })
}

fn newest_recording(directory: &Path, stream: &str) -> Result<Look, GrowthError> {
    let read = |source| GrowthError::ReadDirectory {
        directory: directory.to_owned(),
        source,
    };
    // what is recorded now will be stopped at any moment
    let space = posix::space(directory).map_err(read)?;
    if space.available < archive::reserve(space.total) {
        return Err(GrowthError::DiskFull {
            megabytes: space.available / 1_000_000,
        });
    }
    let mut newest: Option<(SystemTime, PathBuf, u64)> = None;
    for entry in std::fs::read_dir(directory).map_err(read)? {
        let entry = entry.map_err(read)?;
        if !entry.file_name().to_str().is_some_and(|name| belongs(name, stream)) {
            continue;
        }
        // a chunk that was deleted since the directory was read is no failure
        let Ok(metadata) = entry.metadata() else { continue };
        let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let candidate = (modified, entry.path(), metadata.len());
        if metadata.is_file() && newest.as_ref().is_none_or(|n| *n < candidate) {
            newest = Some(candidate);
        }
    }
    let none = || GrowthError::NoRecording {
        stream: stream.to_owned(),
        directory: directory.to_owned(),
    };
    let (_, file, position) = newest.ok_or_else(none)?;
    Ok(Look {
        file: Some(file),
        position,
    })
}

/// Whether a recording is of this stream: its name, then a suffix that is no part of a longer name. ("porch-2" is
/// another camera's stream, "porch-20261123T155702Z.flv" is a recording of "porch".)
fn belongs(file: &str, stream: &str) -> bool {
    match file.strip_prefix(stream).map(|rest| rest.split_at_checked(1)) {
        Some(Some(("." | "_", _))) => true,
        Some(Some(("-", time))) => time.len() >= 4 && time.bytes().take(4).all(|b| b.is_ascii_digit()),
        _ => false,
    }
}

/// 1204224 as "1 204 224".
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;
