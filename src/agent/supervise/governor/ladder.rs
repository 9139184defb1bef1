//! The rungs below what the inventory asks for: the same way at a lower bitrate, then with fewer frames, then with a smaller
//! picture. Each step is a restart, so there are few, and seldom. Pure: the clock and what was measured are arguments.
//!
//! A camera whose bitrate is changed live ([`super::Governor`]) takes only those steps that its bitrate cannot.

#[cfg(test)]
mod tests;

use super::correction::Correction;
use super::delivery::{Delivery, TRICKLE};
use super::{Reading, USED, bits, whole};
use pistream_agent::Governed;
use std::time::{Duration, Instant};

/// A restart costs a second of video: so late it has to be before there is one. Seconds, besides the round trip.
const PILED: f64 = 1.0;
/// A new connection's first video comes in a rush; before that has passed, nothing is judged.
const SETTLES: Duration = Duration::from_secs(3);
/// So long nothing may have waited before a step up is tried.
const CALM: Duration = Duration::from_secs(30);
/// After a step up that did not hold so long, the next one waits twice as long as this one did, up to [`CALMEST`].
const HOLDS: Duration = Duration::from_secs(60);
const CALMEST: Duration = Duration::from_secs(15 * 60);
/// A queue that is shorter than this is clear. Seconds of video.
const CLEAR: f64 = 0.2;
/// What was sent before a step must have arrived before the server gives the stream's name to a new connection; longer than
/// this nobody waits for it.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
const SHORTEST_PAUSE: Duration = Duration::from_millis(300);
/// What the Pi's encoder rounds to. Bits per second.
const STEP: f64 = 25_000.0;

/// A restart on another rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::supervise) struct Step {
    /// Which of the rungs, from 0.
    pub(in crate::supervise) to: usize,
    /// For so long nothing is to be started after the end of the run.
    pub(in crate::supervise) pause: Duration,
}

/// Lives as long as the supervisor.
#[derive(Debug)]
pub(in crate::supervise) struct Ladder {
    /// What each rung needs at least, bits per second; the first is what the inventory asks for.
    needs: Vec<u32>,
    /// Where what is needed is what the encoder is told at its start.
    correction: Option<Correction>,
    at: usize,
    steps: u64,
    delivery: Delivery,
    started: Option<Instant>,
    clear_since: Option<Instant>,
    raised: Option<Instant>,
    calm: Duration,
    /// The last step up did not hold.
    fell: bool,
    waiting: u64,
    why: String,
}

impl Ladder {
    /// `told`: the encoder is told at its start what a rung needs.
    pub(in crate::supervise) fn new(needs: Vec<u32>, told: bool) -> Ladder {
        Ladder {
            needs,
            correction: told.then(Correction::default),
            at: 0,
            steps: 0,
            delivery: Delivery::default(),
            started: None,
            clear_since: None,
            raised: None,
            calm: CALM,
            fell: false,
            waiting: 0,
            why: super::ASKED.to_owned(),
        }
    }

    pub(in crate::supervise) fn needs(&self) -> &[u32] {
        &self.needs
    }

    /// Whether it is the ladder of such rungs.
    pub(in crate::supervise) fn is_of(&self, needs: &[u32], told: bool) -> bool {
        self.needs == needs && self.correction.is_some() == told
    }

    pub(in crate::supervise) fn at(&self) -> usize {
        self.at
    }

    /// What the encoder is to be told on the present rung, for what it needs to come of it.
    pub(in crate::supervise) fn setting(&self) -> Option<u32> {
        self.setting_by(self.correction.as_ref()?.factor())
    }

    /// The nearest that the encoder knows, and never less than on the last rung.
    fn setting_by(&self, factor: f64) -> Option<u32> {
        let (asked, lowest) = (*self.needs.get(self.at)?, *self.needs.last()?);
        let nearest = whole((f64::from(asked) * factor / STEP).round() * STEP);
        Some(nearest.clamp(lowest.min(asked), asked))
    }

    /// How often it came to a restart.
    pub(in crate::supervise) fn steps(&self) -> u64 {
        self.steps
    }

