//! A viewer's pass: the directory that `certs issue` writes and hands out, and from which `watch` works. Whoever holds it
//! needs no inventory, and no pistream either: its PEM files are what any player takes that speaks TLS.
//!
//! ```text
//! anna/ (0700)
//!   identity.pem   his key and certificate, for him alone (0600)
//!   ca.pem         the fleet's authority, by which he knows a server
//!   pass.json      which camera is watched where
//! ```

use crate::model::{Camera, Name, Server};
use crate::secrets::Clear;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const IDENTITY: &str = "identity.pem";
const AUTHORITY: &str = "ca.pem";
const PLACES: &str = "pass.json";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{attempted} {path}: {source}", path = .path.display())]
    File {
        attempted: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{} is there already: name another directory with `-o`, or remove this one", .0.display())]
    There(PathBuf),
    #[error("{} is no viewer's directory: {IDENTITY}, {AUTHORITY} and {PLACES} of `pistream certs issue` belong there", .0.display())]
    NotThere(PathBuf),
    #[error("{} may be read by others: `chmod 600 {}` if nobody else did, else ask for another", .0.display(), .0.display())]
    Exposed(PathBuf),
    #[error("{}: {cause}; ask for another", .path.display())]
    Damaged { path: PathBuf, cause: String },
    #[error(
        "{viewer} may not watch {camera}, but {known}; if that has changed, ask for another pass (`pistream certs issue`)"
    )]
    NotHis {
        viewer: String,
        camera: String,
        known: String,
    },
}

/// What a viewer holds.
pub struct Pass {
    /// His key and certificate, PEM.
    pub identity: Clear,
    /// The authority's certificate, PEM.
    pub authority: String,
    pub places: Places,
}

/// Which camera is watched where, as of the day the pass was issued. What may be watched is the server's to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    pub viewer: String,
    /// By the camera's name.
    cameras: BTreeMap<String, Place>,
}

/// Where one camera is watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The server: an IP address or a DNS name, which its certificate must name.
    pub address: String,
    pub port: u16,
    pub stream: String,
}

impl Places {
    pub fn new<'a>(viewer: &Name, cameras: impl Iterator<Item = (&'a Camera, &'a Server)>) -> Places {
        let place = |(camera, server): (&Camera, &Server)| {
            let place = Place {
                address: server.address.clone(),
                port: server.rtmps_port,
                stream: camera.stream.to_string(),
            };
            (camera.name.to_string(), place)
        };
        Places {
            viewer: viewer.to_string(),
            cameras: cameras.map(place).collect(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.cameras.is_empty()
    }

    /// # Errors
    /// The pass does not name that camera.
    pub fn of(&self, camera: &str) -> Result<&Place, Error> {
        self.cameras.get(camera).ok_or_else(|| Error::NotHis {
            viewer: self.viewer.clone(),
            camera: camera.to_owned(),
            known: self.cameras.keys().cloned().collect::<Vec<String>>().join(", "),
        })
    }
}

/// A place for a new pass: the directory is there and empty.
pub struct Empty(PathBuf);

impl Empty {
    /// # Errors
    /// There is something there already, or the directory cannot be made.
    pub fn make(directory: &Path) -> Result<Empty, Error> {
        let failed = |source| failed("make directory", directory, source);
        match DirBuilder::new().mode(0o700).create(directory) {
            Ok(()) => return Ok(Empty(directory.to_owned())),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            Err(e) => return Err(failed(e)),
        }
        match fs::read_dir(directory).map(|mut inside| inside.next().is_none()) {
            Ok(true) => Ok(Empty(directory.to_owned())),
            Err(e) if e.kind() != ErrorKind::NotADirectory => Err(failed(e)),
            Ok(false) | Err(_) => Err(Error::There(directory.to_owned())),
        }
    }

    /// Writes the pass; the key last.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn fill(self, pass: &Pass) -> Result<(), Error> {
        let places = serde_json::to_string_pretty(&pass.places).unwrap_or_default() + "\n";
        let texts = [
            (PLACES, places.as_str()),
            (AUTHORITY, &pass.authority),
            (IDENTITY, pass.identity.expose()),
        ];
        for (name, text) in texts {
            let path = self.0.join(name);
            let mut options = OpenOptions::new();
            let file = options.write(true).create_new(true).mode(0o600).open(&path);
            let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
            written.map_err(|source| failed("write", &path, source))?;
        }
        Ok(())
    }
}

impl Pass {
    /// # Errors
    /// The directory is none that `certs issue` wrote, or its key may be read by others.
    pub fn read(directory: &Path) -> Result<Pass, Error> {
        let read = |name: &str| {
            let path = directory.join(name);
            fs::read_to_string(&path).map_err(|source| match source.kind() {
                ErrorKind::NotFound | ErrorKind::NotADirectory => Error::NotThere(directory.to_owned()),
                _ => failed("read", &path, source),
            })
        };
        let identity = directory.join(IDENTITY);
        match fs::metadata(&identity) {
            Ok(found) if found.mode() & 0o077 != 0 => return Err(Error::Exposed(identity)),
            // what else is wrong with it, reading tells
            _ => {}
        }
        let places = serde_json::from_str(&read(PLACES)?).map_err(|error| Error::Damaged {
            path: directory.join(PLACES),
            cause: error.to_string(),
        })?;
        Ok(Pass {
            identity: Clear::new(read(IDENTITY)?),
            authority: read(AUTHORITY)?,
            places,
        })
    }
}

fn failed(attempted: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::File {
        attempted,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests;
