//! A V4L2 capture device: what it is, which formats it offers, its controls. The only place that knows V4L2.
//!
//! The crate `v4l` opens the device, lists formats and sets controls. Three of its functions end the program on what
//! a driver may legally say, so they are not called here; the ioctls behind them are made directly instead:
//! `Device::query_controls` and `Device::control` (a control type the crate does not know, as stateless codecs and
//! newer USB cameras have) and `Device::query_caps` (a card name that is not UTF-8: the kernel cuts it after 31 bytes).

pub(crate) mod devices;

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_void};
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use v4l::control::Value;
use v4l::v4l_sys as sys;
use v4l::v4l2;
use v4l::video::Capture;
use v4l::{Control, Device};

const DISABLED: u32 = sys::V4L2_CTRL_FLAG_DISABLED;
const READ_ONLY: u32 = sys::V4L2_CTRL_FLAG_READ_ONLY;
const WRITE_ONLY: u32 = sys::V4L2_CTRL_FLAG_WRITE_ONLY;

/// More controls than any driver has: a driver that never says "no more" is not followed for ever.
const MOST_CONTROLS: usize = 1024;

#[derive(Debug, thiserror::Error)]
pub(crate) enum CameraError {
    #[error("{device}: {source}")]
    Open { device: PathBuf, source: io::Error },
    #[error("{device}: not a video device ({source})")]
    Capabilities { device: PathBuf, source: io::Error },
    #[error("{device}: {card} (driver {driver}) does not capture video")]
    NoCapture {
        device: PathBuf,
        card: String,
        driver: String,
    },
    #[error("{device}: {card} (driver {driver}) offers {offered}, not {wanted}")]
    Format {
        device: PathBuf,
        card: String,
        driver: String,
        wanted: String,
        offered: String,
    },
    #[error("{device}: its controls cannot be listed: {source}")]
    List { device: PathBuf, source: io::Error },
    #[error("{device} has no control `{name}`{nearest}")]
    NoControl {
        device: PathBuf,
        name: String,
        nearest: String,
    },
    #[error("{device}: control `{name}` {why}")]
    Unsettable {
        device: PathBuf,
        name: String,
        why: &'static str,
    },
    #[error("{device}: control `{name}` cannot be set to {value}: {source}")]
    Set {
        device: PathBuf,
        name: String,
        value: i64,
        source: io::Error,
    },
    #[error("{device}: control `{name}` cannot be read back: {source}")]
    ReadBack {
        device: PathBuf,
        name: String,
        source: io::Error,
    },
}

/// An open V4L2 device.
pub(crate) struct Camera {
    path: PathBuf,
    device: Device,
    driver: String,
    card: String,
    capabilities: u32,
}

/// One control as the driver describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Description {
    id: u32,
    name: String,
    kind: u32,
    minimum: i64,
    maximum: i64,
    flags: u32,
}

/// The values that controls have after setting.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Applied {
    /// As read back, by name.
    pub(crate) values: BTreeMap<String, i64>,
    /// Those the driver clamped or rounded: name, asked, got.
    pub(crate) adjusted: Vec<(String, i64, i64)>,
}

impl Camera {
    /// Opens the device and asks what it is.
    ///
    /// # Errors
    /// [`CameraError::Open`] or, for something that is no V4L2 device, [`CameraError::Capabilities`].
    pub(crate) fn open(path: &Path) -> Result<Camera, CameraError> {
        let path = path.to_owned();
        let device = match Device::with_path(&path) {
            Ok(device) => device,
            Err(source) => return Err(CameraError::Open { device: path, source }),
        };
        // SAFETY: v4l2_capability is plain data, valid when zeroed.
        let mut told: sys::v4l2_capability = unsafe { mem::zeroed() };
        if let Err(source) = ioctl(&device, v4l2::vidioc::VIDIOC_QUERYCAP, &mut told) {
            return Err(CameraError::Capabilities { device: path, source });
        }
        // what this node can do, where the driver tells it apart from what the whole device can do
        let of_node = told.capabilities & sys::V4L2_CAP_DEVICE_CAPS != 0;
        Ok(Camera {
            path,
            device,
            driver: text(&told.driver),
            card: text(&told.card),
            capabilities: if of_node { told.device_caps } else { told.capabilities },
        })
    }

