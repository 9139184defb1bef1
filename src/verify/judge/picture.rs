//! What the server's decoder made of the stream: pictures that are new, not black, and of the format and bitrate asked for.

use super::Verdict;
use crate::model::{Camera, Encoder, Profile, Source};
use pistream_agent::{Decoded, Status};

/// Measured frames per second may differ from the setting by this share.
const FPS_TOLERANCE: f64 = 0.15;
/// The Pi's encoder is known to overshoot by up to half (raspberrypi/firmware#850); more is a fault.
const BITRATE_ABOVE: f64 = 1.5;
/// A quiet picture needs less than the setting; a tenth of it is no picture.
const BITRATE_BELOW: f64 = 0.1;
/// Mean luma of a picture that is not black: black is 16 in limited range, and a lens cap adds noise.
const LUMA_MIN: f64 = 20.0;
/// The pipeline in which a USB camera encodes: its bitrate and profile are its own, its driver takes neither.
const USB_COPY: &str = "usb-copy";
/// Of the frames decoded, so many must differ from the one before.
const CHANGING_SHARE: f64 = 0.25;

pub(super) fn decode(decoded: Option<&Decoded>) -> Verdict {
    let Some(decoded) = decoded else {
        return Verdict::Broken("nothing was decoded".into());
    };
    match (&decoded.error, decoded.frames) {
        (Some(error), frames) => Verdict::Broken(format!("{frames} frames, then: {error}")),
        (None, 0) => Verdict::Broken("no frame could be decoded".into()),
        (None, frames) => Verdict::Holds(format!("{frames} frames of {}", decoded.codec)),
    }
}

pub(super) fn picture(camera: &Camera, decoded: &Decoded) -> Verdict {
    if decoded.luma < LUMA_MIN {
        return Verdict::Broken(format!("black (mean luma {:.0})", decoded.luma));
    }
    // A frozen picture that is encoded anew differs from frame to frame by the encoder's own noise; what differs visibly
    // tells. A camera before an empty room shows no motion either, so there any difference counts: a sensor's noise.
    let (changing, what) = match camera.source {
        Source::TestPattern | Source::File(_) => (decoded.moving, "move"),
        Source::Auto | Source::V4l2(_) | Source::Rpicam(_) | Source::Usb(_) => (decoded.distinct, "differ"),
    };
    let counted = format!("{changing} of {} frames {what}", decoded.frames);
    match f64::from(changing) < f64::from(decoded.frames) * CHANGING_SHARE {
        true => Verdict::Broken(format!("frozen: {counted}")),
        false => Verdict::Holds(format!("{counted}, luma {:.0}", decoded.luma)),
    }
}

pub(super) fn format(camera: &Camera, status: Option<&Status>, decoded: &Decoded) -> Verdict {
    let is = format!(
        "{}x{}, {:.1} fps, {}",
        decoded.width, decoded.height, decoded.fps, decoded.profile
    );
    if passes_on_a_file(camera) {
        return Verdict::Skipped(format!("{is}: the file is passed on as it is"));
    }
    let as_asked = |camera: &Camera| {
        let size = decoded.width == camera.size.width && decoded.height == camera.size.height;
        size && (decoded.fps - f64::from(camera.fps)).abs() <= f64::from(camera.fps) * FPS_TOLERANCE
    };
    let wanted = match camera.profile {
        Profile::Baseline => "Baseline",
        Profile::Main => "Main",
        Profile::High => "High",
    };
    let profile = decoded.profile.is_empty() || decoded.profile.contains(wanted) || is_usb_copy(status);
    match profile {
        true if as_asked(camera) => Verdict::Holds(is),
        true if camera.rungs().iter().any(as_asked) => {
            Verdict::Holds(format!("{is}: the network does not carry more now"))
        }
        _ => Verdict::Broken(format!(
            "is {is}; asked for {}, {} fps, {wanted}",
            camera.size, camera.fps
        )),
    }
}

pub(super) fn bitrate(camera: &Camera, status: Option<&Status>, decoded: &Decoded) -> Verdict {
    let asked = camera.bitrate.bits_per_second();
    let set = status.and_then(|s| s.governed.as_ref()).map_or(asked, |g| g.target);
    let share = decoded.bitrate as f64 / f64::from(set);
    let mut is = format!(
        "{:.0} kbit/s of {:.0} set",
        decoded.bitrate as f64 / 1000.0,
        f64::from(set) / 1000.0
    );
    if set != asked {
        is += &format!(" now ({:.0} asked for)", f64::from(asked) / 1000.0);
    }
    match share {
        _ if passes_on_a_file(camera) => Verdict::Skipped(format!("{is}: the file is passed on as it is")),
        s if (BITRATE_BELOW..=BITRATE_ABOVE).contains(&s) => Verdict::Holds(is),
        _ if is_usb_copy(status) && camera.encoder == Encoder::Copy => {
            Verdict::Skipped(format!("{is}: what the camera encodes is passed on as it is"))
        }
        _ if is_usb_copy(status) => Verdict::Broken(format!(
            "{is}: the camera encodes, at a bitrate of its own; `encoder: libx264` keeps to yours, `encoder: copy` takes it as \
             it is"
        )),
        _ => Verdict::Broken(is),
    }
}

fn is_usb_copy(status: Option<&Status>) -> bool {
    status.is_some_and(|status| status.pipeline.as_deref() == Some(USB_COPY))
}

fn passes_on_a_file(camera: &Camera) -> bool {
    matches!(camera.source, Source::File(_)) && camera.encoder == Encoder::Copy
}
