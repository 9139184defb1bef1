//! Whether nginx may go on recording: stopped before a write fails for want of space, resumed when there is room again.
//!
//! nginx-rtmp neither stops nor resumes by itself. After a write that failed it has closed the file and yet believes to have it
//! open, until the chunk's interval is over; to end that recording would close whatever got the file's number since, the very
//! connection that asks for it perhaps, and then nginx answers nobody any more. So it is told to stop while there is still
//! room; where somebody was quicker and no room is left at all, it is told nothing and resumes with its next chunk.

use super::control::{Control, ControlError};
use super::retention::Disk;
use crate::archive::{self, Chunk};
use crate::supervise::journal::{Sieve, log};
use std::time::{Duration, Instant};

/// With so small a share of the reserve left, a write may have failed already.
const TOO_LATE: u64 = 8;

/// A stream that is not being recorded is asked to be so often; most are not published then.
const RESUME: Duration = Duration::from_secs(10);

/// Why nothing is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pause {
    /// nginx was told to stop.
    Told,
    /// A write has failed, or may have.
    TooLate,
}

struct Stream {
    name: String,
    /// Since when no chunk of it grows, or since it was last asked for.
    missing: Option<Instant>,
}

pub(super) struct Recorder {
    control: Control,
    streams: Vec<Stream>,
    /// For want of space.
    paused: Option<Pause>,
    sieve: Sieve,
}

impl Recorder {
    pub(super) fn new(control: &str, streams: impl Iterator<Item = String>) -> Recorder {
        Recorder {
            control: Control::new(control),
            streams: streams.map(|name| Stream { name, missing: None }).collect(),
            paused: None,
            sieve: Sieve::default(),
        }
    }

    pub(super) fn paused(&self) -> bool {
        self.paused.is_some()
    }

    /// To be called often: `disk` as it is after what had to go has gone, `growing` what nginx is writing.
    pub(super) fn look(&mut self, now: Instant, disk: Disk, growing: &[&Chunk]) {
        let (free, reserve) = (disk.free, archive::reserve(disk.total));
        match self.paused {
            None if free < reserve / TOO_LATE => {
                log(format_args!(
                    "only {free} bytes of the disk are free: nothing is recorded, until some time after there is room again"
                ));
                self.paused = Some(Pause::TooLate);
            }
            None if free < reserve => {
                log(format_args!(
                    "recording stops: only {free} bytes of the disk are free, and nothing is left to delete"
                ));
                self.paused = Some(Pause::Told);
                self.each(Control::stop, now);
            }
            None => self.resume_missing(now, growing),
            // of every stream: one may have begun since
            Some(Pause::Told) if (reserve / TOO_LATE..reserve).contains(&free) => self.each(Control::stop, now),
            Some(pause) if free >= 2 * reserve => {
                log(format_args!("recording goes on: {free} bytes of the disk are free"));
                self.paused = None;
                if pause == Pause::Told {
                    self.each(Control::start, now);
                }
            }
            Some(_) => {}
        }
    }

    /// Streams that are published but not recorded, since a keeper that died had told nginx to stop. To one that nginx
    /// believes to be recorded this does nothing.
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
            let name = &stream.name;
            match self.control.start(name) {
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
