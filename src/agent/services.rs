//! systemd units through `systemctl`: how they are, what to do to them, whether they stay up. Which unit needs what is
//! decided elsewhere.

use crate::command;
use pistream_agent::Fault;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A start waits for READY=1, a stop for the streams to drain.
const ACT_DEADLINE: Duration = Duration::from_secs(180);
const ASK_DEADLINE: Duration = Duration::from_secs(30);
/// A unit that is still on its way up after this is not coming.
const UP_DEADLINE: Duration = Duration::from_secs(20);
/// A program that dislikes its configuration dies within this; one that lives this long is up.
const STAYS_UP: Duration = Duration::from_millis(1500);
const POLL: Duration = Duration::from_millis(150);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("ask systemd for the state of {units}")]
    Show { units: String, source: command::Error },
    #[error("reload systemd's configuration")]
    DaemonReload { source: command::Error },
    #[error("{verb} {unit}")]
    Act {
        verb: &'static str,
        unit: String,
        source: command::Error,
    },
    #[error("confirm that {unit} stays up")]
    Down { unit: String, why: String },
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let attempted = error.to_string();
        let (cause, unit) = match error {
            Error::Show { source, .. } | Error::DaemonReload { source } => (source.cause(), None),
            Error::Act { unit, source, .. } => (source.cause(), Some(unit)),
            Error::Down { unit, why } => (why, Some(unit)),
        };
        let Some(unit) = unit else {
            return Fault {
                attempted,
                cause,
                advice: None,
            };
        };
        let cause = format!("{cause}\n{}", journal(&unit)).trim_end().to_owned();
        Fault {
            attempted,
            cause,
            advice: Some(format!("see `journalctl -u {unit}` on the host")),
        }
    }
}

/// The last lines that systemd's journal has of a unit.
fn journal(unit: &str) -> String {
    let arguments = ["-u", unit, "-n", "20", "--no-pager", "-q", "-o", "cat"];
    command::last_lines(&command::run("journalctl", &arguments, ASK_DEADLINE).unwrap_or_default())
}

/// A unit as systemd sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct UnitState {
    /// systemd has a unit file for it.
    pub(crate) loaded: bool,
    /// "enabled", "disabled", "static" ...; empty when not loaded.
    pub(crate) file_state: String,
    /// "active", "reloading", "activating", "failed", "inactive" ...
    pub(crate) active_state: String,
    /// What it says of itself (sd_notify's STATUS), if it does.
    pub(crate) says: String,
    main_pid: String,
    restarts: String,
}

impl UnitState {
    /// Starts at boot.
    pub(crate) fn enabled(&self) -> bool {
        self.file_state == "enabled"
    }

    /// `systemctl enable` can make a difference: its unit file says where it wants to be started.
    pub(crate) fn can_be_enabled(&self) -> bool {
        !matches!(
            self.file_state.as_str(),
            "static" | "generated" | "transient" | "indirect" | "alias"
        )
    }

    pub(crate) fn active(&self) -> bool {
        matches!(self.active_state.as_str(), "active" | "reloading")
    }

    /// It may come up: its process is starting, or will be started anew.
    pub(crate) fn activating(&self) -> bool {
        self.active_state == "activating"
    }

    /// Its process runs and has not said yet that it is ready: it has read the files there were.
    pub(crate) fn starting(&self) -> bool {
        self.activating() && !matches!(self.main_pid.as_str(), "" | "0")
    }
}

/// The state of all these units, in one call. Unknown ones come back as not loaded.
pub(crate) fn show<'u>(units: &[&'u str]) -> Result<BTreeMap<&'u str, UnitState>, Error> {
    if units.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut arguments = vec![
        "show",
        "--property=LoadState,ActiveState,UnitFileState,MainPID,NRestarts,StatusText",
        "--",
    ];
    arguments.extend(units);
    let text = command::run("systemctl", &arguments, ASK_DEADLINE).map_err(|source| Error::Show {
        units: units.join(", "),
        source,
    })?;
    // One block per unit, in the order asked; a unit's own Id may differ from the name it was asked by.
    Ok(units
        .iter()
        .copied()
        .zip(
            text.split("\n\n")
                .map(parse)
                .chain(std::iter::repeat(UnitState::default())),
        )
        .collect())
}

/// Whether this holds of a unit.
pub(crate) fn is(unit: &str, what: fn(&UnitState) -> bool) -> Result<bool, Error> {
    Ok(show(&[unit])?.get(unit).is_some_and(what))
}

