//! One MP4 of a time range, over chunk borders, without encoding anything; it goes out in pieces. Fragmented, since it cannot
//! go back to its beginning.
//!
//! ```text
//! porch….mp4 ─ ffmpeg ─┐
//! porch….mp4 ─ ffmpeg ─┼─► MPEG-TS ─ ffmpeg ─► MP4
//! porch….flv ─ ffmpeg ─┘   one after the other
//! ```
//!
//! An ffmpeg for each chunk, started by a shell: so it is known of each whether it could be read, one that was filed since it
//! was found is taken from its place, and neither the clock in a file nor the order of its streams matters, in which FLV and MP4
//! differ (ffmpeg's own `concat` heeds neither). MPEG-TS may begin anew at any time; whoever reads it goes on without a gap.
//!
//! ffmpeg reads what came from the network; it does so as the recordings' owner, never as root.

use crate::keep::tool::{ToolError, last_words};
use crate::{archive, events, posix};
use base64ct::{Base64, Encoding};
use pistream_agent::{Event, RecordedChunk, RecordingsRequest};
use std::fmt::Write as _;
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Bytes of one piece: a multiple of three, so that base64 needs no padding in between.
const PIECE: usize = 48 << 10;

/// Lines on its standard input: from and to which second of a chunk, where the chunk is, and where if it was filed meanwhile. The
/// end of one that is being written may be half a picture. `$$` is the whole shell: nobody else hears of a failure within a pipe.
const JOIN: &str = "while read -r from to file filed; do
[ -e $file ] || file=$filed
\"$0\" -v error -nostdin -fflags +discardcorrupt -ss $from -to $to -i file:$file -map 0:v -c copy \
-mpegts_flags +initial_discontinuity -muxdelay 0 -muxpreload 0 -f mpegts pipe:1 </dev/null || { kill $$; exit; }
done | \"$0\" -v error -nostdin -f mpegts -i pipe:0 -map 0:v -c copy \
-movflags +frag_keyframe+empty_moov+default_base_moof -f mp4 pipe:1";

/// Longer than any chunk, in seconds.
const ALL: u64 = 1 << 32;

#[derive(Debug, thiserror::Error)]
pub(super) enum FilmError {
    #[error("nothing is recorded of {0} in this time")]
    Nothing(String),
    #[error(transparent)]
    Failed(ToolError),
    #[error("hand it on: {0}")]
    HandOn(#[from] io::Error),
}

impl FilmError {
    pub(super) fn advice(&self) -> Option<&'static str> {
        match self {
            FilmError::Nothing(_) => Some("`pistream recordings ls` tells what there is"),
            FilmError::Failed(_) => Some("recordings are filed and deleted meanwhile: try once more"),
            FilmError::HandOn(_) => None,
        }
    }
}

/// Tells the film of `chunks`, which are of one stream and in order.
pub(super) fn tell(request: &RecordingsRequest, chunks: &[RecordedChunk]) -> Result<(), FilmError> {
    if chunks.is_empty() {
        return Err(FilmError::Nothing(request.streams.join(", ")));
    }
    join(request, chunks, &mut |piece| {
        events::tell(&Event::Media {
            base64: Base64::encode_string(piece),
        })
    })
}

