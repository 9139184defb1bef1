//! A V4L2 capture device: what it is, which formats it offers, its controls. The only place that knows V4L2.
//!
//! The crate `v4l` opens the device, lists formats and sets controls. Three of its functions end the program on what
//! a driver may legally say, so they are not called here; the ioctls behind them are made directly instead:
//! `Device::query_controls` and `Device::control` (a control type the crate does not know, as stateless codecs and
//! newer USB cameras have) and `Device::query_caps` (a card name that is not UTF-8: the kernel cuts it after 31 bytes).

mod controls;
mod description;
pub(crate) mod devices;
mod pictures;

pub(crate) use controls::Applied;

use pistream_agent::Picture;
use std::ffi::{CStr, c_char, c_void};
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use v4l::Device;
use v4l::v4l_sys as sys;
use v4l::v4l2;
use v4l::video::Capture;

const DISABLED: u32 = sys::V4L2_CTRL_FLAG_DISABLED;
const READ_ONLY: u32 = sys::V4L2_CTRL_FLAG_READ_ONLY;
const WRITE_ONLY: u32 = sys::V4L2_CTRL_FLAG_WRITE_ONLY;

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
    #[error("{device}: {card} (driver {driver}) lists {lacks} ({format})")]
    Picture {
        device: PathBuf,
        card: String,
        driver: String,
        format: String,
        lacks: String,
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
    Unfit { device: PathBuf, name: String, why: String },
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

    pub(crate) fn card(&self) -> &str {
        &self.card
    }

    pub(crate) fn driver(&self) -> &str {
        &self.driver
    }

    /// Whether pictures come out of it: not so of codecs and scalers.
    pub(crate) fn captures(&self) -> bool {
        self.capabilities & (sys::V4L2_CAP_VIDEO_CAPTURE | sys::V4L2_CAP_VIDEO_CAPTURE_MPLANE) != 0
    }

    /// Whether it is the Pi's own camera of the legacy stack.
    pub(crate) fn is_legacy(&self) -> bool {
        let called = |name: &&str| self.card.starts_with(name) || self.driver.starts_with(name);
        devices::LEGACY.iter().any(called)
    }

    /// What it captures in, four characters each; nothing of what delivers no pictures.
    pub(crate) fn formats(&self) -> Vec<String> {
        if !self.captures() {
            return Vec::new();
        }
        let formats = self.device.enum_formats().unwrap_or_default();
        let names = formats
            .iter()
            .map(|format| String::from_utf8_lossy(&format.fourcc.repr).into_owned());
        names.collect()
    }

    /// Whether the device captures in this pixel format (four characters, "H264"), and this picture in it.
    ///
    /// # Errors
    /// [`CameraError::NoCapture`], [`CameraError::Format`] or [`CameraError::Picture`], with what it offers instead.
    pub(crate) fn offers(&self, wanted: &str, picture: Option<Picture>) -> Result<(), CameraError> {
        let (device, card, driver) = (self.path.clone(), self.card.clone(), self.driver.clone());
        if !self.captures() {
            return Err(CameraError::NoCapture { device, card, driver });
        }
        let formats = self.formats();
        if formats.iter().any(|format| format == wanted) {
            return match picture.and_then(|picture| self.lacks(wanted, picture)) {
                None => Ok(()),
                Some(lacks) => Err(CameraError::Picture {
                    device,
                    card,
                    driver,
                    format: wanted.to_owned(),
                    lacks,
                }),
            };
        }
        let offered = if formats.is_empty() {
            "no format".to_owned()
        } else {
            formats.join(" ")
        };
        Err(CameraError::Format {
            device,
            card,
            driver,
            wanted: wanted.to_owned(),
            offered,
        })
    }
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
