//! `pistream-agent recover`: what only root may do for a camera that starting anew does not bring back.
//!
//! ```text
//! supervise ─► /run/pistream/recover ─► pistream-recover.path ─► pistream-recover.service ─► driver, USB port, or reboot
//! ```
//!
//! The supervisor is nobody in particular, so nothing it writes is believed: its request is one word. Whether that may be
//! done, and to which device, stands in camera.toml, which only root can write.

mod device;
mod reboots;

use crate::camera::{Camera, devices};
use crate::command;
use crate::holders;
use crate::supervise;
use pistream_agent::{CameraConfig, RECOVER_REQUEST, Requirement};
use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

/// No request is longer. Bytes.
const LONGEST_REQUEST: usize = 16;
/// What was asked for longer ago, while nobody listened, is no longer wanted.
const STALE: Duration = Duration::from_secs(60);
/// A driver that was given back its device has found the camera within this.
const BACK: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(200);
const REBOOT: Duration = Duration::from_secs(30);

/// Where the supervisor asks: beside its status socket.
pub(crate) fn request(status_socket: &Path) -> PathBuf {
    status_socket.with_file_name(RECOVER_REQUEST)
}

/// What only root can do for a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Its device is reset.
    Reset,
    /// The host is booted anew.
    Reboot,
}

impl Remedy {
    /// The word by which it is asked for.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Remedy::Reset => "reset",
            Remedy::Reboot => "reboot",
        }
    }
}

/// Does what is asked for, if the configuration allows it: 0; else 1, with the reason on stderr.
pub(crate) fn run(config: &Path) -> ExitCode {
    match recover(config) {
        Ok(done) => {
            supervise::journal::log(done);
            ExitCode::SUCCESS
        }
        Err(why) => {
            supervise::journal::log(format_args!("not done: {why}"));
            ExitCode::FAILURE
        }
    }
}

fn recover(config: &Path) -> Result<String, String> {
    let config = supervise::configured(config)?;
    let request = request(Path::new(&config.status_socket));
    let failed = |error: io::Error| format!("{}: {error}", request.display());
    let remedy = asked(&request);
    // first of all, and whatever it is: its path unit waits for the next one only where none stands, and none is met twice
    remove(&request).map_err(failed)?;
    let remedy = remedy.map_err(failed)?;
    match remedy {
        Remedy::Reset if !config.reset => Err("`recover: {reset: on}` is not in the inventory".to_owned()),
        Remedy::Reset => reset(&config),
        Remedy::Reboot => {
            let memory = Path::new(pistream_agent::STATE_DIR).join("reboots");
            reboots::count_one(&memory, config.reboots_per_day, SystemTime::now())?;
            command::run("systemctl", &["--no-block", "reboot"], REBOOT).map_err(|error| error.cause())?;
            Ok("the host is booted anew".to_owned())
        }
    }
}

/// A file with one word in it; neither a link nor a pipe leads anywhere.
fn asked(request: &Path) -> io::Result<Remedy> {
    let mut file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(request)?;
    if file.metadata()?.modified()?.elapsed().is_ok_and(|age| age > STALE) {
        return Err(io::Error::other("was asked for too long ago"));
    }
    let mut text = [0; LONGEST_REQUEST];
    let length = file.read(&mut text)?;
    match text[..length].trim_ascii_end() {
        word if word == Remedy::Reset.word().as_bytes() => Ok(Remedy::Reset),
        word if word == Remedy::Reboot.word().as_bytes() => Ok(Remedy::Reboot),
        _ => Err(io::Error::other("asks for nothing that is known")),
    }
}

/// A link as such, a directory with all that is in it.
fn remove(request: &Path) -> io::Result<()> {
    match fs::remove_file(request) {
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => fs::remove_dir_all(request),
        done => done,
    }
}

fn reset(config: &CameraConfig) -> Result<String, String> {
    let found = camera(config).ok_or("no V4L2 device that a pipeline of the configuration asks for is there")?;
    // the inventory may know it by a link of udev's
    let device = fs::canonicalize(&found).unwrap_or_else(|_| PathBuf::from(&found));
    let legacy = Camera::open(&device).is_ok_and(|camera| camera.is_legacy());
    // Against accidents: a driver that is taken from a device in use may take the kernel with it. Who hides that it has the
    // device (in a mapping, say) is not seen, and such a driver is the kernel's to put right.
    if let Some(holder) = holders::all().iter().find(|holder| Path::new(&holder.device) == device) {
        let (program, pid) = (&holder.program, holder.pid);
        return Err(format!("{found}: {program} (process {pid}) has it open"));
    }
    let done = device::Reset::of(Path::new("/sys"), &device, legacy)?.carry_out()?;
    let start = Instant::now();
    while start.elapsed() < BACK {
        if let Some(back) = camera(config) {
            return Ok(format!("{found}: {done}; {back} is there again"));
        }
        std::thread::sleep(POLL);
    }
    Err(format!(
        "{found}: {done}, and no camera came back within {} s",
        BACK.as_secs()
    ))
}

/// The camera that the supervisor would take, by the same requirements: of a device without a format no pictures are wanted.
fn camera(config: &CameraConfig) -> Option<String> {
    let mut requirements = config.pipelines.iter().flat_map(|pipeline| &pipeline.requires);
    requirements.find_map(|requirement| match requirement {
        Requirement::V4l2(wanted) if wanted.format.is_some() => devices::find(wanted).ok(),
        _ => None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_request_is_a_regular_file_with_one_of_two_words() {
        let directory = std::env::temp_dir().join(format!("pistream-recover-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let path = request(&directory.join("status.sock"));
        for remedy in [Remedy::Reset, Remedy::Reboot] {
            fs::write(&path, format!("{}\n", remedy.word())).unwrap();
            assert_eq!(asked(&path).unwrap(), remedy);
        }
        for text in ["", "reset /dev/sda\n", "reboot now and for ever", "\u{fffd}"] {
            fs::write(&path, text).unwrap();
            assert!(asked(&path).is_err(), "{text:?}");
        }
        fs::write(&path, "reboot").unwrap();
        let old = SystemTime::now() - 2 * STALE;
        fs::File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(old)
            .unwrap();
        assert!(asked(&path).is_err(), "nobody listened then");
        let elsewhere = directory.join("elsewhere");
        fs::rename(&path, &elsewhere).unwrap();
        fs::write(&elsewhere, "reset").unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        assert!(asked(&path).is_err(), "a link was followed");
        remove(&path).unwrap();
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "reset", "a link was followed");
        fs::create_dir_all(path.join("full")).unwrap();
        std::os::unix::fs::symlink(&elsewhere, path.join("full/of")).unwrap();
        assert!(asked(&path).is_err(), "a directory was read");
        remove(&path).unwrap();
        assert!(!path.exists() && elsewhere.exists());
        fs::remove_dir_all(&directory).unwrap();
    }
}
