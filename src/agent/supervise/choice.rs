//! Which pipeline is run: the first all of whose requirements hold. Pure: whether one holds is asked of somebody else.

use pistream_agent::{BITRATE, CAMERA, DEVICE, Pipeline, Requirement, STRIDE};

/// What requirements found on this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The path of a V4L2 device.
    pub(super) device: Option<String>,
    /// The number of a camera of libcamera's.
    pub(super) camera: Option<String>,
}

/// The pipeline to run, and why it and not a better one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) index: usize,
    pub(super) found: Found,
    pub(super) why: String,
}

/// The first pipeline all of whose requirements hold, asked of `holds`; else why none will do.
pub(super) fn choose(
    pipelines: &[Pipeline],
    mut holds: impl FnMut(&Requirement) -> Result<Found, String>,
) -> Result<Choice, String> {
    let mut passed_over = PassedOver::default();
    for (index, pipeline) in pipelines.iter().enumerate() {
        match all_hold(pipeline, &mut holds) {
            Ok(found) => {
                let why = match (passed_over.0.is_empty(), pipelines.len()) {
                    (true, 1) => "the only one configured".to_owned(),
                    (true, _) => "the first choice".to_owned(),
                    (false, _) => passed_over.to_string(),
                };
                return Ok(Choice { index, found, why });
            }
            Err(reason) => passed_over.add(&pipeline.name, reason),
        }
    }
    Err(passed_over.to_string())
}

/// What a pipeline's requirements found first, if all of them hold; else why the first does not.
pub(super) fn all_hold(
    pipeline: &Pipeline,
    mut holds: impl FnMut(&Requirement) -> Result<Found, String>,
) -> Result<Found, String> {
    let mut all = Found::default();
    for requirement in &pipeline.requires {
        let found = holds(requirement)?;
        all.device = all.device.or(found.device);
        all.camera = all.camera.or(found.camera);
    }
    Ok(all)
}

/// Pipelines by why they cannot run, told as "v4l2-copy, v4l2-x264 passed over: …": most of a ladder's lower rungs fail for the reason of those above.
#[derive(Default)]
pub(super) struct PassedOver(Vec<(Vec<String>, String)>);

impl PassedOver {
    pub(super) fn add(&mut self, name: &str, reason: String) {
        match self.0.iter_mut().find(|(_, known)| *known == reason) {
            Some((names, _)) => names.push(name.to_owned()),
            None => self.0.push((vec![name.to_owned()], reason)),
        }
    }
}

impl std::fmt::Display for PassedOver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (names, reason)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{} passed over: {reason}", names.join(", "))?;
        }
        Ok(())
    }
}

/// The pipeline with what was found wherever [`DEVICE`] and [`CAMERA`] stand for it, its bitrate for [`BITRATE`], and a width
/// rounded up to a multiple of `padding` after [`STRIDE`].
pub(super) fn placed(pipeline: &Pipeline, found: &Found, bitrate: Option<u32>, padding: u32) -> Pipeline {
    let bitrate = bitrate.map(|bitrate| bitrate.to_string());
    let mut placed = pipeline.clone();
    let own = placed.arguments.iter_mut().chain(&mut placed.device);
    let of_capture = placed.capture.iter_mut().flat_map(|capture| &mut capture.arguments);
    for text in own.chain(of_capture) {
        let instead = match text.as_str() {
            DEVICE => &found.device,
            CAMERA => &found.camera,
            BITRATE => &bitrate,
            _ => &None,
        };
        if let Some(instead) = instead {
            instead.clone_into(text);
        } else if let Some(padded) = padded(text, padding) {
            *text = padded;
        }
    }
    placed
}

