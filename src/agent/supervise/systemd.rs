//! What systemd is told: readiness, the watchdog's beat, one line of status. Silent where there is no systemd.

use sd_notify::NotifyState;
use std::time::{Duration, Instant};

/// Rates change all the time; the status line does not have to.
const QUIET: Duration = Duration::from_secs(10);

pub(crate) struct Systemd {
    /// Half of what the unit's `WatchdogSec=` allows.
    beat_every: Option<Duration>,
    beaten: Instant,
    told: Instant,
    /// The part of the status line that is told at once when it changes.
    state: String,
    ready: bool,
    stopping: bool,
}

impl Systemd {
    pub(crate) fn new(now: Instant) -> Systemd {
        let beat_every = sd_notify::watchdog_enabled().map(|limit| limit / 2);
        Systemd {
            beat_every,
            beaten: now,
            told: now,
            state: String::new(),
            ready: false,
            stopping: false,
        }
    }

    /// However often it is called, systemd is told once.
    pub(crate) fn ready(&mut self) {
        if !std::mem::replace(&mut self.ready, true) {
            notify(&[NotifyState::Ready]);
        }
    }

    /// However often it is called, systemd is told once.
    pub(crate) fn stopping(&mut self) {
        if !std::mem::replace(&mut self.stopping, true) {
            notify(&[NotifyState::Stopping]);
        }
    }

    /// How long the main loop may sleep at most for the beat's sake.
    pub(crate) fn patience(&self) -> Duration {
        self.beat_every.map_or(Duration::MAX, |every| every / 2)
    }

    /// To be called from the main loop, and only from there: the beat proves that it lives.
    pub(crate) fn beat(&mut self, now: Instant) {
        if self
            .beat_every
            .is_some_and(|every| now.duration_since(self.beaten) + every / 2 >= every)
        {
            self.beaten = now;
            notify(&[NotifyState::Watchdog]);
        }
    }

    /// Tells `state` when it changed, and `detail` with it; an unchanged state's detail every ten seconds.
    pub(crate) fn tell(&mut self, now: Instant, state: &str, detail: &str) {
        if state != self.state || (!detail.is_empty() && now.duration_since(self.told) >= QUIET) {
            state.clone_into(&mut self.state);
            self.told = now;
            let separator = if detail.is_empty() { "" } else { ": " };
            // a newline would end the variable and begin another
            let line = format!("{state}{separator}{detail}").replace(['\n', '\r'], " ");
            notify(&[NotifyState::Status(&line)]);
        }
    }
}

/// A message that does not arrive is no reason to stop streaming: a missing beat has its own consequence.
fn notify(state: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(state);
}
