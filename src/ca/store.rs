//! The authority's directory: files for their owner alone, replaced whole and on disk before anything relies on them, one
//! pistream at a time.

use super::Error;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const NAME: &str = ".pistream";
const LOCK: &str = "lock";

pub(super) struct Store {
    directory: PathBuf,
    /// Held until this is dropped; none where the store is only read.
    _lock: Option<File>,
}

fn failed(attempted: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File {
        attempted,
        path,
        source,
    }
}

impl Store {
    /// To read. `None` where there is none beside the inventory.
    pub(super) fn look(inventory: &Path) -> Result<Option<Store>, Error> {
        let directory = beside(inventory);
        match fs::metadata(&directory) {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(failed("look at", &directory)(e)),
            Ok(found) if found.mode() & 0o077 != 0 => Err(Error::Exposed(directory)),
            Ok(_) => Ok(Some(Store { directory, _lock: None })),
        }
    }

    /// To work with, alone; made where there is none.
    pub(super) fn take(inventory: &Path) -> Result<Store, Error> {
        let directory = beside(inventory);
        match DirBuilder::new().mode(0o700).create(&directory) {
            Err(e) if e.kind() != ErrorKind::AlreadyExists => return Err(failed("make directory", &directory)(e)),
            _ => {}
        }
        let store = Store::look(inventory)?.ok_or_else(|| Error::Busy(directory.clone()))?;
        let lock = private()
            .create(true)
            .truncate(false)
            .open(directory.join(LOCK))
            .map_err(failed("open", &directory.join(LOCK)))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Busy(directory)),
            Err(TryLockError::Error(e)) => return Err(failed("lock", &directory)(e)),
        }
        // people keep their inventory in git
        store.write(".gitignore", "*\n")?;
        Ok(Store {
            _lock: Some(lock),
            ..store
        })
    }

    /// The file of that name, if there is one.
    pub(super) fn read(&self, name: &str) -> Result<Option<String>, Error> {
        let path = self.directory.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(failed("read", &path)(e)),
        }
    }

    /// A file that nobody else may read.
    pub(super) fn read_secret(&self, name: &str) -> Result<Option<String>, Error> {
        let path = self.directory.join(name);
        match fs::metadata(&path) {
            Ok(found) if found.mode() & 0o077 != 0 => Err(Error::Exposed(path)),
            _ => self.read(name),
        }
    }

    /// Replaces the file in one step; it is on disk when this returns. Nothing is written where it says so already.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        if self.read(name)?.as_deref() == Some(text) {
            return Ok(());
        }
        let path = self.directory.join(name);
        let parent = path.parent().unwrap_or(&self.directory).to_owned();
        let write = || {
            DirBuilder::new().recursive(true).mode(0o700).create(&parent)?;
            let staged = path.with_extension("new");
            match fs::remove_file(&staged) {
                Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
                _ => {}
            }
            let mut file = private().create_new(true).open(&staged)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&staged, &path)?;
            File::open(&parent)?.sync_all()
        };
        write().map_err(failed("write", &path))
    }

    /// The names of the files in a directory of the store, sorted.
    pub(super) fn names(&self, directory: &str) -> Result<Vec<String>, Error> {
        let path = self.directory.join(directory);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(failed("read", &path)(e)),
        };
        let mut names: Vec<String> = entries
            .flatten()
            .filter_map(|e| e.file_name().into_string().ok())
            .collect();
        names.sort();
        Ok(names)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub(super) fn damaged(&self, name: &str, cause: impl ToString) -> Error {
        Error::Damaged {
            path: self.path(name),
            directory: self.directory.clone(),
            cause: cause.to_string(),
        }
    }
}

fn beside(inventory: &Path) -> PathBuf {
    inventory.with_file_name(NAME)
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}
