//! Whether this machine meets a requirement: each is tried for real, since a list of names proves nothing.

use super::choice::{Found, PassedOver, placed};
use super::ffmpeg::{Ffmpeg, Said};
use super::listed;
use crate::camera::{Camera, CameraError, devices};
use crate::{board, command};
use pistream_agent::{Pipeline, Requirement};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Time for one encoder to take five frames; a Pi Zero needs about 5 s to start ffmpeg at all.
const TRIAL: Duration = Duration::from_secs(20);
/// How often a trial lets the supervisor breathe.
const BREATH: Duration = Duration::from_millis(200);
const FRAMES: u64 = 5;
/// What failed its trial is not tried again for so long.
const REFUSAL_COUNTS: Duration = Duration::from_secs(600);

/// What the driver would refuse, or make something else of, among the controls of the first pipeline whose device is
/// there. Of a camera that is absent, or one that only a capture program knows, nothing is known here.
pub(super) fn objections(pipelines: &[Pipeline]) -> Vec<CameraError> {
    for pipeline in pipelines {
        let mut found = Found::default();
        let possible = pipeline.requires.iter().all(|requirement| match requirement {
            Requirement::V4l2(wanted) => {
                let path = devices::find(wanted);
                found.device = found.device.take().or(path.ok());
                found.device.is_some()
            }
            Requirement::Program { name, .. } => command::find(name).is_some(),
            Requirement::Board { .. } | Requirement::Listed { .. } | Requirement::File(_) | Requirement::Encoder(_) => {
                true
            }
        });
        if possible {
            let placed = placed(pipeline, &found);
            let camera = placed.device.and_then(|device| Camera::open(Path::new(&device)).ok());
            let objections = camera.map(|camera| camera.objections(&placed.controls));
            return objections.map_or_else(Vec::new, |known| known.unwrap_or_else(|error| vec![error]));
        }
    }
    Vec::new()
}

/// Why none of these ways will run on this host, and what to do instead. `None` while one can, or all that is missing may
/// yet be plugged in or installed.
pub(super) fn hopeless(pipelines: &[Pipeline]) -> Option<(String, String)> {
    let (mut passed_over, mut advice) = (PassedOver::default(), None);
    let (mut absent, mut unfit) = (false, false);
    for pipeline in pipelines {
        match pipeline.requires.iter().map(standing).max() {
            None | Some(Standing::Holds) => return None,
            Some(Standing::Absent) => absent = true,
            Some(Standing::Never {
                unfit: camera,
                why,
                instead,
            }) => {
                unfit |= camera;
                advice.get_or_insert(instead);
                passed_over.add(&pipeline.name, why);
            }
        }
    }
    // another camera may come, but one that is there and will not do is what the user means
    if absent && !unfit {
        return None;
    }
    Some((passed_over.to_string(), advice?.to_owned()))
}

/// How a requirement stands, as far as a look tells; the worst last.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    /// Or only a trial could tell.
    Holds,
    Absent,
    Never {
        /// It is a camera that is there and does not do.
        unfit: bool,
        why: String,
        /// What to do instead.
        instead: &'static str,
    },
}

fn standing(requirement: &Requirement) -> Standing {
    let there = |is: bool| if is { Standing::Holds } else { Standing::Absent };
    let encodes = || match board::lacks_encoder() {
        None => Standing::Holds,
        Some(why) => Standing::Never {
            unfit: false,
            why,
            instead: "write `encoder: libx264`, or `encoder: auto`, which finds it by itself",
        },
    };
    match requirement {
        Requirement::V4l2(wanted) => match devices::find(wanted) {
            Ok(_) => Standing::Holds,
            Err(missing) if missing.unfit => Standing::Never {
                unfit: true,
                why: missing.why,
                instead: match wanted.gpu_memory {
                    Some(_) => "write `size: 1296x972` or less, or set gpu_mem=256 in config.txt and reboot",
                    None => {
                        "write what the camera offers; `encoder: auto` re-encodes H.264, JPEG and raw pictures (YUYV) of any \
                         size"
                    }
                },
            },
            Err(_) => Standing::Absent,
        },
        Requirement::Board { encodes: true } => encodes(),
        Requirement::Encoder(name) if name == "h264_v4l2m2m" => encodes(),
        Requirement::Program { name, .. } => there(command::find(name).is_some()),
        Requirement::File(path) => there(Path::new(path).exists()),
        Requirement::Board { .. } | Requirement::Listed { .. } | Requirement::Encoder(_) => Standing::Holds,
    }
}

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
                encode_five_frames(ffmpeg, name, breathe).map(|()| Found::default())
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

fn encode_five_frames(ffmpeg: &str, encoder: &str, breathe: &mut dyn FnMut() -> bool) -> Result<(), String> {
    let frames = FRAMES.to_string();
    let arguments = [
        ["-f", "lavfi"],
        ["-i", "testsrc=size=320x240:rate=5"],
        ["-frames:v", &frames],
        ["-pix_fmt", "yuv420p"],
        ["-c:v", encoder],
        ["-f", "null"],
    ];
    let mut arguments: Vec<String> = arguments
        .as_flattened()
        .iter()
        .map(|argument| (*argument).to_owned())
        .collect();
    arguments.push("-".to_owned());

    let (said, heard) = mpsc::channel();
    let start = Instant::now();
    let mut trial = Ffmpeg::start(ffmpeg, &arguments, Stdio::null(), move |what| {
        let _ = said.send(what);
    })
    .map_err(|error| format!("{ffmpeg}: {error}"))?;
    let (mut encoded, mut complaint) = (0, None);
    loop {
        match heard.recv_timeout(BREATH) {
            Ok(Said::Progress { frames, .. }) => encoded = frames,
            Ok(Said::Line(line)) if complaint.is_none() => complaint = Some(said_of(encoder, &line)),
            Ok(Said::Line(_)) | Err(RecvTimeoutError::Timeout) => {}
            Ok(Said::End) | Err(RecvTimeoutError::Disconnected) => break,
        }
        if !breathe() {
            return Err("stopped while trying it".to_owned());
        }
        if start.elapsed() > TRIAL {
            return Err(format!(
                "encoder {encoder} took no {FRAMES} frames in {} s",
                TRIAL.as_secs()
            ));
        }
    }
    // stderr is closed; the process itself ends within moments, or is killed when `trial` goes
    let status = loop {
        match trial.poll() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if start.elapsed() < TRIAL && breathe() => std::thread::sleep(Duration::from_millis(5)),
            Ok(None) | Err(_) => break None,
        }
    };
    if status.is_some_and(|status| status.success()) && encoded >= FRAMES {
        return Ok(());
    }
    let complaint = complaint.unwrap_or_else(|| format!("only {encoded} of {FRAMES} frames came out"));
    Err(format!("encoder {encoder}: {complaint}"))
}

/// A line of ffmpeg's, without the encoder's name in front: the sentence begins with it.
fn said_of(encoder: &str, line: &str) -> String {
    let line = super::cause::plain(line);
    let own = line.strip_prefix(encoder).and_then(|rest| rest.strip_prefix(": "));
    own.map_or_else(|| line.clone(), str::to_owned)
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
