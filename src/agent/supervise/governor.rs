//! Which bitrate the encoder is to be set to, so that what it makes gets through to the server in time. Pure: the clock
//! and what was measured are arguments; nobody is asked and nothing is set here.
//!
//! ```text
//! bytes waiting to be sent, bytes written ─► delivery ─► target ─► overshoot ─► setting
//!                                             (carried)   what shall flow    what the driver is told
//! ```
//!
//! The *target* moves between the inventory's bounds: down at once when the send queue grows, up slowly when it is clear.
//! The *setting* is what the driver must be told for the target to come out of it: encoders make up to half more than
//! they are set to, and stick to it (raspberrypi/firmware#850).

mod correction;
mod delivery;
mod ladder;
mod overshoot;
#[cfg(test)]
mod tests;

use super::sendqueue::Arrived;
use delivery::Delivery;
pub(super) use ladder::{Ladder, Step};
use overshoot::Overshoot;
use pistream_agent::{Bounds, Governed};
use std::time::{Duration, Instant};

/// A queue that holds less than this of the video is what sending in bursts looks like. Seconds at the target.
const CLEAR: f64 = 0.1;
/// So much more after each of [`RISES`] readings in a row is no burst any more. Seconds at the target.
const GROWING: f64 = 0.2;
const RISES: u32 = 2;
/// A queue that never falls below this is old video. Seconds at the rate that gets through.
const STANDING: f64 = 0.5;
/// Of what gets through, so much is used: the rest empties the queue, and carries the headers of TCP and IP (4 %).
const USED: f64 = 0.8;
/// A queue of more than this empties faster, with less of what gets through. Seconds, and the share.
const LATE: f64 = 1.0;
const USED_WHEN_LATE: f64 = 0.5;
/// A lowered bitrate shows in the queue only after what was made before has left.
const SETTLES: Duration = Duration::from_millis(1500);
/// So long a clear queue before the bitrate is raised after it had to be lowered, and between two raises after that.
const CALM: Duration = Duration::from_secs(5);
const BETWEEN_RAISES: Duration = Duration::from_secs(2);
/// What waits and needs longer than this at the link's present rate, besides the round trip, piles up. Seconds.
const PILED: f64 = 0.5;
/// No statistics of ffmpeg's for so long while bytes wait: it hangs in the middle of sending.
const BLOCKED: Duration = Duration::from_secs(1);

/// A driver that refused a bitrate is not asked again for so long.
const TRIED_AGAIN: Duration = Duration::from_secs(5);

/// What was measured at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// Bytes ffmpeg has written since it started, and when it said so.
    pub(super) written: u64,
    pub(super) written_at: Instant,
    /// Bytes sent or to be sent that the server has not acknowledged.
    pub(super) waiting: u64,
    /// What it has acknowledged, where the kernel tells.
    pub(super) arrived: Option<Arrived>,
}

/// Lives as long as the supervisor: a new ffmpeg finds the same uplink.
#[derive(Debug)]
pub(super) struct Governor {
    bounds: Bounds,
    /// Bits per second that shall flow.
    target: f64,
    /// What the driver was told last.
    setting: u32,
    /// When the driver last refused to be told.
    refused: Option<Instant>,
    why: String,
    waiting: u64,
    delivery: Delivery,
    overshoot: Overshoot,
    rises: u32,
    /// When it was last to be lowered, and what waited then.
    lowered: Option<Instant>,
    waited: u64,
    /// When the target was last moved, either way.
    moved: Option<Instant>,
    /// Raises since it was last lowered: the more succeeded, the bolder the next.
    raises: u32,
}

impl Governor {
    pub(super) fn new(bounds: Bounds) -> Governor {
        Governor {
            target: f64::from(bounds.highest),
            setting: bounds.highest,
            refused: None,
            why: ASKED.to_owned(),
            bounds,
            waiting: 0,
            delivery: Delivery::default(),
            overshoot: Overshoot::default(),
            rises: 0,
            lowered: None,
            waited: 0,
            moved: None,
            raises: 0,
        }
    }

    /// One that goes on within other bounds, from where this one is.
    pub(super) fn within(&self, bounds: Bounds) -> Governor {
        let mut next = Governor::new(bounds);
        next.target = self.target.clamp(f64::from(bounds.lowest), f64::from(bounds.highest));
        next.setting = next.step_nearest(next.target);
        next.why.clone_from(&self.why);
        next
    }

    pub(super) fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// What the driver is to be told now. Bits per second.
    pub(super) fn setting(&self) -> u32 {
        self.setting
    }

    pub(super) fn told(&self) -> Governed {
        Governed {
            target: whole(self.target),
            backlog: self.waiting,
            why: self.why.clone(),
            steps: 0,
        }
    }

    /// A new ffmpeg starts: what the last one wrote says nothing about it; what the uplink carries does.
    pub(super) fn begin(&mut self) {
        (self.delivery, self.waiting, self.rises) = (Delivery::default(), 0, 0);
        self.overshoot.restart();
    }