fn padded(text: &str, padding: u32) -> Option<String> {
    let (width, rest) = text.strip_prefix(STRIDE)?.split_once('}')?;
    let width: u32 = width.parse().ok()?;
    Some(format!("{}{rest}", width.checked_next_multiple_of(padding)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use pistream_agent::{Capture, WantedDevice};
    use std::collections::BTreeMap;

    fn device(path: &str) -> Found {
        Found {
            device: Some(path.to_owned()),
            camera: None,
        }
    }

    fn pipeline(name: &str, requires: Vec<Requirement>) -> Pipeline {
        Pipeline {
            name: name.to_owned(),
            requires,
            capture: None,
            device: None,
            controls: BTreeMap::new(),
            arguments: Vec::new(),
            adapt: None,
        }
    }

    fn three() -> Vec<Pipeline> {
        let v4l2 = Requirement::V4l2(WantedDevice {
            device: Some("/dev/video0".to_owned()),
            format: Some("H264".to_owned()),
            ..WantedDevice::default()
        });
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
            Requirement::V4l2(_) => Err("/dev/video0: No such file or directory".to_owned()),
            Requirement::Encoder(name) if name == "h264_omx" => Err("encoder h264_omx: Unknown encoder".to_owned()),
            _ => Ok(Found::default()),
        });
        let why = "v4l2-copy passed over: /dev/video0: No such file or directory; \
                   omx passed over: encoder h264_omx: Unknown encoder";
        assert_eq!(
            choice,
            Ok(Choice {
                index: 2,
                found: Found::default(),
                why: why.to_owned()
            })
        );
    }

    #[test]
    fn nothing_is_tried_after_the_first_that_holds() {
        let mut tried = 0;
        let choice = choose(&three(), |_| {
            tried += 1;
            Ok(device("/dev/video7"))
        });
        assert_eq!(
            choice,
            Ok(Choice {
                index: 0,
                found: device("/dev/video7"),
                why: "the first choice".to_owned()
            })
        );
        assert_eq!(tried, 1);
    }

    #[test]
    fn none_holds_and_a_reason_for_several_is_told_once() {
        let refused = choose(&three(), |requirement| match requirement {
            Requirement::V4l2(_) => Err("no camera".to_owned()),
            _ => Err("no encoder".to_owned()),
        });
        assert_eq!(
            refused,
            Err("v4l2-copy passed over: no camera; omx, x264 passed over: no encoder".to_owned())
        );
    }

    #[test]
    fn what_was_found_takes_its_place_in_arguments_and_controls() {
        let mut found = pipeline("usb-copy", vec![]);
        found.device = Some(DEVICE.to_owned());
        found.arguments = ["-i", DEVICE, "x{device}"].map(str::to_owned).to_vec();
        found.capture = Some(Capture {
            program: "rpicam-vid".to_owned(),
            arguments: ["--camera", CAMERA, "-b", BITRATE].map(str::to_owned).to_vec(),
        });
        let place = Found {
            camera: Some("1".to_owned()),
            ..device("/dev/video2")
        };
        let placed = placed(&found, &place, Some(250_000), 64);
        assert_eq!(placed.device.as_deref(), Some("/dev/video2"));
        assert_eq!(placed.arguments, ["-i", "/dev/video2", "x{device}"]);
        assert_eq!(placed.capture.unwrap().arguments, ["--camera", "1", "-b", "250000"]);
        assert_eq!(super::placed(&found, &Found::default(), None, 64), found);
    }

    #[test]
    fn lines_are_as_far_apart_as_the_board_pads_them() {
        let on = |text, padding| padded(text, padding);
        assert_eq!(on("{stride 160}x120", 64).as_deref(), Some("192x120"));
        assert_eq!(on("{stride 160}x120", 128).as_deref(), Some("256x120"));
        assert_eq!(on("{stride 640}x480", 128).as_deref(), Some("640x480"));
        for other in [
            "160x120",
            "{stride }x120",
            "{stride 160",
            "{stride 4294967295}x1",
            "x{stride 160}",
        ] {
            assert_eq!(on(other, 128), None, "{other}");
        }
    }
}
