//! What only this host can tell of a camera's plan: whether any of its ways can run here, what the driver thinks of its
//! controls, and who else has the camera. Reads only.

use super::fault;
use crate::apply::compare::{self, Differences};
use crate::apply::state::UnitBefore;
use crate::events;
use crate::holders::{self, TAKERS};
use crate::services::{self, UnitState};
use crate::supervise;
use pistream_agent::{CAMERA_CONFIG, CameraConfig, Fault, Holder, Plan};
use std::collections::BTreeSet;

/// How the camera of this plan streams. `None` where there is no camera, or its configuration cannot be read: then the
/// plan's own check says so.
fn config(plan: &Plan) -> Option<CameraConfig> {
    let file = plan.files.iter().find(|file| file.path == CAMERA_CONFIG)?;
    supervise::understood(&file.content)
}

/// A configuration that is about to change for one that cannot work here, whatever is plugged in or installed later.
pub(super) fn possible(plan: &Plan, found: &Differences) -> Result<(), Fault> {
    if !found.files.iter().any(|change| change.file.path == CAMERA_CONFIG) {
        return Ok(());
    }
    let Some(config) = config(plan) else { return Ok(()) };
    match supervise::hopeless(&config) {
        Some((why, advice)) => Err(fault("stream from this host's camera", why, &advice)),
        None => Ok(()),
    }
}

/// The units that are to be stopped because they have the camera, or are known to take it.
///
/// # Errors
/// Without `stop` a service that has the camera is left alone, and this deploy cannot succeed.
pub(crate) fn others(plan: &Plan, stop: bool) -> Result<Vec<UnitBefore>, Fault> {
    if !config(plan).is_some_and(|config| supervise::uses_camera(&config)) {
        return Ok(Vec::new());
    }
    let holding = holders::of_cameras();
    let units: BTreeSet<&str> = holding.iter().filter_map(|holder| holder.unit.as_deref()).collect();
    let asked: Vec<&str> = units
        .iter()
        .copied()
        .chain(TAKERS)
        .collect::<BTreeSet<&str>>()
        .into_iter()
        .collect();
    let states = services::show(&asked)?;
    let alive = |(_, state): &(&&str, &UnitState)| state.enabled() || state.active();
    let found: Vec<(&str, &UnitState)> = states
        .iter()
        .filter(alive)
        .map(|(name, state)| (*name, state))
        .collect();
    if stop {
        return Ok(found.iter().map(|(name, state)| compare::before(name, state)).collect());
    }
    let (holders, takers): (Vec<_>, Vec<_>) = found
        .iter()
        .map(|(name, _)| *name)
        .partition(|name| units.contains(name));
    if !holders.is_empty() {
        let has = holding
            .iter()
            .filter(|holder| holder.unit.as_deref().is_some_and(|unit| holders.contains(&unit)));
        let cause: Vec<String> = has.map(told).collect();
        let names = holders.join(" ");
        let advice = format!(
            "`pistream deploy --stop-others` stops and disables {names}, and starts it again should the deploy fail; or do \
             it yourself: sudo systemctl disable --now {names}"
        );
        return Err(fault("take the camera", cause.join("; "), &advice));
    }
    for unit in takers {
        events::note(format!(
            "{unit} is known to take the camera, though it does not have it now; `pistream deploy --stop-others` stops and \
             disables it"
        ));
    }
    // what runs in nobody's service is somebody's who sits there
    for holder in holding.iter().filter(|holder| {
        !holder
            .unit
            .as_deref()
            .is_some_and(|unit| states.get(unit).is_some_and(|s| s.loaded))
    }) {
        events::note(format!("{}: until it ends the camera does not stream", told(holder)));
    }
    Ok(Vec::new())
}

fn told(holder: &Holder) -> String {
    let unit = holder.unit.as_ref().map(|unit| format!(" of {unit}"));
    let Holder {
        program, pid, device, ..
    } = holder;
    format!("{program} (process {pid}{}) has {device}", unit.unwrap_or_default())
}
