//! The demo's directory: of this demo alone, fit for configuration files, and gone afterwards.
//!
//! A demo that was killed cannot tidy up; the next one of the same user does it. A lock tells the dead from the living:
//! the kernel lets go of it whatever way its holder ends.

use super::user;
use miette::{IntoDiagnostic, WrapErr, miette};
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use tempfile::TempDir;

const PREFIX: &str = "pistream-demo-";
const LOCK: &str = "lock";
/// A socket's path may have 107 bytes (unix(7)); the longest below the directory is `/hub/front/questions.sock`.
const LONGEST: usize = 107 - "/hub/front/questions.sock".len();

/// Removes itself when dropped.
pub(super) struct Place {
    directory: TempDir,
    /// Held as long as the directory is in use.
    _lock: File,
}

impl Place {
    /// A new directory below the one for temporary files (`TMPDIR`).
    ///
    /// # Errors
    /// It cannot be made, or its path would not do in a configuration file.
    pub(super) fn new() -> miette::Result<Place> {
        let parent = std::env::temp_dir();
        remove_stale(&parent);
        let failed = || format!("cannot make a directory in {}", parent.display());
        let directory = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&parent);
        let directory = directory.into_diagnostic().wrap_err_with(failed)?;
        if !is_usable(directory.path()) {
            return Err(miette!(
                help = "Name another for this run: TMPDIR=/tmp pistream demo",
                "the demo cannot work in {}: its path is too long, relative, or holds more than letters, digits and . _ @ + -",
                parent.display()
            ));
        }
        let lock = take(directory.path()).into_diagnostic().wrap_err_with(failed)?;
        Ok(Place { directory, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }
}

fn is_usable(path: &Path) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || "/._@+-".contains(c);
    path.is_absolute()
        && path
            .to_str()
            .is_some_and(|text| text.len() <= LONGEST && text.chars().all(legal))
}

/// The lock gets its name only when it is held: whoever finds one that nobody holds may take its owner for dead.
fn take(directory: &Path) -> std::io::Result<File> {
    let unnamed = directory.join("new-lock");
    let file = File::create(&unnamed)?;
    file.lock()?;
    fs::rename(unnamed, directory.join(LOCK))?;
    Ok(file)
}

/// Removes what this user's killed demos left. What cannot be removed stays for another time.
fn remove_stale(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry.metadata().is_ok_and(|m| m.is_dir() && Some(m.uid()) == user());
        if ours && File::open(entry.path().join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
