//! The supervisor's own log: lines on stderr, which systemd keeps in the journal. Repeats are counted, not written.

use super::cause::plain;
use std::fmt::Display;
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// The same message again within this time is counted only.
const REPEAT: Duration = Duration::from_secs(60);
/// So many different messages are remembered; older ones are forgotten.
const REMEMBERED: usize = 16;
/// At most so many messages in [`BURST_TIME`].
const BURST: u32 = 20;
const BURST_TIME: Duration = Duration::from_secs(10);

/// Writes one line. A log that cannot be written must not end the stream, so failures are ignored.
pub(crate) fn log(message: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{message}");
}

/// Lets messages through, but no repeats and never a flood.
#[derive(Debug, Default)]
pub(crate) struct Sieve {
    seen: Vec<Seen>,
    burst: Option<(Instant, u32)>,
}

#[derive(Debug)]
struct Seen {
    message: String,
    written: Instant,
    repeats: u32,
}

impl Sieve {
    /// What to write for this message or line of ffmpeg's, if anything.
    pub(crate) fn pass(&mut self, line: &str, now: Instant) -> Option<String> {
        let message = plain(line);
        if let Some(seen) = self.seen.iter_mut().find(|seen| seen.message == message) {
            if now.saturating_duration_since(seen.written) < REPEAT {
                seen.repeats = seen.repeats.saturating_add(1);
                return None;
            }
            let repeats = std::mem::take(&mut seen.repeats);
            seen.written = now;
            return Some(match repeats {
                0 => message,
                1 => format!("{message} (and once more in between)"),
                more => format!("{message} (and {more} times more in between)"),
            });
        }
        let (since, count) = self
            .burst
            .filter(|(since, _)| now.duration_since(*since) < BURST_TIME)
            .unwrap_or((now, 0));
        self.burst = Some((since, count.saturating_add(1)));
        if count >= BURST {
            return (count == BURST).then(|| "(further lines left out)".to_owned());
        }
        if self.seen.len() >= REMEMBERED {
            self.seen.remove(0);
        }
        self.seen.push(Seen {
            message: message.clone(),
            written: now,
            repeats: 0,
        });
        Some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_counted_and_told_a_minute_later() {
        let (mut sieve, start) = (Sieve::default(), Instant::now());
        assert_eq!(
            sieve.pass("[flv @ 0x1] [error] broken", start),
            Some("flv: broken".to_owned())
        );
        assert_eq!(
            sieve.pass("[flv @ 0x2] [error] broken", start + Duration::from_secs(1)),
            None
        );
        assert_eq!(
            sieve.pass("[flv @ 0x3] [error] broken", start + REPEAT),
            Some("flv: broken (and once more in between)".to_owned())
        );
    }

    #[test]
    fn a_flood_of_different_lines_is_cut() {
        let (mut sieve, start) = (Sieve::default(), Instant::now());
        let written = (0..1000)
            .filter_map(|n| sieve.pass(&format!("[error] fault {n}"), start))
            .count();
        assert_eq!(written, 21);
        assert!(sieve.pass("[error] later", start + BURST_TIME).is_some());
        assert!(sieve.seen.len() <= REMEMBERED);
    }
}
