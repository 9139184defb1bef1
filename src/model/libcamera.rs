//! What can be set of libcamera's cameras, by the names that V4L2 or rpicam-vid have for it: options of rpicam-vid's command
//! line (rpicam-apps, core/options.cpp), since libcamera has no V4L2 controls.

use super::Control;
use std::ops::RangeInclusive;

/// What one of them takes, and the option it becomes.
enum Takes {
    /// 1 is the option alone, 0 is none.
    Switch(&'static str),
    /// One of these; the first is what is set without the option.
    Numbers(&'static str, &'static [i64]),
    Between(&'static str, RangeInclusive<i64>),
    Words(&'static str, &'static [&'static str]),
}

const CONTROLS: [(&str, Takes); 9] = [
    ("rotate", Takes::Numbers("--rotation", &[0, 180])),
    ("horizontal_flip", Takes::Switch("--hflip")),
    ("vertical_flip", Takes::Switch("--vflip")),
    ("exposure", Takes::Words("--exposure", &["normal", "sport"])),
    ("metering", Takes::Words("--metering", &["centre", "spot", "average"])),
    // a stop is twice the light
    ("ev", Takes::Between("--ev", -10..=10)),
    // microseconds
    ("shutter", Takes::Between("--shutter", 1..=10_000_000)),
    ("gain", Takes::Between("--gain", 1..=64)),
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

/// What rpicam-vid is told for these controls; those it does not take are left out.
pub fn options<'a>(controls: impl Fn(&str) -> Option<&'a Control>) -> Vec<String> {
    let given = CONTROLS
        .iter()
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
            Takes::Words(_, words) => words.join(", "),
        }
    }
}