    pub(in crate::supervise) fn told(&self) -> Governed {
        Governed {
            target: self.needs.get(self.at).copied().unwrap_or_default(),
            backlog: self.waiting,
            why: self.why.clone(),
            steps: self.steps,
        }
    }

    /// A new ffmpeg starts, on the present rung.
    pub(in crate::supervise) fn begin(&mut self) {
        self.delivery = Delivery::default();
        (self.started, self.clear_since, self.waiting) = (None, None, 0);
        if let Some(correction) = &mut self.correction {
            correction.restart();
        }
    }

    /// Takes in a reading. `Some` when another rung is to be tried: it is taken to be tried then.
    pub(in crate::supervise) fn take(&mut self, now: Instant, reading: Reading) -> Option<Step> {
        self.delivery.take(now, reading);
        self.waiting = reading.waiting;
        let needed = f64::from(*self.needs.get(self.at)?);
        let started = *self.started.get_or_insert(now);
        let clear = self
            .delivery
            .least_waiting()
            .is_some_and(|least| bits(least) < CLEAR * needed);
        match clear {
            true => _ = self.clear_since.get_or_insert(now),
            false => self.clear_since = None,
        }
        if now.duration_since(started) < SETTLES {
            return None;
        }
        let short = self.delivery.falls_short(reading, needed, PILED);
        let carried = short.or_else(|| self.delivery.stands(PILED));
        // a way that is cut is none that carries less: the watchdog's business
        if let Some(carried) = carried.filter(|carried| *carried > TRICKLE) {
            return self.down(now, carried);
        }
        let calm = self
            .clear_since
            .is_some_and(|since| now.duration_since(since) >= self.calm);
        match calm && self.at > 0 {
            true => Some(self.up(now)),
            false => self.correct(reading, clear, needed),
        }
    }

    /// Anew on the same rung where the encoder has for long made more than it was told. Only where the network takes all that
    /// is made, since else ffmpeg is slowed down and what it writes is not what the encoder makes; and not on the last rung,
    /// below which nothing is told.
    fn correct(&mut self, reading: Reading, clear: bool, asked: f64) -> Option<Step> {
        let before = self.setting()?;
        let correction = self.correction.as_mut()?;
        if !clear || self.at + 1 == self.needs.len() {
            correction.restart();
            return None;
        }
        let (factor, made) = correction.take(reading.written_at, reading.written, asked, f64::from(before))?;
        let setting = self.setting_by(factor).filter(|setting| *setting != before)?;
        self.correction.as_mut()?.adopt(factor);
        self.why = format!(
            "the encoder makes {} kbit/s of {}: set to {}",
            whole(made / 1e3),
            before / 1000,
            setting / 1000
        );
        Some(self.step(self.at, SHORTEST_PAUSE))
    }

    /// To the first rung that leaves room, or the last; nowhere from the last.
    fn down(&mut self, now: Instant, carried: f64) -> Option<Step> {
        let below = self.needs.iter().enumerate().skip(self.at + 1);
        let fits = below.clone().find(|(_, needs)| f64::from(**needs) <= carried * USED);
        let to = fits.or(below.last())?.0;
        self.fell = self.raised.is_some_and(|raised| now.duration_since(raised) < HOLDS);
        if self.fell {
            self.calm = (self.calm * 2).min(CALMEST);
        }
        self.why = super::narrower(carried);
        let rest = Duration::try_from_secs_f64(bits(self.waiting) / carried).unwrap_or(LONGEST_PAUSE);
        let pause = (rest + SHORTEST_PAUSE).min(LONGEST_PAUSE);
        Some(self.step(to, pause))
    }

    fn up(&mut self, now: Instant) -> Step {
        if !self.fell {
            self.calm = CALM;
        }
        self.raised = Some(now);
        self.why = match self.at {
            1 => super::ASKED.to_owned(),
            _ => super::RAISED.to_owned(),
        };
        self.step(self.at.saturating_sub(1), SHORTEST_PAUSE)
    }

    fn step(&mut self, to: usize, pause: Duration) -> Step {
        (self.at, self.steps) = (to, self.steps + 1);
        Step { to, pause }
    }
}
