//! Plays one stream for some seconds, by one ffmpeg: pictures scaled down on its stdout, a listing of packets and
//! decoded frames on a second pipe, its words on stderr.

use super::ffmpeg::{self, Ffmpeg, Words};
use super::packets::Listing;
use super::pictures::{self, Pictures};
use pistream_agent::Decoded;
use std::io::Read;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Frame rate and bitrate are measured over at least so many seconds and one whole keyframe interval ...
const SHORTEST: f64 = 4.0;

/// ... or over so many seconds, if keyframes are further apart, or frames come more slowly than they are meant to: a film at
/// a rate of its own, a camera in the dark.
const LONGEST: f64 = 12.0;

/// Motion cannot be told from fewer frames.
const FEWEST: u32 = 5;

#[derive(Default)]
struct Seen {
    pictures: Pictures,
    listing: Listing,
}

impl Seen {
    fn enough(&self, frames: u32) -> bool {
        let span = self.listing.span();
        let steady = span >= SHORTEST && self.listing.whole_interval();
        self.pictures.frames >= frames && steady || self.pictures.frames >= frames.min(FEWEST) && span >= LONGEST
    }
}

/// What a decoder makes of the stream at `url`, looking at `frames` frames at least and for `timeout` at most.
pub(super) fn decode(ffmpeg: &Ffmpeg, url: &str, frames: u32, timeout: Duration) -> Decoded {
    play(ffmpeg, url, frames, timeout).unwrap_or_else(|error| Decoded {
        error: Some(format!("start ffmpeg: {error}")),
        ..Decoded::default()
    })
}

fn play(ffmpeg: &Ffmpeg, url: &str, frames: u32, timeout: Duration) -> std::io::Result<Decoded> {
    let deadline = Instant::now() + timeout;
    let (listing, sink) = std::io::pipe()?;
    let mut command = ffmpeg.command();
    let pipe = ffmpeg::hand_down(&mut command, &sink);
    // no analysis beforehand: what the server sends first is enough, and waiting for more costs up to five seconds
    command.args(["-analyzeduration", "0", "-probesize", "32", "-threads", "1", "-i", url]);
    // the luma plane as it is: a conversion to gray would stretch its range
    let scale = format!(
        "extractplanes=y,scale={}:{}:flags=area",
        pictures::WIDTH,
        pictures::HEIGHT
    );
    command
        .args(["-map", "0:v:0", "-vf", &scale])
        .args(ffmpeg.passthrough());
    command.args(["-c:v", "rawvideo", "-flush_packets", "1", "-f", "rawvideo", "pipe:1"]);
    command
        .args(["-map", "0:v:0", "-c:v:0", "rawvideo", "-map", "0:v:0", "-c:v:1", "copy"])
        .args(ffmpeg.passthrough());
    command.args(["-flush_packets", "1", "-f", "framecrc", &pipe]);
    let mut child = command.as_inner_mut().spawn()?;
    drop(sink);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let seen = Mutex::new(Seen::default());
    let (ended, words) = std::thread::scope(|scope| {
        let words = scope.spawn(|| stderr.map(Words::read).unwrap_or_default());
        scope.spawn(|| stdout.map(|from| read_pictures(from, &seen)));
        scope.spawn(|| ffmpeg::lines(listing, |line| lock(&seen).listing.line(line)));
        let ended = ffmpeg::wait(&mut child, deadline, || lock(&seen).enough(frames));
        (ended, words.join().unwrap_or_default())
    });
    let seen = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
    let enough = seen.pictures.frames >= frames || seen.enough(frames);
    let Seen { pictures, listing } = seen;
    let error = match (ended, words.errors()) {
        _ if enough => None,
        (_, said) if !said.is_empty() => Some(said),
        (Some(status), _) => Some(format!("ffmpeg ended early: {status}")),
        (None, _) if pictures.frames == 0 => Some(format!("no frame within {} s", timeout.as_secs())),
        (None, _) => Some(format!(
            "{} of {frames} frames within {} s",
            pictures.frames,
            timeout.as_secs()
        )),
    };
    Ok(Decoded {
        frames: pictures.frames,
        distinct: listing.distinct,
        moving: pictures.moving,
        luma: pictures.luma,
        width: listing.width,
        height: listing.height,
        fps: listing.fps(),
        bitrate: listing.bitrate(),
        codec: listing.codec,
        profile: words.profile,
        error,
    })
}

fn read_pictures(mut from: impl Read, seen: &Mutex<Seen>) {
    let mut cells = [0; pictures::CELLS];
    while from.read_exact(&mut cells).is_ok() {
        lock(seen).pictures.picture(&cells);
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
