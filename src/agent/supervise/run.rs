//! One run of ffmpeg: its pulse, its last words, and how it is brought to an end.
//!
//! Every moment comes in as an argument; nothing here waits.

use super::cause::{self, Ending};
use super::ffmpeg::{Ffmpeg, Said};
use super::journal::{Sieve, log};
use super::meter::{Meter, Sample};
use super::sendqueue::{self, Delivery};
use pistream_agent::Cause;
use std::collections::VecDeque;
use std::io;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

/// Connecting and probing come before the first frame.
const FIRST_FRAME: Duration = Duration::from_secs(10);
/// ffmpeg sits through a first TERM while its output is stuck, and ends at the second (FACTS: 200 s against at once).
const SECOND_TERM: Duration = Duration::from_secs(1);
const KILL: Duration = Duration::from_secs(2);
/// So many of ffmpeg's last lines are kept to tell why it ended.
const LAST_LINES: usize = 20;
/// An ended ffmpeg's last lines arrive within this.
const LAST_WORDS: Duration = Duration::from_millis(500);

pub(super) struct Run {
    pub(super) number: u64,
    pub(super) started: Instant,
    pub(super) frames: u64,
    ffmpeg: Ffmpeg,
    stall_after: Duration,
    first_frame: Option<Instant>,
    /// When the frame count last grew; the start, as long as there is none.
    advanced: Instant,
    meter: Meter,
    delivery: Delivery,
    lines: VecDeque<String>,
    silent_since: Option<Instant>,
    stopping: Option<Stopping>,
    ended: Option<(Instant, Option<ExitStatus>)>,
}

struct Stopping {
    why: Stop,
    since: Instant,
    stage: Stage,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// The supervisor is to end.
    Asked,
    /// The watchdog: what stands still, and in words.
    Stalled(Cause, String),
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Told,
    ToldTwice,
    Killed,
}

/// How a run ended, for whoever decides what comes next.
#[derive(Debug)]
pub(super) struct Outcome {
    /// `None`: it was asked to end.
    pub(super) failure: Option<(Cause, String)>,
    /// How long frames had been advancing.
    pub(super) streamed: Duration,
}

