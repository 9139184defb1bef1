//! When starting anew is not enough: the camera's device is to be reset, then the host to be booted anew, as far as the
//! configuration allows. Pure: says what is due, does nothing.

use super::cause;
use crate::recover::Remedy;
use pistream_agent::Cause;
use std::time::{Duration, Instant};

/// A run that streamed so long shows that the device works.
const WELL: Duration = Duration::from_secs(10);
/// The first failure may be a passing one.
const FAILURES_BEFORE_A_RESET: u32 = 2;
/// A reset takes seconds, and the run after it has to show what it was good for.
const BETWEEN_RESETS: Duration = Duration::from_secs(30);
/// Nothing has helped for so long: only then the host goes down with everything else that runs on it.
const DARK_BEFORE_A_REBOOT: Duration = Duration::from_secs(300);
/// How it is told that somebody else has the device: by the kernel (EBUSY), by rpicam-apps, by libcamera.
const IN_USE: [&str; 3] = ["busy", "failed to acquire camera", cause::capture::IN_USE];

#[derive(Debug)]
pub(super) struct Escalation {
    reset: bool,
    reboot: bool,
    /// Of the device, one after another.
    failures: u32,
    /// Since the first of them.
    since: Option<Instant>,
    /// When anything was last asked for.
    asked: Option<Instant>,
}

impl Escalation {
    /// With what the configuration allows.
    pub(super) fn new(reset: bool, reboot: bool) -> Escalation {
        Escalation {
            reset,
            reboot,
            failures: 0,
            since: None,
            asked: None,
        }
    }

    /// What is due after a run that streamed for `streamed` and broke like this.
    pub(super) fn after(&mut self, cause: Cause, message: &str, streamed: Duration, now: Instant) -> Option<Remedy> {
        if streamed >= WELL {
            (self.failures, self.since) = (0, None);
        }
        // who has the device in use elsewhere would be thrown out by a reset, and the kernel may not bear it; that somebody
        // has it shows that it works
        if IN_USE.iter().any(|words| message.contains(words)) {
            (self.failures, self.since) = (0, None);
            return None;
        }
        if !is_the_devices(cause) {
            return None;
        }
        self.failures = self.failures.saturating_add(1);
        let dark = now.duration_since(*self.since.get_or_insert(now));
        let rested = |pause| self.asked.is_none_or(|asked| now.duration_since(asked) >= pause);
        let remedy = if self.reboot && dark >= DARK_BEFORE_A_REBOOT && rested(BETWEEN_RESETS) {
            // should it be refused, it is asked for again after as long
            self.since = Some(now);
            Remedy::Reboot
        } else if self.reset && self.failures >= FAILURES_BEFORE_A_RESET && rested(BETWEEN_RESETS) {
            Remedy::Reset
        } else {
            return None;
        };
        self.asked = Some(now);
        Some(remedy)
    }

    /// Whether a host is to be booted anew whose camera has been dark for so long and is stuck in the kernel: who resets the
    /// device would be stuck with it.
    pub(super) fn is_reboot_due(&mut self, dark: Duration, now: Instant) -> bool {
        let last = self.asked.map_or(dark, |asked| now.duration_since(asked));
        let due = self.reboot && dark.min(last) >= DARK_BEFORE_A_REBOOT;
        if due {
            self.asked = Some(now);
        }
        due
    }
}

fn is_the_devices(cause: Cause) -> bool {
    matches!(cause, Cause::Camera | Cause::Encoder | Cause::Stalled)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: Duration = Duration::ZERO;

    fn all() -> Escalation {
        Escalation::new(true, true)
    }

    #[test]
    fn a_second_failure_is_worth_a_reset_and_five_dark_minutes_a_reboot() {
        let (mut escalation, start) = (all(), Instant::now());
        let mut after =
            |seconds| escalation.after(Cause::Stalled, "no frame", NEVER, start + Duration::from_secs(seconds));
        assert_eq!(after(0), None);
        assert_eq!(after(20), Some(Remedy::Reset));
        assert_eq!(after(40), None);
        assert_eq!(after(60), Some(Remedy::Reset));
        assert_eq!(after(300), Some(Remedy::Reboot));
        assert_eq!(after(320), None);
        assert_eq!(after(340), Some(Remedy::Reset));
        assert_eq!(after(600), Some(Remedy::Reboot));
    }

    #[test]
    fn a_device_that_worked_in_between_begins_from_the_start() {
        let (mut escalation, start) = (all(), Instant::now());
        let mut after = |seconds, streamed| {
            let at = start + Duration::from_secs(seconds);
            escalation.after(Cause::Camera, "failed", Duration::from_secs(streamed), at)
        };
        for minute in 0..20 {
            assert_eq!(after(minute * 60, 30), None);
        }
        assert_eq!(after(1201, 0), Some(Remedy::Reset));
    }

    #[test]
    fn nothing_that_is_not_allowed_or_could_not_help() {
        let start = Instant::now();
        let many = |mut escalation: Escalation, cause, message: &str| {
            let at = |minute: u64| start + Duration::from_secs(60 * minute);
            (0..20).any(|minute| escalation.after(cause, message, NEVER, at(minute)).is_some())
        };
        assert!(!many(Escalation::new(false, false), Cause::Stalled, "no frame"));
        assert!(!many(all(), Cause::Network, "lost"));
        for elsewhere in [
            "ioctl(VIDIOC_STREAMON): Device or resource busy",
            "rpicam-vid: ERROR: *** failed to acquire camera /base/soc/i2c0mux/i2c@1/imx219@10 ***",
            "rpicam-vid: [0:59:20.977] [3232]  INFO Camera camera.cpp:1021 Pipeline handler in use by another process",
        ] {
            assert!(!many(all(), Cause::Camera, elsewhere), "{elsewhere}");
        }
        assert!(many(all(), Cause::Encoder, "failed"));
    }

    #[test]
    fn what_is_stuck_in_the_kernel_is_worth_a_reboot_every_five_minutes() {
        let start = Instant::now();
        let due = |mut escalation: Escalation| {
            let minutes = 0..=12_u64;
            let asked = minutes.filter(move |minute| {
                let dark = Duration::from_secs(60 * minute);
                escalation.is_reboot_due(dark, start + dark)
            });
            asked.collect::<Vec<_>>()
        };
        assert_eq!(due(all()), [5, 10]);
        assert!(due(Escalation::new(true, false)).is_empty());
    }

    #[test]
    fn five_minutes_that_somebody_else_had_the_camera_are_not_dark() {
        let (mut escalation, start) = (all(), Instant::now());
        let mut after = |seconds, message| {
            let at = start + Duration::from_secs(seconds);
            escalation.after(Cause::Camera, message, NEVER, at)
        };
        assert_eq!(after(0, "failed to start camera"), None);
        assert_eq!(after(10, "failed to acquire camera"), None);
        assert_eq!(after(400, "failed to start camera"), None);
        assert_eq!(after(410, "failed to start camera"), Some(Remedy::Reset));
    }
}
