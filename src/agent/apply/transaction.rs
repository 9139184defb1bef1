//! One apply as a transaction: what it is about to do is on disk before it does it, what it replaces is kept until the
//! units have proven that they run with the new files. Packages and users stay also when it is rolled back: they harm
//! nobody, and taking them away could.

use super::compare::{self, Differences, FileChange};
use super::state::{CHECK, DirectoryBefore, Entry, Journal, Memory, Owed, State};
use super::{changes, check, housekeeping, refuse};
use crate::accounts::{self, Accounts};
use crate::builds;
use crate::events::{self, emit};
use crate::files;
use crate::host::Host;
use crate::packages;
use crate::services;
use pistream_agent::{Action, Fault, Plan};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub(crate) struct Transaction<'a> {
    pub(super) host: &'a Host,
    plan: &'a Plan,
    memory: &'a Memory,
    found: &'a Differences<'a>,
    pub(super) journal: Journal,
    /// Units that may no longer run as they did before.
    pub(super) disturbed: BTreeSet<String>,
}

/// Clears away what a killed apply left lying about; what it committed is taken over by the next [`Transaction`].
pub(crate) fn recover(host: &Host, memory: &Memory) -> Result<(), Fault> {
    if let Some(journal) = &memory.untidy {
        housekeeping::forget_old(host, journal)?;
    }
    if let Some(journal) = &memory.unfinished {
        events::note("an earlier apply was cut off; its work is taken over");
        for entry in &journal.entries {
            files::remove(&files::staged(&host.real(&entry.path)))?;
        }
        housekeeping::remove_tree(&host.state(CHECK))?;
    }
    Ok(())
}

