//! One control as its driver describes it: its name, what it takes, and whether a value fits. Pure.

use super::{DISABLED, READ_ONLY, WRITE_ONLY, control_name};
use std::collections::BTreeMap;
use v4l::v4l_sys as sys;

const INACTIVE: u32 = sys::V4L2_CTRL_FLAG_INACTIVE;
const GRABBED: u32 = sys::V4L2_CTRL_FLAG_GRABBED;
const VOLATILE: u32 = sys::V4L2_CTRL_FLAG_VOLATILE;

/// What a control takes, by the words of `v4l2-ctl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Boolean,
    Menu,
    Button,
    Integer64,
    Text,
    Bitmask,
    IntegerMenu,
    /// Compound, or newer than this program.
    Other,
}

impl Kind {
    fn of(number: u32) -> Kind {
        match number {
            sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_INTEGER => Kind::Integer,
            sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_BOOLEAN => Kind::Boolean,
            sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_MENU => Kind::Menu,
            sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_BUTTON => Kind::Button,
            sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_INTEGER64 => Kind::Integer64,
            sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_STRING => Kind::Text,
            sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_BITMASK => Kind::Bitmask,
            sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_INTEGER_MENU => Kind::IntegerMenu,
            _ => Kind::Other,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::Integer => "int",
            Kind::Boolean => "bool",
            Kind::Menu => "menu",
            Kind::Button => "button",
            Kind::Integer64 => "int64",
            Kind::Text => "str",
            Kind::Bitmask => "bitmask",
            Kind::IntegerMenu => "intmenu",
            Kind::Other => "other",
        }
    }

    pub(super) fn is_menu(self) -> bool {
        matches!(self, Kind::Menu | Kind::IntegerMenu)
    }

    pub(super) fn is_integer(self) -> bool {
        matches!(self, Kind::Integer | Kind::Integer64)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Description {
    pub(super) id: u32,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) minimum: i64,
    pub(super) maximum: i64,
    pub(super) step: u64,
    pub(super) default: i64,
    pub(super) flags: u32,
}

impl Description {
    /// `None` for what is no control: the heading of a class, or a control that the driver has switched off.
    pub(super) fn of(query: &sys::v4l2_query_ext_ctrl) -> Option<Description> {
        let heading = query.type_ == sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_CTRL_CLASS;
        (!heading && query.flags & DISABLED == 0).then(|| Description {
            id: query.id,
            name: variable_name(&control_name(&query.name)),
            kind: Kind::of(query.type_),
            minimum: query.minimum,
            maximum: query.maximum,
            step: query.step,
            default: query.default_value,
            flags: query.flags,
        })
    }

    /// Whether a value can be read: there is none of a button, and of compound controls not as a number.
    pub(super) fn is_readable(&self) -> bool {
        self.flags & WRITE_ONLY == 0 && !matches!(self.kind, Kind::Button | Kind::Text | Kind::Other)
    }

    /// Why it cannot be set to a number at all, if so.
    pub(super) fn unsettable(&self) -> Option<&'static str> {
        if self.flags & READ_ONLY != 0 {
            return Some("is read-only");
        }
        matches!(self.kind, Kind::Text | Kind::Other).then_some("does not take a number")
    }

    /// Why the driver would make something else of this value, if so. `menu` are the entries there are.
    pub(super) fn objection(&self, value: i64, menu: &BTreeMap<i64, String>) -> Option<String> {
        let Description { minimum, maximum, .. } = *self;
        let between = (minimum..=maximum).contains(&value);
        match self.kind {
            Kind::Integer | Kind::Integer64 if !between || !self.on_step(value) => {
                let steps = if self.step > 1 {
                    format!(" in steps of {}", self.step)
                } else {
                    String::new()
                };
                Some(format!("takes {minimum} to {maximum}{steps}, not {value}"))
            }
            Kind::Boolean if !between => Some(format!("takes 0 or 1, not {value}")),
            Kind::Menu | Kind::IntegerMenu if !menu.contains_key(&value) => {
                Some(format!("has no entry {value}; it has {}", entries(menu)))
            }
            // a mask's maximum is the set of its bits
            Kind::Bitmask if value & !maximum != 0 => Some(format!("takes the bits of {maximum:#x}, not {value:#x}")),
            _ => None,
        }
    }

    fn on_step(&self, value: i64) -> bool {
        // a driver's nonsense, a step of zero or a range upside down, is no reason to refuse or to panic
        let offset = value
            .checked_sub(self.minimum)
            .and_then(|offset| u64::try_from(offset).ok());
        self.step < 2 || offset.is_none_or(|offset| offset.is_multiple_of(self.step))
    }

