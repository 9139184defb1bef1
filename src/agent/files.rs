//! One file at a time: look, stage beside the target, keep the old one, put the new one in place, put the old one back.
//! Every step is a single system call as far as a reader of the target can see, and on disk before the next begins.
//! What to do with which file is decided elsewhere.

use pistream_agent::Fault;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("look at {path}")]
    Inspect { path: PathBuf, source: io::Error },
    #[error("write {path}")]
    Write { path: PathBuf, source: io::Error },
    #[error("keep a copy of {path}")]
    KeepOld { path: PathBuf, source: io::Error },
    #[error("put the new {path} in place")]
    Commit { path: PathBuf, source: io::Error },
    #[error("put the old {path} back")]
    Restore { path: PathBuf, source: io::Error },
    #[error("remove {path}")]
    Remove { path: PathBuf, source: io::Error },
    #[error("make directory {path}")]
    MakeDirectory { path: PathBuf, source: io::Error },
    #[error("put {path} safely on disk")]
    Sync { path: PathBuf, source: io::Error },
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let attempted = error.to_string();
        let (Error::Inspect { source, .. }
        | Error::Write { source, .. }
        | Error::KeepOld { source, .. }
        | Error::Commit { source, .. }
        | Error::Restore { source, .. }
        | Error::Remove { source, .. }
        | Error::MakeDirectory { source, .. }
        | Error::Sync { source, .. }) = error;
        let advice = match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some("free disk space on the host"),
            io::ErrorKind::ReadOnlyFilesystem => Some("make the host's filesystem writable"),
            io::ErrorKind::NotFound => Some("is its directory in the plan, or does a package bring it?"),
            _ => None,
        };
        Fault {
            attempted,
            cause: source.to_string(),
            advice: advice.map(str::to_owned),
        }
    }
}

impl Error {
    /// What was attempted and why it failed, in one line.
    pub(crate) fn line(self) -> String {
        let fault = Fault::from(self);
        format!("{}: {}", fault.attempted, fault.cause)
    }
}

/// A user's id and a group's id.
pub(crate) type Owner = (u32, u32);

/// Makes the [`Error`] of a failed step on `path`.
macro_rules! failed {
    ($attempt:ident, $path:expr) => {
        |source| Error::$attempt {
            path: $path.to_owned(),
            source,
        }
    };
}

/// Of `path` itself, not of what it links to; `None` if nothing is there.
pub(crate) fn look(path: &Path) -> Result<Option<Metadata>, Error> {
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(e) => Err(failed!(Inspect, path)(e)),
    }
}

pub(crate) fn mode(found: &Metadata) -> u32 {
    found.mode() & 0o7777
}

pub(crate) fn owner(found: &Metadata) -> Owner {
    (found.uid(), found.gid())
}

/// Beside `target`: same directory, same filesystem, hidden from `include *.conf` and from systemd.
fn beside(target: &Path, suffix: &str) -> PathBuf {
    let name = target.file_name().map(|n| n.to_string_lossy()).unwrap_or_default();
    target.with_file_name(format!(".{name}.pistream-{suffix}"))
}

/// Where the next version of `target` waits.
pub(crate) fn staged(target: &Path) -> PathBuf {
    beside(target, "new")
}

/// Where the version of `target` waits that was there before an unfinished apply.
pub(crate) fn old(target: &Path) -> PathBuf {
    beside(target, "old")
}

/// The longest name a file may have so that its staged version has a name, too (255 is the kernel's limit).
pub(crate) const LONGEST_NAME: usize = 255 - ".".len() - ".pistream-new".len();

/// Writes `content` to a new file at `path`, whole and on disk. Never through a link, never readable by more than
/// `mode` says at any moment.
pub(crate) fn write_new(path: &Path, content: &[u8], mode: u32, owner: Option<Owner>) -> Result<(), Error> {
    remove(path)?;
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .custom_flags(libc::O_NOFOLLOW)
            .mode(0o600)
            .open(path)?;
        file.write_all(content)?;
        if let Some((uid, gid)) = owner {
            fchown(&file, Some(uid), Some(gid))?;
        }
        // after the owner: changing that clears the set-id bits
        file.set_permissions(Permissions::from_mode(mode))?;
        file.sync_all()
    };
    write().map_err(failed!(Write, path))
}

/// Replaces a file of pistream's own memory in one step.
pub(crate) fn write_atomically(path: &Path, content: &[u8]) -> Result<(), Error> {
    let staged = staged(path);
    write_new(&staged, content, 0o600, None)?;
    fs::rename(&staged, path).map_err(failed!(Write, path))?;
    sync_parent(path)
}

/// Gives the present version of `target` a second name, unless an older one has it already.
pub(crate) fn keep_old(target: &Path) -> Result<(), Error> {
    let old = old(target);
    match fs::hard_link(target, &old) {
        Ok(()) => Ok(()),
        Err(e) if matches!(e.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound) => Ok(()),
        // A filesystem without hard links (vfat): the target is absent for a moment, but never half written.
        Err(_) => fs::rename(target, &old).map_err(failed!(KeepOld, target)),
    }
}

/// The staged version becomes the target.
pub(crate) fn commit(target: &Path) -> Result<(), Error> {
    fs::rename(staged(target), target).map_err(failed!(Commit, target))
}

/// The kept version becomes the target again; where none was kept, nothing was changed.
pub(crate) fn restore(target: &Path) -> Result<(), Error> {
    match fs::rename(old(target), target) {
        // Two names of one file, as before the new version came in place: rename leaves both.
        Ok(()) => remove(&old(target)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(failed!(Restore, target)(e)),
    }
}

/// Removes a file or a link; that it is gone already is fine.
pub(crate) fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(e) if !matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Err(failed!(Remove, path)(e))
        }
        _ => Ok(()),
    }
}

/// Removes an empty directory and says whether it was one.
pub(crate) fn remove_empty_directory(path: &Path) -> Result<bool, Error> {
    match fs::remove_dir(path) {
        Ok(()) => Ok(true),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty) => Ok(false),
        Err(e) => Err(failed!(Remove, path)(e)),
    }
}

/// Makes the directory if it is not there and gives it mode and owner, without following a link that somebody else
/// than root could have put there meanwhile.
pub(crate) fn directory(path: &Path, mode: u32, owner: Option<Owner>) -> Result<(), Error> {
    let make = || {
        match fs::create_dir(path) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
            _ => {}
        }
        let link = fs::symlink_metadata(path)?;
        let nofollow = if link.is_symlink() && link.uid() == 0 {
            0
        } else {
            libc::O_NOFOLLOW
        };
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_DIRECTORY | nofollow)
            .open(path)?;
        if let Some((uid, gid)) = owner {
            fchown(&opened, Some(uid), Some(gid))?;
        }
        opened.set_permissions(Permissions::from_mode(mode))
    };
    make().map_err(failed!(MakeDirectory, path))?;
    sync_parent(path)
}

/// Makes a directory of pistream's own and its parents, open to all: what must be hidden in it hides itself.
pub(crate) fn own_directory(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path)
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(0o755)))
        .map_err(failed!(MakeDirectory, path))
}

/// Names come and go in a directory; this puts them on disk.
pub(crate) fn sync_parent(path: &Path) -> Result<(), Error> {
    let Some(parent) = path.parent() else { return Ok(()) };
    match File::open(parent).and_then(|d| d.sync_all()) {
        // a parent that is gone has nothing left to save
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failed!(Sync, parent)(e)),
        _ => Ok(()),
    }
}