    /// Whether the device captures in this pixel format (four characters, "H264").
    ///
    /// # Errors
    /// [`CameraError::NoCapture`], or [`CameraError::Format`] with what it offers instead.
    pub(crate) fn offers(&self, wanted: &str) -> Result<(), CameraError> {
        let (device, card, driver) = (self.path.clone(), self.card.clone(), self.driver.clone());
        if self.capabilities & (sys::V4L2_CAP_VIDEO_CAPTURE | sys::V4L2_CAP_VIDEO_CAPTURE_MPLANE) == 0 {
            return Err(CameraError::NoCapture { device, card, driver });
        }
        let formats = self.device.enum_formats().unwrap_or_default();
        if formats.iter().any(|format| format.fourcc.repr == *wanted.as_bytes()) {
            return Ok(());
        }
        let names: Vec<_> = formats
            .iter()
            .map(|format| String::from_utf8_lossy(&format.fourcc.repr))
            .collect();
        let offered = if names.is_empty() {
            "no format".to_owned()
        } else {
            names.join(" ")
        };
        Err(CameraError::Format {
            device,
            card,
            driver,
            wanted: wanted.to_owned(),
            offered,
        })
    }

    /// Sets controls by name, in the order of their names, and reads back what the driver made of them. Integers are
    /// clamped to the driver's range first, since some drivers refuse what others clamp.
    ///
    /// # Errors
    /// The first control that is missing, cannot be set or cannot be read back.
    pub(crate) fn set(&self, wanted: &BTreeMap<String, i64>) -> Result<Applied, CameraError> {
        let mut applied = Applied::default();
        if wanted.is_empty() {
            return Ok(applied);
        }
        let known = self.descriptions()?;
        for (name, &asked) in wanted {
            let control = known
                .iter()
                .find(|known| known.name == *name)
                .ok_or_else(|| self.missing(name, &known))?;
            if let Some(why) = unsettable(control) {
                return Err(CameraError::Unsettable {
                    device: self.path.clone(),
                    name: name.clone(),
                    why,
                });
            }
            let value = within(control, asked);
            self.device
                .set_control(Control {
                    id: control.id,
                    value: Value::Integer(value),
                })
                .map_err(|source| CameraError::Set {
                    device: self.path.clone(),
                    name: name.clone(),
                    value,
                    source,
                })?;
            if control.flags & WRITE_ONLY != 0 || control.kind == sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_BUTTON {
                continue;
            }
            let got = self.value(control).map_err(|source| CameraError::ReadBack {
                device: self.path.clone(),
                name: name.clone(),
                source,
            })?;
            if got != asked {
                applied.adjusted.push((name.clone(), asked, got));
            }
            applied.values.insert(name.clone(), got);
        }
        Ok(applied)
    }

    /// Every control of the device, compound ones and class headings left out.
    fn descriptions(&self) -> Result<Vec<Description>, CameraError> {
        let mut found = Vec::new();
        // SAFETY: v4l2_query_ext_ctrl is plain data, valid when zeroed.
        let mut query: sys::v4l2_query_ext_ctrl = unsafe { mem::zeroed() };
        for _ in 0..MOST_CONTROLS {
            query.id |= sys::V4L2_CTRL_FLAG_NEXT_CTRL;
            match ioctl(&self.device, v4l2::vidioc::VIDIOC_QUERY_EXT_CTRL, &mut query) {
                Ok(()) => {}
                // EINVAL: no more controls. ENOTTY: a driver without any.
                Err(error) if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENOTTY)) => break,
                Err(source) => {
                    return Err(CameraError::List {
                        device: self.path.clone(),
                        source,
                    });
                }
            }
            let heading = query.type_ == sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_CTRL_CLASS;
            if !heading && query.flags & DISABLED == 0 {
                found.push(Description {
                    id: query.id,
                    name: variable_name(&control_name(&query.name)),
                    kind: query.type_,
                    minimum: query.minimum,
                    maximum: query.maximum,
                    flags: query.flags,
                });
            }
        }
        Ok(found)
    }

    fn value(&self, control: &Description) -> io::Result<i64> {
        // SAFETY: both are plain data, valid when zeroed; `asked` outlives the ioctl that reads through the pointer.
        let mut asked: sys::v4l2_ext_control = unsafe { mem::zeroed() };
        let mut list: sys::v4l2_ext_controls = unsafe { mem::zeroed() };
        asked.id = control.id;
        list.count = 1;
        list.controls = &raw mut asked;
        ioctl(&self.device, v4l2::vidioc::VIDIOC_G_EXT_CTRLS, &mut list)?;
        let wide = control.kind == sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_INTEGER64;
        // SAFETY: the kernel filled the member that belongs to the control's type; both are plain numbers.
        Ok(unsafe {
            if wide {
                asked.__bindgen_anon_1.value64
            } else {
                i64::from(asked.__bindgen_anon_1.value)
            }
        })
    }

    fn missing(&self, name: &str, known: &[Description]) -> CameraError {
        let names: Vec<&str> = known.iter().map(|known| known.name.as_str()).collect();
        CameraError::NoControl {
            device: self.path.clone(),
            name: name.to_owned(),
            nearest: nearest(name, &names),
        }
    }
}

/// ", the nearest it has are …", or what else there is to say.
fn nearest(name: &str, known: &[&str]) -> String {
    if known.is_empty() {
        return ": it has no controls".to_owned();
    }
    let close = similar::get_close_matches(name, known, 3, 0.6);
    if close.is_empty() {
        format!(" (none of its {} controls has a similar name)", known.len())
    } else {
        format!(": the nearest are {}", close.join(", "))
    }
}

