//! From facts to verdicts: walks one camera's chain from the agent to the viewers. Pure.

mod camera;
mod picture;
mod restream;
mod server;

pub use camera::adjusted;
pub use restream::restream_states;

use super::Evidence;
use crate::model::{Camera, Fleet};
use pistream_agent::{Facts, Status};
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
    Web,
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
            Link::Web => "web",
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
    /// What breaks no link and is worth knowing all the same.
    pub remarks: Vec<String>,
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

/// Walks the chain of one camera.
pub fn judge(fleet: &Fleet, camera: &Camera, evidence: &Evidence) -> Chain {
    let (mut links, mut remarks) = (Vec::new(), Vec::new());
    match evidence.statuses.get(&camera.name) {
        Some(Ok(status)) => {
            links.push((Link::Agent, camera::agent(camera, status)));
            links.push((Link::Certificate, camera::certificate(fleet, camera, status, evidence)));
            links.push((Link::Encoder, camera::encoder(camera, status)));
            remarks.extend(status.warnings.iter().cloned().chain(adjusted(status)));
        }
        Some(Err(why)) => links.push((Link::Agent, Verdict::Broken(why.clone()))),
        None => links.push((Link::Agent, Verdict::Broken("was not asked".into()))),
    }
    match evidence.facts.get(&camera.server) {
        Some(Ok(facts)) => {
            let status = evidence.statuses.get(&camera.name).and_then(|told| told.as_ref().ok());
            server_links(fleet, camera, status, facts, evidence, &mut links);
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
        remarks,
    }
}

fn server_links(
    fleet: &Fleet,
    camera: &Camera,
    status: Option<&Status>,
    facts: &Facts,
    evidence: &Evidence,
    links: &mut Vec<(Link, Verdict)>,
) {
    let server = fleet.server_of(camera);
    let stream = match server::stream(camera, facts) {
        Ok(stream) => stream,
        Err(broken) => return links.push((Link::Ingest, broken)),
    };
    links.push((Link::Ingest, server::ingest(stream, fleet.by_tls(camera))));
    links.push((Link::Decode, picture::decode(stream.decoded.as_ref())));
    // what was not decoded has no picture to judge
    if let Some(decoded) = stream.decoded.as_ref().filter(|decoded| decoded.frames > 0) {
        links.push((Link::Picture, picture::picture(camera, decoded)));
        links.push((Link::Format, picture::format(camera, status, decoded)));
        links.push((Link::Bitrate, picture::bitrate(camera, status, decoded)));
    }
    links.push((Link::Recording, server::recording(server, stream)));
    let hls = server.is_some_and(|s| s.hls.is_some());
    links.push((Link::Hls, server::grows(hls, "HLS", stream.hls.as_ref())));
    let dash = server.is_some_and(|s| s.dash.is_some());
    links.push((Link::Dash, server::grows(dash, "DASH", stream.dash.as_ref())));
    links.push((Link::Web, server::web(fleet, server, facts, evidence.now)));
    links.push((Link::Restream, restream::restream(fleet, camera, stream, evidence)));
    links.push((Link::Outsiders, server::outsiders(facts)));
}

#[cfg(test)]
mod tests;
