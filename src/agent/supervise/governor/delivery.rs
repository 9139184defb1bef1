//! What gets through to the server, and whether it keeps up. Pure.

use super::{Reading, bits};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The rate that gets through is taken over so long: shorter than this a keyframe distorts it.
const RATE_OVER: Duration = Duration::from_millis(2500);
/// "Never empty" means: not within so long.
const LEAST_OVER: Duration = Duration::from_secs(1);
/// Less than this is no growth: two packets. Bytes.
const NOISE: u64 = 2 * 1460;
/// More than the windows hold at four readings a second.
const MOST: usize = 32;

#[derive(Debug, Default)]
pub(super) struct Delivery {
    /// When and what waited.
    queue: VecDeque<(Instant, u64)>,
    /// When ffmpeg told what it had written, and how much of that had been acknowledged.
    acknowledged: VecDeque<(Instant, u64)>,
}

impl Delivery {
    /// Takes in a reading; whether more waits than at the last one.
    pub(super) fn take(&mut self, now: Instant, reading: Reading) -> bool {
        let rose = self
            .queue
            .back()
            .is_some_and(|&(_, before)| reading.waiting > before.saturating_add(NOISE));
        keep(&mut self.queue, now, LEAST_OVER);
        self.queue.push_back((now, reading.waiting));
        // what was written is known twice a second only; what has been written since is not counted
        let news = self.acknowledged.back().is_none_or(|&(at, _)| reading.written_at > at);
        if news {
            keep(&mut self.acknowledged, reading.written_at, RATE_OVER);
            let acknowledged = reading.written.saturating_sub(reading.waiting);
            self.acknowledged.push_back((reading.written_at, acknowledged));
        }
        rose
    }

    /// The least that waited within the last second, once a second has been seen.
    pub(super) fn least_waiting(&self) -> Option<u64> {
        let (&(first, _), &(last, _)) = (self.queue.front()?, self.queue.back()?);
        let least = self.queue.iter().map(|&(_, waiting)| waiting).min();
        least.filter(|_| last.duration_since(first) >= LEAST_OVER)
    }

    /// The link has changed: what it carried before says nothing.
    pub(super) fn forget_rate(&mut self) {
        self.acknowledged.clear();
    }

    /// Bits per second that were acknowledged lately, once that is known.
    pub(super) fn carried(&self) -> Option<f64> {
        let (&(start, first), &(end, last)) = (self.acknowledged.front()?, self.acknowledged.back()?);
        let seconds = end.duration_since(start).as_secs_f64();
        (seconds >= 0.9).then(|| bits(last.saturating_sub(first)) / seconds)
    }
}

/// Drops what is older than the window, but for the one entry it is measured from.
fn keep(entries: &mut VecDeque<(Instant, u64)>, now: Instant, window: Duration) {
    while entries.len() >= MOST
        || entries
            .get(1)
            .is_some_and(|&(at, _)| now.saturating_duration_since(at) >= window)
    {
        entries.pop_front();
    }
}
