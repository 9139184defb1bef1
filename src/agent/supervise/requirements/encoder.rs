//! An encoder's trial: five frames through the real ffmpeg. What the verdict is worth, and for how long, the caller knows.

use super::super::cause;
use super::super::ffmpeg::{Ffmpeg, Said};
use std::process::Stdio;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Time for one encoder to take five frames; a Pi Zero needs about 5 s to start ffmpeg at all.
const TRIAL: Duration = Duration::from_secs(20);
/// How often a trial lets the supervisor breathe.
const BREATH: Duration = Duration::from_millis(200);
const FRAMES: u64 = 5;

/// Whether five frames come out of it. `breathe` is called at least five times a second; when it returns false the trial is
/// given up.
///
/// # Errors
/// What ffmpeg said first, or that it took too long.
pub(super) fn encode_five_frames(ffmpeg: &str, encoder: &str, breathe: &mut dyn FnMut() -> bool) -> Result<(), String> {
    let frames = FRAMES.to_string();
    let arguments = [
        ["-f", "lavfi"],
        ["-i", "testsrc=size=320x240:rate=5"],
        ["-frames:v", &frames],
        ["-pix_fmt", "yuv420p"],
        ["-c:v", encoder],
        ["-f", "null"],
    ];
    let mut arguments: Vec<String> = arguments
        .as_flattened()
        .iter()
        .map(|argument| (*argument).to_owned())
        .collect();
    arguments.push("-".to_owned());

    let (said, heard) = mpsc::channel();
    let start = Instant::now();
    let mut trial = Ffmpeg::start(ffmpeg, &arguments, Stdio::null(), move |what| {
        let _ = said.send(what);
    })
    .map_err(|error| format!("{ffmpeg}: {error}"))?;
    let (mut encoded, mut complaint) = (0, None);
    loop {
        match heard.recv_timeout(BREATH) {
            Ok(Said::Progress { frames, .. }) => encoded = frames,
            Ok(Said::Line(line)) if complaint.is_none() => complaint = Some(said_of(encoder, &line)),
            Ok(Said::Line(_)) | Err(RecvTimeoutError::Timeout) => {}
            Ok(Said::End) | Err(RecvTimeoutError::Disconnected) => break,
        }
        if !breathe() {
            return Err("stopped while trying it".to_owned());
        }
        if start.elapsed() > TRIAL {
            return Err(format!(
                "encoder {encoder} took no {FRAMES} frames in {} s",
                TRIAL.as_secs()
            ));
        }
    }
    // stderr is closed; the process itself ends within moments, or is killed when `trial` goes
    let status = loop {
        match trial.poll() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if start.elapsed() < TRIAL && breathe() => std::thread::sleep(Duration::from_millis(5)),
            Ok(None) | Err(_) => break None,
        }
    };
    if status.is_some_and(|status| status.success()) && encoded >= FRAMES {
        return Ok(());
    }
    let complaint = complaint.unwrap_or_else(|| format!("only {encoded} of {FRAMES} frames came out"));
    Err(format!("encoder {encoder}: {complaint}"))
}

/// A line of ffmpeg's, without the encoder's name in front: the sentence begins with it.
fn said_of(encoder: &str, line: &str) -> String {
    let line = cause::plain(line);
    let own = line.strip_prefix(encoder).and_then(|rest| rest.strip_prefix(": "));
    own.map_or_else(|| line.clone(), str::to_owned)
}
