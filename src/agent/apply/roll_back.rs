//! The way back: every file, directory and unit as the last confirmed apply left it.

use super::state::{Journal, UnitBefore};
use super::transaction::Transaction;
use crate::events;
use crate::files;
use crate::services::{self, UnitState};
use pistream_agent::{Action, Fault};

impl Transaction<'_> {
    /// Puts everything back as the last confirmed apply left it. Goes on where one thing fails; the faults are those.
    pub(crate) fn roll_back(&mut self) -> Vec<Fault> {
        let mut faults: Vec<Fault> = Vec::new();
        let mut tried = |result: Result<(), Fault>| faults.extend(result.err());
        for entry in &self.journal.entries {
            tried(files::remove(&files::staged(&self.host.real(&entry.path))).map_err(Fault::from));
        }
        if self.journal.committing {
            let units: Vec<UnitBefore> = self
                .journal
                .units
                .iter()
                .filter(|u| self.disturbed.contains(&u.name))
                .cloned()
                .collect();
            for unit in units.iter().filter(|u| !u.enabled || !u.active) {
                tried(withdraw(unit).map_err(Fault::from));
            }
            for entry in &self.journal.entries {
                let target = self.host.real(&entry.path);
                let put_back = if entry.created {
                    files::remove(&target)
                } else {
                    files::restore(&target)
                };
                tried(put_back.map_err(Fault::from));
            }
            tried(self.sync_targets());
            if self.journal.daemon_reload {
                tried(services::daemon_reload().map_err(Fault::from));
            }
            for unit in &units {
                let back = bring_back(unit, &self.journal);
                // nobody knows whether one would have come up that was only on its way: systemd goes on trying
                if !unit.on_its_way {
                    tried(back.map_err(Fault::from));
                }
            }
            let up = units.iter().filter(|u| u.active && !u.on_its_way);
            let up: Vec<&str> = up.map(|u| u.name.as_str()).collect();
            tried(services::confirm(&up).map_err(Fault::from));
        }
        for directory in self.journal.directories.iter().rev() {
            let path = self.host.real(&directory.path);
            tried(match directory.before {
                None => files::remove_empty_directory(&path).map(drop).map_err(Fault::from),
                Some((mode, uid, gid)) => {
                    files::directory(&path, mode, self.host.ownership.then_some((uid, gid))).map_err(Fault::from)
                }
            });
        }
        if faults.is_empty() && self.journal.keep_off.is_empty() {
            faults.extend(Journal::discard(self.host).err().map(Fault::from));
        }
        faults
    }
}

/// A unit that was not enabled or not running before is so no longer; one that is gone again cannot be asked to.
fn withdraw(unit: &UnitBefore) -> Result<(), services::Error> {
    let name = unit.name.as_str();
    if !services::is(name, |s| s.loaded)? {
        return Ok(());
    }
    if !unit.enabled {
        services::act("disable", name)?;
    }
    if unit.active {
        return Ok(());
    }
    match services::act("stop", name) {
        Err(_) if services::is_mount(name) => {
            events::note(format!("{name} is in use and stays until the next boot"));
            Ok(())
        }
        stopped => stopped,
    }
}

/// A unit that ran before runs again, with the files of before.
fn bring_back(unit: &UnitBefore, journal: &Journal) -> Result<(), services::Error> {
    let name = unit.name.as_str();
    if unit.enabled {
        services::act("reenable", name)?;
    }
    if !unit.active {
        return Ok(());
    }
    let running = services::is(name, UnitState::active)?;
    let reload = journal
        .owed
        .iter()
        .any(|o| o.unit == name && o.action == Action::Reload);
    services::act(if running && reload { "reload" } else { "restart" }, name)
}
