//! What gets through to the server, and whether it keeps up. Pure.

use super::{Reading, bits};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The rate that gets through is taken over so long: shorter than this a keyframe distorts it.
const RATE_OVER: Duration = Duration::from_millis(2500);
/// While the link has something to carry all the time, so much of it is enough to know its rate.
const LINK_OVER: Duration = Duration::from_millis(120);
/// A queue that is longer than so long ago grows: at ten frames a second there was one in between.
const FRAMES: Duration = Duration::from_millis(95);
/// Nothing at all acknowledged is a hiccup of a radio link, until it lasts longer than this.
const HICCUP: Duration = Duration::from_millis(600);
/// "Never empty" means: not within so long.
const LEAST_OVER: Duration = Duration::from_secs(1);
/// Less than this is no growth, and may be acknowledged late: two packets. Bytes.
const NOISE: u64 = 2 * 1460;
/// The link shows less than this share of what is needed: it has become narrower.
const NARROW: f64 = 0.9;
/// Less than this is as good as nothing. Bits per second.
pub(super) const TRICKLE: f64 = 25_000.0;
/// More than the windows hold at twenty readings a second.
const MOST: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Delivery {
    /// When and what waited.
    queue: VecDeque<(Instant, u64)>,
    counts: VecDeque<Count>,
}

/// Bytes since ffmpeg connected.
#[derive(Debug, Clone, Copy)]
struct Count {
    at: Instant,
    acknowledged: u64,
    written: u64,
}

impl Count {
    fn waiting(&self) -> u64 {
        self.written.saturating_sub(self.acknowledged)
    }
}

impl Delivery {
    /// Takes in a reading; whether more waits than at the last one.
    pub(super) fn take(&mut self, now: Instant, reading: Reading) -> bool {
        let rose = self
            .queue
            .back()
            .is_some_and(|&(_, before)| reading.waiting > before.saturating_add(NOISE));
        keep(&mut self.queue, now, LEAST_OVER, |&(at, _)| at);
        self.queue.push_back((now, reading.waiting));
        let count = match reading.arrived {
            Some(arrived) => Count {
                at: now,
                acknowledged: arrived.bytes,
                written: arrived.bytes.saturating_add(reading.waiting),
            },
            // what was written is known twice a second only; what has been written since is not counted
            None => Count {
                at: reading.written_at,
                acknowledged: reading.written.saturating_sub(reading.waiting),
                written: reading.written,
            },
        };
        if self.counts.back().is_none_or(|last| count.at > last.at) {
            keep(&mut self.counts, count.at, RATE_OVER, |count| count.at);
            self.counts.push_back(count);
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
        self.counts.clear();
    }

    /// Bits per second that were acknowledged lately, once that is known.
    fn carried(&self) -> Option<f64> {
        let (start, end) = (self.counts.front()?, self.counts.back()?);
        (end.at.duration_since(start.at).as_secs_f64() >= 0.9).then(|| rate(start, end))
    }

    /// What the link carries, if that has become less than `needed` bits per second and what waits piles up to more than
    /// `late` seconds of it, besides the round trip. Only where the kernel tells what was acknowledged.
    pub(super) fn falls_short(&self, reading: Reading, needed: f64, late: f64) -> Option<f64> {
        let round_trip = reading.arrived?.round_trip;
        let link = self.narrow_link(round_trip)?;
        let waits = bits(reading.waiting) / link.max(TRICKLE) - round_trip.as_secs_f64();
        (waits > late && link < needed * NARROW).then_some(link)
    }

    /// What has been carried lately, if within the last second there was always more than `late` seconds of it waiting.
    pub(super) fn stands(&self, late: f64) -> Option<f64> {
        let carried = self.carried()?;
        let standing = bits(self.least_waiting()?);
        (standing > late * carried.max(TRICKLE)).then_some(carried)
    }

    /// Bits per second that the link carries at this moment, while more and more waits for it. Only while it has something
    /// to carry all the time, since otherwise it does not show what it could; to be asked only where the kernel tells what
    /// was acknowledged.
    fn narrow_link(&self, round_trip: Duration) -> Option<f64> {
        let now = self.counts.back()?;
        let latest = |holds: &dyn Fn(&Count) -> bool| self.counts.iter().rev().find(|count| holds(count));
        let older = |count: &Count, than: Instant, by: Duration| {
            than.checked_duration_since(count.at).is_some_and(|age| age >= by)
        };
        // the moment of the last acknowledgement: silence after it says how long it lasts, and no more
        let heard = self
            .counts
            .iter()
            .find(|count| count.acknowledged == now.acknowledged)?;
        if older(heard, now.at, HICCUP) {
            let all_along = latest(&|count| older(count, now.at, HICCUP + round_trip))?.written;
            return (all_along > now.acknowledged).then_some(0.0);
        }
        // two acknowledgements make a rate
        let one = latest(&|count| count.acknowledged < heard.acknowledged)?.acknowledged;
        let start = latest(&|count| older(count, heard.at, LINK_OVER) && count.acknowledged < one)?;
        // of what was written so early that it could have been acknowledged before the start, something still is not
        let early = latest(&|count| older(count, start.at, round_trip))?.written;
        let busy = early > heard.acknowledged.saturating_add(NOISE);
        let grows = latest(&|count| older(count, now.at, FRAMES))?.waiting() < now.waiting();
        (busy && grows).then(|| rate(start, heard))
    }
}

/// Bits per second that were acknowledged between two counts.
fn rate(start: &Count, end: &Count) -> f64 {
    let bytes = end.acknowledged.saturating_sub(start.acknowledged);
    bits(bytes) / end.at.duration_since(start.at).as_secs_f64()
}

/// Drops what is older than the window, but for the one entry it is measured from.
fn keep<T>(entries: &mut VecDeque<T>, now: Instant, window: Duration, at: impl Fn(&T) -> Instant) {
    while entries.len() >= MOST
        || entries
            .get(1)
            .is_some_and(|entry| now.saturating_duration_since(at(entry)) >= window)
    {
        entries.pop_front();
    }
}