impl Run {
    pub(super) fn new(number: u64, ffmpeg: Ffmpeg, stall_after: Duration, now: Instant) -> Run {
        Run {
            number,
            started: now,
            frames: 0,
            ffmpeg,
            stall_after,
            first_frame: None,
            advanced: now,
            meter: Meter::default(),
            delivery: Delivery::default(),
            lines: VecDeque::with_capacity(LAST_LINES),
            silent_since: None,
            stopping: None,
            ended: None,
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.ffmpeg.pid()
    }

    /// Frames have come, and nobody has asked ffmpeg to end.
    pub(super) fn is_streaming(&self) -> bool {
        self.first_frame.is_some() && self.stopping.is_none()
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.is_some()
    }

    pub(super) fn rates(&self, now: Instant) -> (f64, u64) {
        self.meter.rates(now)
    }

    pub(super) fn hear(&mut self, said: Said, sieve: &mut Sieve, now: Instant) {
        match said {
            Said::Progress { frames, bytes } => {
                if frames > self.frames {
                    self.frames = frames;
                    self.advanced = now;
                    self.first_frame.get_or_insert(now);
                }
                self.meter.add(Sample { at: now, frames, bytes });
                // no size is known of an output to several places at once
                let waiting = if bytes > 0 {
                    sendqueue::waiting(self.pid())
                } else {
                    None
                };
                self.delivery.sample(now, bytes, waiting);
            }
            Said::Line(line) => {
                if let Some(message) = sieve.pass(&line, now) {
                    log(format_args!("ffmpeg: {message}"));
                }
                if self.lines.len() == LAST_LINES {
                    self.lines.pop_front();
                }
                self.lines.push_back(line);
            }
            Said::End => self.silent_since = Some(now),
        }
    }

    /// Begins to bring ffmpeg to its end, unless that has begun.
    pub(super) fn stop(&mut self, why: Stop, now: Instant) {
        if let Some(stopping) = &mut self.stopping {
            // a stall that is being dealt with when the supervisor is told to end needs no restart
            if why == Stop::Asked {
                stopping.why = why;
            }
            return;
        }
        self.ffmpeg.signal(libc::SIGTERM);
        // a stopped (SIGSTOP) process acts on nothing but SIGKILL until it is continued
        self.ffmpeg.signal(libc::SIGCONT);
        self.stopping = Some(Stopping {
            why,
            since: now,
            stage: Stage::Told,
        });
    }

    /// Looks after ffmpeg: the watchdog, the stages of stopping, the end.
    ///
    /// # Errors
    /// What waitpid says.
    pub(super) fn step(&mut self, now: Instant) -> io::Result<Option<Outcome>> {
        if self.ended.is_none()
            && let Some(status) = self.ffmpeg.poll()?
        {
            self.ended = Some((now, Some(status)));
        }
        if let Some((at, status)) = self.ended {
            let heard_out = self.silent_since.is_some() || now.duration_since(at) > LAST_WORDS;
            return Ok(heard_out.then(|| self.outcome(status)));
        }
        if self.stopping.is_none()
            && let Some((cause, words)) = self.stalled(now)
        {
            self.stop(Stop::Stalled(cause, words), now);
        }
        if let Some(stopping) = &mut self.stopping {
            let waited = now.duration_since(stopping.since);
            if waited >= KILL && stopping.stage < Stage::Killed {
                stopping.stage = Stage::Killed;
                self.ffmpeg.signal(libc::SIGKILL);
            } else if waited >= SECOND_TERM && stopping.stage < Stage::ToldTwice {
                stopping.stage = Stage::ToldTwice;
                self.ffmpeg.signal(libc::SIGTERM);
            }
        }
        Ok(None)
    }

    /// When [`Run::step`] wants to be called again, at the latest.
    pub(super) fn patience(&self, now: Instant) -> Duration {
        let just_silent = self
            .silent_since
            .is_some_and(|since| now.duration_since(since) < LAST_WORDS);
        if self.ended.is_some() || just_silent {
            // stderr closes a moment before the process can be reaped
            Duration::from_millis(5)
        } else if self.stopping.is_some() {
            Duration::from_millis(50)
        } else {
            Duration::from_millis(250)
        }
    }

    /// What has stood still for too long, if anything: the frames, or the bytes on their way.
    fn stalled(&self, now: Instant) -> Option<(Cause, String)> {
        let waited = now.duration_since(self.advanced);
        let limit = if self.first_frame.is_some() {
            self.stall_after
        } else {
            self.stall_after + FIRST_FRAME
        };
        if waited >= limit {
            let seconds = waited.as_secs();
            return Some(match (self.first_frame, sendqueue::waiting(self.pid())) {
                (Some(_), Some(bytes @ 1..)) => (
                    Cause::Network,
                    format!("no new frame for {seconds} s, and {bytes} bytes sent are not acknowledged"),
                ),
                (Some(_), _) => (
                    Cause::Stalled,
                    format!("no new frame for {seconds} s (the last was number {})", self.frames),
                ),
                (None, _) => (Cause::Stalled, format!("no frame came within {seconds} s of the start")),
            });
        }
        let (stuck, bytes) = self.delivery.stuck(now)?;
        (stuck >= self.stall_after).then(|| {
            let seconds = stuck.as_secs();
            (
                Cause::Network,
                format!("nothing was acknowledged for {seconds} s; {bytes} bytes wait to be"),
            )
        })
    }

    fn outcome(&mut self, status: Option<ExitStatus>) -> Outcome {
        let streamed = self
            .first_frame
            .map_or(Duration::ZERO, |first| self.advanced.duration_since(first));
        let failure = match self.stopping.take().map(|stopping| stopping.why) {
            Some(Stop::Asked) => None,
            Some(Stop::Stalled(cause, words)) => Some((cause, words)),
            None => {
                let lines = self.lines.make_contiguous();
                Some(cause::classify(&Ending {
                    status,
                    lines,
                    streamed,
                }))
            }
        };
        Outcome { failure, streamed }
    }
}
