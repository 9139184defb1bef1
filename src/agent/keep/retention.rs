//! Which chunks have to go: those that are too old, then the oldest until the rest takes no more than it may, then the oldest
//! until enough of the disk is free, but for the newest hours: who fills the disk with something else stops the recordings
//! and does not eat them. Pure: sees neither disk nor clock.

use crate::archive::Chunk;
use pistream_agent::{Amount, KeepConfig};
use std::fmt;
use std::time::Duration;

/// The filesystem the recordings lie on. Bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Disk {
    pub(super) total: u64,
    /// What pistream's user may still write.
    pub(super) free: u64,
}

impl Disk {
    fn of(self, amount: Amount) -> u64 {
        match amount {
            Amount::Bytes(bytes) => bytes,
            Amount::Percent(percent) => self.total / 100 * u64::from(percent),
        }
    }

    /// What must stay free. Not more than half the disk, else nothing could ever be kept on a small one.
    fn floor(self, keep_free: Amount) -> u64 {
        self.of(keep_free).min(self.total / 2)
    }
}

/// A chunk, and whether it must stay for now: it is being written or read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held<'a> {
    pub(super) chunk: &'a Chunk,
    pub(super) busy: bool,
}

/// Why a chunk goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Age,
    StreamAtMost,
    AtMost,
    KeepFree,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Why::Age => "it is older than `keep`",
            Why::StreamAtMost => "its camera's recordings take more than `at_most`",
            Why::AtMost => "all recordings take more than `at_most`",
            Why::KeepFree => "less than `keep_free` of the disk is free",
        })
    }
}

/// A clock that is so far after the last recording may be wrong. Seconds.
const DOUBTFUL: u64 = 24 * 3600;
/// But not for ever: within this time something sets it, or nothing will.
const SET_WITHIN: Duration = Duration::from_secs(6 * 3600);

/// Whether ages mean something: a clock that is years ahead when the host boots would cost everything that is there. `newest`:
/// when the last recording was written before the keeper was started, so long ago. Seconds since 1970.
pub(super) fn ages_count(newest: u64, now: u64, running: Duration) -> bool {
    now <= newest.saturating_add(DOUBTFUL) || running >= SET_WITHIN
}

/// The positions of the chunks that go, and why; `by_age`: also those that are merely old. `chunks` by time, oldest first; `now`
/// in seconds since 1970.
pub(super) fn doomed(
    chunks: &[Held<'_>],
    config: &KeepConfig,
    disk: Disk,
    now: u64,
    by_age: bool,
) -> Vec<(usize, Why)> {
    let mut pass = Pass {
        chunks,
        gone: vec![None; chunks.len()],
    };
    let limits = |stream: &str| config.streams.iter().find(|s| s.name == stream);
    let keep = |stream: &str| limits(stream).and_then(|s| s.keep).unwrap_or(config.keep);
    for (held, gone) in chunks.iter().zip(&mut pass.gone) {
        let chunk = held.chunk;
        if by_age && !held.busy && chunk.modified.saturating_add(keep(&chunk.stream)) < now {
            *gone = Some(Why::Age);
        }
    }
    for stream in &config.streams {
        if let Some(at_most) = stream.at_most {
            pass.shrink(|c| c.stream == stream.name, disk.of(at_most), Why::StreamAtMost);
        }
    }
    pass.shrink(|_| true, disk.of(config.at_most), Why::AtMost);
    // what goes already is free soon
    let free = disk.free.saturating_add(pass.freed());
    let missing = disk.floor(config.keep_free).saturating_sub(free);
    if missing > 0 {
        let old = |c: &Chunk| c.modified.saturating_add(config.keep_at_least) < now;
        let rest = pass.total(old);
        pass.shrink(old, rest.saturating_sub(missing), Why::KeepFree);
    }
    let gone = pass.gone.into_iter().enumerate();
    gone.filter_map(|(at, why)| why.map(|why| (at, why))).collect()
}

struct Pass<'a> {
    chunks: &'a [Held<'a>],
    gone: Vec<Option<Why>>,
}

