//! What a look at this host tells of pipelines before a deploy changes anything: what the driver would refuse, and whether any
//! can ever run. Tries nothing that takes time.

use super::choice::{Found, PassedOver, placed};
use crate::camera::{Camera, CameraError, devices};
use crate::{board, command};
use pistream_agent::{Pipeline, Requirement};
use std::path::Path;

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
            let placed = placed(pipeline, &found, None, board::line_padding());
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