    /// Takes in a reading, to be made two to twenty times a second. `Some` when the driver is to be told another bitrate.
    pub(super) fn take(&mut self, now: Instant, reading: Reading) -> Option<u32> {
        let rose = self.delivery.take(now, reading);
        self.rises = if rose { self.rises + 1 } else { 0 };
        self.waiting = reading.waiting;
        self.steer(now, reading);
        let calm = self.is_clear();
        self.overshoot
            .take(reading.written_at, reading.written, self.target, calm);
        let setting = self.step_nearest(self.target * self.overshoot.factor());
        let refused = self.refused.is_some_and(|at| now.duration_since(at) < TRIED_AGAIN);
        (setting != self.setting && !refused).then_some(setting)
    }

    /// The driver took the setting.
    pub(super) fn set(&mut self, setting: u32) {
        (self.setting, self.refused) = (setting, None);
        self.overshoot.restart();
    }

    /// The driver did not take it; it is not asked again for a while.
    pub(super) fn refuse(&mut self, now: Instant, why: &str) {
        self.refused = Some(now);
        self.why = format!("the bitrate cannot be changed: {why}");
    }

    /// Moves the target, where there is a reason to.
    fn steer(&mut self, now: Instant, reading: Reading) {
        let since = |moment: Option<Instant>| moment.map_or(Duration::MAX, |then| now.duration_since(then));
        let settled = since(self.lowered) >= SETTLES;
        let queued = bits(reading.waiting) / self.target;
        let blocked = now.saturating_duration_since(reading.written_at) >= BLOCKED;
        if let Some(link) = self.delivery.falls_short(reading, self.target, PILED) {
            self.lower_to(now, link, reading.waiting);
            self.delivery.forget_rate();
        } else if reading.arrived.is_none() && queued > GROWING && (self.rises >= RISES || (blocked && settled)) {
            // nobody knows yet what gets through: halve for as long as the queue grows
            self.lower(now, self.target / 2.0, || {
                "lowered: the way to the server carries less than the camera makes".to_owned()
            });
            self.delivery.forget_rate();
        } else if let Some(carried) = self.delivery.stands(STANDING).filter(|_| settled) {
            self.lower_to(now, carried, self.delivery.least_waiting().unwrap_or(0));
        } else if self.is_clear() && since(self.lowered) >= CALM && since(self.moved) >= BETWEEN_RAISES {
            self.raise(now);
        }
    }

    /// The queue was empty, or nearly, within the last second.
    fn is_clear(&self) -> bool {
        let least = self.delivery.least_waiting();
        least.is_some_and(|bytes| bits(bytes) / self.target < CLEAR) && self.rises < RISES
    }

    /// To what leaves room for the queue to empty, of which so many bytes wait, where so many bits a second get through.
    fn lower_to(&mut self, now: Instant, carried: f64, waiting: u64) {
        let used = if bits(waiting) > LATE * carried {
            USED_WHEN_LATE
        } else {
            USED
        };
        // a queue that does not empty although it has room is fed by an encoder that makes too much
        let empties = self.waiting < self.waited;
        let most = if empties { self.target } else { self.target * 0.9 };
        self.lower(now, (carried * used).min(most), || narrower(carried));
    }

    fn lower(&mut self, now: Instant, wanted: f64, why: impl FnOnce() -> String) {
        let step = f64::from(self.bounds.step);
        let lowest = f64::from(self.bounds.lowest);
        let wanted = ((wanted / step).floor() * step).max(lowest);
        (self.lowered, self.waited, self.raises) = (Some(now), self.waiting, 0);
        if wanted < self.target {
            self.why = why();
            (self.target, self.moved) = (wanted, Some(now));
        }
    }

    /// By a step at first, by a quarter at most.
    fn raise(&mut self, now: Instant) {
        let (step, highest) = (f64::from(self.bounds.step), f64::from(self.bounds.highest));
        if self.target >= highest {
            return;
        }
        self.raises += 1;
        let bold = (f64::from(self.raises) * step).min(self.target / 4.0);
        self.target = (self.target + ((bold / step).floor() * step).max(step)).min(highest);
        self.moved = Some(now);
        self.why = if self.target < highest {
            RAISED.to_owned()
        } else {
            ASKED.to_owned()
        };
    }

    /// The nearest that the driver knows, within the bounds.
    fn step_nearest(&self, wanted: f64) -> u32 {
        let steps = (wanted / f64::from(self.bounds.step)).round();
        whole(steps * f64::from(self.bounds.step)).clamp(self.bounds.lowest, self.bounds.highest)
    }
}

const ASKED: &str = "as the inventory asks";
const RAISED: &str = "raised again: nothing waits to be sent";

fn narrower(carried: f64) -> String {
    let kilobits = whole(carried / 1e3);
    format!("lowered: the way to the server carries about {kilobits} kbit/s")
}

/// More bytes than 2^52 nobody counts here.
#[allow(clippy::cast_precision_loss)]
fn bits(bytes: u64) -> f64 {
    bytes as f64 * 8.0
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(bits_per_second: f64) -> u32 {
    // saturates: a float that is out of range or no number becomes a bound or 0
    bits_per_second.round() as u32
}
