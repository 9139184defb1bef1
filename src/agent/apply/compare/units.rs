//! What is to be done to each unit: told from its state, its files that change, and what an earlier apply owes it.

use super::{Differences, UnitChange};
use crate::apply::state::{Memory, UnitBefore};
use crate::services::{self, UnitState};
use pistream_agent::{Action, Fault, Plan, Unit};
use std::collections::BTreeSet;

pub(super) fn compare<'p>(plan: &'p Plan, memory: &Memory, found: &mut Differences<'p>) -> Result<(), Fault> {
    let named: BTreeSet<&str> = plan.units.iter().map(|u| u.name.as_str()).collect();
    let owned = memory.units();
    let dropped: Vec<&str> = owned.difference(&named).copied().collect();
    let asked: Vec<&str> = plan
        .units
        .iter()
        .map(|u| u.name.as_str())
        .chain(dropped.iter().copied())
        .collect();
    let states = services::show(&asked)?;
    let changed: BTreeSet<&str> = found
        .files
        .iter()
        .map(|c| c.file.path.as_str())
        .chain(found.removed_files.iter().map(String::as_str))
        .collect();
    let any_changed = |paths: &[String]| paths.iter().any(|p| changed.contains(p.as_str()));
    let unknown = UnitState::default();
    for unit in &plan.units {
        let state = states.get(unit.name.as_str()).unwrap_or(&unknown);
        let relink = changed
            .iter()
            .any(|p| is_unit_file(p) && file_name(p) == unit_file(&unit.name));
        let action = action(
            state,
            memory.owed(&unit.name),
            any_changed(&unit.restart_on),
            any_changed(&unit.reload_on),
        );
        let enable = !state.enabled() && state.can_be_enabled() && wants_to_be_enabled(plan, unit);
        if enable || relink || action.is_some() {
            let before = before(&unit.name, state);
            found.units.push(UnitChange {
                unit,
                before,
                enable,
                relink,
                action,
            });
        }
    }
    let dropped = dropped
        .iter()
        .map(|name| before(name, states.get(name).unwrap_or(&unknown)));
    // whoever has files open in a file system keeps it: it goes at the next boot
    let dropped = dropped.map(|unit| UnitBefore {
        active: unit.active && !services::is_mount(&unit.name),
        ..unit
    });
    found.dropped_units = dropped.filter(|u| u.enabled || u.active).collect();
    Ok(())
}

/// What has to be done to a unit in this state, some of whose files are new and which may be owed something from before.
fn action(state: &UnitState, owed: Option<Action>, restart: bool, reload: bool) -> Option<Action> {
    let restart = restart || owed == Some(Action::Restart);
    match (state.active(), state.starting()) {
        (true, _) if restart => Some(Action::Restart),
        (true, _) if reload => Some(Action::Reload),
        (true, _) => owed,
        // to start it would be to wait for the process there is, with the files of before
        (false, true) if restart || reload || owed == Some(Action::Reload) => Some(Action::Restart),
        (false, _) => Some(Action::Start),
    }
}

pub(crate) fn before(name: &str, state: &UnitState) -> UnitBefore {
    UnitBefore {
        name: name.to_owned(),
        enabled: state.enabled(),
        active: state.active() || state.activating(),
        on_its_way: state.activating(),
    }
}

/// A unit file without an install section is started by what wants it, and can never be "enabled".
fn wants_to_be_enabled(plan: &Plan, unit: &Unit) -> bool {
    let file = plan
        .files
        .iter()
        .find(|f| is_unit_file(&f.path) && file_name(&f.path) == unit_file(&unit.name));
    file.is_none_or(|f| f.content.lines().any(|l| l.trim() == "[Install]"))
}

/// systemd reads it only when told to.
pub(crate) fn is_unit_file(path: &str) -> bool {
    path.contains("/systemd/system/")
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// "camera@porch.service" comes from "camera@.service".
fn unit_file(unit: &str) -> String {
    match (unit.find('@'), unit.rfind('.')) {
        (Some(at), Some(dot)) if at < dot => format!("{}{}", &unit[..=at], &unit[dot..]),
        _ => unit.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_that_is_still_starting_has_read_the_files_of_before() {
        use Action::{Reload, Restart, Start};
        let [active, starting, down] = ["active", "activating", "inactive"].map(UnitState::of_process);
        for (state, owed, [restart, reload], wanted) in [
            (&active, None, [false, false], None),
            (&active, None, [true, true], Some(Restart)),
            (&active, Some(Restart), [false, true], Some(Restart)),
            (&active, Some(Start), [false, true], Some(Reload)),
            (&active, Some(Reload), [false, false], Some(Reload)),
            (&starting, None, [false, false], Some(Start)),
            (&starting, None, [true, false], Some(Restart)),
            (&starting, None, [false, true], Some(Restart)),
            (&starting, Some(Restart), [false, false], Some(Restart)),
            (&starting, Some(Reload), [false, false], Some(Restart)),
            (&down, Some(Restart), [true, true], Some(Start)),
        ] {
            let of = format!("{state:?}, owed {owed:?}, restart or reload {restart} {reload}");
            assert_eq!(action(state, owed, restart, reload), wanted, "{of}");
        }
        assert!(before("x.service", &starting).active && !before("x.service", &down).active);
        // a unit that systemd starts again and again is not to be left stopped
        assert!(before("x.service", &UnitState::between_starts()).active);
    }
}
