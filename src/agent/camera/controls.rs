//! A device's controls: listed, judged, set and read back, put back to the driver's defaults.

use super::description::{Description, entries};
use super::{Camera, CameraError, ioctl, sys, text, v4l2};
use pistream_agent::{ControlFacts, ControlValue, MenuEntry};
use std::collections::BTreeMap;
use std::io;
use std::mem;
use v4l::Control;
use v4l::control::Value;

/// More controls than any driver has: a driver that never says "no more" is not followed for ever.
const MOST_CONTROLS: usize = 1024;
/// More entries than any menu has.
const MOST_ENTRIES: i64 = 256;

/// The values that controls have after setting.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Applied {
    /// As read back, by name.
    pub(crate) values: BTreeMap<String, i64>,
    /// Of those the driver clamped or rounded, by name: what was asked for.
    pub(crate) adjusted: BTreeMap<String, i64>,
}

impl Camera {
    /// Sets controls by name, in the order of their names as far as the driver lets, and reads back what it made of them.
    /// Integers are clamped to the driver's range first, since some drivers refuse what others clamp.
    ///
    /// # Errors
    /// The first control that is missing (then nothing is set), cannot be set or cannot be read back.
    pub(crate) fn set(&self, wanted: &BTreeMap<String, ControlValue>) -> Result<Applied, CameraError> {
        let mut applied = Applied::default();
        if wanted.is_empty() {
            return Ok(applied);
        }
        let known = self.descriptions()?;
        let mut all = Vec::new();
        for (name, value) in wanted {
            let control = self.find(name, &known)?;
            all.push((control, self.number(control, value)?));
        }
        for (control, asked) in self.refused(all.clone()) {
            self.write(control, asked)?;
        }
        for (control, asked) in all {
            let name = &control.name;
            if !control.is_readable() {
                continue;
            }
            let got = self.value(control).map_err(|source| CameraError::ReadBack {
                device: self.path.clone(),
                name: name.clone(),
                source,
            })?;
            if got != asked {
                applied.adjusted.insert(name.clone(), asked);
            }
            applied.values.insert(name.clone(), got);
        }
        Ok(applied)
    }

    /// Everything about these values that the driver would refuse or make something else of; nothing is set.
    ///
    /// # Errors
    /// Only that the controls cannot be listed.
    pub(crate) fn objections(&self, wanted: &BTreeMap<String, ControlValue>) -> Result<Vec<CameraError>, CameraError> {
        let known = self.descriptions()?;
        let judge = |(name, value): (&String, &ControlValue)| {
            let control = self.find(name, &known)?;
            let number = self.number(control, value)?;
            match control.objection(number, &self.menu(control)) {
                Some(why) => Err(self.unfit(name, why)),
                None => Ok(()),
            }
        };
        Ok(wanted.iter().filter_map(|entry| judge(entry).err()).collect())
    }

    /// Puts these controls back to what the driver had them at, and tells of each to what, or why that cannot be; those it
    /// no longer has, or that have no default, are left out.
    ///
    /// # Errors
    /// [`CameraError::List`].
    pub(crate) fn reset(
        &self,
        names: &[&String],
        mut tell: impl FnMut(String, Result<i64, CameraError>),
    ) -> Result<(), CameraError> {
        let known = self.descriptions()?;
        let mut all = Vec::new();
        // numbers before the automatics that take them into their hands
        for numbers in [true, false] {
            for known in &known {
                let wanted = names.contains(&&known.name) && known.unsettable().is_none() && known.is_readable();
                if wanted && known.kind.is_integer() == numbers {
                    all.push((known, known.default));
                }
            }
        }
        let refused = self.refused(all.clone());
        for (known, default) in all {
            let stays = refused.iter().any(|(refused, _)| refused.id == known.id);
            let done = if stays { self.write(known, default) } else { Ok(()) };
            tell(known.name.clone(), done.map(|()| default));
        }
        Ok(())
    }

