//! How one server fares, from what its agent saw. Pure.

use crate::model::{Fleet, Server};
use crate::plan::RECORDINGS_UNIT;
use crate::told::days_left;
use crate::verify::{Evidence, restream_states};
use pistream_agent::{DiskFacts, Facts, RECORDING_STOPPED, RECORDINGS_UNREADABLE, StreamFacts, UnitFacts};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct ServerHealth {
    pub(super) server: String,
    /// What is not well.
    pub(super) problems: Vec<String>,
    /// Whether it answered; nothing of the following is known otherwise.
    pub(super) reached: bool,
    pub(super) units: Vec<UnitFacts>,
    /// Cameras whose pictures come in, and cameras that it has.
    pub(super) live: usize,
    pub(super) cameras: usize,
    /// By RTMP; and addresses from which somebody is at the page, HLS or DASH.
    pub(super) players: u64,
    pub(super) web_viewers: Option<u64>,
    /// None where it records nothing.
    pub(super) recording: Option<String>,
    pub(super) disk: Option<DiskFacts>,
    pub(super) certificate_days: Option<u64>,
    /// Of the one that viewers see, where it is another.
    pub(super) web_certificate_days: Option<u64>,
    pub(super) restreams: Vec<RestreamHealth>,
}

#[derive(Debug, Serialize)]
pub(super) struct RestreamHealth {
    pub(super) camera: String,
    pub(super) target: String,
    pub(super) state: String,
    pub(super) connected: bool,
}

impl ServerHealth {
    pub(super) fn of(fleet: &Fleet, server: &Server, evidence: &Evidence) -> ServerHealth {
        let mut health = ServerHealth {
            server: server.name.to_string(),
            problems: Vec::new(),
            reached: false,
            units: Vec::new(),
            live: 0,
            cameras: fleet.cameras_of(server).count(),
            players: 0,
            web_viewers: None,
            recording: None,
            disk: None,
            certificate_days: None,
            web_certificate_days: None,
            restreams: Vec::new(),
        };
        match evidence.facts.get(&server.name) {
            Some(Ok(facts)) => health.fill(fleet, server, facts, evidence.now),
            Some(Err(why)) => health.problems.push(format!("no answer: {why}")),
            None => health.problems.push("was not asked".into()),
        }
        health
    }

    fn fill(&mut self, fleet: &Fleet, server: &Server, facts: &Facts, now: u64) {
        self.reached = true;
        let seen = facts.glance.clone().unwrap_or_default();
        let down = seen.units.iter().filter(|unit| unit.state != "active");
        self.problems
            .extend(down.map(|unit| format!("{} is {}", unit.name, unit.state)));
        self.recording = seen.units.iter().find_map(recording);
        if self.recording.as_deref() == Some(RECORDING_STOPPED) {
            self.problems.push(RECORDING_STOPPED.to_owned());
        }
        let unreadable = |says: &String| says.starts_with(RECORDINGS_UNREADABLE);
        if self.recording.as_ref().is_some_and(unreadable) {
            self.problems.push(RECORDINGS_UNREADABLE.to_owned());
        }
        let disk = seen.disk.as_ref().and_then(|disk| disk.error.as_ref());
        self.problems.extend(disk.map(|why| format!("recordings: {why}")));
        self.streams(fleet, server, &facts.streams);
        if let Some(recorded) = self.recording.as_deref().and_then(counted)
            && recorded < self.live
        {
            self.problems
                .push(format!("{} live, but only {recorded} recorded", self.live));
        }
        let ends = [
            (facts.certificate_until, "its certificate has expired: deploy"),
            (
                facts.web_certificate_until,
                "the certificate that viewers see has expired",
            ),
        ];
        let expired = ends.iter().filter(|(end, _)| end.is_some_and(|until| until <= now));
        self.problems.extend(expired.map(|(_, said)| (*said).to_owned()));
        [self.certificate_days, self.web_certificate_days] =
            ends.map(|(end, _)| end.map(|until| days_left(until, now)));
        (self.units, self.web_viewers, self.disk) = (seen.units, seen.web_viewers, seen.disk);
    }

    fn streams(&mut self, fleet: &Fleet, server: &Server, streams: &[StreamFacts]) {
        for camera in fleet.cameras_of(server) {
            let Some(stream) = streams.iter().find(|s| s.name == camera.stream.as_str()) else {
                continue;
            };
            self.players += stream.players;
            let ingest = stream.ingest.clone().unwrap_or_default();
            if let Some(why) = ingest.error {
                // it is the same of every stream
                if !self.problems.contains(&why) {
                    self.problems.push(why);
                }
                continue;
            }
            if !ingest.publishing || ingest.bytes == 0 {
                self.problems.push(format!("nothing comes in of {}", camera.stream));
                continue;
            }
            self.live += 1;
            for (target, state, connected) in restream_states(camera, stream) {
                if !connected {
                    self.problems.push(format!("{} to {target}: {state}", camera.name));
                }
                self.restreams.push(RestreamHealth {
                    camera: camera.name.to_string(),
                    target: target.to_owned(),
                    state,
                    connected,
                });
            }
        }
    }
}

/// What the unit that files recordings says of them, without the numbers behind it.
fn recording(unit: &UnitFacts) -> Option<String> {
    let says = (unit.name == RECORDINGS_UNIT).then_some(unit.says.as_str())?;
    Some(says.rsplit_once(": ").map_or(says, |(state, _)| state).to_owned())
}

/// How many streams are recorded, of words like "2 streams are recorded".
fn counted(state: &str) -> Option<usize> {
    state.split_once(" stream")?.0.parse().ok()
}
