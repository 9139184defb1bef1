//! Source, encoder, size and controls together: what the inventory alone can tell will not work on any Pi.
//!
//! What depends on the Pi and its system (has it the encoder, does it list the camera) only the Pi can tell.

use crate::inventory::fault::Finding;
use crate::inventory::keys::CameraKeys;
use crate::inventory::reader::{Reader, value};
use crate::inventory::tree::Place;
use crate::model::{Control, Encoder, Name, Size, Source, libcamera};

/// The largest picture that the legacy camera stack delivers from half-size sensor modes (OV5647's, 2x2 binned); above it
/// stalls and refusals are reported (raspberrypi/linux#3467, firmware#1087, motioneyeos#2744).
const LEGACY: Size = Size {
    width: 1296,
    height: 972,
};

/// Narrower by less than this, ffmpeg's V4L2 encoder lays lines out otherwise than the Pi's firmware reads them
/// (raspberrypi/firmware#1608).
const M2M_STEP: u32 = 32;

/// Tells all that is wrong or doubtful.
pub(super) fn sensible(name: &Name, place: &Place, keys: &CameraKeys, reader: &mut Reader) {
    let (source, encoder, size) = (value(&keys.source), value(&keys.encoder), value(&keys.size));
    if let (Some(source), Some(encoder)) = (&source, encoder) {
        let at = keys
            .encoder
            .as_ref()
            .map_or(place, |given| written(&given.place, place));
        go_together(source, encoder, at, reader);
    }
    let at_size = keys.size.as_ref().map_or(place, |given| written(&given.place, place));
    if let (Some(Encoder::H264V4l2m2m), Some(size)) = (encoder, size) {
        encodable(name, size, at_size, reader);
    }
    if let (Some(Source::V4l2(_)), Some(size)) = (&source, size) {
        within_legacy(name, size, at_size, reader);
    }
    if let (Some(source), Some(controls)) = (&source, &keys.controls) {
        let settings = controls.value.iter().flat_map(|controls| &controls.0);
        for (control, (setting, at)) in settings {
            match (source, setting) {
                (Source::Rpicam(_), _) => settable(control, setting, at, reader),
                (_, Control::Fraction(_)) => whole(control, setting, at, reader),
                _ => {}
            }
        }
    }
}

/// Where a value stands; a default stands nowhere, then it is the camera.
fn written<'a>(value: &'a Place, camera: &'a Place) -> &'a Place {
    if value.bytes.is_empty() { camera } else { value }
}

fn go_together(source: &Source, encoder: Encoder, place: &Place, reader: &mut Reader) {
    if source.goes_with(encoder) {
        return;
    }
    let (message, help) = match (source, encoder) {
        (Source::TestPattern, Encoder::Copy) => (
            "the test pattern comes as raw pictures: there is nothing to copy",
            "Write `encoder: auto` or `encoder: libx264`.",
        ),
        (Source::Rpicam(_) | Source::Usb(_), _) => (
            "no system that pistream finds this source on has h264_omx",
            "Write `encoder: h264_v4l2m2m` (up to Pi 4), `encoder: libx264`, or `encoder: auto`, which tries them in this \
             order.",
        ),
        _ => (
            "a test pattern or a file is not encoded by the Pi's encoder",
            "Write `encoder: auto` or `encoder: libx264`.",
        ),
    };
    reader.fault(Finding::new(place, message).help(help));
}

fn encodable(name: &Name, size: Size, place: &Place, reader: &mut Reader) {
    if size.width.is_multiple_of(M2M_STEP) {
        return;
    }
    let below = size.width / M2M_STEP * M2M_STEP;
    let message = format!("h264_v4l2m2m garbles pictures {} wide for {name}", size.width);
    let help = format!(
        "It takes widths in steps of {M2M_STEP} (raspberrypi/firmware#1608). The nearest are `size: {below}x{height}` and \
         `size: {}x{height}`; `encoder: libx264` takes any.",
        below + M2M_STEP,
        height = size.height
    );
    reader.fault(Finding::new(place, message).help(help));
}

fn within_legacy(name: &Name, size: Size, place: &Place, reader: &mut Reader) {
    if size.width <= LEGACY.width && size.height <= LEGACY.height {
        return;
    }
    let message = format!("{size} is more than the legacy camera stack is sure to deliver for {name}");
    let help = format!(
        "Above {LEGACY} it needs more of the GPU's memory (gpu_mem=256 in config.txt) and a 3 A supply, else it is \
         reported to stall or to refuse to start; `pistream facts` shows both. `size: {LEGACY}` is the largest without. \
         No matter if this device is not the Pi's own camera."
    );
    reader.warn(Finding::new(place, message).help(help));
}

fn settable(control: &str, setting: &Control, place: &Place, reader: &mut Reader) {
    if let Some(objection) = libcamera::objection(control, setting) {
        let help = format!("Accepted with `source: rpicam`: {}.", libcamera::accepted());
        reader.fault(Finding::new(place, objection).help(help));
    }
}

/// Which camera a Pi has, only it can tell; a fraction would be lost on any but libcamera's.
fn whole(control: &str, setting: &Control, place: &Place, reader: &mut Reader) {
    let message = format!("no V4L2 control takes a fraction: `{control}: {setting}`");
    let help = "Write a whole number; or `source: rpicam`, if libcamera's camera is meant.";
    reader.fault(Finding::new(place, message).help(help));
}
