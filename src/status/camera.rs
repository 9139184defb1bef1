//! How one camera fares, from what its agent told. Pure.

use crate::model::{Camera, Fleet};
use crate::told::{days_left, length};
use crate::verify::{self, Evidence};
use pistream_agent::{Cause, Status, StreamState};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Debug, Serialize)]
pub(super) struct CameraHealth {
    pub(super) camera: String,
    /// Why it is not well, if it is not.
    pub(super) problem: Option<String>,
    /// What is worth knowing although it streams.
    pub(super) notes: Vec<String>,
    /// What the inventory asks for. Bits per second.
    pub(super) bitrate_asked: u32,
    /// Video that waits to be sent, at the present bitrate. None where nobody knows.
    pub(super) unsent_seconds: Option<f64>,
    pub(super) certificate_days: Option<u64>,
    /// Everything that the agent told.
    pub(super) status: Option<Status>,
}

impl CameraHealth {
    pub(super) fn of(fleet: &Fleet, camera: &Camera, evidence: &Evidence) -> CameraHealth {
        let mut health = CameraHealth {
            camera: camera.name.to_string(),
            problem: None,
            notes: Vec::new(),
            bitrate_asked: camera.bitrate.bits_per_second(),
            unsent_seconds: None,
            certificate_days: None,
            status: None,
        };
        match evidence.statuses.get(&camera.name) {
            Some(Ok(status)) => {
                let until = status.certificate_until.filter(|_| fleet.by_tls(camera));
                health.certificate_days = until.map(|until| days_left(until, evidence.now));
                health.problem = problem(camera, status, until.is_some_and(|until| until <= evidence.now));
                health.notes = notes(camera, status);
                health.unsent_seconds = unsent(status);
                health.status = Some(status.clone());
            }
            Some(Err(why)) => health.problem = Some(format!("no answer: {why}")),
            None => health.problem = Some("was not asked".into()),
        }
        health
    }
}

fn problem(camera: &Camera, status: &Status, expired: bool) -> Option<String> {
    let why = match (&status.last_cause, &status.last_error) {
        (Some(cause), Some(error)) => format!(": {}: {error}", cause_words(*cause)),
        (None, Some(error)) => format!(": {error}"),
        _ => String::new(),
    };
    let again = match (status.state, status.next_try_seconds) {
        (StreamState::Starting, _) => "; being tried again".to_owned(),
        (_, Some(seconds)) => format!("; tried again in {}", length(seconds)),
        _ => String::new(),
    };
    let down = length(status.down_seconds);
    match status.state {
        _ if status.stream != camera.stream.as_str() => Some(format!(
            "streams {}, not {}: deploy has not reached it",
            status.stream, camera.stream
        )),
        StreamState::Streaming if expired => Some("its certificate has expired: deploy".into()),
        StreamState::Streaming => None,
        StreamState::Starting if status.last_error.is_none() => Some(format!("starting, without a frame for {down}")),
        StreamState::Starting | StreamState::BackingOff => Some(format!("down for {down}{why}{again}")),
        StreamState::NoPipeline => Some(format!("nothing to stream from for {down}: {}{again}", status.why)),
    }
}

fn notes(camera: &Camera, status: &Status) -> Vec<String> {
    let mut notes = status.warnings.clone();
    let asked = camera.bitrate.bits_per_second();
    if let Some(governed) = &status.governed {
        let (target, set) = (governed.target, status.bitrate_set);
        if target != asked {
            notes.push(format!("bitrate {}", governed.why));
        } else if set != 0 && set < target {
            let [set, target] = [set, target].map(|bits| bits / 1000);
            notes.push(format!("bitrate set to {set} kbit/s, for {target} to come of it"));
        }
    }
    notes.extend(verify::adjusted(status));
    notes
}

fn unsent(status: &Status) -> Option<f64> {
    let governed = status
        .governed
        .as_ref()
        .filter(|_| status.state == StreamState::Streaming)?;
    let rate = status.bitrate_measured.max(u64::from(governed.target)).max(1);
    Some(governed.backlog as f64 * 8.0 / rate as f64)
}

/// "3 network, 1 killed"
pub(super) fn counted(restarts: &BTreeMap<Cause, u64>) -> String {
    let told = restarts
        .iter()
        .map(|(cause, times)| format!("{times} {}", cause_words(*cause)));
    told.collect::<Vec<String>>().join(", ")
}

/// "not listening"
fn cause_words(cause: Cause) -> String {
    let word = serde_json::to_value(cause).ok();
    let word = word.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
    word.replace('_', " ")
}
