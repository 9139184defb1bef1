//! `recordings`: what is recorded, where pictures are missing and why, or one film of a time range, for
//! `pistream recordings`.
//!
//! One request on stdin, events on stdout; nothing on the host changes. The film goes out piece by piece as it is made: it
//! never is a file here.

mod film;
mod gaps;

use crate::{archive, events, posix, request};
use pistream_agent::{Event, Fault, RecordedChunk, Recordings, RecordingsRequest, Want};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The names of three hundred streams have about 20 kB.
const LONGEST_REQUEST: u64 = 1 << 20;

#[derive(Debug, thiserror::Error)]
enum RecordingsError {
    #[error(transparent)]
    Request(#[from] request::Error),
    #[error("{path}: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Film(#[from] film::FilmError),
}

impl RecordingsError {
    fn fault(&self) -> Fault {
        let (attempted, advice) = match self {
            RecordingsError::Request(error) => return error.fault(),
            RecordingsError::Read { .. } => (
                "read the recordings",
                Some("is the disk they lie on mounted? `pistream deploy` makes the directory"),
            ),
            RecordingsError::Film(error) => ("make a film of the recordings", error.advice()),
        };
        Fault {
            attempted: attempted.to_owned(),
            cause: self.to_string(),
            advice: advice.map(str::to_owned),
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            RecordingsError::Request(error) => error.exit_code(),
            _ => ExitCode::FAILURE,
        }
    }
}

/// The whole conversation: hello, perhaps a film, then what was found or a failure.
///
/// Exit codes: 0 it was told, 1 it could not be, 2 the request makes no sense.
pub(crate) fn run() -> ExitCode {
    events::hello();
    let request = request::read(LONGEST_REQUEST).map_err(RecordingsError::from);
    match request.and_then(|request| answer(&request)) {
        Ok(recordings) => {
            events::emit(&Event::Recordings {
                recordings: Box::new(recordings),
            });
            ExitCode::SUCCESS
        }
        Err(error) => {
            events::emit(&Event::Failed { fault: error.fault() });
            error.exit_code()
        }
    }
}

fn answer(request: &RecordingsRequest) -> Result<Recordings, RecordingsError> {
    let mut chunks = chunks(request).map_err(|source| RecordingsError::Read {
        path: PathBuf::from(&request.path),
        source,
    })?;
    let mut gaps = Vec::new();
    if request.want == Want::Gaps {
        gaps = gaps::explained(&chunks, request);
    }
    chunks.retain(|chunk| chunk.end > request.from);
    if request.want == Want::Film {
        film::tell(request, &chunks)?;
    }
    Ok(Recordings { chunks, gaps })
}

/// What there is of the streams asked for until the end of the time asked for, by time.
fn chunks(request: &RecordingsRequest) -> io::Result<Vec<RecordedChunk>> {
    let root = Path::new(&request.path);
    let mut all = archive::filed(root)?;
    all.extend(archive::incoming(root)?);
    let mut told: Vec<RecordedChunk> = Vec::new();
    for chunk in archive::by_time(all) {
        let asked = request.streams.is_empty() || request.streams.contains(&chunk.stream);
        // filed a moment ago, and nginx's file not yet gone: the same pictures twice
        let again = told
            .iter()
            .rev()
            .take_while(|t| t.start == chunk.start)
            .any(|t| t.stream == chunk.stream);
        if asked && !again && chunk.start < request.to {
            let file = chunk.path.strip_prefix(root).unwrap_or(&chunk.path);
            told.push(RecordedChunk {
                start: chunk.start,
                end: chunk.end(),
                bytes: chunk.bytes,
                file: file.to_string_lossy().into_owned(),
                growing: posix::is_written(&chunk.path).unwrap_or(false),
                stream: chunk.stream,
            });
        }
    }
    Ok(told)
}
