//! Which V4L2 devices a machine has, and which of them is wanted: chosen by what they are called, since their numbers
//! depend on what was plugged in first.

use super::Camera;
use crate::board;
use pistream_agent::{VideoDevice, WantedDevice};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How the Pi's own camera of the legacy stack is called, by driver or card.
pub(crate) const LEGACY: [&str; 3] = ["bm2835 mmal", "bcm2835 mmal", "mmal service"];

/// All `/dev/video*` that can be opened, by their numbers.
pub(crate) fn all() -> Vec<VideoDevice> {
    let cameras = paths().into_iter().filter_map(|path| Camera::open(&path).ok());
    let lasting = lasting(Path::new("/dev/v4l/by-id"));
    cameras
        .map(|camera| VideoDevice {
            lasting: lasting.get(&camera.path).cloned(),
            formats: camera.formats(),
            path: camera.path.to_string_lossy().into_owned(),
            driver: camera.driver,
            card: camera.card,
        })
        .collect()
}

/// The links in a directory of udev's, by the devices they lead to.
fn lasting(directory: &Path) -> BTreeMap<PathBuf, String> {
    let links = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let leads = |entry: std::fs::DirEntry| {
        let path = entry.path();
        Some((path.canonicalize().ok()?, path.to_str()?.to_owned()))
    };
    links.filter_map(leads).collect()
}

/// Why no device is as wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoDevice {
    /// In words: the wanted one cannot be opened, is called otherwise, or does not offer what is wanted.
    pub(crate) why: String,
    /// The one that is meant is there, and as it is it will never do.
    pub(crate) unfit: bool,
}

/// The path of the first device that is as wanted.
///
/// # Errors
/// [`NoDevice`].
pub(crate) fn find(wanted: &WantedDevice) -> Result<String, NoDevice> {
    let device = wanted.device.as_deref();
    let candidates = device.map_or_else(paths, |device| vec![PathBuf::from(device)]);
    let (mut others, mut failure) = (Vec::new(), None);
    for path in candidates {
        let camera = match Camera::open(&path) {
            Ok(camera) => camera,
            Err(error) => {
                failure.get_or_insert_with(|| NoDevice {
                    why: error.to_string(),
                    unfit: false,
                });
                continue;
            }
        };
        if !is_called(&camera.driver, &camera.card, &wanted.named) {
            others.push(format!("{} {}", path.display(), camera.card));
            continue;
        }
        if !may_be_meant(camera.captures(), wanted) {
            continue;
        }
        match unlike(&camera, wanted) {
            None => return Ok(path.to_string_lossy().into_owned()),
            // of a device that is called right this says more than that another cannot be opened
            Some(why) => failure = Some(NoDevice { why, unfit: true }),
        }
    }
    Err(failure.unwrap_or_else(|| {
        let there = match others.is_empty() {
            true => "no /dev/video* at all".to_owned(),
            false => others.join(", "),
        };
        NoDevice {
            why: format!("no V4L2 device is called {} ({there})", wanted.named.join(" or ")),
            unfit: device.is_some(),
        }
    }))
}

/// Whether a device that is called right is worth a word: where no path says which one, a USB camera's second device, which
/// has metadata alone, is not, and what the first lacks is told.
fn may_be_meant(captures: bool, wanted: &WantedDevice) -> bool {
    captures || wanted.device.is_some() || wanted.format.is_none()
}

/// What a device that is called right lacks, if anything.
fn unlike(camera: &Camera, wanted: &WantedDevice) -> Option<String> {
    if let Some(format) = &wanted.format
        && let Err(error) = camera.offers(format, wanted.picture)
    {
        return Some(error.to_string());
    }
    let needed = wanted.gpu_memory.filter(|_| camera.is_legacy())?;
    let told = board::gpu_memory()?;
    let too_little = board::megabytes(&told).is_some_and(|has| has < needed);
    too_little.then(|| {
        let device = camera.path.display();
        format!("{device}: so large a picture needs {needed} MB of the GPU's memory, and there are {told}")
    })
}

fn is_called(driver: &str, card: &str, named: &[String]) -> bool {
    let like = |name: &String| driver.starts_with(name) || card.starts_with(name);
    named.is_empty() || named.iter().any(like)
}

/// `/dev/video*`, by their numbers.
pub(crate) fn paths() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("/dev").into_iter().flatten().flatten();
    let numbered = entries.filter_map(|entry| {
        let number: u32 = entry.file_name().to_str()?.strip_prefix("video")?.parse().ok()?;
        Some((number, entry.path()))
    });
    let mut found: Vec<(u32, PathBuf)> = numbered.collect();
    found.sort();
    found.into_iter().map(|(_, path)| path).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn drivers_and_cards_are_called_by_how_their_names_begin() {
        let legacy = ["bm2835 mmal".to_owned(), "mmal service".to_owned()];
        assert!(is_called("bcm2835 mmal", "mmal service 16.1", &legacy));
        assert!(is_called("bm2835 mmal", "camera0", &legacy));
        assert!(!is_called("uvcvideo", "HD Webcam C270: mmal service", &legacy));
        assert!(is_called("unicam", "unicam", &[]));
    }

    #[test]
    fn a_device_without_pictures_is_meant_by_its_path_alone_where_pictures_are_wanted() {
        let pictures = WantedDevice {
            format: Some("H264".to_owned()),
            ..WantedDevice::default()
        };
        let at_a_path = WantedDevice {
            device: Some("/dev/video2".to_owned()),
            ..pictures.clone()
        };
        assert!(!may_be_meant(false, &pictures) && may_be_meant(true, &pictures));
        assert!(may_be_meant(false, &at_a_path), "that it captures nothing is told");
        assert!(may_be_meant(false, &WantedDevice::default()), "a codec");
    }

    #[test]
    fn the_links_of_udev_are_known_by_where_they_lead() {
        let directory = std::env::temp_dir().join(format!("pistream-links-{}", std::process::id()));
        let link = directory.join("usb-046d_C270-video-index0");
        std::fs::create_dir_all(&directory).unwrap();
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        std::os::unix::fs::symlink("/no/such/device", directory.join("gone")).unwrap();
        let found = lasting(&directory);
        std::fs::remove_dir_all(&directory).unwrap();
        let expected = (PathBuf::from("/dev/null"), link.to_str().unwrap().to_owned());
        assert_eq!(found, BTreeMap::from([expected]));
        assert!(lasting(&directory).is_empty());
    }

    #[test]
    fn a_device_that_is_none_says_so() {
        let null = WantedDevice {
            device: Some("/dev/null".to_owned()),
            ..WantedDevice::default()
        };
        let told = find(&null).unwrap_err();
        assert!(told.why.starts_with("/dev/null: not a video device"), "{told:?}");
        assert!(!told.unfit, "it may become one");
        let unknown = WantedDevice {
            named: vec!["no-such-driver".to_owned()],
            ..WantedDevice::default()
        };
        let told = find(&unknown).unwrap_err();
        assert!(!told.unfit && !told.why.is_empty(), "{told:?}");
    }
}
