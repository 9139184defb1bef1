//! Which pipeline this machine can run: each requirement tried for real, the first pipeline that passes is taken.

use super::ffmpeg::{Ffmpeg, Said};
use crate::camera::Camera;
use pistream_agent::{Pipeline, Requirement};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Time for one encoder to take five frames; a Pi Zero needs about 5 s to start ffmpeg at all.
const TRIAL: Duration = Duration::from_secs(20);
/// How often a trial lets the supervisor breathe.
const BREATH: Duration = Duration::from_millis(200);
const FRAMES: u64 = 5;
/// An encoder that failed its trial is not tried again for so long.
const REFUSAL_COUNTS: Duration = Duration::from_secs(600);

/// The pipeline to run, and why it and not a better one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) index: usize,
    pub(super) why: String,
}

/// The first pipeline all of whose requirements hold, asked of `holds`; else why none will do.
pub(super) fn choose(
    pipelines: &[Pipeline],
    mut holds: impl FnMut(&Requirement) -> Result<(), String>,
) -> Result<Choice, String> {
    let mut passed_over = Vec::new();
    for (index, pipeline) in pipelines.iter().enumerate() {
        match pipeline.requires.iter().try_for_each(&mut holds) {
            Ok(()) => {
                let why = match (passed_over.is_empty(), pipelines.len()) {
                    (true, 1) => "the only one configured".to_owned(),
                    (true, _) => "the first choice".to_owned(),
                    (false, _) => passed_over.join("; "),
                };
                return Ok(Choice { index, why });
            }
            Err(reason) => passed_over.push(format!("{} passed over: {reason}", pipeline.name)),
        }
    }
    Err(passed_over.join("; "))
}

/// Tries requirements, remembering the encoders' verdicts: a trial takes seconds, a restart shall not.
pub(super) struct Trials {
    ffmpeg: String,
    encoders: BTreeMap<String, Verdict>,
}

struct Verdict {
    at: Instant,
    result: Result<(), String>,
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
            encoders: BTreeMap::new(),
        }
    }

    /// An encoder failed in earnest, or nothing can run: no verdict counts any longer.
    pub(super) fn forget(&mut self) {
        self.encoders.clear();
    }

    /// Whether the requirement holds now. `breathe` is called at least five times a second while a trial runs; when it
    /// returns false the trial is given up.
    ///
    /// # Errors
    /// Why it does not hold, in words.
    pub(super) fn holds(&mut self, requirement: &Requirement, breathe: &mut dyn FnMut() -> bool) -> Result<(), String> {
        match requirement {
            Requirement::V4l2 { device, format } => Camera::open(Path::new(device))
                .and_then(|camera| camera.offers(format))
                .map_err(|error| error.to_string()),
            Requirement::File(path) => {
                let file = File::open(path).and_then(|file| file.metadata());
                match file {
                    Ok(metadata) if metadata.is_dir() => Err(format!("{path}: is a directory")),
                    Ok(_) => Ok(()),
                    Err(error) => Err(format!("{path}: {error}")),
                }
            }
            Requirement::Encoder(name) => {
                if let Some(verdict) = self.encoders.get(name).filter(|verdict| verdict.counts()) {
                    return verdict.result.clone();
                }
                let result = encode_five_frames(&self.ffmpeg, name, breathe);
                self.encoders.insert(
                    name.clone(),
                    Verdict {
                        at: Instant::now(),
                        result: result.clone(),
                    },
                );
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
    let mut trial = Ffmpeg::start(ffmpeg, &arguments, move |what| {
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

    fn pipeline(name: &str, requires: Vec<Requirement>) -> Pipeline {
        Pipeline {
            name: name.to_owned(),
            requires,
            device: None,
            controls: BTreeMap::new(),
            arguments: Vec::new(),
        }
    }

    fn three() -> Vec<Pipeline> {
        let v4l2 = Requirement::V4l2 {
            device: "/dev/video0".to_owned(),
            format: "H264".to_owned(),
        };
        vec![
            pipeline("v4l2-copy", vec![v4l2]),
            pipeline("omx", vec![Requirement::Encoder("h264_omx".to_owned())]),
            pipeline(
                "x264",
                vec![
                    Requirement::Encoder("libx264".to_owned()),
                    Requirement::File("/x".to_owned()),
                ],
            ),
        ]
    }

    #[test]
    fn the_first_that_holds_is_taken_and_the_better_ones_accounted_for() {
        let choice = choose(&three(), |requirement| match requirement {
            Requirement::V4l2 { device, .. } => Err(format!("{device}: No such file or directory")),
            Requirement::Encoder(name) if name == "h264_omx" => Err("encoder h264_omx: Unknown encoder".to_owned()),
            _ => Ok(()),
        });
        let why = "v4l2-copy passed over: /dev/video0: No such file or directory; \
                   omx passed over: encoder h264_omx: Unknown encoder";
        assert_eq!(
            choice,
            Ok(Choice {
                index: 2,
                why: why.to_owned()
            })
        );
    }

    #[test]
    fn nothing_is_tried_after_the_first_that_holds() {
        let mut tried = 0;
        let choice = choose(&three(), |_| {
            tried += 1;
            Ok(())
        });
        assert_eq!(
            choice,
            Ok(Choice {
                index: 0,
                why: "the first choice".to_owned()
            })
        );
        assert_eq!(tried, 1);
    }

    #[test]
    fn none_holds() {
        let refused = choose(&three(), |_| Err("no".to_owned()));
        assert_eq!(
            refused,
            Err("v4l2-copy passed over: no; omx passed over: no; x264 passed over: no".to_owned())
        );
    }

    #[test]
    fn files_and_devices_are_really_opened() {
        let mut trials = Trials::new("/nonexistent/ffmpeg");
        let mut holds = |requirement: Requirement| trials.holds(&requirement, &mut || true);
        assert_eq!(holds(Requirement::File("/dev/null".to_owned())), Ok(()));
        assert_eq!(
            holds(Requirement::File("/".to_owned())),
            Err("/: is a directory".to_owned())
        );
        assert!(
            holds(Requirement::File("/no/such".to_owned()))
                .unwrap_err()
                .starts_with("/no/such: No such file")
        );
        let no_camera = Requirement::V4l2 {
            device: "/dev/null".to_owned(),
            format: "H264".to_owned(),
        };
        assert!(
            holds(no_camera)
                .unwrap_err()
                .starts_with("/dev/null: not a video device")
        );
        let encoder = Requirement::Encoder("libx264".to_owned());
        assert!(
            holds(encoder)
                .unwrap_err()
                .starts_with("/nonexistent/ffmpeg: No such file")
        );
    }
}
