//! What the camera's own agent told: is it up, has it a certificate, does its encoder deliver as it is set.

use super::Verdict;
use crate::model::{Camera, Fleet};
use crate::told::days_left;
use crate::verify::Evidence;
use pistream_agent::{Status, StreamState};

pub(super) fn agent(camera: &Camera, status: &Status) -> Verdict {
    if status.stream != camera.stream.as_str() {
        return Verdict::Broken(format!(
            "streams {}, not {}: deploy has not reached it",
            status.stream, camera.stream
        ));
    }
    Verdict::Holds(format!("up {} s", status.uptime_seconds))
}

/// Of the camera and of its server, whichever ends first.
pub(super) fn certificate(fleet: &Fleet, camera: &Camera, status: &Status, evidence: &Evidence) -> Verdict {
    if !fleet.by_tls(camera) {
        return Verdict::Skipped("tls is off in the inventory".into());
    }
    let Some(own) = status.certificate_until else {
        return Verdict::Broken("the camera has none: deploy".into());
    };
    let server = match evidence.facts.get(&camera.server) {
        Some(Ok(facts)) => match facts.certificate_until {
            None => return Verdict::Broken("the server has none: deploy".into()),
            until => until,
        },
        // what the server did not tell is told by the links behind
        _ => None,
    };
    let days = |until: u64| days_left(until, evidence.now);
    let left = match server {
        Some(server) => format!("good for {} days, the server's for {}", days(own), days(server)),
        None => format!("good for {} days", days(own)),
    };
    let expired = |until: u64| until <= evidence.now;
    match (expired(own), server.is_some_and(expired)) {
        (true, _) => Verdict::Broken("the camera's has expired: deploy".into()),
        (_, true) => Verdict::Broken("the server's has expired: deploy".into()),
        _ => Verdict::Holds(left),
    }
}

pub(super) fn encoder(camera: &Camera, status: &Status) -> Verdict {
    let last = status
        .last_error
        .as_deref()
        .map(|e| format!(": {e}"))
        .unwrap_or_default();
    match status.state {
        StreamState::Streaming if !as_set(camera, status) => Verdict::Broken(format!(
            "set to {} bit/s, asked for {}",
            status.bitrate_set,
            camera.bitrate.bits_per_second()
        )),
        StreamState::Streaming => {
            let pipeline = status.pipeline.as_deref().unwrap_or("unnamed pipeline");
            let governed = status
                .governed
                .as_ref()
                .filter(|g| g.target != camera.bitrate.bits_per_second());
            let governed = governed.map(|g| format!(", {}", g.why)).unwrap_or_default();
            Verdict::Holds(format!("{pipeline}, {:.1} fps{governed}", status.fps))
        }
        StreamState::Starting => Verdict::Broken(format!("no frame yet{last}")),
        StreamState::BackingOff => Verdict::Broken(format!("ffmpeg is down and will be tried again{last}")),
        StreamState::NoPipeline => Verdict::Broken(format!("nothing to stream from: {}", status.why)),
    }
}

/// Whether the encoder is set to what the inventory asks for, or to less where it follows the network.
fn as_set(camera: &Camera, status: &Status) -> bool {
    let asked = camera.bitrate.bits_per_second();
    match (status.bitrate_set, camera.adapt, &status.governed) {
        (0, ..) => true,
        (set, Some(_), Some(_)) => (camera.lowest().bits_per_second()..=asked).contains(&set),
        (set, ..) => set == asked,
    }
}

/// Controls that the driver made something else of.
pub fn adjusted(status: &Status) -> Vec<String> {
    let told = |(name, asked): (&String, &i64)| {
        let got = status.controls.get(name)?;
        Some(format!("control {name}: the driver made {got} of {asked}"))
    };
    status.adjusted.iter().filter_map(told).collect()
}
