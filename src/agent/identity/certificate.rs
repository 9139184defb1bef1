//! Of a certificate what the agent needs: whose key it is for, and until when. Reads DER by hand; every length is checked
//! against what is there, since the file may be anything.

use std::path::Path;

const CERTIFICATE: &str = "CERTIFICATE";
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

pub(super) struct Certificate {
    /// As it stands there, for P-256 an uncompressed point of 65 bytes.
    pub(super) public_key: Vec<u8>,
    /// Seconds since 1970.
    not_after: u64,
}

impl Certificate {
    /// `None` if that is no certificate.
    pub(super) fn from_pem(text: &str) -> Option<Certificate> {
        let (label, der) = pem_rfc7468::decode_vec(text.as_bytes()).ok()?;
        if label != CERTIFICATE {
            return None;
        }
        from_der(&der)
    }
}

/// Until when the certificate is good that stands first in the file, before those of its authorities: seconds since 1970.
pub(crate) fn expiry(path: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(path).ok()?;
    let (_, from) = text.split_once(BEGIN)?;
    let (first, _) = from.split_once(END)?;
    Some(Certificate::from_pem(&[BEGIN, first, END].concat())?.not_after)
}

/// The day, as people write it: "2026-11-25".
pub(crate) fn date(seconds: u64) -> String {
    // counted from a first of March of the year 0, the leap day comes last
    let days = seconds / 86_400 + DAYS_TO_1970;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (year * 365 + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year + next)
}

/// Days from the first of March of the year 0 to the first of January 1970.
const DAYS_TO_1970: u64 = 719_468;

/// RFC 5280, 4.1: `SEQUENCE { TBSCertificate, … }`.
fn from_der(der: &[u8]) -> Option<Certificate> {
    let mut certificate = Values(Values(der).next(SEQUENCE)?);
    let mut fields = Values(certificate.next(SEQUENCE)?);
    if fields.tag() == Some(VERSION) {
        fields.any()?;
    }
    let [_serial, _algorithm, _issuer] = [fields.any()?, fields.any()?, fields.any()?];
    let mut validity = Values(fields.next(SEQUENCE)?);
    validity.any()?;
    let (tag, not_after) = validity.any()?;
    let _subject = fields.any()?;
    let mut public = Values(fields.next(SEQUENCE)?);
    public.any()?;
    let public_key = public.next(BIT_STRING)?.get(1..)?.to_vec();
    Some(Certificate {
        public_key,
        not_after: seconds(tag, not_after)?,
    })
}

/// DER values, one behind the other.
struct Values<'a>(&'a [u8]);

impl<'a> Values<'a> {
    fn tag(&self) -> Option<u8> {
        self.0.first().copied()
    }

    fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x83 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (bytes.iter().fold(0, |sum, b| sum << 8 | usize::from(*b)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    fn next(&mut self, wanted: u8) -> Option<&'a [u8]> {
        self.any().filter(|(tag, _)| *tag == wanted).map(|(_, content)| content)
    }
}

/// `YYMMDDHHMMSSZ` (from 1950 on) or `YYYYMMDDHHMMSSZ`, in UTC, as RFC 5280 wants them; none before 1970.
fn seconds(tag: u8, text: &[u8]) -> Option<u64> {
    let digits = text.strip_suffix(b"Z")?;
    let number = |from: usize, to: usize| {
        let digits = std::str::from_utf8(digits.get(from..to)?).ok()?;
        digits
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| digits.parse::<u64>().ok())?
    };
    let (year, rest) = match (tag, digits.len()) {
        (UTC_TIME, 12) => (number(0, 2)?, 2),
        (GENERALIZED_TIME, 14) => (number(0, 4)?, 4),
        _ => return None,
    };
    let year = match rest {
        2 if year < 50 => year + 2000,
        2 => year + 1900,
        _ => year,
    };
    let part = |index: usize| number(rest + 2 * index, rest + 2 * index + 2);
    let days = days_since_1970(year, part(0)?, part(1)?)?;
    Some(days * 86_400 + part(2)? * 3_600 + part(3)? * 60 + part(4)?)
}

/// Of the Gregorian calendar.
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // counted from a first of March, the leap day comes last
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    (year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1).checked_sub(DAYS_TO_1970)
}
