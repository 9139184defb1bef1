//! One run of ffmpeg, with its capture program if it has one: its pulse, its last words, how it is brought to an end.
//!
//! Where there are two processes they live and die together: the run is over when both are gone.
//!
//! Every moment comes in as an argument; nothing here waits.

mod clock;
mod ending;
#[cfg(test)]
mod tests;
mod watchdog;

pub(super) use ending::Stop;

use super::capture::Capture;
use super::cause::{self, Ending};
use super::ffmpeg::{Ffmpeg, Said};
use super::governor::Reading;
use super::journal::{Sieve, log};
use super::meter::{Meter, Sample};
use super::sendqueue::{Connections, Delivery};
use clock::Clock;
use ending::Stopping;
use pistream_agent::Cause;
use std::collections::VecDeque;
use std::io;
use std::mem;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

/// How often the send queue is looked at where the bitrate follows it: a link that breaks down to a tenth makes a second's
/// video of what comes in a tenth of one. Twice as often while something waits.
const GLANCE: Duration = Duration::from_millis(90);
/// So many of ffmpeg's last lines are kept to tell why it ended.
const LAST_LINES: usize = 20;
/// A frame is told of at most so long after the capture program delivered it: ffmpeg's pace of telling, doubled.
const ON_THE_WAY: Duration = Duration::from_secs(1);
/// An ended ffmpeg's last lines arrive within this.
const LAST_WORDS: Duration = Duration::from_millis(500);

pub(super) struct Run {
    pub(super) number: u64,
    pub(super) started: Instant,
    pub(super) frames: u64,
    ffmpeg: Ffmpeg,
    capture: Option<Capture>,
    /// The capture program ended while ffmpeg was still running.
    capture_ended_first: bool,
    stall_after: Duration,
    first_frame: Option<Instant>,
    /// When the frame count last grew; the start, as long as there is none.
    advanced: Instant,
    /// And when it had grown before that.
    advanced_before: Instant,
    meter: Meter,
    connections: Connections,
    delivery: Delivery,
    /// When ffmpeg last told its size, and the size in bytes.
    written: Option<(Instant, u64)>,
    /// What has been measured and nobody has asked for yet; and when.
    reading: Option<Reading>,
    read: Instant,
    /// Somebody asks what is measured.
    followed: bool,
    waits: bool,
    lines: VecDeque<(Instant, String)>,
    silent_since: Option<Instant>,
    clock: Clock,
    stopping: Option<Stopping>,
    ended: Option<(Instant, Option<ExitStatus>)>,
}

/// How a run ended, for whoever decides what comes next.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) next: Next,
    /// How long frames had been advancing.
    pub(super) streamed: Duration,
}

#[derive(Debug)]
pub(super) enum Next {
    /// It was asked to end.
    End,
    /// It was to begin again otherwise, after so long.
    Again(Duration),
    /// What happened, and in words.
    Failed(Cause, String),
}