    /// Sets controls, and tells which the driver refuses for good.
    fn refused<'a>(&self, all: Vec<(&'a Description, i64)>) -> Vec<(&'a Description, i64)> {
        in_passes(all, |(control, value)| self.write(control, *value).is_ok())
    }

    /// All controls, as `v4l2-ctl --list-ctrls-menus` shows them.
    ///
    /// # Errors
    /// [`CameraError::List`].
    pub(crate) fn controls(&self) -> Result<Vec<ControlFacts>, CameraError> {
        let known = self.descriptions()?;
        let facts = |control: Description| ControlFacts {
            value: if control.is_readable() {
                self.value(&control).ok()
            } else {
                None
            },
            menu: self
                .menu(&control)
                .into_iter()
                .map(|(number, name)| MenuEntry { number, name })
                .collect(),
            flags: control.flags(),
            kind: control.kind.word().to_owned(),
            minimum: control.minimum,
            maximum: control.maximum,
            step: control.step,
            default: control.default,
            name: control.name,
        };
        Ok(known.into_iter().map(facts).collect())
    }

    /// Every control of the device, compound ones and class headings left out.
    fn descriptions(&self) -> Result<Vec<Description>, CameraError> {
        let mut found = Vec::new();
        // SAFETY: v4l2_query_ext_ctrl is plain data, valid when zeroed.
        let mut query: sys::v4l2_query_ext_ctrl = unsafe { mem::zeroed() };
        for _ in 0..MOST_CONTROLS {
            query.id |= sys::V4L2_CTRL_FLAG_NEXT_CTRL;
            match ioctl(&self.device, v4l2::vidioc::VIDIOC_QUERY_EXT_CTRL, &mut query) {
                Ok(()) => found.extend(Description::of(&query)),
                // EINVAL: no more controls. ENOTTY: a driver without any.
                Err(error) if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENOTTY)) => break,
                Err(source) => {
                    return Err(CameraError::List {
                        device: self.path.clone(),
                        source,
                    });
                }
            }
        }
        Ok(found)
    }

    /// The entries of a menu; of what is no menu there are none.
    fn menu(&self, control: &Description) -> BTreeMap<i64, String> {
        let mut found = BTreeMap::new();
        if !control.kind.is_menu() {
            return found;
        }
        let last = control.maximum.min(control.minimum.saturating_add(MOST_ENTRIES));
        for index in control.minimum..=last {
            let Ok(number) = u32::try_from(index) else { continue };
            // SAFETY: v4l2_querymenu is plain data, valid when zeroed.
            let mut entry: sys::v4l2_querymenu = unsafe { mem::zeroed() };
            (entry.id, entry.index) = (control.id, number);
            // menus have holes
            if ioctl(&self.device, v4l2::vidioc::VIDIOC_QUERYMENU, &mut entry).is_ok() {
                // SAFETY: the kernel filled the member that belongs to the control's type; any bytes are valid in both.
                let name = unsafe {
                    match control.kind {
                        super::description::Kind::Menu => text(&{ entry.__bindgen_anon_1.name }),
                        _ => { entry.__bindgen_anon_1.value }.to_string(),
                    }
                };
                found.insert(index, name);
            }
        }
        found
    }

    fn value(&self, control: &Description) -> io::Result<i64> {
        // SAFETY: both are plain data, valid when zeroed; `asked` outlives the ioctl that reads through the pointer.
        let mut asked: sys::v4l2_ext_control = unsafe { mem::zeroed() };
        let mut list: sys::v4l2_ext_controls = unsafe { mem::zeroed() };
        asked.id = control.id;
        list.count = 1;
        list.controls = &raw mut asked;
        ioctl(&self.device, v4l2::vidioc::VIDIOC_G_EXT_CTRLS, &mut list)?;
        let wide = control.kind == super::description::Kind::Integer64;
        // SAFETY: the kernel filled the member that belongs to the control's type; both are plain numbers.
        Ok(unsafe {
            if wide {
                asked.__bindgen_anon_1.value64
            } else {
                i64::from(asked.__bindgen_anon_1.value)
            }
        })
    }

    fn write(&self, control: &Description, value: i64) -> Result<(), CameraError> {
        let value = control.within(value);
        let set = Control {
            id: control.id,
            value: Value::Integer(value),
        };
        self.device.set_control(set).map_err(|source| CameraError::Set {
            device: self.path.clone(),
            name: control.name.clone(),
            value,
            source,
        })
    }

    /// The number the driver knows a value by.
    fn number(&self, control: &Description, value: &ControlValue) -> Result<i64, CameraError> {
        let entry = match value {
            ControlValue::Number(number) => return Ok(*number),
            ControlValue::Entry(entry) => entry,
        };
        let menu = self.menu(control);
        let found = menu.iter().find(|(_, name)| name.eq_ignore_ascii_case(entry));
        found.map(|(number, _)| *number).ok_or_else(|| {
            let why = if menu.is_empty() {
                format!("is no menu: it takes a number, not `{entry}`")
            } else {
                format!("has no entry `{entry}`; it has {}", entries(&menu))
            };
            self.unfit(&control.name, why)
        })
    }

    /// The control of this name, if it can be set at all.
    fn find<'a>(&self, name: &str, known: &'a [Description]) -> Result<&'a Description, CameraError> {
        let Some(control) = known.iter().find(|known| known.name == name) else {
            let names: Vec<&str> = known.iter().map(|known| known.name.as_str()).collect();
            return Err(CameraError::NoControl {
                device: self.path.clone(),
                name: name.to_owned(),
                nearest: nearest(name, &names),
            });
        };
        match control.unsettable() {
            Some(why) => Err(self.unfit(name, why.to_owned())),
            None => Ok(control),
        }
    }

    fn unfit(&self, name: &str, why: String) -> CameraError {
        CameraError::Unfit {
            device: self.path.clone(),
            name: name.to_owned(),
            why,
        }
    }
}

