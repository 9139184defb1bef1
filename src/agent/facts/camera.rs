//! The camera: its software, its devices, what could stream from it, who has it.

use crate::camera::devices;
use crate::{command, supervise};
use pistream_agent::{CameraFacts, CameraStack, Holder, VideoDevice};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// libcamera's programs by their newer and their older name.
const LISTERS: [&str; 2] = ["rpicam-vid", "libcamera-vid"];
/// Services that take the camera for themselves; `ffmpeg` is the one that the playbook before pistream installed.
const TAKERS: [&str; 5] = ["motion", "motioneye", "mediamtx", "v4l2rtspserver", "ffmpeg"];
const DEADLINE: Duration = Duration::from_secs(10);

pub(super) fn facts(config: &Path) -> CameraFacts {
    let devices = devices::all();
    let listed_by = LISTERS.into_iter().find(|program| command::find(program).is_some());
    let (listed, listing_failed) = match listed_by.map(|program| supervise::listed::cameras(program, &mut || true)) {
        Some(Ok(cameras)) => (cameras, None),
        Some(Err(why)) => (Vec::new(), Some(why)),
        None => (Vec::new(), None),
    };
    let (pipelines, no_pipelines) = match config.exists().then(|| supervise::obstacles(config)) {
        Some(Ok(pipelines)) => (pipelines, None),
        Some(Err(why)) => (Vec::new(), Some(why)),
        None => (Vec::new(), Some("no camera is deployed here".to_owned())),
    };
    CameraFacts {
        stack: stack(&devices),
        devices,
        listed_by: listed_by.map(str::to_owned),
        listed,
        listing_failed,
        pipelines,
        no_pipelines,
        holders: holders(),
        takers: takers(),
    }
}

/// rpicam-apps' own rule: the first device that is no USB camera and is called like one of the three stacks.
fn stack(devices: &[VideoDevice]) -> CameraStack {
    let of = |device: &VideoDevice| {
        let called = |name: &str| device.card.starts_with(name) || device.driver.starts_with(name);
        if device.driver == "uvcvideo" {
            None
        } else if called("bcm2835-isp") {
            Some(CameraStack::Vc4)
        } else if called("pispbe") {
            Some(CameraStack::Pisp)
        } else if ["bm2835 mmal", "bcm2835 mmal", "mmal service"].into_iter().any(called) {
            Some(CameraStack::Legacy)
        } else {
            None
        }
    };
    devices.iter().find_map(of).unwrap_or_default()
}

/// Those of [`TAKERS`] that run.
fn takers() -> Vec<String> {
    let units = TAKERS.map(|name| format!("{name}.service"));
    let arguments: Vec<&str> = std::iter::once("is-active")
        .chain(units.iter().map(String::as_str))
        .collect();
    // it fails when any is not active, and prints a line for each all the same
    let printed = match command::run("systemctl", &arguments, DEADLINE) {
        Ok(printed) => printed,
        Err(error) => error.output().to_owned(),
    };
    let states = printed.lines().zip(&units);
    states
        .filter(|(state, _)| *state == "active")
        .map(|(_, unit)| unit.clone())
        .collect()
}

/// Processes with a `/dev/video*` open, as far as this user may see.
fn holders() -> Vec<Holder> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut found: Vec<Holder> = processes
        .filter_map(|entry| {
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            let device = video_device(&entry.path().join("fd"))?;
            let text = |name: &str| fs::read_to_string(entry.path().join(name)).ok();
            Some(Holder {
                device,
                pid,
                program: text("comm")?.trim_end().to_owned(),
                unit: text("cgroup").and_then(|groups| unit(&groups)),
            })
        })
        .collect();
    found.sort_by(|a, b| (&a.device, a.pid).cmp(&(&b.device, b.pid)));
    found
}

fn video_device(descriptors: &Path) -> Option<String> {
    let open = fs::read_dir(descriptors).ok()?.flatten();
    let mut paths = open.filter_map(|entry| fs::read_link(entry.path()).ok()?.to_str().map(str::to_owned));
    paths.find(|path| path.starts_with("/dev/video"))
}

/// The innermost systemd service of a process's control groups.
fn unit(groups: &str) -> Option<String> {
    let mut parts = groups.lines().flat_map(|line| line.rsplit('/'));
    parts.find(|part| part.ends_with(".service")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(driver: &str, card: &str) -> VideoDevice {
        VideoDevice {
            path: "/dev/video0".to_owned(),
            lasting: None,
            driver: driver.to_owned(),
            card: card.to_owned(),
        }
    }

    #[test]
    fn the_stack_is_told_by_the_cards_names_and_usb_cameras_do_not_count() {
        let webcam = device("uvcvideo", "bcm2835-isp look-alike");
        let codec = device("bcm2835-codec", "bcm2835-codec-decode");
        let of = |last: VideoDevice| stack(&[webcam.clone(), codec.clone(), last]);
        assert_eq!(of(device("bcm2835-isp", "bcm2835-isp")), CameraStack::Vc4);
        assert_eq!(of(device("pispbe", "pispbe")), CameraStack::Pisp);
        assert_eq!(of(device("bm2835 mmal", "mmal service 16.1")), CameraStack::Legacy);
        assert_eq!(of(device("unicam", "unicam")), CameraStack::None);
        assert_eq!(stack(&[]), CameraStack::None);
    }

    #[test]
    fn a_process_belongs_to_the_innermost_service() {
        assert_eq!(
            unit("0::/system.slice/motion.service\n").as_deref(),
            Some("motion.service")
        );
        assert_eq!(unit("0::/user.slice/user-1000.slice/session-1.scope\n"), None);
    }
}
