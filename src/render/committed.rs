//! A directory that an earlier render wrote, as it is now. What pistream did not write there is not its business: it is
//! neither compared nor removed.

use miette::{IntoDiagnostic, WrapErr};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

/// Below each host's directory; names the others.
pub(super) const MANIFEST: &str = "manifest.json";

/// What of a manifest says which files there are.
#[derive(Deserialize)]
struct Manifest {
    files: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    path: PathBuf,
}

/// Every rendered file there, by its path below the directory.
#[derive(Debug)]
pub(super) struct Committed(BTreeMap<PathBuf, String>);

impl Committed {
    /// # Errors
    /// What cannot be read, or a manifest that is none.
    pub(super) fn read(root: &Path) -> miette::Result<Committed> {
        let mut files = BTreeMap::new();
        let failed = || format!("cannot read {}", root.display());
        for host in std::fs::read_dir(root).into_diagnostic().wrap_err_with(failed)? {
            let host = PathBuf::from(host.into_diagnostic().wrap_err_with(failed)?.file_name());
            let path = host.join(MANIFEST);
            let Some(text) = read(&root.join(&path))? else {
                continue;
            };
            let manifest: Manifest = serde_json::from_str(&text)
                .into_diagnostic()
                .wrap_err_with(|| format!("{} is no manifest of pistream's", root.join(&path).display()))?;
            files.insert(path, text);
            for Entry { path } in manifest.files {
                let Some(below) = below(&path) else { continue };
                let path = host.join(below);
                if let Some(text) = read(&root.join(&path))? {
                    files.insert(path, text);
                }
            }
        }
        Ok(Committed(files))
    }

    pub(super) fn text(&self, path: &Path) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// What is there and is rendered no more.
    pub(super) fn no_longer<'c>(&'c self, tree: &'c BTreeMap<PathBuf, String>) -> impl Iterator<Item = &'c PathBuf> {
        self.0.keys().filter(|path| !tree.contains_key(*path))
    }
}

/// The path without its root. A manifest is only as good as who wrote it last: one that climbs is nobody's here.
fn below(path: &Path) -> Option<&Path> {
    let below = path.strip_prefix("/").unwrap_or(path);
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    below.components().all(plain).then_some(below)
}

/// What is not text is shown as if it were; a file that is not there is none.
fn read(path: &Path) -> miette::Result<Option<String>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error)
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot read {}", path.display())),
    }
}

/// Removes the file, and the directories above it that are empty then.
///
/// # Errors
/// A file that cannot be removed.
pub(super) fn remove(root: &Path, path: &Path) -> miette::Result<()> {
    let file = root.join(path);
    std::fs::remove_file(&file)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot remove {}", file.display()))?;
    for directory in path.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty()) {
        if std::fs::remove_dir(root.join(directory)).is_err() {
            break;
        }
    }
    Ok(())
}
