//! What is wrong with a [`CameraConfig`] that its types cannot say. Looks at values alone, never at the host.

use crate::supervise::rungs;
use pistream_agent::{Bounds, CAMERA, CameraConfig, DEVICE, Requirement, WantedDevice};

/// The pipeline it is in (if in one), the key, and what is wrong with its value.
pub(super) fn fault(config: &CameraConfig) -> Option<(Option<usize>, &'static str, String)> {
    let unlike_a_path = |key: &str, value: &str| {
        let good = value.starts_with('/') && !value.contains('\0');
        (!good).then(|| format!("`{key}` must be an absolute path, not {value:?}"))
    };
    if config.stall_after == 0 || config.stall_after > 3600 {
        return Some((
            None,
            "stall_after",
            "`stall_after` must be 1 to 3600 seconds".to_owned(),
        ));
    }
    let certificate = config.certificate.iter().map(|path| ("certificate", path));
    for (key, value) in [("ffmpeg", &config.ffmpeg), ("status_socket", &config.status_socket)]
        .into_iter()
        .chain(certificate)
    {
        if let Some(message) = unlike_a_path(key, value) {
            return Some((None, key, message));
        }
    }
    if let Some(message) = rungs::unlike_names(&config.rungs) {
        return Some((None, "rungs", message));
    }
    if config.pipelines.is_empty() {
        return Some((None, "pipeline", "at least one [[pipeline]] is needed".to_owned()));
    }
    for (index, pipeline) in config.pipelines.iter().enumerate() {
        let name = &pipeline.name;
        if pipeline.arguments.is_empty() {
            return Some((Some(index), "arguments", format!("pipeline `{name}` has no arguments")));
        }
        if pipeline.device.is_none() && !pipeline.controls.is_empty() {
            let message = format!("pipeline `{name}` sets controls but names no `device`");
            return Some((Some(index), "controls", message));
        }
        if let Some(message) = pipeline
            .device
            .as_ref()
            .filter(|device| *device != DEVICE)
            .and_then(|device| unlike_a_path("device", device))
        {
            return Some((Some(index), "device", message));
        }
        let finds = |requirement: &Requirement| matches!(requirement, Requirement::V4l2(_));
        let asks = pipeline
            .arguments
            .iter()
            .chain(&pipeline.device)
            .any(|text| text == DEVICE);
        if asks && !pipeline.requires.iter().any(finds) {
            let message = format!("pipeline `{name}` uses {DEVICE} but requires no `v4l2` that would find one");
            return Some((Some(index), "arguments", message));
        }
        let lists = |requirement: &Requirement| matches!(requirement, Requirement::Listed { camera: Some(_), .. });
        let mut of_capture = pipeline.capture.iter().flat_map(|capture| &capture.arguments);
        if of_capture.any(|text| text == CAMERA) && !pipeline.requires.iter().any(lists) {
            let message = format!("pipeline `{name}` uses {CAMERA} but requires no `listed` that would find one");
            return Some((Some(index), "capture", message));
        }
        if let Some(program) = pipeline.capture.as_ref().map(|capture| &capture.program)
            && !names_a_program(program)
        {
            let message = format!("`capture` must name a program, not {program:?}");
            return Some((Some(index), "capture", message));
        }
        if let Some(message) = pipeline
            .adapt
            .and_then(|bounds| unlike_bounds(name, pipeline.device.is_some(), bounds))
        {
            return Some((Some(index), "adapt", message));
        }
        for requirement in &pipeline.requires {
            let wrong = match requirement {
                Requirement::V4l2(WantedDevice {
                    format: Some(format), ..
                }) if format.len() != 4 => Some(format!("a pixel format has four characters, not {format:?}")),
                Requirement::V4l2(wanted) => wanted.device.as_ref().and_then(|path| unlike_a_path("device", path)),
                Requirement::Program { name, .. } | Requirement::Listed { program: name, .. } => {
                    (!names_a_program(name)).then(|| format!("{name:?} names no program"))
                }
                Requirement::File(path) => unlike_a_path("file", path),
                Requirement::Board { .. } | Requirement::Encoder(_) => None,
            };
            if let Some(message) = wrong {
                return Some((Some(index), "requires", message));
            }
        }
    }
    None
}

/// A name without directories, or an absolute path.
fn names_a_program(name: &str) -> bool {
    !name.is_empty() && !name.contains('\0') && (name.starts_with('/') || !name.contains('/'))
}

/// What is wrong with the bounds of this pipeline's bitrate, if anything.
fn unlike_bounds(name: &str, has_device: bool, bounds: Bounds) -> Option<String> {
    let Bounds { lowest, highest, step } = bounds;
    if !has_device {
        return Some(format!("pipeline `{name}` adapts its bitrate but names no `device`"));
    }
    let good =
        step > 0 && lowest > 0 && lowest <= highest && lowest.is_multiple_of(step) && highest.is_multiple_of(step);
    (!good).then(|| {
        format!("`adapt` needs 0 < lowest <= highest, both multiples of a step, not {lowest}, {highest} and {step}")
    })
}
