//! Which way a V4L2 device can be reset, and how: as the kernel's /sys shows it. Decides nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// The legacy camera's driver, by its names of several kernels: its device has no parent in /sys (bcm2835-camera.c
/// registers it with none), so it cannot be found from there.
const LEGACY: [&str; 2] = ["bcm2835-camera", "bcm2835-v4l2"];
/// A USB camera stays off for so long.
const OFF: Duration = Duration::from_secs(1);
/// A device must not stay without its driver: binding is tried for so long.
const BINDING: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(200);

/// What is to be written where.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reset {
    /// The USB device's `authorized`: 0 is as if it were unplugged.
    Usb { authorized: PathBuf },
    /// The driver's directory, and the devices that are taken from it and given back.
    Driver { driver: PathBuf, devices: Vec<String> },
}

impl Reset {
    /// `sys` is where /sys is, `device` a `/dev/videoN`, `legacy` whether it is the Pi's own camera of the legacy stack:
    /// for another without a parent (a loopback device) that one's driver is left alone.
    ///
    /// # Errors
    /// In words: nothing in /sys says how this device could be reset.
    pub(super) fn of(sys: &Path, device: &Path, legacy: bool) -> Result<Reset, String> {
        let name = device.file_name().unwrap_or_default();
        let parent = fs::canonicalize(sys.join("class/video4linux").join(name).join("device"));
        let found = match parent {
            Ok(parent) => usb(&parent).or_else(|| bound(&parent)),
            Err(_) if legacy => of_legacy(sys),
            Err(_) => None,
        };
        found.ok_or_else(|| format!("{}: has no driver that could be bound anew", device.display()))
    }

    /// # Errors
    /// In words, what could not be written and why.
    pub(super) fn carry_out(&self) -> Result<&'static str, String> {
        match self {
            Reset::Usb { authorized } => {
                insist(authorized, "0")?;
                thread::sleep(OFF);
                insist(authorized, "1")?;
                Ok("switched off and on at its USB port")
            }
            Reset::Driver { driver, devices } => {
                for device in devices {
                    insist(&driver.join("unbind"), device)?;
                    insist(&driver.join("bind"), device)?;
                }
                Ok("its driver was unbound and bound again")
            }
        }
    }
}

/// The USB device of which this is an interface.
fn usb(parent: &Path) -> Option<Reset> {
    let is_device = |path: &&Path| path.join("idVendor").exists() && path.join("authorized").exists();
    let authorized = parent.ancestors().find(is_device)?.join("authorized");
    Some(Reset::Usb { authorized })
}

fn bound(parent: &Path) -> Option<Reset> {
    Some(Reset::Driver {
        driver: fs::canonicalize(parent.join("driver")).ok()?,
        devices: vec![parent.file_name()?.to_str()?.to_owned()],
    })
}

fn of_legacy(sys: &Path) -> Option<Reset> {
    for bus in fs::read_dir(sys.join("bus")).ok()?.flatten() {
        for name in LEGACY {
            let driver = bus.path().join("drivers").join(name);
            let devices = bound_to(&driver);
            if !devices.is_empty() {
                return Some(Reset::Driver { driver, devices });
            }
        }
    }
    None
}

/// The devices that a driver has: links to them stand in its directory, beside one to its module.
fn bound_to(driver: &Path) -> Vec<String> {
    let mut devices = Vec::new();
    for entry in fs::read_dir(driver).into_iter().flatten().flatten() {
        let link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        match entry.file_name().into_string() {
            Ok(name) if link && name != "module" => devices.push(name),
            _ => {}
        }
    }
    devices
}

fn insist(path: &Path, text: &str) -> Result<(), String> {
    let start = Instant::now();
    loop {
        match fs::write(path, text) {
            Ok(()) => return Ok(()),
            Err(error) if start.elapsed() > BINDING || error.kind() == io::ErrorKind::NotFound => {
                return Err(format!("{}: {error}", path.display()));
            }
            Err(_) => thread::sleep(POLL),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A directory that plays /sys: these directories, files and links.
    fn sys(name: &str, directories: &[&str], files: &[&str], links: &[(&str, &str)]) -> PathBuf {
        let root = std::env::temp_dir().join(format!("pistream-sys-{name}-{}", std::process::id()));
        for path in directories {
            fs::create_dir_all(root.join(path)).unwrap();
        }
        for path in files {
            fs::write(root.join(path), "").unwrap();
        }
        for (link, target) in links {
            fs::create_dir_all(root.join(link).parent().unwrap()).unwrap();
            symlink(root.join(target), root.join(link)).unwrap();
        }
        fs::canonicalize(root).unwrap()
    }

    #[test]
    fn a_usb_camera_is_reset_at_its_port() {
        let root = sys(
            "usb",
            &["devices/usb1/1-1/1-1:1.0", "bus/usb/drivers/uvcvideo"],
            &["devices/usb1/1-1/idVendor", "devices/usb1/1-1/authorized"],
            &[
                ("class/video4linux/video0/device", "devices/usb1/1-1/1-1:1.0"),
                ("devices/usb1/1-1/1-1:1.0/driver", "bus/usb/drivers/uvcvideo"),
            ],
        );
        let reset = Reset::of(&root, Path::new("/dev/video0"), false).unwrap();
        let authorized = root.join("devices/usb1/1-1/authorized");
        assert_eq!(
            reset,
            Reset::Usb {
                authorized: authorized.clone()
            }
        );
        reset.carry_out().unwrap();
        assert_eq!(fs::read_to_string(authorized).unwrap(), "1");
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn the_legacy_camera_is_found_by_its_driver_and_another_by_its_device() {
        let root = sys(
            "legacy",
            &[
                "devices/virtual/video4linux/video0",
                "devices/platform/camera.0",
                "devices/platform/isp",
                "module/m",
                "class/video4linux/video0",
                "bus/vchiq/drivers/bcm2835-audio",
                "bus/platform/drivers/bcm2835-camera",
                "bus/platform/drivers/isp",
            ],
            &[],
            &[
                ("bus/platform/drivers/bcm2835-camera/module", "module/m"),
                (
                    "bus/platform/drivers/bcm2835-camera/camera.0",
                    "devices/platform/camera.0",
                ),
                ("class/video4linux/video7/device", "devices/platform/isp"),
                ("devices/platform/isp/driver", "bus/platform/drivers/isp"),
            ],
        );
        let driver = |name: &str, device: &str| Reset::Driver {
            driver: root.join("bus/platform/drivers").join(name),
            devices: vec![device.to_owned()],
        };
        let of = |device: &str, legacy| Reset::of(&root, Path::new(device), legacy);
        assert_eq!(of("/dev/video0", true).unwrap(), driver("bcm2835-camera", "camera.0"));
        assert!(of("/dev/video0", false).is_err(), "another without a parent");
        assert_eq!(of("/dev/video7", false).unwrap(), driver("isp", "isp"));
        fs::remove_file(root.join("bus/platform/drivers/bcm2835-camera/camera.0")).unwrap();
        assert!(
            of("/dev/video0", true)
                .unwrap_err()
                .contains("/dev/video0: has no driver")
        );
        fs::remove_dir_all(root).unwrap();
    }
}