    /// A menu's entries mean nothing to their neighbours, so only integers are clamped.
    pub(super) fn within(&self, asked: i64) -> i64 {
        if self.kind.is_integer() && self.minimum <= self.maximum {
            asked.clamp(self.minimum, self.maximum)
        } else {
            asked
        }
    }

    /// What `v4l2-ctl` says of its state.
    pub(super) fn flags(&self) -> Vec<String> {
        let known = [
            (READ_ONLY, "read-only"),
            (WRITE_ONLY, "write-only"),
            (INACTIVE, "inactive"),
            (GRABBED, "grabbed"),
            (VOLATILE, "volatile"),
        ];
        let set = known.iter().filter(|(flag, _)| self.flags & flag != 0);
        set.map(|(_, word)| (*word).to_owned()).collect()
    }
}

/// "0 (Auto), 1 (Manual)"
pub(super) fn entries(menu: &BTreeMap<i64, String>) -> String {
    let entries: Vec<String> = menu.iter().map(|(number, name)| format!("{number} ({name})")).collect();
    entries.join(", ")
}

/// A control's name as `v4l2-ctl` prints it: "H264 I-Frame Period" is `h264_i_frame_period`.
fn variable_name(name: &str) -> String {
    name.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect::<Vec<_>>()
        .join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(kind: Kind, minimum: i64, maximum: i64, step: u64) -> Description {
        Description {
            id: 1,
            name: "video_bitrate".to_owned(),
            kind,
            minimum,
            maximum,
            step,
            default: minimum,
            flags: 0,
        }
    }

    #[test]
    fn names_are_those_of_v4l2_ctl() {
        assert_eq!(variable_name("Video Bitrate"), "video_bitrate");
        assert_eq!(variable_name("H264 I-Frame Period"), "h264_i_frame_period");
        assert_eq!(
            variable_name("  White Balance, Auto & Preset "),
            "white_balance_auto_preset"
        );
        assert_eq!(variable_name(""), "");
    }

    #[test]
    fn integers_are_clamped_and_menus_are_not() {
        let bitrate = control(Kind::Integer, 25_000, 25_000_000, 25_000);
        assert_eq!(bitrate.within(99_000_000), 25_000_000);
        assert_eq!(bitrate.within(0), 25_000);
        assert_eq!(bitrate.within(250_000), 250_000);
        assert_eq!(control(Kind::Menu, 0, 4, 1).within(9), 9);
        let nonsense = control(Kind::Integer, 5, 1, 0);
        assert_eq!(nonsense.within(9), 9, "a driver's nonsense is no reason to panic");
    }

    #[test]
    fn what_takes_no_number_is_not_set() {
        let kind_of = |number| control(Kind::of(number), 0, 4, 1).unsettable();
        assert_eq!(
            kind_of(sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_STRING),
            Some("does not take a number")
        );
        assert_eq!(kind_of(0x0107), Some("does not take a number"));
        assert_eq!(kind_of(sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_INTEGER), None);
        let fixed = Description {
            flags: READ_ONLY,
            ..control(Kind::Integer, 0, 4, 1)
        };
        assert_eq!(fixed.unsettable(), Some("is read-only"));
    }

    #[test]
    fn what_a_driver_would_make_something_else_of_is_told() {
        let told = |kind, minimum, maximum, step, value| {
            let menu = [(0, "Auto".to_owned()), (2, "Manual".to_owned())].into();
            control(kind, minimum, maximum, step).objection(value, &menu)
        };
        assert_eq!(told(Kind::Integer, 0, 270, 90, 180), None);
        assert_eq!(
            told(Kind::Integer, 0, 270, 90, 45).as_deref(),
            Some("takes 0 to 270 in steps of 90, not 45")
        );
        assert_eq!(
            told(Kind::Integer, 0, 100, 1, 101).as_deref(),
            Some("takes 0 to 100, not 101")
        );
        assert_eq!(
            told(Kind::Integer, i64::MIN, i64::MAX, 2, i64::MAX),
            None,
            "no overflow"
        );
        assert_eq!(told(Kind::Integer, 0, 10, 0, 5), None, "no division by zero");
        assert_eq!(told(Kind::Boolean, 0, 1, 1, 2).as_deref(), Some("takes 0 or 1, not 2"));
        assert_eq!(
            told(Kind::Menu, 0, 2, 1, 1).as_deref(),
            Some("has no entry 1; it has 0 (Auto), 2 (Manual)"),
            "menus have holes"
        );
        assert_eq!(told(Kind::Menu, 0, 2, 1, 2), None);
        assert_eq!(
            told(Kind::Bitmask, 0, 6, 0, 1).as_deref(),
            Some("takes the bits of 0x6, not 0x1")
        );
        assert_eq!(told(Kind::Button, 0, 0, 0, 1), None);
    }
}
