//! Whether this machine meets a requirement: each is tried for real, since a list of names proves nothing.

mod encoder;

use super::choice::Found;
use super::listed;
use crate::camera::devices;
use crate::{board, command};
use pistream_agent::Requirement;
use std::collections::BTreeMap;
use std::fs::File;
use std::time::{Duration, Instant};

/// What failed its trial is not tried again for so long.
const REFUSAL_COUNTS: Duration = Duration::from_secs(600);

/// Tries requirements, remembering the verdicts that cost time: a trial takes seconds, a restart shall not.
pub(super) struct Trials {
    ffmpeg: String,
    verdicts: BTreeMap<Requirement, Verdict>,
}

struct Verdict {
    at: Instant,
    result: Result<Found, String>,
}

impl Verdict {
    /// An encoder that was busy once may be free later; one that worked is believed until it fails in earnest.
    fn counts(&self) -> bool {
        self.result.is_ok() || self.at.elapsed() < REFUSAL_COUNTS
    }
}

impl Trials {
    pub(super) fn new(ffmpeg: &str) -> Trials {
        Trials {
            ffmpeg: ffmpeg.to_owned(),
            verdicts: BTreeMap::new(),
        }
    }

    /// A camera or an encoder failed in earnest, or nothing can run: no verdict counts any longer.
    pub(super) fn forget(&mut self) {
        self.verdicts.clear();
    }

    /// Whether the requirement holds now, and what it found if it asks for something. `breathe` is called at least five times
    /// a second while a trial runs; when it returns false the trial is given up.
    ///
    /// # Errors
    /// Why it does not hold, in words.
    pub(super) fn holds(
        &mut self,
        requirement: &Requirement,
        breathe: &mut dyn FnMut() -> bool,
    ) -> Result<Found, String> {
        match requirement {
            Requirement::V4l2(wanted) => match devices::find(wanted) {
                Ok(device) => Ok(Found {
                    device: Some(device),
                    camera: None,
                }),
                Err(missing) => Err(missing.why),
            },
            Requirement::Board { encodes } => match board::lacks_encoder().filter(|_| *encodes) {
                None => Ok(Found::default()),
                Some(why) => Err(why),
            },
            Requirement::Program { name, package } => match command::find(name) {
                Some(_) => Ok(Found::default()),
                None => Err(format!("{name} is not installed (sudo apt install {package})")),
            },
            Requirement::File(path) => {
                let file = File::open(path).and_then(|file| file.metadata());
                match file {
                    Ok(metadata) if metadata.is_dir() => Err(format!("{path}: is a directory")),
                    Ok(_) => Ok(Found::default()),
                    Err(error) => Err(format!("{path}: {error}")),
                }
            }
            Requirement::Listed { program, camera } => self.tried(requirement, |_| {
                let cameras = listed::cameras(program, breathe)?;
                Ok(Found {
                    device: None,
                    camera: listed::choose(program, &cameras, camera.as_deref())?,
                })
            }),
            Requirement::Encoder(name) => self.tried(requirement, |ffmpeg| {
                encoder::encode_five_frames(ffmpeg, name, breathe).map(|()| Found::default())
            }),
        }
    }

    /// What an earlier trial found, or this one.
    fn tried(
        &mut self,
        requirement: &Requirement,
        trial: impl FnOnce(&str) -> Result<Found, String>,
    ) -> Result<Found, String> {
        let known = self.verdicts.get(requirement).filter(|verdict| verdict.counts());
        match known {
            Some(verdict) => verdict.result.clone(),
            None => {
                let result = trial(&self.ffmpeg);
                let verdict = Verdict {
                    at: Instant::now(),
                    result: result.clone(),
                };
                self.verdicts.insert(requirement.clone(), verdict);
                result
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use pistream_agent::WantedDevice;

    #[test]
    fn files_and_devices_are_really_opened() {
        let mut trials = Trials::new("/nonexistent/ffmpeg");
        let mut holds = |requirement: Requirement| trials.holds(&requirement, &mut || true);
        assert_eq!(holds(Requirement::File("/dev/null".to_owned())), Ok(Found::default()));
        assert_eq!(
            holds(Requirement::File("/".to_owned())),
            Err("/: is a directory".to_owned())
        );
        assert!(
            holds(Requirement::File("/no/such".to_owned()))
                .unwrap_err()
                .starts_with("/no/such: No such file")
        );
        let no_camera = Requirement::V4l2(WantedDevice {
            device: Some("/dev/null".to_owned()),
            format: Some("H264".to_owned()),
            ..WantedDevice::default()
        });
        assert!(
            holds(no_camera)
                .unwrap_err()
                .starts_with("/dev/null: not a video device")
        );
        let program = |name: &str| Requirement::Program {
            name: name.to_owned(),
            package: "rpicam-apps".to_owned(),
        };
        assert_eq!(holds(program("sh")), Ok(Found::default()));
        assert_eq!(
            holds(program("no-such-rpicam-vid")),
            Err("no-such-rpicam-vid is not installed (sudo apt install rpicam-apps)".to_owned())
        );
        let encoder = Requirement::Encoder("libx264".to_owned());
        assert!(
            holds(encoder)
                .unwrap_err()
                .starts_with("/nonexistent/ffmpeg: No such file")
        );
    }
}
