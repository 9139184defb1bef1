//! By how much the encoder makes more than it is set to, and the factor that undoes it. Pure.
//!
//! Only downwards: a still picture needs less than the setting, and raising it then would flood the uplink at the first
//! motion.

use super::bits;
use std::time::{Duration, Instant};

/// A rate is judged over so long: several keyframes.
const OVER: Duration = Duration::from_secs(10);
/// A difference that is left alone.
const TOLERATED: f64 = 0.05;
/// No encoder is known to make more than half too much (FACTS: +50 %); twice is the end of belief.
const SMALLEST: f64 = 0.5;

#[derive(Debug)]
pub(super) struct Overshoot {
    factor: f64,
    /// Where the present measurement starts.
    since: Option<(Instant, u64)>,
}

impl Default for Overshoot {
    fn default() -> Overshoot {
        Overshoot {
            factor: 1.0,
            since: None,
        }
    }
}

impl Overshoot {
    /// What the target is to be multiplied by.
    pub(super) fn factor(&self) -> f64 {
        self.factor
    }

    /// The setting changed: what was measured before says nothing about it.
    pub(super) fn restart(&mut self) {
        self.since = None;
    }

    /// `written` bytes had been made at `at`; they should be `target` bits per second. Without `calm` the network slows
    /// ffmpeg down, and what it writes is not what the encoder makes.
    pub(super) fn take(&mut self, at: Instant, written: u64, target: f64, calm: bool) {
        let Some((start, before)) = self.since.filter(|_| calm) else {
            self.since = calm.then_some((at, written));
            return;
        };
        let elapsed = at.saturating_duration_since(start);
        if elapsed < OVER {
            return;
        }
        self.since = Some((at, written));
        let made = bits(written.saturating_sub(before)) / elapsed.as_secs_f64();
        if made > target * (1.0 + TOLERATED) || (self.factor < 1.0 && made < target * (1.0 - TOLERATED)) {
            // nothing made at all must not become an infinite factor
            self.factor = (self.factor * target / made.max(1.0)).clamp(SMALLEST, 1.0);
        }
    }
}
