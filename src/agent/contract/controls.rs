//! V4L2 controls: what one is set to, and what `pistream-agent controls` tells of them.

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// What a control is to be set to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ControlValue {
    Number(i64),
    /// A menu's entry by its name as the driver has it, in whatever case.
    Entry(String),
}

/// By hand: a derived one keeps every kind of value there is for a second look, and costs the agent much of its size.
impl<'de> Deserialize<'de> for ControlValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ControlValue, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = ControlValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number or the name of a menu's entry")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<ControlValue, E> {
                Ok(ControlValue::Number(number))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<ControlValue, E> {
                i64::try_from(number).map(ControlValue::Number).map_err(E::custom)
            }

            fn visit_str<E: Error>(self, entry: &str) -> Result<ControlValue, E> {
                Ok(ControlValue::Entry(entry.to_owned()))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl<N: Into<i64>> From<N> for ControlValue {
    fn from(number: N) -> ControlValue {
        ControlValue::Number(number.into())
    }
}

/// A video device that captures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceFacts {
    /// "/dev/video0"
    pub path: String,
    pub card: String,
    pub driver: String,
    pub controls: Vec<ControlFacts>,
}

/// One control, as `v4l2-ctl --list-ctrls-menus` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlFacts {
    /// In lower case with underscores: "video_bitrate".
    pub name: String,
    /// "int", "bool", "menu", "button" ...
    pub kind: String,
    pub minimum: i64,
    pub maximum: i64,
    pub step: u64,
    pub default: i64,
    /// `None` where there is nothing to read.
    pub value: Option<i64>,
    /// "inactive", "read-only" ...
    pub flags: Vec<String>,
    /// A menu's entries, in the order of their numbers.
    pub menu: Vec<MenuEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MenuEntry {
    pub number: i64,
    pub name: String,
}
