//! From facts to verdicts: walks one camera's chain from the agent to the viewers. Pure.

use super::Evidence;
use crate::model::{Camera, Encoder, Fleet, Source};
use pistream_agent::{Decoded, Facts, Growth, OutsiderFacts, Status, StreamFacts, StreamState};
use serde::Serialize;

/// The links from camera to viewer, in the order in which pictures pass them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    Agent,
    Certificate,
    Encoder,
    Ingest,
    Decode,
    Picture,
    Format,
    Bitrate,
    Recording,
    Hls,
    Dash,
    Restream,
    Outsiders,
}

impl Link {
    pub fn word(self) -> &'static str {
        match self {
            Link::Agent => "agent",
            Link::Certificate => "certificate",
            Link::Encoder => "encoder",
            Link::Ingest => "ingest",
            Link::Decode => "decode",
            Link::Picture => "picture",
            Link::Format => "format",
            Link::Bitrate => "bitrate",
            Link::Recording => "recording",
            Link::Hls => "hls",
            Link::Dash => "dash",
            Link::Restream => "restream",
            Link::Outsiders => "outsiders",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", content = "detail", rename_all = "snake_case")]
pub enum Verdict {
    Holds(String),
    Broken(String),
    /// Not there to be checked, and why.
    Skipped(String),
}

/// One camera's verdicts.
#[derive(Debug, Clone, Serialize)]
pub struct Chain {
    pub camera: String,
    pub stream: String,
    pub server: String,
    pub links: Vec<(Link, Verdict)>,
}

impl Chain {
    pub fn holds(&self) -> bool {
        self.first_broken().is_none()
    }

    /// The broken link nearest to the camera: what breaks behind it is its consequence.
    pub fn first_broken(&self) -> Option<(Link, &str)> {
        self.links.iter().find_map(|(link, verdict)| match verdict {
            Verdict::Broken(why) => Some((*link, why.as_str())),
            _ => None,
        })
    }
}

/// Measured frames per second may differ from the setting by this share.
const FPS_TOLERANCE: f64 = 0.15;
/// The Pi's encoder is known to overshoot by up to half (raspberrypi/firmware#850); more is a fault.
const BITRATE_ABOVE: f64 = 1.5;
/// A quiet picture needs less than the setting; a tenth of it is no picture.
const BITRATE_BELOW: f64 = 0.1;
/// Mean luma of a picture that is not black: black is 16 in limited range, and a lens cap adds noise.
const LUMA_MIN: f64 = 20.0;
/// Of the frames decoded, so many must differ from the one before.
const CHANGING_SHARE: f64 = 0.25;

/// Walks the chain of one camera.
pub fn judge(fleet: &Fleet, camera: &Camera, evidence: &Evidence) -> Chain {
    let mut links = Vec::new();
    match evidence.statuses.get(&camera.name) {
        Some(Ok(status)) => {
            links.push((Link::Agent, agent(camera, status)));
            links.push((Link::Certificate, certificate(fleet, camera, status, evidence)));
            links.push((Link::Encoder, encoder(camera, status)));
        }
        Some(Err(why)) => links.push((Link::Agent, Verdict::Broken(why.clone()))),
        None => links.push((Link::Agent, Verdict::Broken("was not asked".into()))),
    }
    match evidence.facts.get(&camera.server) {
        Some(Ok(facts)) => {
            let status = evidence.statuses.get(&camera.name).and_then(|told| told.as_ref().ok());
            server_links(fleet, camera, status, facts, &mut links);
        }
        Some(Err(why)) => links.push((
            Link::Ingest,
            Verdict::Broken(format!("server {}: {why}", camera.server)),
        )),
        None => links.push((Link::Ingest, Verdict::Broken("the server was not asked".into()))),
    }
    Chain {
        camera: camera.name.to_string(),
        stream: camera.stream.to_string(),
        server: camera.server.to_string(),
        links,
    }
}

fn server_links(
    fleet: &Fleet,
    camera: &Camera,
    status: Option<&Status>,
    facts: &Facts,
    links: &mut Vec<(Link, Verdict)>,
) {
    let server = fleet.server_of(camera);
    let Some(stream) = facts.streams.iter().find(|s| s.name == camera.stream.as_str()) else {
        links.push((
            Link::Ingest,
            Verdict::Broken("the server told nothing of this stream".into()),
        ));
        return;
    };
    let tls = server.is_some_and(|s| s.tls);
    links.push((Link::Ingest, ingest(stream, tls)));
    match &stream.decoded {
        // what was not decoded has no picture to judge
        Some(decoded) if decoded.frames == 0 => links.push((Link::Decode, decode(decoded))),
        Some(decoded) => {
            links.push((Link::Decode, decode(decoded)));
            links.push((Link::Picture, picture(camera, decoded)));
            links.push((Link::Format, format(camera, decoded)));
            links.push((Link::Bitrate, bitrate(camera, status, decoded)));
        }
        None => links.push((Link::Decode, Verdict::Broken("nothing was decoded".into()))),
    }
    let off = |what: &str| Verdict::Skipped(format!("{what} is off in the inventory"));
    let grows = |wanted: bool, name: &str, growth: &Option<Growth>| match (wanted, growth) {
        (false, _) => off(name),
        (true, Some(growth)) if growth.advanced => Verdict::Holds(growth.detail.clone()),
        (true, Some(growth)) => Verdict::Broken(format!("{}: {}", growth.what, growth.detail)),
        (true, None) => Verdict::Broken("was not looked at".into()),
    };
    links.push((
        Link::Recording,
        grows(
            server.is_some_and(|s| s.recording.is_some()),
            "recording",
            &stream.recording,
        ),
    ));
    links.push((
        Link::Hls,
        grows(server.is_some_and(|s| s.hls.is_some()), "HLS", &stream.hls),
    ));
    links.push((
        Link::Dash,
        grows(server.is_some_and(|s| s.dash.is_some()), "DASH", &stream.dash),
    ));
    links.push((Link::Restream, restream(camera, stream)));
    links.push((Link::Outsiders, outsiders(facts)));
}

fn agent(camera: &Camera, status: &Status) -> Verdict {
    if status.stream != camera.stream.as_str() {
        return Verdict::Broken(format!(
            "streams {}, not {}: deploy has not reached it",
            status.stream, camera.stream
        ));
    }
    Verdict::Holds(format!("up {} s", status.uptime_seconds))
}

/// Of the camera and of its server, whichever ends first.
fn certificate(fleet: &Fleet, camera: &Camera, status: &Status, evidence: &Evidence) -> Verdict {
    if !fleet.server_of(camera).is_some_and(|s| s.tls) {
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
    let days = |until: u64| until.saturating_sub(evidence.now) / 86_400;
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

fn encoder(camera: &Camera, status: &Status) -> Verdict {
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
        (set, Some(lowest), Some(_)) => (lowest.bits_per_second()..=asked).contains(&set),
        (set, ..) => set == asked,
    }
}

/// With TLS the server's statistics see the camera come from the loopback address that its certificate gave it.
fn ingest(stream: &StreamFacts, tls: bool) -> Verdict {
    let Some(ingest) = &stream.ingest else {
        return Verdict::Broken("the server's statistics were not read".into());
    };
    if let Some(error) = &ingest.error {
        return Verdict::Broken(error.clone());
    }
    if !ingest.publishing {
        return Verdict::Broken("nobody publishes it on the server".into());
    }
    if ingest.bytes == 0 {
        let seconds = ingest.milliseconds as f64 / 1000.0;
        return Verdict::Broken(format!(
            "{} publishes, but no byte came in {seconds:.1} s",
            ingest.address
        ));
    }
    let rate = ingest.bytes as f64 * 8.0 / ingest.milliseconds.max(1) as f64;
    Verdict::Holds(match tls {
        true => format!("{rate:.0} kbit/s by its certificate"),
        false => format!("{rate:.0} kbit/s from {}", ingest.address),
    })
}

fn decode(decoded: &Decoded) -> Verdict {
    match (&decoded.error, decoded.frames) {
        (Some(error), frames) => Verdict::Broken(format!("{frames} frames, then: {error}")),
        (None, 0) => Verdict::Broken("no frame could be decoded".into()),
        (None, frames) => Verdict::Holds(format!("{frames} frames of {}", decoded.codec)),
    }
}

fn picture(camera: &Camera, decoded: &Decoded) -> Verdict {
    if decoded.luma < LUMA_MIN {
        return Verdict::Broken(format!("black (mean luma {:.0})", decoded.luma));
    }
    // A frozen picture that is encoded anew differs from frame to frame by the encoder's own noise; what differs visibly
    // tells. A camera before an empty room shows no motion either, so there any difference counts: a sensor's noise.
    let (changing, what) = match camera.source {
        Source::TestPattern | Source::File(_) => (decoded.moving, "move"),
        Source::Auto | Source::V4l2(_) | Source::Rpicam | Source::Usb(_) => (decoded.distinct, "differ"),
    };
    let counted = format!("{changing} of {} frames {what}", decoded.frames);
    match f64::from(changing) < f64::from(decoded.frames) * CHANGING_SHARE {
        true => Verdict::Broken(format!("frozen: {counted}")),
        false => Verdict::Holds(format!("{counted}, luma {:.0}", decoded.luma)),
    }
}

fn format(camera: &Camera, decoded: &Decoded) -> Verdict {
    let is = format!(
        "{}x{}, {:.1} fps, {}",
        decoded.width, decoded.height, decoded.fps, decoded.profile
    );
    if passes_on_a_file(camera) {
        return Verdict::Skipped(format!("{is}: the file is passed on as it is"));
    }
    let size = decoded.width == camera.size.width && decoded.height == camera.size.height;
    let fps = (decoded.fps - f64::from(camera.fps)).abs() <= f64::from(camera.fps) * FPS_TOLERANCE;
    let wanted = match camera.profile {
        crate::model::Profile::Baseline => "Baseline",
        crate::model::Profile::Main => "Main",
        crate::model::Profile::High => "High",
    };
    let profile = decoded.profile.is_empty() || decoded.profile.contains(wanted);
    match size && fps && profile {
        true => Verdict::Holds(is),
        false => Verdict::Broken(format!(
            "is {is}; asked for {}, {} fps, {wanted}",
            camera.size, camera.fps
        )),
    }
}

fn bitrate(camera: &Camera, status: Option<&Status>, decoded: &Decoded) -> Verdict {
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
        _ => Verdict::Broken(is),
    }
}

fn passes_on_a_file(camera: &Camera) -> bool {
    matches!(camera.source, Source::File(_)) && camera.encoder == Encoder::Copy
}

fn restream(camera: &Camera, stream: &StreamFacts) -> Verdict {
    let wanted = camera.restream.len();
    match (wanted, stream.restreams_connected as usize) {
        (0, _) => Verdict::Skipped("no target in the inventory".into()),
        (wanted, up) if up >= wanted => Verdict::Holds(format!("{up} of {wanted} targets connected")),
        (wanted, up) => Verdict::Broken(format!("{up} of {wanted} targets connected")),
    }
}

fn outsiders(facts: &Facts) -> Verdict {
    let none = OutsiderFacts {
        detail: "every address of the server may publish and play: nobody is outside".into(),
        ..OutsiderFacts::default()
    };
    let outsider = facts.outsider.as_ref().unwrap_or(&none);
    let say = |what: &str, refused: Option<bool>| {
        refused.map(|r| (r, format!("{what} {}", if r { "refused" } else { "ALLOWED" })))
    };
    let by_address = [
        say("publishing", outsider.publish_refused),
        say("playing", outsider.play_refused),
    ];
    let by_certificate = facts.impostors.iter().map(|i| say(&i.with, i.refused));
    let tried: Vec<(bool, String)> = by_address.into_iter().chain(by_certificate).flatten().collect();
    if let Some(undecided) = facts.impostors.iter().find(|i| i.refused.is_none()) {
        return Verdict::Broken(format!("{}: {}", undecided.with, undecided.detail));
    }
    let words = tried
        .iter()
        .map(|(_, words)| words.as_str())
        .collect::<Vec<&str>>()
        .join(", ");
    match tried.iter().all(|(refused, _)| *refused) {
        true if tried.is_empty() => Verdict::Skipped(outsider.detail.clone()),
        true => Verdict::Holds(words),
        false => Verdict::Broken(format!("{words}: {}", outsider.detail)),
    }
}

#[cfg(test)]
mod tests;
