//! Frame rate and bitrate over the last seconds, from ffmpeg's statistics. Pure: the clock is an argument.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Rates are taken over so long.
const WINDOW: Duration = Duration::from_secs(5);
/// ffmpeg tells its statistics twice a second; silence longer than this counts as time without frames.
const LATE: Duration = Duration::from_millis(1500);
/// More than [`WINDOW`] holds at two a second; bounds memory if something prints faster.
const MOST: usize = 32;

/// What ffmpeg had produced at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) at: Instant,
    pub(super) frames: u64,
    pub(super) bytes: u64,
}

#[derive(Debug, Default)]
pub(super) struct Meter {
    samples: VecDeque<Sample>,
}

impl Meter {
    pub(super) fn add(&mut self, sample: Sample) {
        // one sample older than the window stays: the window is measured from it
        while self
            .samples
            .get(1)
            .is_some_and(|second| sample.at.duration_since(second.at) >= WINDOW)
            || self.samples.len() >= MOST
        {
            self.samples.pop_front();
        }
        self.samples.push_back(sample);
    }

    /// Frames per second and bits per second of what left the muxer, both 0 until two samples are there.
    pub(super) fn rates(&self, now: Instant) -> (f64, u64) {
        let (Some(first), Some(last)) = (self.samples.front(), self.samples.back()) else {
            return (0.0, 0);
        };
        let silent = now.saturating_duration_since(last.at);
        if silent > WINDOW {
            return (0.0, 0);
        }
        let end = if silent > LATE { now } else { last.at };
        let seconds = end.saturating_duration_since(first.at).as_secs_f64();
        if seconds < 0.1 {
            return (0.0, 0);
        }
        let frames = last.frames.saturating_sub(first.frames);
        let bits = last.bytes.saturating_sub(first.bytes).saturating_mul(8);
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss
        )]
        let rates = (frames as f64 / seconds, (bits as f64 / seconds) as u64);
        rates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(meter: &mut Meter, start: Instant, from: u64, to: u64) {
        for half in from..to {
            meter.add(Sample {
                at: start + Duration::from_millis(500 * half),
                frames: half * 15,
                bytes: half * 16_000,
            });
        }
    }

    #[test]
    fn thirty_frames_and_256_kbit_a_second() {
        let (mut meter, start) = (Meter::default(), Instant::now());
        run(&mut meter, start, 0, 60);
        let (fps, bitrate) = meter.rates(start + Duration::from_millis(500 * 59));
        assert!((fps - 30.0).abs() < 0.01, "{fps}");
        assert_eq!(bitrate, 256_000);
        assert!(meter.samples.len() <= 12, "{}", meter.samples.len());
    }

    #[test]
    fn a_stall_shows_as_falling_rates_and_then_zero() {
        let (mut meter, start) = (Meter::default(), Instant::now());
        run(&mut meter, start, 0, 60);
        let last = start + Duration::from_millis(500 * 59);
        let (fps, _) = meter.rates(last + Duration::from_secs(4));
        assert!(fps > 10.0 && fps < 20.0, "{fps}");
        assert_eq!(meter.rates(last + Duration::from_secs(6)), (0.0, 0));
    }

    #[test]
    fn nothing_is_no_rate() {
        let (mut meter, start) = (Meter::default(), Instant::now());
        assert_eq!(meter.rates(start), (0.0, 0));
        run(&mut meter, start, 0, 1);
        assert_eq!(meter.rates(start), (0.0, 0));
    }

    #[test]
    fn memory_stays_bounded() {
        let (mut meter, start) = (Meter::default(), Instant::now());
        for millisecond in 0..2000 {
            meter.add(Sample {
                at: start + Duration::from_millis(millisecond),
                frames: millisecond,
                bytes: 0,
            });
        }
        assert_eq!(meter.samples.len(), MOST);
    }
}
