//! V4L2 controls: what one is set to, and what `pistream-agent controls` tells of them.

use serde::{Deserialize, Serialize};

/// What a control is to be set to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ControlValue {
    Number(i64),
    /// A menu's entry by its name as the driver has it, in whatever case.
    Entry(String),
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