fn join(
    request: &RecordingsRequest,
    chunks: &[RecordedChunk],
    tell: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<(), FilmError> {
    let mut complaints = posix::anonymous_file()?;
    let mut ffmpeg = start(request, &list(request, chunks), complaints.try_clone()?)?;
    let told = pass_on(&mut ffmpeg, tell);
    if told.is_err() {
        // nobody listens any more; it may have ended by itself
        let _ = ffmpeg.kill();
    }
    let status = ffmpeg.wait()?;
    told?;
    match status.success() {
        true => Ok(()),
        false => Err(FilmError::Failed(ToolError {
            program: request.ffmpeg.clone(),
            words: last_words(&mut complaints, status),
        })),
    }
}

/// What [`JOIN`] reads.
fn list(request: &RecordingsRequest, chunks: &[RecordedChunk]) -> String {
    let mut list = String::new();
    for chunk in chunks {
        let filed = archive::place(Path::new(""), &chunk.stream, chunk.start, "mp4");
        let from = request.from.saturating_sub(chunk.start);
        // its end is told to the second: to cut there would take a part of the last one
        let to = match request.to < chunk.end {
            true => request.to - chunk.start,
            false => ALL,
        };
        // writing to a String cannot fail
        let _ = writeln!(list, "{from} {to} {} {}", chunk.file, filed.display());
    }
    list
}

fn start(request: &RecordingsRequest, list: &str, complaints: std::fs::File) -> io::Result<Child> {
    let mut input = posix::anonymous_file()?;
    input.write_all(list.as_bytes())?;
    input.rewind()?;
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", JOIN, &request.ffmpeg])
        .env("LC_ALL", "C.UTF-8")
        .current_dir(&request.path)
        .stdin(input)
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

fn pass_on(ffmpeg: &mut Child, tell: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
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
        tell(&piece)?;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::executable;
    use pistream_agent::Want;
    use std::fs;
    use std::path::PathBuf;

    /// Of a chunk it hands on from when to when and what is in the file, of the whole what it gets.
    const FFMPEG: &str = "#!/bin/sh
case \"$*\" in *'-i pipe:0'*) exec cat ;; esac
echo \"$7 $9\"
shift 10
exec cat \"${1#file:}\"
";

    /// Chunks of a hundred seconds each in a directory of the test's, of which those of `filed` are filed meanwhile.
    fn joined(test: &str, filed: &[u64], there: &[u64]) -> Result<String, FilmError> {
        let root: PathBuf = std::env::temp_dir().join(format!("pistream-film-{test}-{}", std::process::id()));
        let ffmpeg = root.join("ffmpeg");
        fs::create_dir_all(&root).unwrap();
        executable(&ffmpeg, FFMPEG);
        for start in filed {
            let place = archive::place(&root, "porch", *start, "mp4");
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(place, format!("filed {start}\n")).unwrap();
        }
        for start in there {
            fs::write(root.join(format!("{start}.flv")), format!("received {start}\n")).unwrap();
        }
        let chunks = [1000, 1100, 1200].map(|start| RecordedChunk {
            stream: "porch".into(),
            start,
            end: start + 100,
            bytes: 1,
            file: format!("{start}.flv"),
            growing: false,
        });
        let request = RecordingsRequest {
            path: root.to_string_lossy().into_owned(),
            ffmpeg: ffmpeg.to_string_lossy().into_owned(),
            streams: vec!["porch".into()],
            from: 1010,
            to: 1250,
            want: Want::Film,
        };
        let mut film = Vec::new();
        let told = join(&request, &chunks, &mut |piece| {
            film.extend_from_slice(piece);
            Ok(())
        });
        fs::remove_dir_all(&root).unwrap();
        told.map(|()| String::from_utf8(film).unwrap())
    }

    #[test]
    fn a_film_is_of_all_chunks_and_the_first_and_the_last_are_cut() {
        let film = joined("whole", &[], &[1000, 1100, 1200]).unwrap();
        assert_eq!(
            film,
            format!("10 {ALL}\nreceived 1000\n0 {ALL}\nreceived 1100\n0 50\nreceived 1200\n")
        );
    }

    #[test]
    fn a_chunk_that_is_filed_meanwhile_is_taken_from_its_place_and_one_that_is_gone_fails_it() {
        let film = joined("filed", &[1100], &[1000, 1200]).unwrap();
        assert!(film.contains("filed 1100") && film.contains("received 1200"), "{film}");
        for there in [[1000, 1100], [1000, 1200]] {
            let error = joined("gone", &[], &there).unwrap_err();
            assert!(
                error.to_string().contains("No such file") && error.advice().is_some(),
                "{error}"
            );
        }
    }
}
