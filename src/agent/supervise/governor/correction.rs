//! By how much an encoder that is told its bitrate at its start makes more than that, and the factor that undoes it. Pure.
//!
//! Each correction is a restart, so there are few: what is too much must be so for long, which no change of the scene is.
//! Where less than what is asked for is made for an hour, it was a scene after all, and the factor goes.

use super::bits;
use std::time::{Duration, Instant};

/// A rate is judged over so long: several keyframes.
const OVER: Duration = Duration::from_secs(10);
/// So many such rates in a row must be too high.
const IN_A_ROW: u32 = 4;
/// Too much is more than this share of what is asked for; too little, where it was corrected, is less than that one.
const TOO_MUCH: f64 = 1.1;
const TOO_LITTLE: f64 = 0.9;
/// So many rates in a row must be too low before the factor goes: an hour.
const UNDONE_AFTER: u32 = 360;
/// After so many corrections it is left as it is, until the factor goes.
const MOST: u32 = 3;
/// No encoder is known to make more than half too much (raspberrypi/firmware#850); twice is the end of belief.
const SMALLEST: f64 = 0.5;

#[derive(Debug)]
pub(super) struct Correction {
    factor: f64,
    times: u32,
    /// Where the present measurement starts.
    since: Option<(Instant, u64)>,
    /// Rates in a row that were too high, and their sum; rates in a row that were too low.
    high: (u32, f64),
    low: u32,
}

impl Default for Correction {
    fn default() -> Correction {
        Correction {
            factor: 1.0,
            times: 0,
            since: None,
            high: (0, 0.0),
            low: 0,
        }
    }
}

impl Correction {
    /// What the bitrate asked for is to be multiplied by.
    pub(super) fn factor(&self) -> f64 {
        self.factor
    }

    /// A new encoder starts, or the network slows this one down: what was measured before says nothing.
    pub(super) fn restart(&mut self) {
        (self.since, self.high, self.low) = (None, (0, 0.0), 0);
    }

    /// `written` bytes had been made at `at`, at which they should be `asked` bits per second, and the encoder was told
    /// `told`. `Some` when there is reason for another factor: that, and the bits per second that are made.
    pub(super) fn take(&mut self, at: Instant, written: u64, asked: f64, told: f64) -> Option<(f64, f64)> {
        let Some((start, before)) = self.since else {
            self.since = Some((at, written));
            return None;
        };
        let elapsed = at.saturating_duration_since(start);
        if elapsed < OVER {
            return None;
        }
        self.since = Some((at, written));
        let made = bits(written.saturating_sub(before)) / elapsed.as_secs_f64();
        self.high = match made > asked * TOO_MUCH {
            true => (self.high.0 + 1, self.high.1 + made),
            false => (0, 0.0),
        };
        self.low = match self.factor < 1.0 && made < asked * TOO_LITTLE {
            true => self.low + 1,
            false => 0,
        };
        if self.low >= UNDONE_AFTER {
            return Some((1.0, made));
        }
        let (rates, sum) = self.high;
        if rates < IN_A_ROW {
            return None;
        }
        self.high = (0, 0.0);
        let made = sum / f64::from(rates);
        (self.times < MOST).then(|| ((told / made).clamp(SMALLEST, 1.0), made))
    }

    /// This factor is used from now on.
    pub(super) fn adopt(&mut self, factor: f64) {
        self.times = if factor < 1.0 { self.times + 1 } else { 0 };
        self.factor = factor;
        self.restart();
    }
}
