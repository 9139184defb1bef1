//! Who else has the camera, or is known to take it. Reads only.

use crate::camera::{Camera, devices};
use pistream_agent::Holder;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Services that take the camera for themselves; `ffmpeg` is the one that the playbook before pistream installed.
pub(crate) const TAKERS: [&str; 5] = [
    "motion.service",
    "motioneye.service",
    "mediamtx.service",
    "v4l2rtspserver.service",
    "ffmpeg.service",
];

/// Processes with a `/dev/video*` open, as far as this user may see; one that has several is there for each.
pub(crate) fn all() -> Vec<Holder> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let text = |name: &str| fs::read_to_string(entry.path().join(name)).unwrap_or_default();
        for device in video_devices(&entry.path().join("fd")) {
            found.push(Holder {
                device,
                pid,
                program: text("comm").trim_end().to_owned(),
                unit: unit(&text("cgroup")),
            });
        }
    }
    found.sort_by(|a, b| (&a.device, a.pid).cmp(&(&b.device, b.pid)));
    found
}

/// Those that have a device from which pictures come, and are none of pistream's own.
pub(crate) fn of_cameras() -> Vec<Holder> {
    let captures = |path: &PathBuf| Camera::open(path).is_ok_and(|camera| camera.captures());
    let cameras: BTreeSet<PathBuf> = devices::paths().into_iter().filter(captures).collect();
    let own = |holder: &Holder| holder.unit.as_ref().is_some_and(|unit| unit.starts_with("pistream-"));
    let holders = all().into_iter();
    holders
        .filter(|holder| cameras.contains(Path::new(&holder.device)) && !own(holder))
        .collect()
}

fn video_devices(descriptors: &Path) -> BTreeSet<String> {
    let open = fs::read_dir(descriptors).into_iter().flatten().flatten();
    let paths = open.filter_map(|entry| fs::read_link(entry.path()).ok()?.to_str().map(str::to_owned));
    paths.filter(|path| path.starts_with("/dev/video")).collect()
}

/// The innermost systemd service of a process's control groups. What runs in a user's session is of no service that the
/// system could stop alone.
fn unit(groups: &str) -> Option<String> {
    if groups.contains("/user@") {
        return None;
    }
    let mut parts = groups.lines().flat_map(|line| line.rsplit('/'));
    parts.find(|part| part.ends_with(".service")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_belongs_to_the_innermost_service() {
        assert_eq!(
            unit("0::/system.slice/motion.service\n").as_deref(),
            Some("motion.service")
        );
        assert_eq!(unit("0::/user.slice/user-1000.slice/session-1.scope\n"), None);
        for of_session in ["app.slice/app-cheese-7.scope", "app.slice/motion.service"] {
            let group = format!("0::/user.slice/user-1000.slice/user@1000.service/{of_session}\n");
            assert_eq!(unit(&group), None, "{group}");
        }
    }
}