impl Pass<'_> {
    /// What is left of them. Bytes.
    fn total(&self, of: impl Fn(&Chunk) -> bool) -> u64 {
        let left = self.chunks.iter().zip(&self.gone).filter(|(_, gone)| gone.is_none());
        left.map(|(held, _)| held.chunk)
            .filter(|c| of(c))
            .map(|c| c.bytes)
            .sum()
    }

    fn freed(&self) -> u64 {
        let gone = self.chunks.iter().zip(&self.gone).filter(|(_, gone)| gone.is_some());
        gone.map(|(held, _)| held.chunk.bytes).sum()
    }

    /// The oldest go until the rest takes no more than `limit`.
    fn shrink(&mut self, of: impl Fn(&Chunk) -> bool, limit: u64, why: Why) {
        let mut total = self.total(&of);
        for (held, gone) in self.chunks.iter().zip(&mut self.gone) {
            if total <= limit {
                return;
            }
            if gone.is_none() && !held.busy && of(held.chunk) {
                *gone = Some(why);
                total -= held.chunk.bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pistream_agent::{Format, StreamLimits};

    const NOW: u64 = 1_000_000;
    const GOOD: Disk = Disk { total: 1000, free: 500 };

    fn config(keep: u64, at_most: Amount, keep_free: Amount) -> KeepConfig {
        let streams = ["porch", "garden"].map(|name| StreamLimits {
            name: name.to_owned(),
            ..StreamLimits::default()
        });
        KeepConfig {
            path: String::new(),
            index: String::new(),
            ffmpeg: String::new(),
            ffprobe: String::new(),
            control: String::new(),
            format: Format::Mp4,
            keep,
            at_most,
            keep_free,
            keep_at_least: 0,
            streams: streams.into(),
        }
    }

    fn lax() -> KeepConfig {
        config(NOW, Amount::Percent(100), Amount::Bytes(0))
    }

    /// Stream, age and bytes, oldest first.
    fn chunks(of: &[(&str, u64, u64)]) -> Vec<Chunk> {
        let chunk = |&(stream, age, bytes): &(&str, u64, u64)| Chunk {
            start: NOW - age - 10,
            stream: stream.to_owned(),
            path: std::path::PathBuf::new(),
            bytes,
            modified: NOW - age,
        };
        of.iter().map(chunk).collect()
    }

    fn go(chunks: &[Chunk], busy: &[usize], config: &KeepConfig, disk: Disk) -> Vec<(usize, Why)> {
        let held: Vec<Held<'_>> = chunks
            .iter()
            .enumerate()
            .map(|(at, chunk)| Held {
                chunk,
                busy: busy.contains(&at),
            })
            .collect();
        doomed(&held, config, disk, NOW, true)
    }

    #[test]
    fn nothing_goes_without_need() {
        let all = chunks(&[("porch", 900, 100), ("garden", 800, 100)]);
        assert_eq!(go(&all, &[], &lax(), GOOD), []);
    }

    #[test]
    fn the_old_ones_go_each_by_its_cameras_age() {
        let all = chunks(&[
            ("porch", 900, 10),
            ("garden", 800, 10),
            ("porch", 200, 10),
            ("cellar", 50, 10),
        ]);
        let mut config = config(500, Amount::Percent(100), Amount::Bytes(0));
        assert_eq!(go(&all, &[], &config, GOOD), [(0, Why::Age), (1, Why::Age)]);
        config.streams[0].keep = Some(100);
        config.streams[1].keep = Some(1000);
        assert_eq!(go(&all, &[], &config, GOOD), [(0, Why::Age), (2, Why::Age)]);
    }

    #[test]
    fn a_clock_far_ahead_at_boot_costs_nothing_until_it_is_set_or_has_had_its_time() {
        let (boot, hours) = (Duration::from_secs(5), Duration::from_secs(6 * 3600));
        let yesterday = NOW - 3600;
        assert!(ages_count(yesterday, NOW, boot));
        let ahead = NOW + 2 * 365 * 86_400;
        assert!(!ages_count(yesterday, ahead, boot));
        assert!(ages_count(yesterday, ahead, hours));
        let all = chunks(&[("porch", 900, 10), ("garden", 800, 10)]);
        let held: Vec<Held<'_>> = all.iter().map(|chunk| Held { chunk, busy: false }).collect();
        let mut config = config(500, Amount::Percent(100), Amount::Bytes(0));
        assert_eq!(doomed(&held, &config, GOOD, ahead, false), []);
        // there is still no room for what does not fit
        config.at_most = Amount::Bytes(10);
        assert_eq!(doomed(&held, &config, GOOD, ahead, false), [(0, Why::AtMost)]);
    }

    #[test]
    fn the_oldest_of_all_cameras_go_until_the_rest_fits() {
        let all = chunks(&[
            ("porch", 90, 100),
            ("garden", 80, 100),
            ("porch", 70, 100),
            ("garden", 60, 100),
        ]);
        let config = config(NOW, Amount::Bytes(250), Amount::Bytes(0));
        assert_eq!(go(&all, &[], &config, GOOD), [(0, Why::AtMost), (1, Why::AtMost)]);
        // what is being written stays, and counts
        assert_eq!(go(&all, &[0, 1, 2], &config, GOOD), [(3, Why::AtMost)]);
    }

    #[test]
    fn a_camera_with_a_share_of_its_own_pays_for_itself() {
        let all = chunks(&[("garden", 90, 100), ("porch", 80, 100), ("porch", 70, 100)]);
        let mut config = lax();
        config.streams[0].at_most = Some(Amount::Percent(15));
        assert_eq!(go(&all, &[], &config, GOOD), [(1, Why::StreamAtMost)]);
    }

    #[test]
    fn a_disk_that_others_fill_costs_the_oldest_but_no_more_than_needed() {
        let all = chunks(&[("porch", 90, 100), ("garden", 80, 100), ("porch", 70, 100)]);
        let config = config(NOW, Amount::Percent(100), Amount::Percent(30));
        let disk = |free| Disk { total: 1000, free };
        assert_eq!(go(&all, &[], &config, disk(300)), []);
        assert_eq!(go(&all, &[], &config, disk(299)), [(0, Why::KeepFree)]);
        assert_eq!(
            go(&all, &[], &config, disk(150)),
            [(0, Why::KeepFree), (1, Why::KeepFree)]
        );
        assert_eq!(
            go(&all, &[2], &config, disk(0)),
            [(0, Why::KeepFree), (1, Why::KeepFree)]
        );
    }

    #[test]
    fn a_disk_that_others_fill_does_not_cost_the_newest() {
        let all = chunks(&[("porch", 90, 100), ("garden", 80, 100), ("porch", 70, 100)]);
        let mut config = config(NOW, Amount::Percent(100), Amount::Percent(30));
        config.keep_at_least = 85;
        let full = Disk { total: 1000, free: 0 };
        assert_eq!(go(&all, &[], &config, full), [(0, Why::KeepFree)]);
        // what they themselves take is another matter
        config.at_most = Amount::Bytes(150);
        assert_eq!(go(&all, &[], &config, full), [(0, Why::AtMost), (1, Why::AtMost)]);
    }

    #[test]
    fn what_goes_for_age_counts_as_free() {
        let all = chunks(&[("porch", 900, 200), ("garden", 80, 100)]);
        let config = config(500, Amount::Percent(100), Amount::Percent(30));
        let disk = Disk { total: 1000, free: 100 };
        assert_eq!(go(&all, &[], &config, disk), [(0, Why::Age)]);
    }

    #[test]
    fn a_floor_as_large_as_the_disk_does_not_empty_it() {
        let all = chunks(&[("porch", 90, 100)]);
        let config = config(NOW, Amount::Percent(100), Amount::Bytes(1_000_000));
        assert_eq!(go(&all, &[], &config, GOOD), []);
    }
}
