//! Amounts of disk: a size, or a share of the disk.

use schemars::{Schema, SchemaGenerator, json_schema};

use crate::inventory::fault::Finding;
use crate::inventory::reader::{Read, Reader, shown};
use crate::inventory::tree::Node;
use crate::model::Amount;

/// A size in bytes, or a share of the disk within bounds (percent, both included).
#[derive(Debug, Clone, Copy)]
pub(in crate::inventory) struct Share<const MIN: u8, const MAX: u8>(pub(in crate::inventory) Amount);

/// Units of a size, as disks are sold: powers of a thousand.
const UNITS: [(char, u64); 3] = [('M', 1_000_000), ('G', 1_000_000_000), ('T', 1_000_000_000_000)];

/// No disk of today is larger. Bytes.
const LARGEST: u64 = 1_000 * UNITS[2].1;

/// `Share` as a regular expression.
const PATTERN: &str = "^([0-9]{1,3}%|[0-9]+(\\.[0-9]+)?[MGT])$";

impl<const MIN: u8, const MAX: u8> Share<MIN, MAX> {
    fn accepted() -> String {
        format!("Accepted: a size (500M, 1.5G, 2T) or {MIN}% to {MAX}% of the disk.")
    }

    fn parse(text: &str) -> Option<Amount> {
        let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        if let Some(percent) = text.strip_suffix('%') {
            let percent = percent.parse().ok().filter(|_| digits(percent));
            return percent.filter(|p| (MIN..=MAX).contains(p)).map(Amount::Percent);
        }
        let (_, unit) = UNITS.iter().find(|(letter, _)| text.ends_with(*letter))?;
        let number = &text[..text.len() - 1];
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        if !digits(whole) || !digits(part) || part.len() > 3 {
            return None;
        }
        let thousandths = format!("{part:0<3}").parse::<u64>().ok()?;
        let bytes = whole
            .parse::<u64>()
            .ok()?
            .checked_mul(*unit)?
            .checked_add(unit / 1_000 * thousandths)?;
        (UNITS[0].1..=LARGEST).contains(&bytes).then_some(Amount::Bytes(bytes))
    }
}

impl<const MIN: u8, const MAX: u8> Read for Share<MIN, MAX> {
    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let text = reader.scalar(node, "a size like 500G or a share like 80%")?;
        let amount = Self::parse(text);
        if amount.is_none() {
            let mut finding = Finding::new(&node.place, format!("`{}` is not an amount of disk", shown(text)));
            if text.parse::<f64>().is_ok() {
                finding = finding.label(format!("{0}G, or {0}%?", shown(text)));
            }
            reader.fault(finding.help(Self::accepted()));
        }
        amount.map(Share)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": PATTERN, "examples": ["80%", "500G"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_shares() {
        let parse = Share::<1, 100>::parse;
        for (text, amount) in [
            ("80%", Amount::Percent(80)),
            ("100%", Amount::Percent(100)),
            ("500G", Amount::Bytes(500_000_000_000)),
            ("1.5G", Amount::Bytes(1_500_000_000)),
            ("2T", Amount::Bytes(2_000_000_000_000)),
        ] {
            assert_eq!(parse(text), Some(amount), "{text}");
        }
        for text in [
            "",
            "%",
            "G",
            "0%",
            "101%",
            "+5%",
            "-1G",
            "1e3G",
            "0.5M",
            "1.2345G",
            "99999999999999T",
            "5 G",
            "1.G",
            "500",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