fn parse(block: &str) -> UnitState {
    let mut state = UnitState::default();
    for (key, value) in block.lines().filter_map(|l| l.split_once('=')) {
        match key {
            "LoadState" => state.loaded = value == "loaded",
            "ActiveState" => state.active_state = value.to_owned(),
            "StatusText" => state.says = value.to_owned(),
            "UnitFileState" => state.file_state = value.to_owned(),
            "MainPID" => state.main_pid = value.to_owned(),
            "NRestarts" => state.restarts = value.to_owned(),
            _ => {}
        }
    }
    state
}

pub(crate) fn daemon_reload() -> Result<(), Error> {
    command::run("systemctl", &["daemon-reload"], ACT_DEADLINE)
        .map(drop)
        .map_err(|source| Error::DaemonReload { source })
}

/// Whether stopping it can fail because somebody is in the middle of it: a file system stays until nobody uses it.
pub(crate) fn is_mount(unit: &str) -> bool {
    unit.ends_with(".mount")
}

/// `systemctl verb unit`.
pub(crate) fn act(verb: &'static str, unit: &str) -> Result<(), Error> {
    if matches!(verb, "start" | "restart") {
        // An earlier failure's start limit must not refuse this start. A unit never seen has nothing to reset.
        let _ = command::run("systemctl", &["reset-failed", "--", unit], ASK_DEADLINE);
    }
    command::run("systemctl", &["--no-ask-password", verb, "--", unit], ACT_DEADLINE)
        .map(drop)
        .map_err(|source| Error::Act {
            verb,
            unit: unit.to_owned(),
            source,
        })
}

/// Until reboot, nothing can start the unit, not even the installation that brings it.
pub(crate) fn mask_until_reboot(unit: &str) -> Result<(), Error> {
    command::run("systemctl", &["mask", "--runtime", "--", unit], ACT_DEADLINE)
        .map(drop)
        .map_err(|source| Error::Act {
            verb: "mask",
            unit: unit.to_owned(),
            source,
        })
}

/// Takes the mask away and leaves the unit stopped and not started at boot. One that does not exist is fine.
pub(crate) fn keep_off(unit: &str) -> Result<(), Error> {
    command::run("systemctl", &["unmask", "--runtime", "--", unit], ACT_DEADLINE).map_err(|source| Error::Act {
        verb: "unmask",
        unit: unit.to_owned(),
        source,
    })?;
    if is(unit, |s| s.loaded)? {
        act("disable", unit).and_then(|()| act("stop", unit))
    } else {
        Ok(())
    }
}

/// Waits until every unit is active, then watches that none dies or is started anew for a moment.
pub(crate) fn confirm(units: &[&str]) -> Result<(), Error> {
    let down = |unit: &str, why: String| Error::Down {
        unit: unit.to_owned(),
        why,
    };
    let deadline = Instant::now() + UP_DEADLINE;
    let first = loop {
        let states = show(units)?;
        let Some((unit, state)) = states.iter().find(|(_, s)| s.active_state != "active") else {
            break states;
        };
        let lost = matches!(state.active_state.as_str(), "failed" | "inactive");
        if lost || Instant::now() > deadline {
            return Err(down(unit, format!("{unit} is {}", state.active_state)));
        }
        std::thread::sleep(POLL);
    };
    let steady = Instant::now() + STAYS_UP;
    while !units.is_empty() && Instant::now() < steady {
        std::thread::sleep(POLL);
        for (unit, state) in show(units)? {
            let same = |f: &UnitState| f.main_pid == state.main_pid && f.restarts == state.restarts;
            if !state.active() || !first.get(unit).is_some_and(same) {
                return Err(down(
                    unit,
                    format!("{unit} came up and fell at once (now {})", state.active_state),
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
impl UnitState {
    /// A loaded unit whose process runs, in this state of systemd's.
    pub(crate) fn of_process(active_state: &str) -> UnitState {
        parse(&format!("LoadState=loaded\nActiveState={active_state}\nMainPID=7\n"))
    }

    /// One whose process fell and will be started anew.
    pub(crate) fn between_starts() -> UnitState {
        parse("LoadState=loaded\nActiveState=activating\nMainPID=0\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_read_as_systemd_prints_it() {
        let state = parse("LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nMainPID=7\nNRestarts=0\n");
        assert!(state.loaded && state.enabled() && state.active() && state.can_be_enabled());
        let starting = UnitState::of_process("activating");
        assert!(starting.starting() && !starting.active());
        let fallen = UnitState::between_starts();
        assert!(fallen.activating() && !fallen.starting(), "it waits to be started anew");
        let unknown = parse("LoadState=not-found\nActiveState=inactive\nUnitFileState=\n");
        assert!(!unknown.loaded && !unknown.enabled() && !unknown.active());
    }
}
