//! Tries to publish through the server's TLS side without a certificate, with one of another authority, and with one of the
//! fleet that is no camera's. Each must be shown the door before the server has heard a word of RTMP from it.

use super::ffmpeg::Ffmpeg;
use super::outsider::{self, Verdict};
use crate::files;
use pistream_agent::{Door, ImpostorFacts};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// In memory, and for this user alone.
const PLACE: &str = "/run";

pub(super) fn attempt(ffmpeg: &Ffmpeg, door: &Door, timeout: Duration) -> Vec<ImpostorFacts> {
    let deadline = Instant::now() + timeout.min(outsider::PATIENCE);
    let url = format!("{}/{}", door.rtmps, outsider::NAME);
    let publish = |file: Option<&Path>| {
        let file = file.map(|f| f.to_string_lossy());
        let options: Vec<&str> = match &file {
            Some(file) => vec!["-cert_file", file, "-key_file", file],
            None => vec![],
        };
        outsider::publish(ffmpeg, &options, &url, deadline)
    };
    let forged = Forged::new(&door.impostor);
    let attempts: [(&str, Result<Option<&Path>, String>); 3] = [
        ("no certificate", Ok(None)),
        (
            "another authority's certificate",
            forged.as_ref().map(|f| Some(f.0.as_path())).map_err(Clone::clone),
        ),
        ("the server's own certificate", Ok(Some(Path::new(&door.own)))),
    ];
    std::thread::scope(|scope| {
        let running = attempts.map(|(with, file)| (with, scope.spawn(move || file.map(publish))));
        running.map(|(with, thread)| facts(with, thread.join().unwrap_or_else(|_| Err("was given up".to_owned()))))
    })
    .into()
}

fn facts(with: &str, verdict: Result<Verdict, String>) -> ImpostorFacts {
    let (refused, detail) = match verdict {
        Ok(verdict) => (verdict.refused, verdict.words),
        Err(why) => (None, why),
    };
    ImpostorFacts {
        with: with.to_owned(),
        refused,
        detail,
    }
}

/// A file with a key and certificate, gone when dropped.
struct Forged(PathBuf);

impl Forged {
    fn new(pem: &str) -> Result<Forged, String> {
        let path = Path::new(PLACE).join(format!("pistream-impostor-{}.pem", std::process::id()));
        files::write_new(&path, pem.as_bytes(), 0o600, None)
            .map(|()| Forged(path))
            .map_err(|e| e.to_string())
    }
}

impl Drop for Forged {
    fn drop(&mut self) {
        // in memory: it goes with the next boot at the latest
        let _ = files::remove(&self.0);
    }
}