impl<'a> Transaction<'a> {
    /// Writes down what is going to happen. Nothing has happened yet.
    pub(crate) fn begin(
        host: &'a Host,
        plan: &'a Plan,
        memory: &'a Memory,
        found: &'a Differences<'a>,
    ) -> Result<Transaction<'a>, Fault> {
        let mut journal = memory.unfinished.clone().unwrap_or_default();
        journal.transaction = memory.state.transaction + 1;
        if !journal.committing {
            // of those nothing has come yet
            let Journal {
                keep_off,
                directories,
                transaction,
                ..
            } = journal;
            journal = Journal {
                keep_off,
                directories,
                transaction,
                ..Journal::default()
            };
        }
        let disturbed = journal.units.iter().map(|u| u.name.clone()).collect();
        // Before anything is written down: what a journal names is ours to replace, so its copy must exist by then.
        for change in found.files.iter().filter(|c| c.foreign) {
            housekeeping::keep_foreign(host, &change.file.path)?;
        }
        for package in &found.packages {
            for unit in &package.keep_off {
                // one that is used without the package is the user's own
                let used = services::is(unit, |s| s.enabled() || s.active())?;
                if !used && !plan.units.iter().any(|p| p.name == *unit) {
                    journal.keep_off.push(unit.clone());
                }
            }
        }
        for change in &found.directories {
            let path = &change.directory.path;
            if !journal.directories.iter().any(|d| d.path == *path) {
                journal.directories.push(DirectoryBefore {
                    path: path.clone(),
                    before: change.before,
                });
            }
        }
        let written = found.files.iter().map(|c| (&c.file.path, !c.exists));
        for (path, created) in written.chain(found.removed_files.iter().map(|p| (p, false))) {
            if !journal.entries.iter().any(|e| e.path == *path) {
                journal.entries.push(Entry {
                    path: path.clone(),
                    created,
                });
            }
        }
        for unit in found.units.iter().map(|u| &u.before).chain(&found.dropped_units) {
            if !journal.units.iter().any(|u| u.name == unit.name) {
                journal.units.push(unit.clone());
            }
        }
        let due = found.units.iter().filter_map(|u| Some((&u.unit.name, u.action?)));
        for (unit, action) in due.filter(|(_, a)| matches!(a, Action::Restart | Action::Reload)) {
            journal.owed.retain(|o| o.unit != *unit);
            journal.owed.push(Owed {
                unit: unit.clone(),
                action,
            });
        }
        journal.daemon_reload |= found.touches_unit_files();
        let transaction = Transaction {
            host,
            plan,
            memory,
            found,
            journal,
            disturbed,
        };
        transaction.journal.save(host)?;
        Ok(transaction)
    }

    /// Makes the host as the plan wants it. After an error, [`Transaction::roll_back`] is due.
    pub(crate) fn run(&mut self) -> Result<(), Fault> {
        self.install_packages()?;
        self.build()?;
        self.create_users()?;
        let accounts = Accounts::read(self.host)?;
        refuse::owners(self.host, self.plan, &accounts)?;
        self.make_directories(&accounts)?;
        self.stage(&accounts)?;
        check::staged(self.host, self.plan, self.found)?;
        self.commit()?;
        self.act_on_units()
    }

    fn install_packages(&mut self) -> Result<(), Fault> {
        for unit in &self.journal.keep_off {
            services::mask_until_reboot(unit)?;
        }
        let missing: Vec<&str> = self.found.packages.iter().map(|p| p.name.as_str()).collect();
        let installed = if missing.is_empty() {
            Ok(())
        } else {
            packages::install(&missing)
        };
        // also after a failure: what is half installed must not stay masked for ever
        for unit in &self.journal.keep_off {
            services::keep_off(unit)?;
        }
        self.journal.keep_off.clear();
        installed?;
        self.found
            .packages
            .iter()
            .map(|p| changes::package_change(p))
            .for_each(|e| emit(&e));
        Ok(())
    }

    /// What is built stays when this apply is rolled back: nobody runs it yet.
    fn build(&self) -> Result<(), Fault> {
        for build in &self.found.builds {
            builds::run(build)?;
            emit(&changes::build_change(build));
        }
        Ok(())
    }

    fn create_users(&self) -> Result<(), Fault> {
        for change in &self.found.users {
            if change.create {
                accounts::create(&change.user.name, &Accounts::read(self.host)?)?;
            }
            if !change.join.is_empty() {
                accounts::join(&change.user.name, &change.join.join(","))?;
            }
            emit(&change.change());
        }
        Ok(())
    }

    fn make_directories(&self, accounts: &Accounts) -> Result<(), Fault> {
        for change in &self.found.directories {
            let wanted = change.directory;
            let owner = compare::owner(self.host, accounts, &wanted.owner, &wanted.group);
            files::directory(&self.host.real(&wanted.path), wanted.mode, owner)?;
            emit(&change.change());
        }
        Ok(())
    }

    fn stage(&self, accounts: &Accounts) -> Result<(), Fault> {
        for FileChange { file, .. } in &self.found.files {
            let owner = compare::owner(self.host, accounts, &file.owner, &file.group);
            files::write_new(
                &files::staged(&self.host.real(&file.path)),
                file.content.as_bytes(),
                file.mode,
                owner,
            )?;
        }
        Ok(())
    }

    /// From here on targets change. Each step can be taken twice, so the next apply may take over anywhere.
    fn commit(&mut self) -> Result<(), Fault> {
        self.journal.committing = true;
        self.journal.save(self.host)?;
        for unit in &self.found.dropped_units {
            self.disturbed.insert(unit.name.clone());
            if unit.active {
                services::act("stop", &unit.name)?;
            }
            if unit.enabled {
                services::act("disable", &unit.name)?;
            }
            if services::is_mount(&unit.name) {
                events::note(format!("{} stays as it is until the next boot", unit.name));
            }
            changes::dropped_unit_changes(unit).iter().for_each(emit);
        }
        for change in &self.found.files {
            let target = self.host.real(&change.file.path);
            self.set_aside(&change.file.path, &target)?;
            files::commit(&target)?;
            emit(&change.change());
        }
        for path in &self.found.removed_files {
            let target = self.host.real(path);
            self.set_aside(path, &target)?;
            files::remove(&target)?;
            emit(&changes::removed_file_change(path));
        }
        self.sync_targets()
    }

    /// What was there before the first of the unfinished applies is what a roll-back returns to.
    fn set_aside(&self, path: &str, target: &Path) -> Result<(), Fault> {
        let created = self.journal.entries.iter().any(|e| e.path == path && e.created);
        if !created {
            files::keep_old(target)?;
        }
        Ok(())
    }

    pub(super) fn sync_targets(&self) -> Result<(), Fault> {
        let targets = self.journal.entries.iter().map(|e| self.host.real(&e.path));
        let by_parent: BTreeSet<PathBuf> = targets.filter_map(|t| t.parent().map(|p| p.join("any"))).collect();
        Ok(by_parent.iter().try_for_each(|any| files::sync_parent(any))?)
    }

    fn act_on_units(&mut self) -> Result<(), Fault> {
        if self.journal.daemon_reload {
            services::daemon_reload()?;
        }
        for change in &self.found.units {
            let name = change.unit.name.as_str();
            self.disturbed.insert(name.to_owned());
            if change.enable {
                services::act("enable", name)?;
            } else if change.relink && change.before.enabled {
                services::act("reenable", name)?;
            }
            match change.action {
                Some(Action::Start) => services::act("start", name)?,
                Some(Action::Reload) => services::act("reload", name)?,
                Some(_) => services::act("restart", name)?,
                None => {}
            }
            change.changes().iter().for_each(emit);
        }
        let units = self.plan.units.iter().map(|u| u.name.as_str());
        Ok(services::confirm(
            &units.filter(|u| self.disturbed.contains(*u)).collect::<Vec<_>>(),
        )?)
    }

    /// The host is as the plan wants it: writes down what is ours. With that the apply is confirmed.
    pub(crate) fn confirm(&self) -> Result<(), Fault> {
        Ok(self.owned().save(self.host)?)
    }

    /// Lets go of what was. Failing is no reason to roll back: the journal stays, and the next apply tidies up.
    pub(crate) fn tidy(&self) -> Result<(), Fault> {
        for path in &self.found.removed_directories {
            // its files that are gone already are still kept beside their places
            for entry in self
                .journal
                .entries
                .iter()
                .filter(|e| Path::new(&e.path).starts_with(path))
            {
                files::remove(&files::old(&self.host.real(&entry.path)))?;
            }
            if files::remove_empty_directory(&self.host.real(path))? {
                emit(&changes::removed_directory_change(path));
            }
        }
        if !self.found.removed_directories.is_empty() {
            self.owned().save(self.host)?;
        }
        housekeeping::remove_older_builds(self.host, &self.owned().builds)?;
        housekeeping::forget_old(self.host, &self.journal)
    }

    fn owned(&self) -> State {
        State::after(self.host, self.plan, self.memory, &self.journal)
    }
}
