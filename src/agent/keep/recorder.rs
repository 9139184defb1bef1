//! Whether nginx may go on recording: stopped before a write fails for want of space, resumed when there is room again.
//!
//! nginx-rtmp neither stops nor resumes by itself. After a write that failed it goes on writing to the file it has closed
//! (or to whatever got its number since), a line of log per frame, until the chunk's interval is over. Streaming is not
//! affected by any of this.

use super::control::{Control, ControlError};
use super::retention::Disk;
use crate::archive::{self, Chunk};
use crate::supervise::journal::{Sieve, log};
use std::time::{Duration, Instant};

/// A stream that is not being recorded is asked to be so often; most are not published then.
const RESUME: Duration = Duration::from_secs(10);

struct Stream {
    name: String,
    /// Since when no chunk of it grows, or since it was last asked for.
    missing: Option<Instant>,
}

pub(super) struct Recorder {
    control: Control,
    streams: Vec<Stream>,
    /// Recording was stopped for want of space.
    paused: bool,
    sieve: Sieve,
}

impl Recorder {
    pub(super) fn new(control: &str, streams: impl Iterator<Item = String>) -> Recorder {
        Recorder {
            control: Control::new(control),
            streams: streams.map(|name| Stream { name, missing: None }).collect(),
            paused: false,
            sieve: Sieve::default(),
        }
    }

    pub(super) fn paused(&self) -> bool {
        self.paused
    }

    /// To be called often: `disk` as it is after what had to go has gone, `growing` what nginx is writing.
    pub(super) fn look(&mut self, now: Instant, disk: Disk, growing: &[&Chunk]) {
        let (free, reserve) = (disk.free, archive::reserve(disk.total));
        if free < reserve {
            if !self.paused {
                log(format_args!(
                    "recording stops: only {free} bytes of the disk are free, and nothing is left to delete"
                ));
            }
            self.paused = true;
            // of every stream: one whose last write failed has no chunk that grows, yet nginx goes on writing
            self.each(Control::stop, now);
        } else if self.paused && free >= 2 * reserve {
            log(format_args!("recording goes on: {free} bytes of the disk are free"));
            self.paused = false;
            self.each(Control::start, now);
        } else if !self.paused {
            self.resume_missing(now, growing);
        }
    }

    /// Streams that are published but not recorded: nginx gave up on a write, or was told to by a keeper that died.
    fn resume_missing(&mut self, now: Instant, growing: &[&Chunk]) {
        for stream in &mut self.streams {
            if growing.iter().any(|chunk| chunk.stream == stream.name) {
                stream.missing = None;
                continue;
            }
            let since = stream.missing.get_or_insert(now);
            if now.duration_since(*since) < RESUME {
                continue;
            }
            *since = now;
            // after a write that failed nginx believes that it still records: it must be told to stop first
            let name = &stream.name;
            match self.control.stop(name).and_then(|_| self.control.start(name)) {
                Ok(true) => log(format_args!("recording of {name} goes on")),
                Ok(false) => {}
                Err(error) => say(&mut self.sieve, &error, now),
            }
        }
    }

    fn each(&mut self, word: fn(&Control, &str) -> Result<bool, ControlError>, now: Instant) {
        for stream in &self.streams {
            if let Err(error) = word(&self.control, &stream.name) {
                say(&mut self.sieve, &error, now);
            }
        }
    }
}

fn say(sieve: &mut Sieve, error: &ControlError, now: Instant) {
    if let Some(line) = sieve.pass(&error.to_string(), now) {
        log(line);
    }
}
