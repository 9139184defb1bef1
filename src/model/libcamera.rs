//! What can be set of libcamera's cameras, by the names that V4L2 or rpicam-vid have for it: options of rpicam-vid's command
//! line (rpicam-apps, core/options.cpp), since libcamera has no V4L2 controls.

use super::{Control, Fraction};
use std::ops::RangeInclusive;

/// What one of them takes, and the option it becomes.
enum Takes {
    /// 1 is the option alone, 0 is none.
    Switch(&'static str),
    /// One of these; the first is what is set without the option.
    Numbers(&'static str, &'static [i64]),
    Between(&'static str, RangeInclusive<i64>),
    /// Thousandths.
    Fractions(&'static str, RangeInclusive<i64>),
    /// The same, of a name under which a V4L2 driver knows another scale: only where libcamera's cameras are meant.
    OwnScale(&'static str, RangeInclusive<i64>),
    Words(&'static str, &'static [&'static str]),
}

const CONTROLS: [(&str, Takes); 13] = [
    ("rotate", Takes::Numbers("--rotation", &[0, 180])),
    ("horizontal_flip", Takes::Switch("--hflip")),
    ("vertical_flip", Takes::Switch("--vflip")),
    ("exposure", Takes::Words("--exposure", &["normal", "sport"])),
    ("metering", Takes::Words("--metering", &["centre", "spot", "average"])),
    // a stop is twice the light
    ("ev", Takes::Fractions("--ev", -10_000..=10_000)),
    // microseconds
    ("shutter", Takes::Between("--shutter", 1..=10_000_000)),
    ("gain", Takes::Fractions("--gain", 1000..=64_000)),
    // what rpicam-vid clamps to; 0 is as it is, of the others 1
    ("brightness", Takes::OwnScale("--brightness", -1000..=1000)),
    ("contrast", Takes::OwnScale("--contrast", 0..=15_990)),
    ("saturation", Takes::OwnScale("--saturation", 0..=15_990)),
    ("sharpness", Takes::OwnScale("--sharpness", 0..=15_990)),
    (
        "awb",
        Takes::Words(
            "--awb",
            &[
                "auto",
                "incandescent",
                "tungsten",
                "fluorescent",
                "indoor",
                "daylight",
                "cloudy",
            ],
        ),
    ),
];

/// What rpicam-vid is told for these controls; those it does not take are left out. `meant`: they are written for libcamera's
/// cameras, and not for whatever camera there is.
pub fn options<'a>(controls: impl Fn(&str) -> Option<&'a Control>, meant: bool) -> Vec<String> {
    let given = CONTROLS
        .iter()
        .filter(|(_, takes)| meant || !matches!(takes, Takes::OwnScale(..)))
        .filter_map(|(name, takes)| Some((takes, controls(name)?)));
    given
        .filter_map(|(takes, control)| takes.option(control))
        .flatten()
        .collect()
}

/// What is wrong with a control of libcamera's cameras, if anything.
pub fn objection(name: &str, control: &Control) -> Option<String> {
    match CONTROLS.iter().find(|(known, _)| *known == name) {
        None => Some(format!("libcamera's cameras have no control `{name}`")),
        Some((_, takes)) if takes.option(control).is_some() => None,
        Some((_, takes)) => Some(format!(
            "`{name}` of libcamera's cameras is {}, not {control}",
            takes.in_words()
        )),
    }
}

/// "rotate (0 or 180), …"
pub fn accepted() -> String {
    let all: Vec<String> = CONTROLS
        .iter()
        .map(|(name, takes)| format!("{name} ({})", takes.in_words()))
        .collect();
    all.join(", ")
}

impl Takes {
    /// The words for rpicam-vid; `None` if it does not take this value.
    fn option(&self, control: &Control) -> Option<Vec<String>> {
        let with = |option: &str, value: &dyn std::fmt::Display| vec![option.to_owned(), value.to_string()];
        match (self, control) {
            (Takes::Switch(_), Control::Number(0)) => Some(vec![]),
            (Takes::Switch(option), Control::Number(1)) => Some(vec![(*option).to_owned()]),
            (Takes::Numbers(_, numbers), Control::Number(number)) if numbers.first() == Some(number) => Some(vec![]),
            (Takes::Numbers(option, numbers), Control::Number(number)) if numbers.contains(number) => {
                Some(with(option, number))
            }
            (Takes::Between(option, range), Control::Number(number)) if range.contains(number) => {
                Some(with(option, number))
            }
            (Takes::Fractions(option, range) | Takes::OwnScale(option, range), control) => {
                let fraction = match control {
                    Control::Number(number) => Fraction {
                        thousandths: number.checked_mul(1000)?,
                    },
                    Control::Fraction(fraction) => *fraction,
                    Control::Entry(_) => return None,
                };
                range.contains(&fraction.thousandths).then(|| with(option, &fraction))
            }
            (Takes::Words(option, words), Control::Entry(word)) if words.contains(&word.as_str()) => {
                Some(with(option, word))
            }
            _ => None,
        }
    }

    fn in_words(&self) -> String {
        match self {
            Takes::Switch(_) => "0 or 1".to_owned(),
            Takes::Numbers(_, numbers) => {
                let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
                numbers.join(" or ")
            }
            Takes::Between(_, range) => format!("{} to {}", range.start(), range.end()),
            Takes::Fractions(_, range) | Takes::OwnScale(_, range) => {
                let [least, most] = [*range.start(), *range.end()].map(|thousandths| Fraction { thousandths });
                format!("{least} to {most}")
            }
            Takes::Words(_, words) => words.join(", "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, control: &Control, meant: bool) -> String {
        options(|wanted| (wanted == name).then_some(control), meant).join(" ")
    }

    fn fraction(text: &str) -> Control {
        Control::Fraction(Fraction::parse(text).expect("a fraction"))
    }

    #[test]
    fn fractions_are_taken_within_their_ranges() {
        assert_eq!(told("sharpness", &fraction("1.5"), true), "--sharpness 1.5");
        assert_eq!(told("brightness", &fraction("-0.25"), true), "--brightness -0.25");
        assert_eq!(told("ev", &fraction("-0.5"), false), "--ev -0.5");
        assert_eq!(told("gain", &Control::Number(2), true), "--gain 2");
        assert_eq!(told("shutter", &fraction("100.5"), true), "");
        for (name, wrong) in [
            ("ev", "10.001"),
            ("gain", "0.5"),
            ("contrast", "-0.1"),
            ("saturation", "16.0"),
        ] {
            assert_eq!(told(name, &fraction(wrong), true), "", "{name} {wrong}");
        }
        let objection = objection("saturation", &fraction("16.5"));
        assert_eq!(
            objection.as_deref(),
            Some("`saturation` of libcamera's cameras is 0 to 15.99, not 16.5")
        );
    }

    #[test]
    fn a_number_on_a_v4l2_drivers_scale_is_not_told_to_libcamera() {
        assert_eq!(told("contrast", &Control::Number(3), false), "");
        assert_eq!(told("contrast", &Control::Number(3), true), "--contrast 3");
    }
}
