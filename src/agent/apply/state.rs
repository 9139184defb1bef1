//! What the agent remembers: between two applies what it owns (`state.json`), during one how far it got
//! (`journal.json`). Both are replaced whole, so a reader finds the one before or the one after.

use crate::files;
use crate::host::Host;
use pistream_agent::{Action, Fault, Plan};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Below the state directory: files of the user's that stood where the plan puts one.
pub(crate) const REPLACED: &str = "replaced";
/// Below the state directory: where staged files are checked.
pub(crate) const CHECK: &str = "check";

const STATE: &str = "state.json";
const JOURNAL: &str = "journal.json";

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("read {path}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("understand {path}")]
    Parse { path: PathBuf, source: serde_json::Error },
    #[error("write down what pistream owns")]
    Encode { source: serde_json::Error },
    #[error(transparent)]
    File(#[from] files::Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let attempted = error.to_string();
        match error {
            Error::Read { source, .. } => Fault {
                attempted,
                cause: source.to_string(),
                advice: None,
            },
            Error::Parse { ref path, ref source } => {
                let advice = format!("look at the SD card's health; then move {} aside", path.display());
                Fault {
                    attempted,
                    cause: source.to_string(),
                    advice: Some(advice),
                }
            }
            Error::Encode { source } => Fault {
                attempted,
                cause: source.to_string(),
                advice: None,
            },
            Error::File(error) => error.into(),
        }
    }
}

/// What pistream put on this host and will remove when a plan no longer names it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// The number of the last confirmed apply: a journal that bears it is finished.
    pub(crate) transaction: u64,
    pub(crate) files: Vec<OwnedFile>,
    pub(crate) directories: Vec<OwnedDirectory>,
    pub(crate) units: Vec<String>,
    /// Programs that were built here: the plan's, then as many of those before them.
    #[serde(default)]
    pub(crate) builds: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OwnedFile {
    pub(crate) path: String,
    /// Its content must not be shown, not even as the old side of a diff.
    pub(crate) secret: bool,
}

/// One that pistream made. Those it found are not its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OwnedDirectory {
    pub(crate) path: String,
    pub(crate) keep: bool,
}

/// How far an apply got. One that is found when the next apply begins was left by a kill or a power cut: its work is
/// taken over, so that the oldest confirmed versions remain what a roll-back returns to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Journal {
    pub(crate) transaction: u64,
    /// Targets may have been replaced. Before that only staged files lie about.
    pub(crate) committing: bool,
    /// Units that the packages being installed must not start.
    pub(crate) keep_off: Vec<String>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) directories: Vec<DirectoryBefore>,
    /// Units as they were before this apply touched them.
    pub(crate) units: Vec<UnitBefore>,
    /// Units that run with files older than those in place.
    pub(crate) owed: Vec<Owed>,
    /// systemd has not read the unit files in place.
    pub(crate) daemon_reload: bool,
}

/// A file that this apply replaces, creates or removes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) path: String,
    /// Nothing was there before: rolling back removes it.
    pub(crate) created: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DirectoryBefore {
    pub(crate) path: String,
    /// Mode, user id, group id; none if it was not there.
    pub(crate) before: Option<(u32, u32, u32)>,
}

/// What a unit needs before it runs with the files in place: restart or reload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owed {
    pub(crate) unit: String,
    pub(crate) action: Action,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UnitBefore {
    pub(crate) name: String,
    pub(crate) enabled: bool,
    /// It ran, or was on its way to.
    pub(crate) active: bool,
    /// It had not come up yet, or falls again and again. Not for the next apply, which finds what this one made of it.
    #[serde(skip)]
    pub(crate) on_its_way: bool,
}

/// Both, as the next apply finds them.
pub(crate) struct Memory {
    pub(crate) state: State,
    /// Of an apply that was cut off before it was confirmed.
    pub(crate) unfinished: Option<Journal>,
    /// Of an apply that was confirmed but cut off while it tidied up.
    pub(crate) untidy: Option<Journal>,
}

impl Memory {
    pub(crate) fn load(host: &Host) -> Result<Memory, Error> {
        let state = State::load(host)?;
        let journal = Journal::load(host)?;
        let (unfinished, untidy) = match journal {
            Some(journal) if journal.transaction == state.transaction => (None, Some(journal)),
            journal => (journal, None),
        };
        Ok(Memory {
            state,
            unfinished,
            untidy,
        })
    }

    fn committed(&self) -> &[Entry] {
        self.unfinished
            .as_ref()
            .filter(|j| j.committing)
            .map(|j| j.entries.as_slice())
            .unwrap_or_default()
    }

    /// Every file that pistream put on this host, whether confirmed or not.
    pub(crate) fn files(&self) -> BTreeSet<&str> {
        let owned = self.state.files.iter().map(|f| f.path.as_str());
        owned.chain(self.committed().iter().map(|e| e.path.as_str())).collect()
    }

