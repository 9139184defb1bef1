//! Times in names: `20260131T140000Z`, UTC. Days by the proleptic Gregorian calendar; a clock that is not UTC never enters.

const DAY: u64 = 86_400;

/// "20260131T140000Z"
pub(crate) fn stamp(seconds: u64) -> String {
    let (year, month, day) = civil(seconds / DAY);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// "2026-01-31"
pub(crate) fn day(seconds: u64) -> String {
    let (year, month, day) = civil(seconds / DAY);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Seconds since 1970 of a stamp. `None`: not one, or no such time.
pub(super) fn parse(text: &str) -> Option<u64> {
    let number = |from: usize, to: usize| {
        let digits = text.get(from..to)?;
        digits
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| digits.parse::<u64>().ok())?
    };
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(9, 11)?, number(11, 13)?, number(13, 15)?);
    let days = days_since_1970(year, month, day)?;
    let seconds = days * DAY + hour * 3600 + minute * 60 + second;
    // says the same again: no 31st of February, no 25th hour, nothing besides
    (stamp(seconds) == text).then_some(seconds)
}

/// Year, month, day of a day since 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + u64::from(month <= 2), month, day)
}

/// The other way round; `None` before 1970.
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = year.checked_sub(u64::from(month <= 2))?;
    let (era, of_era) = (year / 400, year % 400);
    let month = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    days.checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for (seconds, text) in [
            (0, "19700101T000000Z"),
            (951_782_399, "20000228T235959Z"),
            (951_782_400, "20000229T000000Z"),
            (1_769_868_000, "20260131T140000Z"),
            (4_107_542_399, "21000228T235959Z"),
            (4_107_542_400, "21000301T000000Z"),
        ] {
            assert_eq!(stamp(seconds), text);
            assert_eq!(parse(text), Some(seconds), "{text}");
        }
        assert_eq!(day(1_769_868_000), "2026-01-31");
    }

    #[test]
    fn times_that_are_none() {
        for text in [
            "20260231T140000Z",
            "20260131T240000Z",
            "20260131T140060Z",
            "20261301T000000Z",
            "20260100T000000Z",
            "00000101T000000Z",
            "19691231T235959Z",
            "20260131 140000Z",
            "20260131T140000",
            "20260131T140000Zé",
            "+0260131T140000Z",
            "",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
