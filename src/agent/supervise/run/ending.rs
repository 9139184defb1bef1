//! How a run is brought to its end: TERM, TERM again, KILL, and never waited for blindly. Pure: says which signal is due, and when
//! none helps.

use pistream_agent::Cause;
use std::time::{Duration, Instant};

/// ffmpeg sits through a first TERM while its output is stuck, and ends at the second (FACTS: 200 s against at once).
const SECOND_TERM: Duration = Duration::from_secs(1);
/// Whoever is still there after this is killed.
pub(super) const KILL: Duration = Duration::from_secs(2);

/// Who is still there so long after is stuck in the kernel, where no signal arrives. A busy Pi needs a while to end a process.
const STUCK: Duration = Duration::from_secs(5);

/// Why a run is to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::supervise) enum Stop {
    /// The supervisor is to end.
    Asked,
    /// The watchdog: what stands still, and in words.
    Stalled(Cause, String),
    /// It is to begin again otherwise, so long after its end.
    Again(Duration),
    /// Of ffmpeg and its capture program one has ended: the other is to follow.
    Alone,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Told,
    ToldTwice,
    Killed,
    Stuck,
}

/// An end that has begun: the first TERM has been sent.
pub(super) struct Stopping {
    pub(super) why: Stop,
    since: Instant,
    stage: Stage,
}

impl Stopping {
    pub(super) fn since(now: Instant, why: Stop) -> Stopping {
        Stopping {
            why,
            since: now,
            stage: Stage::Told,
        }
    }

    /// That not even SIGKILL helped, once. Should it yet end, the next run begins at once.
    pub(super) fn gives_up(&mut self, now: Instant) -> bool {
        let due = self.stage == Stage::Killed && now.duration_since(self.since) >= KILL + STUCK;
        if due {
            self.stage = Stage::Stuck;
            self.why = Stop::Again(Duration::ZERO);
        }
        due
    }

    pub(super) fn is_stuck(&self) -> bool {
        self.stage == Stage::Stuck
    }

    /// The signal that is due now, each once.
    pub(super) fn due(&mut self, now: Instant) -> Option<libc::c_int> {
        let mut waited = now.duration_since(self.since);
        // what has stood still for seconds already is given half as long
        if matches!(self.why, Stop::Stalled(..)) {
            waited *= 2;
        }
        if waited >= KILL && self.stage < Stage::Killed {
            self.stage = Stage::Killed;
            Some(libc::SIGKILL)
        } else if waited >= SECOND_TERM && self.stage < Stage::ToldTwice {
            self.stage = Stage::ToldTwice;
            Some(libc::SIGTERM)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn term_again_after_a_second_kill_after_two_and_each_once() {
        let start = Instant::now();
        let mut stopping = Stopping::since(start, Stop::Alone);
        let mut due = |milliseconds| stopping.due(start + Duration::from_millis(milliseconds));
        assert_eq!(due(999), None);
        assert_eq!(due(1000), Some(libc::SIGTERM));
        assert_eq!(due(1500), None);
        assert_eq!(due(2000), Some(libc::SIGKILL));
        assert_eq!(due(60_000), None);
    }

    #[test]
    fn who_outlives_the_kill_by_seconds_is_stuck_which_is_told_once() {
        let start = Instant::now();
        let mut stopping = Stopping::since(start, Stop::Alone);
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(!stopping.gives_up(at(60)), "nobody was killed");
        assert_eq!(stopping.due(at(60)), Some(libc::SIGKILL));
        let mut stopping = Stopping::since(start, Stop::Alone);
        stopping.due(at(2));
        assert_eq!(
            [6, 7, 8].map(|seconds| stopping.gives_up(at(seconds))),
            [false, true, false]
        );
        assert!(stopping.is_stuck());
        assert_eq!(stopping.why, Stop::Again(Duration::ZERO));
    }

    #[test]
    fn what_stood_still_is_given_half_as_long() {
        let start = Instant::now();
        let mut stopping = Stopping::since(start, Stop::Stalled(Cause::Stalled, String::new()));
        let mut due = |milliseconds| stopping.due(start + Duration::from_millis(milliseconds));
        assert_eq!(
            [499, 500, 999, 1000].map(&mut due),
            [None, Some(libc::SIGTERM), None, Some(libc::SIGKILL)]
        );
    }
}
