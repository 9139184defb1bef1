//! The tarballs on this machine that servers build from: read, and compared with their pins, before any host is touched.

use crate::model::{Nginx, Origin, Server};
use base64ct::{Base64, Encoding};
use pistream_agent::Answer;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {path}, which a server is to build from: {source}; nothing was touched", path = path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error(
        "{path} has the sha256 {is}, and the inventory says {wanted}: it is another file than was pinned; nothing was touched",
        path = path.display()
    )]
    Differs { path: PathBuf, is: String, wanted: String },
}

/// By their digests.
#[derive(Default)]
pub struct Tarballs(BTreeMap<String, Vec<u8>>);

impl Tarballs {
    /// Reads all that these servers' plans name and that lie here.
    ///
    /// # Errors
    /// One cannot be read, or is not what was pinned.
    pub fn read<'a>(servers: impl Iterator<Item = &'a Server>) -> Result<Tarballs, Error> {
        let mut found = BTreeMap::new();
        for server in servers {
            let Nginx::Source { nginx, module } = &server.nginx else {
                continue;
            };
            for tarball in [nginx, module] {
                let Origin::File(path) = &tarball.origin else { continue };
                let bytes = std::fs::read(path).map_err(|source| Error::Read {
                    path: path.clone(),
                    source,
                })?;
                let is: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
                if is != tarball.sha256 {
                    return Err(Error::Differs {
                        path: path.clone(),
                        is,
                        wanted: tarball.sha256.clone(),
                    });
                }
                found.insert(is, bytes);
            }
        }
        Ok(Tarballs(found))
    }

    /// What to say to a host that asks for one.
    pub fn answer(&self, sha256: &str) -> Answer {
        match self.0.get(sha256) {
            Some(bytes) => Answer::Tarball {
                base64: Base64::encode_string(bytes),
            },
            None => Answer::Refused {
                why: "there is no such tarball here".to_owned(),
            },
        }
    }
}
