//! One MP4 of a time range, over chunk borders: ffmpeg joins the chunks without encoding anything, its output goes out in
//! pieces. Fragmented, since it cannot go back to its beginning.
//!
//! ffmpeg reads what came from the network; it does so as the recordings' owner, never as root.

use crate::{events, posix};
use base64ct::{Base64, Encoding};
use pistream_agent::{Event, RecordedChunk, RecordingsRequest};
use std::fmt::Write as _;
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// Bytes of one piece: a multiple of three, so that base64 needs no padding in between.
const PIECE: usize = 48 << 10;

#[derive(Debug, thiserror::Error)]
pub(super) enum FilmError {
    #[error("nothing is recorded of {stream} in this time")]
    Nothing { stream: String },
    #[error("a film is of one stream, not of {0}")]
    Streams(usize),
    #[error("run {program}: {source}")]
    Run { program: String, source: io::Error },
    #[error("{program}: {words}")]
    Failed { program: String, words: String },
    #[error("tell it: {0}")]
    Tell(io::Error),
}

impl FilmError {
    pub(super) fn advice(&self) -> Option<&'static str> {
        match self {
            FilmError::Nothing { .. } => Some("`pistream recordings ls` tells what there is"),
            FilmError::Run { .. } => Some("install ffmpeg on the server, or deploy again"),
            FilmError::Streams(_) | FilmError::Failed { .. } | FilmError::Tell(_) => None,
        }
    }
}

/// Tells the film of `chunks`, which are of one stream and in order.
pub(super) fn tell(request: &RecordingsRequest, chunks: &[RecordedChunk]) -> Result<(), FilmError> {
    let [stream] = request.streams.as_slice() else {
        return Err(FilmError::Streams(request.streams.len()));
    };
    if chunks.is_empty() {
        return Err(FilmError::Nothing { stream: stream.clone() });
    }
    let run = |source| FilmError::Run {
        program: request.ffmpeg.clone(),
        source,
    };
    let mut complaints = posix::anonymous_file().map_err(run)?;
    let mut ffmpeg = start(request, &script(request, chunks), complaints.try_clone().map_err(run)?).map_err(run)?;
    let told = pass_on(&mut ffmpeg);
    if told.is_err() {
        // nobody listens any more; it may have ended by itself
        let _ = ffmpeg.kill();
    }
    let status = ffmpeg.wait().map_err(run)?;
    told.map_err(FilmError::Tell)?;
    if status.success() {
        return Ok(());
    }
    let mut words = String::new();
    // lost words are no reason to lose the status as well
    let _ = complaints.rewind().and_then(|()| complaints.read_to_string(&mut words));
    let last: Vec<&str> = words.lines().rev().take(4).collect();
    Err(FilmError::Failed {
        program: request.ffmpeg.clone(),
        words: match last.is_empty() {
            true => status.to_string(),
            false => last.into_iter().rev().collect::<Vec<_>>().join("; "),
        },
    })
}

/// What ffmpeg's concat demuxer reads. The names of chunks hold nothing that means anything in it.
fn script(request: &RecordingsRequest, chunks: &[RecordedChunk]) -> String {
    let mut script = "ffconcat version 1.0\n".to_owned();
    for chunk in chunks {
        // writing to a String cannot fail
        let _ = writeln!(script, "file 'file:{}/{}'", request.path, chunk.file);
        if request.from > chunk.start {
            let _ = writeln!(script, "inpoint {}", request.from - chunk.start);
        }
        if request.to < chunk.end {
            let _ = writeln!(script, "outpoint {}", request.to - chunk.start);
        }
    }
    script
}

fn start(request: &RecordingsRequest, script: &str, complaints: std::fs::File) -> io::Result<Child> {
    let mut list = posix::anonymous_file()?;
    list.write_all(script.as_bytes())?;
    list.rewind()?;
    let mut command = Command::new(&request.ffmpeg);
    command
        .args(["-v", "error", "-nostdin", "-f", "concat", "-safe", "0"])
        .args(["-protocol_whitelist", "file,pipe", "-i", "pipe:0"])
        .args(["-map", "0:v", "-map", "0:a?", "-c", "copy"])
        .args([
            "-movflags",
            "+frag_keyframe+empty_moov+default_base_moof",
            "-f",
            "mp4",
            "pipe:1",
        ])
        .env("LC_ALL", "C.UTF-8")
        .current_dir("/")
        .stdin(list)
        .stdout(Stdio::piped())
        .stderr(complaints);
    if posix::effective_uid() == 0 {
        // drops the supplementary groups as well
        let owner = std::fs::metadata(&request.path)?;
        command.uid(owner.uid()).gid(owner.gid());
    }
    posix::die_with_parent(&mut command);
    command.spawn()
}

fn pass_on(ffmpeg: &mut Child) -> io::Result<()> {
    let Some(mut film) = ffmpeg.stdout.take() else {
        return Ok(());
    };
    let mut piece = Vec::with_capacity(PIECE);
    loop {
        piece.clear();
        film.by_ref().take(PIECE as u64).read_to_end(&mut piece)?;
        if piece.is_empty() {
            return Ok(());
        }
        events::tell(&Event::Media {
            base64: Base64::encode_string(&piece),
        })?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pistream_agent::Want;

    #[test]
    fn the_first_and_the_last_chunk_are_cut() {
        let chunk = |start: u64, end: u64| RecordedChunk {
            stream: "porch".into(),
            start,
            end,
            bytes: 1,
            file: format!("porch/{start}.mp4"),
            growing: false,
        };
        let request = RecordingsRequest {
            path: "/srv/video".into(),
            ffmpeg: "/usr/bin/ffmpeg".into(),
            streams: vec!["porch".into()],
            from: 1010,
            to: 1250,
            want: Want::Film,
        };
        let script = script(&request, &[chunk(1000, 1100), chunk(1100, 1200), chunk(1200, 1300)]);
        assert_eq!(
            script,
            "ffconcat version 1.0\nfile 'file:/srv/video/porch/1000.mp4'\ninpoint 10\n\
             file 'file:/srv/video/porch/1100.mp4'\nfile 'file:/srv/video/porch/1200.mp4'\noutpoint 50\n"
        );
    }
}
