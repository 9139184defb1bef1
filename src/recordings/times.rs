//! Times as people write them on the command line. Always UTC: servers and cameras know no other.

use std::time::{SystemTime, UNIX_EPOCH};

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum Error {
    #[error("{option} {text}: not a time; write 2026-01-31, 2026-01-31T14:30, or how long ago: 90m, 2h, 3d (all UTC)")]
    NotATime { option: &'static str, text: String },
    #[error("--from is not before --to")]
    Reversed,
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

/// The range asked for; without `from` from the beginning, without `to` until now.
pub(super) fn range(from: Option<&str>, to: Option<&str>, now: u64) -> Result<(u64, u64), Error> {
    let read = |option, text: Option<&str>, default| match text {
        None => Ok(default),
        Some(text) => parse(text, now).ok_or_else(|| Error::NotATime {
            option,
            text: text.to_owned(),
        }),
    };
    let (from, to) = (read("--from", from, 0)?, read("--to", to, now)?);
    if from < to {
        Ok((from, to))
    } else {
        Err(Error::Reversed)
    }
}

fn parse(text: &str, now: u64) -> Option<u64> {
    if text == "now" {
        return Some(now);
    }
    if let Ok(ago) = humantime::parse_duration(text) {
        return now.checked_sub(ago.as_secs());
    }
    let text = text.trim_end_matches(['Z', 'z']);
    let whole = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        16 => format!("{text}:00Z"),
        _ => format!("{text}Z"),
    };
    let time = humantime::parse_rfc3339_weak(&whole).ok()?;
    time.duration_since(UNIX_EPOCH).ok().map(|d| d.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_769_868_000; // 2026-01-31T14:00:00Z

    #[test]
    fn times_as_people_write_them() {
        for (text, seconds) in [
            ("2026-01-31", NOW - 14 * 3600),
            ("2026-01-31T14:00", NOW),
            ("2026-01-31 14:00", NOW),
            ("2026-01-31T14:00:00Z", NOW),
            ("2026-01-31T13:59:59", NOW - 1),
            ("90m", NOW - 5400),
            ("2d", NOW - 2 * 86_400),
            ("now", NOW),
        ] {
            assert_eq!(parse(text, NOW), Some(seconds), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "2026-02-31",
            "14:00",
            "31.1.2026",
            "9999999d",
            "1960-01-01",
        ] {
            assert_eq!(parse(text, NOW), None, "{text}");
        }
    }

    #[test]
    fn a_range_runs_forwards() {
        assert_eq!(range(None, None, NOW), Ok((0, NOW)));
        assert_eq!(range(Some("2h"), Some("1h"), NOW), Ok((NOW - 7200, NOW - 3600)));
        assert_eq!(range(Some("1h"), Some("2h"), NOW), Err(Error::Reversed));
        assert!(matches!(
            range(None, Some("soon"), NOW),
            Err(Error::NotATime { option: "--to", .. })
        ));
    }
}