/// Sets one after the other, and those that were refused again and again, as long as it gets further: what an automatic
/// has in its hands is refused until that is off (uvcvideo: focus_absolute, and focus_automatic_continuous after it).
/// What is refused for good.
fn in_passes<T>(mut left: Vec<T>, mut set: impl FnMut(&T) -> bool) -> Vec<T> {
    let mut before = usize::MAX;
    while left.len() < before {
        before = left.len();
        left.retain(|one| !set(one));
    }
    left
}

/// ", the nearest it has are …", or what else there is to say.
fn nearest(name: &str, known: &[&str]) -> String {
    if known.is_empty() {
        return ": it has no controls".to_owned();
    }
    let mut close: Vec<_> = known
        .iter()
        .map(|&known| (strsim::levenshtein(name, known), known))
        .filter(|&(edits, known)| edits * 5 <= known.len().max(name.len()) * 2)
        .collect();
    close.sort_unstable();
    let close: Vec<_> = close.into_iter().take(3).map(|(_, known)| known).collect();
    if close.is_empty() {
        format!(" (none of its {} controls has a similar name)", known.len())
    } else {
        format!(": the nearest are {}", close.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_automatic_holds_is_set_once_that_is_off_and_what_is_refused_for_good_is_told() {
        let set = |wanted: &[(&'static str, i64)]| {
            let (mut automatic, mut asked) = (1, 0);
            let refused = in_passes(wanted.to_vec(), |(name, value)| {
                asked += 1;
                match *name {
                    "focus_automatic_continuous" => automatic = *value,
                    "focus_absolute" if automatic == 0 => {}
                    _ => return false,
                }
                true
            });
            (refused, asked)
        };
        let slave = ("focus_absolute", 40);
        assert_eq!(set(&[slave, ("focus_automatic_continuous", 0)]), (vec![], 3));
        assert_eq!(set(&[slave, ("focus_automatic_continuous", 1)]), (vec![slave], 3));
        assert_eq!(set(&[slave]), (vec![slave], 1));
        assert_eq!(set(&[]), (vec![], 0));
    }

    #[test]
    fn a_missing_control_names_its_neighbours() {
        let known = ["video_bitrate", "video_bitrate_mode", "h264_profile"];
        assert!(nearest("vido_bitrate", &known).starts_with(": the nearest are video_bitrate"));
        assert_eq!(nearest("zoom", &known), " (none of its 3 controls has a similar name)");
        assert_eq!(nearest("zoom", &[]), ": it has no controls");
    }
}