fn unsettable(control: &Description) -> Option<&'static str> {
    if control.flags & READ_ONLY != 0 {
        return Some("is read-only");
    }
    let whole_number = matches!(
        control.kind,
        sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_INTEGER
            | sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_BOOLEAN
            | sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_MENU
            | sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_BUTTON
            | sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_INTEGER64
            | sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_BITMASK
            | sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_INTEGER_MENU
    );
    (!whole_number).then_some("does not take a number")
}

/// A menu's entries mean nothing to their neighbours, so only integers are clamped.
fn within(control: &Description, asked: i64) -> i64 {
    let integer = matches!(
        control.kind,
        sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_INTEGER | sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_INTEGER64
    );
    if integer && control.minimum <= control.maximum {
        asked.clamp(control.minimum, control.maximum)
    } else {
        asked
    }
}

/// A control's name as `v4l2-ctl` prints it: "H264 I-Frame Period" is `h264_i_frame_period`.
fn variable_name(name: &str) -> String {
    name.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect::<Vec<_>>()
        .join("_")
}

/// A fixed-size text of the kernel's, up to its first NUL.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

fn control_name(name: &[c_char; 32]) -> String {
    // char is signed on x86 and unsigned on ARM; the bytes are the same
    let bytes: Vec<u8> = name.iter().map(|&c| c.to_ne_bytes()[0]).collect();
    CStr::from_bytes_until_nul(&bytes).map_or_else(|_| text(&bytes), |name| name.to_string_lossy().into_owned())
}

fn ioctl<T>(device: &Device, request: v4l2::vidioc::_IOC_TYPE, argument: &mut T) -> io::Result<()> {
    // SAFETY: every caller pairs the request with the structure the kernel defines for it; the descriptor is open as
    // long as `device` lives.
    unsafe {
        v4l2::ioctl(
            device.handle().fd(),
            request,
            std::ptr::from_mut(argument).cast::<c_void>(),
        )
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn integer(minimum: i64, maximum: i64) -> Description {
        Description {
            id: 1,
            name: "video_bitrate".to_owned(),
            kind: sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_INTEGER,
            minimum,
            maximum,
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
        let bitrate = integer(25_000, 25_000_000);
        assert_eq!(within(&bitrate, 99_000_000), 25_000_000);
        assert_eq!(within(&bitrate, 0), 25_000);
        assert_eq!(within(&bitrate, 250_000), 250_000);
        let menu = Description {
            kind: sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_MENU,
            ..integer(0, 4)
        };
        assert_eq!(within(&menu, 9), 9);
        assert_eq!(
            within(&integer(5, 1), 9),
            9,
            "a driver's nonsense is no reason to panic"
        );
    }

    #[test]
    fn what_takes_no_number_is_not_set() {
        let text = Description {
            kind: sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_STRING,
            ..integer(0, 4)
        };
        assert_eq!(unsettable(&text), Some("does not take a number"));
        let unknown = Description {
            kind: 0x0107,
            ..integer(0, 4)
        };
        assert_eq!(unsettable(&unknown), Some("does not take a number"));
        let fixed = Description {
            flags: READ_ONLY,
            ..integer(0, 4)
        };
        assert_eq!(unsettable(&fixed), Some("is read-only"));
        assert_eq!(unsettable(&integer(0, 4)), None);
    }

    #[test]
    fn a_missing_control_names_its_neighbours() {
        let known = ["video_bitrate", "video_bitrate_mode", "h264_profile"];
        assert!(nearest("vido_bitrate", &known).starts_with(": the nearest are video_bitrate"));
        assert_eq!(nearest("zoom", &known), " (none of its 3 controls has a similar name)");
        assert_eq!(nearest("zoom", &[]), ": it has no controls");
    }

    #[test]
    fn no_device_and_no_video_device_are_told_apart() {
        let message = |path: &str| Camera::open(Path::new(path)).err().unwrap().to_string();
        assert_eq!(
            message("/dev/no-such-video"),
            "/dev/no-such-video: No such file or directory (os error 2)"
        );
        assert!(
            message("/dev/null").starts_with("/dev/null: not a video device ("),
            "{}",
            message("/dev/null")
        );
    }

    #[test]
    fn kernel_texts_end_at_their_first_nul_and_need_not_be_utf8() {
        assert_eq!(text(b"mmal service 16.1\0\0\0"), "mmal service 16.1");
        assert_eq!(text(b"caf\xc3"), "caf\u{fffd}");
        let mut name: [c_char; 32] = [0; 32];
        name[0] = 65;
        assert_eq!(control_name(&name), "A");
        assert_eq!(control_name(&[66; 32]), "B".repeat(32));
    }
}
