//! Numbers with a few decimals, told as they were written: no floating point, whose last digits would differ.

use std::fmt;

/// A number with up to three decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fraction {
    pub thousandths: i64,
}

impl Fraction {
    /// "-0.5", "1.25": digits on both sides of the point, of which three stand behind it at most and nine before it.
    pub fn parse(text: &str) -> Option<Fraction> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, decimals) = digits.split_once('.')?;
        let number = |text: &str, longest: usize| {
            let legal = (1..=longest).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            legal.then(|| text.parse::<i64>().ok()).flatten()
        };
        let thousandths =
            number(whole, 9)? * 1000 + number(&format!("{decimals:0<3}"), 3).filter(|_| !decimals.is_empty())?;
        Some(Fraction {
            thousandths: if negative { -thousandths } else { thousandths },
        })
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.thousandths < 0 { "-" } else { "" };
        let (whole, rest) = (self.thousandths.abs() / 1000, self.thousandths.abs() % 1000);
        let decimals = format!("{rest:03}");
        match decimals.trim_end_matches('0') {
            "" => write!(f, "{sign}{whole}"),
            decimals => write!(f, "{sign}{whole}.{decimals}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Fraction;

    #[test]
    fn fractions_are_told_as_they_were_written() {
        for (written, told) in [
            ("1.5", "1.5"),
            ("-0.5", "-0.5"),
            ("+2.0", "2"),
            ("0.125", "0.125"),
            ("-10.50", "-10.5"),
        ] {
            assert_eq!(
                Fraction::parse(written).map(|f| f.to_string()).as_deref(),
                Some(told),
                "{written}"
            );
        }
        for wrong in [
            "1",
            "1.",
            ".5",
            "1.2345",
            "1e3",
            "1.5x",
            "--1.5",
            "1.-5",
            "1.5.5",
            "9999999999.1",
            "",
        ] {
            assert_eq!(Fraction::parse(wrong), None, "{wrong}");
        }
    }
}
