//! The differences as events: one [`Event::Change`] each, the same whether they are only found or mended.

use super::compare::{Differences, DirectoryChange, FileChange, UnitChange, UserChange, is_unit_file};
use super::state::UnitBefore;
use pistream_agent::{Action, Build, Event, Item, Package};

impl Differences<'_> {
    /// One event per difference.
    pub(crate) fn changes(&self) -> Vec<Event> {
        let mut all: Vec<Event> = self.packages.iter().map(|p| package_change(p)).collect();
        all.extend(self.builds.iter().map(|b| build_change(b)));
        all.extend(self.users.iter().map(UserChange::change));
        all.extend(self.directories.iter().map(DirectoryChange::change));
        all.extend(self.dropped_units.iter().flat_map(dropped_unit_changes));
        all.extend(self.files.iter().map(FileChange::change));
        all.extend(self.removed_files.iter().map(|p| removed_file_change(p)));
        all.extend(self.units.iter().flat_map(UnitChange::changes));
        all.extend(self.removed_directories.iter().map(|p| removed_directory_change(p)));
        all
    }

    /// Whether systemd has to read its unit files again.
    pub(crate) fn touches_unit_files(&self) -> bool {
        self.files.iter().any(|c| is_unit_file(&c.file.path)) || self.removed_files.iter().any(|p| is_unit_file(p))
    }
}

fn change(item: Item, action: Action) -> Event {
    Event::Change {
        item,
        action,
        diff: None,
    }
}

pub(crate) fn package_change(package: &Package) -> Event {
    change(Item::Package(package.name.clone()), Action::Install)
}

pub(crate) fn build_change(build: &Build) -> Event {
    change(Item::File(build.program.clone()), Action::Build)
}

pub(crate) fn removed_file_change(path: &str) -> Event {
    change(Item::File(path.to_owned()), Action::Remove)
}

pub(crate) fn removed_directory_change(path: &str) -> Event {
    change(Item::Directory(path.to_owned()), Action::Remove)
}

pub(crate) fn dropped_unit_changes(unit: &UnitBefore) -> Vec<Event> {
    let stop = unit.active.then_some(Action::Stop);
    let disable = unit.enabled.then_some(Action::Disable);
    stop.into_iter()
        .chain(disable)
        .map(|action| change(Item::Unit(unit.name.clone()), action))
        .collect()
}

impl UserChange<'_> {
    pub(crate) fn change(&self) -> Event {
        change(
            Item::User(self.user.name.clone()),
            if self.create { Action::Create } else { Action::Update },
        )
    }
}

impl DirectoryChange<'_> {
    pub(crate) fn change(&self) -> Event {
        let action = if self.before.is_none() {
            Action::Create
        } else {
            Action::Update
        };
        change(Item::Directory(self.directory.path.clone()), action)
    }
}

impl FileChange<'_> {
    pub(crate) fn change(&self) -> Event {
        let action = if self.exists { Action::Update } else { Action::Create };
        Event::Change {
            item: Item::File(self.file.path.clone()),
            action,
            diff: self.diff.clone(),
        }
    }
}

impl UnitChange<'_> {
    pub(crate) fn changes(&self) -> Vec<Event> {
        let enable = self.enable.then_some(Action::Enable);
        enable
            .into_iter()
            .chain(self.action)
            .map(|action| change(Item::Unit(self.unit.name.clone()), action))
            .collect()
    }
}
