//! Which V4L2 devices a machine has, and which of them is wanted: chosen by what they are called, since their numbers
//! depend on what was plugged in first.

use super::Camera;
use pistream_agent::VideoDevice;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// All `/dev/video*` that can be opened, by their numbers.
pub(crate) fn all() -> Vec<VideoDevice> {
    let cameras = paths().into_iter().filter_map(|path| Camera::open(&path).ok());
    let lasting = lasting(Path::new("/dev/v4l/by-id"));
    cameras
        .map(|camera| VideoDevice {
            lasting: lasting.get(&camera.path).cloned(),
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

/// The path of the first device, of all or only that at `device`, whose driver or card is called like one of `named`
/// (whatever it is called, if there are none) and that captures in `format`, if one is asked for.
///
/// # Errors
/// Why there is none, in words: the wanted one cannot be opened, is called otherwise, or offers other formats.
pub(crate) fn find(device: Option<&str>, named: &[String], format: Option<&str>) -> Result<String, String> {
    let candidates = device.map_or_else(paths, |device| vec![PathBuf::from(device)]);
    let (mut others, mut why) = (Vec::new(), None);
    for path in candidates {
        let camera = match Camera::open(&path) {
            Ok(camera) => camera,
            Err(error) => {
                why.get_or_insert_with(|| error.to_string());
                continue;
            }
        };
        if !is_called(&camera.driver, &camera.card, named) {
            others.push(format!("{} {}", path.display(), camera.card));
            continue;
        }
        match format.map_or(Ok(()), |format| camera.offers(format)) {
            Ok(()) => return Ok(path.to_string_lossy().into_owned()),
            // of a device that is called right this says more than that another cannot be opened
            Err(error) => why = Some(error.to_string()),
        }
    }
    Err(why.unwrap_or_else(|| {
        let there = match others.is_empty() {
            true => "no /dev/video* at all".to_owned(),
            false => others.join(", "),
        };
        format!("no V4L2 device is called {} ({there})", named.join(" or "))
    }))
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
        let told = find(Some("/dev/null"), &[], None).err().unwrap_or_default();
        assert!(told.starts_with("/dev/null: not a video device"), "{told}");
        let named = ["no-such-driver".to_owned()];
        let told = find(None, &named, None).err().unwrap_or_default();
        assert!(!told.is_empty());
    }
}
