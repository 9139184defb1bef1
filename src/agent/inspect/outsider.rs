//! Somebody who may neither publish nor play tries both. A refusal is the server's word: the connection came about and
//! ended with an error. No connection at all, or neither frame nor error in time, decides nothing.

use super::ffmpeg::{self, Ffmpeg, Words};
use pistream_agent::{Outsider, OutsiderFacts};
use std::process::ExitStatus;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The name an outsider tries to publish under. No camera's: a name that somebody holds is refused to everybody.
pub(super) const NAME: &str = "pistream-outsider";

/// So many seconds of pictures are published, at their pace; who is allowed to, gets them all through. nginx-rtmp takes a
/// refused publisher's first frame before it closes the connection.
const PUBLISHED: &str = "3";

/// No attempt takes longer: the server is this machine, though it may be a busy one.
pub(super) const PATIENCE: Duration = Duration::from_secs(12);

/// nginx-rtmp creates the recording of a publisher before it refuses him; nothing of his is in it.
const STUB: u64 = 13;

pub(super) struct Verdict {
    pub(super) refused: Option<bool>,
    pub(super) words: String,
}

/// Tries what the outsider must not do; `stream` is one that could be played.
pub(super) fn attempt(ffmpeg: &Ffmpeg, outsider: &Outsider, stream: Option<&str>, timeout: Duration) -> OutsiderFacts {
    let deadline = Instant::now() + timeout.min(PATIENCE);
    let (published, played) = std::thread::scope(|scope| {
        let url = format!("{}/{NAME}", outsider.rtmp);
        let published = scope.spawn(move || outsider.may_not_publish.then(|| publish(ffmpeg, &[], &url, deadline)));
        let stream = stream.filter(|_| outsider.may_not_play);
        let played = stream.map(|name| play(ffmpeg, &format!("{}/{name}", outsider.rtmp), deadline));
        (published.join().unwrap_or_default(), played)
    });
    let detail = |what, verdict: &Option<Verdict>| verdict.as_ref().map(|v| format!("{what}: {}", v.words));
    let details: Vec<String> = detail("publish", &published)
        .into_iter()
        .chain(detail("play", &played))
        .collect();
    OutsiderFacts {
        publish_refused: published.and_then(|v| v.refused),
        play_refused: played.and_then(|v| v.refused),
        detail: details.join(" | "),
    }
}

/// `options`: further ones for the output.
pub(super) fn publish(ffmpeg: &Ffmpeg, options: &[&str], url: &str, deadline: Instant) -> Verdict {
    let mut command = ffmpeg.command();
    // an encoder that every ffmpeg has, and a picture of a few bytes
    command.args([
        "-re",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=64x64:rate=10",
        "-t",
        PUBLISHED,
    ]);
    command.args(["-c:v", "flv", "-f", "flv"]).args(options).args([url]);
    match run(command, deadline, |_| {}, || false) {
        Err(error) => Verdict {
            refused: None,
            words: format!("start ffmpeg: {error}"),
        },
        Ok((Some(status), _)) if status.success() => Verdict {
            refused: Some(false),
            words: format!("{PUBLISHED} s of pictures were accepted"),
        },
        Ok((status, words)) => refusal(status, &words),
    }
}

fn play(ffmpeg: &Ffmpeg, url: &str, deadline: Instant) -> Verdict {
    let mut command = ffmpeg.command();
    command.args([
        "-analyzeduration",
        "0",
        "-probesize",
        "32",
        "-i",
        url,
        "-map",
        "0:v:0",
        "-c:v",
        "copy",
    ]);
    command.args(["-flush_packets", "1", "-f", "framecrc", "pipe:1"]);
    let frames = AtomicU32::new(0);
    let received = || frames.load(Ordering::Relaxed) > 0;
    let take = |line: &str| {
        if !line.starts_with('#') {
            frames.fetch_add(1, Ordering::Relaxed);
        }
    };
    match run(command, deadline, take, received) {
        Err(error) => Verdict {
            refused: None,
            words: format!("start ffmpeg: {error}"),
        },
        Ok(_) if received() => Verdict {
            refused: Some(false),
            words: "frames were sent".to_owned(),
        },
        Ok((status, words)) => refusal(status, &words),
    }
}

fn refusal(status: Option<ExitStatus>, words: &Words) -> Verdict {
    let said = words.errors();
    match status {
        Some(_) if words.unconnected() => Verdict {
            refused: None,
            words: format!("no connection: {said}"),
        },
        Some(_) => Verdict {
            refused: Some(true),
            words: said,
        },
        None => Verdict {
            refused: None,
            words: format!("neither accepted nor refused in time {said}").trim().to_owned(),
        },
    }
}

/// Runs ffmpeg until it ends, `enough` is true or the deadline has passed. Its stdout goes to `take`, line by line.
fn run(
    mut command: ffmpeg_sidecar::command::FfmpegCommand,
    deadline: Instant,
    take: impl FnMut(&str) + Send,
    enough: impl Fn() -> bool,
) -> std::io::Result<(Option<ExitStatus>, Words)> {
    let mut child = command.as_inner_mut().spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    Ok(std::thread::scope(|scope| {
        let words = scope.spawn(|| stderr.map(Words::read).unwrap_or_default());
        scope.spawn(|| stdout.map(|from| ffmpeg::lines(from, take)));
        let status = ffmpeg::wait(&mut child, deadline, enough);
        (status, words.join().unwrap_or_default())
    }))
}

/// Takes away the empty recordings that the refused outsider left in `directories`.
pub(super) fn tidy<'a>(directories: impl Iterator<Item = &'a str>) {
    let mut directories: Vec<&str> = directories.collect();
    directories.sort_unstable();
    directories.dedup();
    let entries = directories
        .into_iter()
        .filter_map(|d| std::fs::read_dir(d).ok())
        .flatten()
        .flatten();
    for entry in entries {
        let ours = entry
            .file_name()
            .to_str()
            .is_some_and(|n| n.starts_with(&format!("{NAME}-")));
        if ours && entry.metadata().is_ok_and(|m| m.is_file() && m.len() <= STUB) {
            // one that cannot be removed is an empty file more
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
