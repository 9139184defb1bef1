//! How often the host was booted anew for its camera's sake: written down before each time, on disk, so that no fault makes
//! it more often than the inventory allows.

use crate::files;
use std::fs;
use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds.
const DAY: u64 = 86_400;
/// More of them are of no interest. A day's most is less (24, by the inventory).
const REMEMBERED: usize = 48;

/// Writes one more reboot down, unless there were as many as allowed within 24 hours.
///
/// A host without a clock lives in the past at each boot: what was written down later than now counts as of today.
///
/// # Errors
/// In words, why there must not be one: there were enough, or this one cannot be written down.
pub(super) fn count_one(memory: &Path, allowed: u32, now: SystemTime) -> Result<(), String> {
    let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let text = match fs::read_to_string(memory) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(format!("{}: {error}", memory.display())),
    };
    let mut times: Vec<u64> = text.lines().filter_map(|line| line.parse().ok()).collect();
    let today = times.iter().filter(|&&at| now.saturating_sub(at) < DAY).count();
    if today >= allowed as usize {
        return Err(format!("{today} reboots in 24 hours, and {allowed} are allowed"));
    }
    times.push(now);
    let kept = &times[times.len().saturating_sub(REMEMBERED)..];
    let lines: String = kept.iter().map(|at| format!("{at}\n")).collect();
    files::write_atomically(memory, lines.as_bytes()).map_err(files::Error::line)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn as_many_a_day_as_allowed_whatever_the_clock_says() {
        let memory = std::env::temp_dir().join(format!("pistream-reboots-{}", std::process::id()));
        let at = |seconds: u64| UNIX_EPOCH + Duration::from_secs(seconds);
        let now = 1_700_000_000;
        assert!(count_one(&memory, 0, at(now)).is_err());
        assert!(!memory.exists());
        count_one(&memory, 2, at(now)).unwrap();
        count_one(&memory, 2, at(now + 600)).unwrap();
        let refused = count_one(&memory, 2, at(now + 1200)).unwrap_err();
        assert_eq!(refused, "2 reboots in 24 hours, and 2 are allowed");
        // booted without a clock
        assert!(count_one(&memory, 2, at(1000)).is_err());
        // a day after the first
        count_one(&memory, 2, at(now + DAY)).unwrap();
        assert!(count_one(&memory, 2, at(now + DAY)).is_err());
        fs::write(&memory, "nonsense\n").unwrap();
        count_one(&memory, 1, at(now)).unwrap();
        assert_eq!(fs::read_to_string(&memory).unwrap(), format!("{now}\n"));
        // what cannot be written down is not done
        assert!(count_one(Path::new("/no/such/memory"), 1, at(now)).is_err());
        fs::remove_file(&memory).unwrap();
    }
}