impl Run {
    pub(super) fn new(
        number: u64,
        ffmpeg: Ffmpeg,
        capture: Option<Capture>,
        stall_after: Duration,
        now: Instant,
    ) -> Run {
        Run {
            number,
            started: now,
            frames: 0,
            connections: Connections::of(ffmpeg.pid()),
            ffmpeg,
            capture,
            capture_ended_first: false,
            stall_after,
            first_frame: None,
            advanced: now,
            advanced_before: now,
            meter: Meter::default(),
            delivery: Delivery::default(),
            written: None,
            reading: None,
            read: now,
            followed: false,
            waits: false,
            lines: VecDeque::with_capacity(LAST_LINES),
            silent_since: None,
            clock: Clock::default(),
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

    /// The server has acknowledged something of the first frames. Where nobody can tell, frames have to do.
    pub(super) fn has_arrived(&self) -> bool {
        self.first_frame.is_some() && self.delivery.has_arrived().unwrap_or(true)
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.is_some()
    }

    /// Since when no frame has come.
    pub(super) fn dark(&self, now: Instant) -> Duration {
        now.duration_since(self.advanced)
    }

    /// Not even SIGKILL has ended it: it waits in the kernel for a device that does not answer.
    pub(super) fn is_stuck(&self) -> bool {
        self.stopping.as_ref().is_some_and(Stopping::is_stuck)
    }

    /// Whether that is so since now.
    pub(super) fn gives_up(&mut self, now: Instant) -> bool {
        self.stopping.as_mut().is_some_and(|stopping| stopping.gives_up(now))
    }

    /// Whether the wall clock, which pictures' times are taken from, has been set since the last look.
    pub(super) fn sees_clock_set(&mut self, ahead: i64) -> bool {
        self.clock.is_set(ahead)
    }

    pub(super) fn rates(&self, now: Instant) -> (f64, u64) {
        self.meter.rates(now)
    }

    pub(super) fn hear(&mut self, said: Said, sieve: &mut Sieve, now: Instant) {
        match said {
            Said::Progress { frames, bytes } => {
                if frames > self.frames {
                    self.frames = frames;
                    self.advanced_before = mem::replace(&mut self.advanced, now);
                    self.first_frame.get_or_insert(now);
                }
                self.meter.add(Sample { at: now, frames, bytes });
                // no size is known of an output to several places at once
                self.written = (bytes > 0).then_some((now, bytes));
                self.reading = self.read(now);
                let waiting = self.reading.map(|reading| reading.waiting);
                self.delivery.sample(now, bytes, waiting);
            }
            Said::Line(line) => {
                if let Some(message) = sieve.pass(&line, now) {
                    log(format_args!("ffmpeg: {message}"));
                }
                if self.lines.len() == LAST_LINES {
                    self.lines.pop_front();
                }
                self.lines.push_back((now, line));
            }
            Said::End => self.silent_since = Some(now),
        }
    }

    pub(super) fn hear_capture(&mut self, said: Said, sieve: &mut Sieve, now: Instant) {
        if let Some(capture) = &mut self.capture {
            capture.hear(said, sieve, now);
        }
    }

    /// What waits to be sent, for the governor: once per word of ffmpeg's, and every [`GLANCE`] in between.
    pub(super) fn reading(&mut self, now: Instant) -> Option<Reading> {
        self.followed = true;
        if !self.is_streaming() {
            return None;
        }
        let due = now.duration_since(self.read) >= self.glance();
        self.reading.take().or_else(|| due.then(|| self.read(now))?)
    }

    fn glance(&self) -> Duration {
        if self.waits { GLANCE / 2 } else { GLANCE }
    }

    fn read(&mut self, now: Instant) -> Option<Reading> {
        let (written_at, written) = self.written?;
        self.read = now;
        let sent = self.connections.sent()?;
        self.waits = sent.waiting > 0;
        Some(Reading {
            written,
            written_at,
            waiting: sent.waiting,
            arrived: sent.arrived,
        })
    }

    /// Begins to bring ffmpeg and its capture program to their end, unless that has begun.
    pub(super) fn stop(&mut self, why: Stop, now: Instant) {
        if let Some(stopping) = &mut self.stopping {
            // a stall that is being dealt with when the supervisor is told to end needs no restart
            if why == Stop::Asked {
                stopping.why = why;
            }
            return;
        }
        self.signal(libc::SIGTERM);
        // a stopped (SIGSTOP) process acts on nothing but SIGKILL until it is continued
        self.signal(libc::SIGCONT);
        self.stopping = Some(Stopping::since(now, why));
    }

    fn signal(&mut self, signal: libc::c_int) {
        self.ffmpeg.signal(signal);
        if let Some(capture) = &mut self.capture {
            capture.signal(signal);
        }
    }

    /// Looks after both processes: the watchdog, the stages of stopping, the end.
    ///
    /// # Errors
    /// What waitpid says.
    pub(super) fn step(&mut self, now: Instant) -> io::Result<Option<Outcome>> {
        let status = self.ffmpeg.poll()?;
        let capture_ended = self.capture.as_mut().map(Capture::has_ended).transpose()?;
        match (status, capture_ended) {
            (Some(status), None | Some(true)) => {
                let (at, status) = *self.ended.get_or_insert((now, Some(status)));
                let silent = self.silent_since.is_some() && self.capture.as_ref().is_none_or(Capture::is_silent);
                let heard_out = silent || now.duration_since(at) > LAST_WORDS;
                return Ok(heard_out.then(|| self.outcome(status)));
            }
            (Some(status), Some(false)) if self.awaits_capture(status, now) => {}
            (Some(_), Some(false)) => self.stop(Stop::Alone, now),
            (None, Some(true)) => {
                self.capture_ended_first |= self.stopping.is_none();
                self.stop(Stop::Alone, now);
            }
            (None, None | Some(false)) => {}
        }
        if self.stopping.is_none()
            && let Some((cause, words)) = self.stalled(now)
        {
            self.stop(Stop::Stalled(cause, words), now);
        }
        if let Some(signal) = self.stopping.as_mut().and_then(|stopping| stopping.due(now)) {
            self.signal(signal);
        }
        Ok(None)
    }

    /// An ffmpeg that knows no reason came to the end of what it was given: whoever closed that is about to end and to say
    /// why, which who is told to end does not.
    fn awaits_capture(&mut self, status: ExitStatus, now: Instant) -> bool {
        let overdue = self
            .silent_since
            .is_some_and(|since| now.duration_since(since) >= LAST_WORDS);
        !overdue && self.of_ffmpeg(Some(status), Duration::ZERO).0 == Cause::Unknown
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
        } else if self.followed {
            self.glance() + Duration::from_millis(5)
        } else {
            Duration::from_millis(250)
        }
    }

    fn outcome(&mut self, status: Option<ExitStatus>) -> Outcome {
        let streamed = self
            .first_frame
            .map_or(Duration::ZERO, |first| self.advanced.duration_since(first));
        let next = match self.stopping.take().map(|stopping| stopping.why) {
            Some(Stop::Asked) => Next::End,
            Some(Stop::Again(pause)) => Next::Again(pause),
            Some(Stop::Stalled(cause, words)) => Next::Failed(cause, words),
            Some(Stop::Alone) | None => {
                let (cause, words) = self.failure(status, streamed);
                Next::Failed(cause, words)
            }
        };
        Outcome { next, streamed }
    }

    /// What the capture program said since then belongs to what came after the last frame: its words and the frames reach
    /// us by two ways, one of them through ffmpeg.
    fn last_good(&self) -> Instant {
        self.advanced.checked_sub(ON_THE_WAY).unwrap_or(self.advanced)
    }

    /// Why the run ended by itself. What befalls one of the two ends the other, so the one that ended first is asked.
    fn failure(&mut self, status: Option<ExitStatus>, streamed: Duration) -> (Cause, String) {
        let since = self.last_good();
        let of_ffmpeg = self.of_ffmpeg(status, streamed);
        match self.capture.as_ref().and_then(|capture| capture.failure(since)) {
            Some(of_capture) if self.capture_ended_first || of_ffmpeg.0 == Cause::Unknown => of_capture,
            _ => of_ffmpeg,
        }
    }

    /// Why it ended, by its own account. What it got over is no cause of anything now.
    fn of_ffmpeg(&mut self, status: Option<ExitStatus>, streamed: Duration) -> (Cause, String) {
        // the last count of frames comes after the last words, and as much later as it takes to close a dead connection
        let since = self.last_good().min(self.advanced_before);
        cause::classify(&Ending {
            status,
            lines: self.lines.make_contiguous(),
            since,
            streamed,
        })
    }
}