    /// Every directory that pistream made and that may go with the plan that named it.
    pub(crate) fn directories(&self) -> BTreeSet<&str> {
        let owned = self
            .state
            .directories
            .iter()
            .filter(|d| !d.keep)
            .map(|d| d.path.as_str());
        let unfinished = self.unfinished.iter().flat_map(|j| &j.directories);
        owned
            .chain(unfinished.filter(|d| d.before.is_none()).map(|d| d.path.as_str()))
            .collect()
    }

    /// Whether pistream made this directory, also one that stays for ever.
    pub(crate) fn made(&self, path: &str) -> bool {
        self.directories().contains(path) || self.state.directories.iter().any(|d| d.path == path)
    }

    /// Every unit that pistream enabled or started.
    pub(crate) fn units(&self) -> BTreeSet<&str> {
        let unfinished = self.unfinished.iter().flat_map(|j| &j.units).map(|u| u.name.as_str());
        let named = self.state.units.iter().map(String::as_str).chain(unfinished);
        // systemd's own units are restarted when their settings change, but never ours to stop
        named.filter(|name| !name.starts_with("systemd-")).collect()
    }

    /// What is there holds, or may hold, a secret: unknown counts as one if an unfinished apply wrote it.
    pub(crate) fn is_secret(&self, path: &str) -> bool {
        self.state.files.iter().any(|f| f.path == path && f.secret) || self.committed().iter().any(|e| e.path == path)
    }

    /// Whether it would be another after an apply that finds nothing to do.
    pub(crate) fn is_stale(&self, host: &Host, plan: &Plan) -> bool {
        let journal = Journal {
            transaction: self.state.transaction,
            ..Journal::default()
        };
        State::after(host, plan, self, &journal) != self.state
    }

    /// What an unfinished apply owes a unit.
    pub(crate) fn owed(&self, unit: &str) -> Option<Action> {
        let journal = self.unfinished.as_ref().filter(|j| j.committing)?;
        journal.owed.iter().find(|o| o.unit == unit).map(|o| o.action)
    }
}

impl State {
    pub(crate) fn load(host: &Host) -> Result<State, Error> {
        Ok(load(&host.state(STATE))?.unwrap_or_default())
    }

    /// Once that is on disk, the apply with this number is confirmed.
    pub(crate) fn save(&self, host: &Host) -> Result<(), Error> {
        save(&host.state(STATE), self)
    }

    /// What is ours after this apply: of what the plan names, all that pistream put there and nothing that it found; of
    /// the rest, directories that are not empty.
    pub(crate) fn after(host: &Host, plan: &Plan, memory: &Memory, journal: &Journal) -> State {
        let ours = memory.files();
        let is_ours = |path: &str| ours.contains(path) || journal.entries.iter().any(|e| e.path == path);
        let made: BTreeSet<&str> = memory.state.directories.iter().map(|d| d.path.as_str()).collect();
        let is_made = |path: &str| {
            made.contains(path) || journal.directories.iter().any(|d| d.path == path && d.before.is_none())
        };
        let files = plan.files.iter().filter(|f| is_ours(&f.path));
        let named = plan.directories.iter().filter(|d| is_made(&d.path));
        let mut directories: Vec<OwnedDirectory> = named
            .map(|d| OwnedDirectory {
                path: d.path.clone(),
                keep: d.keep,
            })
            .collect();
        for path in memory.directories() {
            if !plan.directories.iter().any(|d| d.path == path) && host.real(path).is_dir() {
                directories.push(OwnedDirectory {
                    path: path.to_owned(),
                    keep: false,
                });
            }
        }
        let mut builds: Vec<String> = plan.builds.iter().map(|b| b.program.clone()).collect();
        let most = builds.len() * 2;
        let before = memory
            .state
            .builds
            .iter()
            .filter(|old| !plan.builds.iter().any(|b| b.program == **old));
        builds.extend(before.cloned());
        builds.truncate(most);
        State {
            transaction: journal.transaction,
            files: files
                .map(|f| OwnedFile {
                    path: f.path.clone(),
                    secret: f.secret,
                })
                .collect(),
            directories,
            units: plan.units.iter().map(|u| u.name.clone()).collect(),
            builds,
        }
    }
}

impl Journal {
    pub(crate) fn load(host: &Host) -> Result<Option<Journal>, Error> {
        load(&host.state(JOURNAL))
    }

    pub(crate) fn save(&self, host: &Host) -> Result<(), Error> {
        save(&host.state(JOURNAL), self)
    }

    pub(crate) fn discard(host: &Host) -> Result<(), Error> {
        let path = host.state(JOURNAL);
        files::remove(&path)?;
        Ok(files::sync_parent(&path)?)
    }
}

fn load<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(Error::Read {
                path: path.to_owned(),
                source,
            });
        }
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|source| Error::Parse {
        path: path.to_owned(),
        source,
    })
}

fn save<T: Serialize>(path: &Path, value: &T) -> Result<(), Error> {
    let bytes = serde_json::to_vec_pretty(value).map_err(|source| Error::Encode { source })?;
    Ok(files::write_atomically(path, &bytes)?)
}
