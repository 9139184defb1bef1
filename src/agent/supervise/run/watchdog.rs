//! Whether a run still gets somewhere, and if not, what stands still: the camera, ffmpeg itself, or the network.

use super::Run;
use super::ending::KILL;
use pistream_agent::Cause;
use std::time::{Duration, Instant};

/// Connecting and probing come before the first frame.
const FIRST_FRAME: Duration = Duration::from_secs(10);
/// A process that is stopped by a signal does not go on by itself: it is given no longer, in case somebody wakes it at once.
const STOPPED: Duration = Duration::from_secs(3);

impl Run {
    /// A run that stands still for longer than the watchdog of this supervisor can have overlooked; one that nobody can end is
    /// not its fault.
    pub(in crate::supervise) fn is_overdue(&self, now: Instant) -> bool {
        self.dark(now) > self.stall_after + FIRST_FRAME + KILL * 2 && !self.is_stuck()
    }

    /// What has stood still for too long, if anything: the frames, or the bytes on their way.
    pub(super) fn stalled(&mut self, now: Instant) -> Option<(Cause, String)> {
        let waited = self.dark(now);
        let limit = if self.first_frame.is_some() {
            self.stall_after
        } else {
            self.stall_after + FIRST_FRAME
        };
        if waited >= limit {
            if let Some(complaint) = self.capture.as_ref().and_then(|c| c.complaint(self.last_good())) {
                return Some(complaint);
            }
            return Some(self.standstill(waited.as_secs()));
        }
        if waited >= STOPPED && state_of(self.pid()) == Some('T') {
            return Some(self.standstill(waited.as_secs()));
        }
        let (stuck, bytes) = self.delivery.stuck(now)?;
        (stuck >= self.stall_after).then(|| {
            let seconds = stuck.as_secs();
            (
                Cause::Network,
                format!("nothing was acknowledged for {seconds} s; {bytes} bytes wait to be"),
            )
        })
    }

    /// Why no frame has come for so many seconds: ffmpeg does not run, cannot send, or gets nothing.
    fn standstill(&mut self, seconds: u64) -> (Cause, String) {
        let halted = match state_of(self.pid()) {
            Some('T' | 't') => Some("was stopped by a signal"),
            Some('D') => Some("got stuck in the kernel"),
            _ => None,
        };
        if let Some(halted) = halted {
            return (Cause::Frozen, format!("ffmpeg {halted} {seconds} s ago or more"));
        }
        match (self.first_frame, self.connections.sent().map(|sent| sent.waiting)) {
            (_, Some(bytes @ 1..)) => (
                Cause::Network,
                format!("no new frame for {seconds} s, and {bytes} bytes sent are not acknowledged"),
            ),
            (Some(_), _) => (
                Cause::Stalled,
                format!(
                    "no new frame for {seconds} s (the last was number {}): ffmpeg waits for the camera",
                    self.frames
                ),
            ),
            // its output it opens when it has its input, by a name that it waits for without a word or a limit of its own
            (None, None) if self.connections.are_begun() => (
                Cause::Unresolved,
                format!("no address came for the server's name within {seconds} s: does the DNS server answer?"),
            ),
            (None, _) => (Cause::Stalled, format!("no frame came within {seconds} s of the start")),
        }
    }
}

/// The kernel's letter for what a process does: R, S, D, T, Z … (proc(5)).
fn state_of(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // the program's name stands in parentheses and may hold some itself
    stat.rsplit_once(") ")?.1.chars().next()
}
