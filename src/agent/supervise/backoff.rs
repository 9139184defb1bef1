//! How long to wait before ffmpeg is started again. Pure: time and chance come in as arguments.

use pistream_agent::Cause;
use std::time::Duration;

/// A run that streamed so long is followed by a restart at once: whatever ended it is new.
const WORTH_AN_INSTANT_RESTART: Duration = Duration::from_secs(10);
/// A run that streamed so long wipes out the memory of earlier failures.
const HEALTHY: Duration = Duration::from_secs(30);
/// The longest instant restart. Not zero, so that a fleet cut off together does not come back in one instant.
const INSTANT: Duration = Duration::from_millis(250);
const FIRST: Duration = Duration::from_millis(250);
/// However the dice fall, a camera that fails at once does not spin.
const SHORTEST: Duration = Duration::from_millis(50);

/// So long at most is a camera dark after whatever kept it from streaming has ended, but for the start itself.
fn longest(cause: Option<Cause>) -> Duration {
    match cause {
        // one packet asks, or one handshake: three hundred cameras together knock six hundred times a second at most. A
        // name is waited for, too: the server gives a dead session's back after eight seconds (`drop_idle_publisher`), and a
        // clock, by which it is this host that breaks off the handshake
        Some(Cause::Network | Cause::Unresolved | Cause::NotListening | Cause::NameTaken | Cause::Clock) => {
            Duration::from_secs(1)
        }
        // a camera that fails is opened and configured anew, which disturbs nobody
        Some(Cause::Camera) => Duration::from_secs(2),
        // a server that says no writes a line about it, and whether a pipeline can run is found out by encoding
        _ => Duration::from_secs(4),
    }
}

/// Exponential back-off with full jitter.
#[derive(Debug, Default)]
pub(super) struct BackOff {
    /// Runs that failed before they had streamed for [`WORTH_AN_INSTANT_RESTART`], one after another.
    failures: u32,
}

impl BackOff {
    /// The pause after a run that streamed for `streamed` and broke by this cause, or after none could be started at all;
    /// `chance` is a random number in 0..1.
    pub(super) fn after(&mut self, streamed: Duration, cause: Option<Cause>, chance: f64) -> Duration {
        if streamed >= HEALTHY {
            self.failures = 0;
        }
        if streamed >= WORTH_AN_INSTANT_RESTART {
            return INSTANT.mul_f64(chance.clamp(0.0, 1.0)).max(SHORTEST);
        }
        let ceiling = ceiling(self.failures).min(longest(cause));
        self.failures = self.failures.saturating_add(1);
        ceiling.mul_f64(chance.clamp(0.0, 1.0)).max(SHORTEST)
    }
}

/// The longest pause after so many failures before this one: 0.25 s, 0.5 s, 1 s …
fn ceiling(failures: u32) -> Duration {
    FIRST.saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: Duration = Duration::ZERO;

    fn pauses(cause: Option<Cause>) -> Vec<u128> {
        let mut back_off = BackOff::default();
        (0..7).map(|_| back_off.after(NEVER, cause, 1.0).as_millis()).collect()
    }

    #[test]
    fn grows_twofold_from_a_quarter_second_to_what_asking_again_is_worth() {
        assert_eq!(
            pauses(Some(Cause::ServerRefused)),
            [250, 500, 1000, 2000, 4000, 4000, 4000]
        );
        assert_eq!(pauses(None), pauses(Some(Cause::ServerRefused)));
        assert_eq!(pauses(Some(Cause::Camera)), [250, 500, 1000, 2000, 2000, 2000, 2000]);
        assert_eq!(pauses(Some(Cause::NameTaken)), [250, 500, 1000, 1000, 1000, 1000, 1000]);
    }

    #[test]
    fn jitter_is_full_but_never_a_spin() {
        let mut back_off = BackOff { failures: 4 };
        assert_eq!(back_off.after(NEVER, None, 0.5), Duration::from_secs(2));
        assert_eq!(back_off.after(NEVER, None, 0.0), SHORTEST);
    }

    #[test]
    fn a_run_of_ten_seconds_restarts_at_once_without_forgetting() {
        let mut back_off = BackOff { failures: 3 };
        assert!(back_off.after(Duration::from_secs(10), None, 1.0) <= Duration::from_millis(250));
        assert_eq!(back_off.after(NEVER, None, 1.0), Duration::from_secs(2));
    }

    #[test]
    fn a_run_of_half_a_minute_forgets() {
        let mut back_off = BackOff { failures: 9 };
        assert!(back_off.after(Duration::from_secs(30), None, 1.0) <= Duration::from_millis(250));
        assert_eq!(back_off.after(NEVER, None, 1.0), Duration::from_millis(250));
    }

    #[test]
    fn a_very_long_row_of_failures_does_not_overflow() {
        let mut back_off = BackOff { failures: u32::MAX };
        assert_eq!(back_off.after(NEVER, None, 1.0), longest(None));
    }
}
