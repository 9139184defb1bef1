//! The camera: its software, its devices, what could stream from it, who has it.

use crate::accounts::Accounts;
use crate::camera::devices;
use crate::holders::{self, TAKERS};
use crate::host::Host;
use crate::{command, posix, services, supervise};
use pistream_agent::{CameraFacts, CameraStack, PipelineFacts, USER, VideoDevice};
use std::path::Path;

/// libcamera's programs by their newer and their older name.
const LISTERS: [&str; 2] = ["rpicam-vid", "libcamera-vid"];

pub(super) fn facts(config: &Path) -> CameraFacts {
    let devices = devices::all();
    let listed_by = LISTERS.into_iter().find(|program| command::find(program).is_some());
    let (listed, listing_failed) = match listed_by.map(|program| supervise::listed::cameras(program, &mut || true)) {
        Some(Ok(cameras)) => (cameras, None),
        Some(Err(why)) => (Vec::new(), Some(why)),
        None => (Vec::new(), None),
    };
    let (pipelines, no_pipelines) = match config.exists().then(|| obstacles(config)) {
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
        holders: holders::all(),
        takers: takers(),
    }
}

/// Every way and what keeps it from running, tried as the user that the service runs as: what root may open it may not.
fn obstacles(config: &Path) -> Result<Vec<PipelineFacts>, String> {
    let accounts = Accounts::read(&Host::new(None)).unwrap_or_default();
    match accounts.identity(USER) {
        Some((user, groups)) if posix::effective_uid() == 0 => {
            posix::as_user(user, &groups, || supervise::obstacles(config))
                .map_err(|error| format!("as {USER}: {error}"))?
        }
        _ => supervise::obstacles(config),
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
        } else if devices::LEGACY.into_iter().any(called) {
            Some(CameraStack::Legacy)
        } else {
            None
        }
    };
    devices.iter().find_map(of).unwrap_or_default()
}

/// Those of [`TAKERS`] that run.
fn takers() -> Vec<String> {
    // a host without systemd has none
    let states = services::show(&TAKERS).unwrap_or_default();
    let active = states.into_iter().filter(|(_, state)| state.active());
    active.map(|(unit, _)| unit.to_owned()).collect()
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
            formats: Vec::new(),
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
}
