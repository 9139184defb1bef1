//! Times, lengths of time, sizes and others' words as people are told them. Times are UTC: servers and cameras know no other.

use std::time::{Duration, UNIX_EPOCH};

/// "2026-01-31" and "14:00:00", of seconds since 1970.
pub fn shown(seconds: u64) -> (String, String) {
    let time = UNIX_EPOCH + Duration::from_secs(seconds);
    let text = humantime::format_rfc3339_seconds(time).to_string();
    let (day, time) = text.split_once('T').unwrap_or((&text, ""));
    (day.to_owned(), time.trim_end_matches('Z').to_owned())
}

/// "2h 5m", "40s"
pub fn length(seconds: u64) -> String {
    // minutes are enough of hours, hours of days
    let rounded = match seconds {
        0..=3599 => seconds,
        3600..=86_399 => seconds / 60 * 60,
        _ => seconds / 3600 * 3600,
    };
    humantime::format_duration(Duration::from_secs(rounded)).to_string()
}

/// "947 MB", "3.9 GB"
pub fn size(bytes: u64) -> String {
    match bytes {
        1_000_000_000.. => format!("{:.1} GB", bytes as f64 / 1e9),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

/// Whole days until then, both as seconds since 1970; 0 when it is over.
pub fn days_left(until: u64, now: u64) -> u64 {
    until.saturating_sub(now) / 86_400
}

/// Would make a terminal do something, or show the text around it in another order or on another line.
pub fn disturbs_terminal(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What a host said, in lines, without what disturbs a terminal: a camera may be called whatever its maker likes.
pub fn harmless(text: &str) -> String {
    // a film comes in many long lines
    if !text.contains(disturbs_terminal) {
        return text.to_owned();
    }
    let stand_in = |c: char| match c {
        '\n' | '\t' => c,
        _ if disturbs_terminal(c) => char::REPLACEMENT_CHARACTER,
        _ => c,
    };
    text.chars().map(stand_in).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_they_are_told() {
        const NOW: u64 = 1_769_868_000; // 2026-01-31T14:00:00Z
        assert_eq!(shown(NOW), ("2026-01-31".to_owned(), "14:00:00".to_owned()));
        assert_eq!(length(40), "40s");
        assert_eq!(length(7534), "2h 5m");
        assert_eq!(length(90_000), "1day 1h");
    }

    #[test]
    fn words_that_would_disturb_a_terminal_do_not() {
        let told = harmless("Cam\u{1b}[31mera\u{9b}2J\u{7f}\u{202e}\r\n\tzweite Kamera für 5 €");
        assert_eq!(
            told,
            "Cam\u{fffd}[31mera\u{fffd}2J\u{fffd}\u{fffd}\u{fffd}\n\tzweite Kamera für 5 €"
        );
    }

    #[test]
    fn sizes_as_they_are_told() {
        assert_eq!(size(947_000_000), "947 MB");
        assert_eq!(size(3_900_000_000), "3.9 GB");
    }
}
