//! The known-hosts files, read as sshd(8) describes them: hashed names, patterns, `@revoked`, `@cert-authority`.
//!
//! Only reads: a host key is accepted by the user, never by pistream.

use super::super::effective::Settings;
use super::doorkeeper::plain;
use ::russh::keys::ssh_key::known_hosts::{Entry, HostPatterns, Marker};
use ::russh::keys::{Algorithm, PublicKey};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use std::path::PathBuf;

/// What the files say of one host.
pub(super) struct KnownHosts {
    entries: Vec<Recorded>,
}

struct Recorded {
    file: PathBuf,
    /// Counted from 1.
    line: usize,
    marker: Option<Marker>,
    key: PublicKey,
    /// Recorded for the host, but not for the port.
    hearsay: bool,
}

/// What to think of a key that a host shows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Known,
    Unknown,
    /// The files hold other keys for the host, first here: of the same kind, or else of another.
    Changed {
        file: PathBuf,
        line: usize,
    },
    Revoked,
}

impl KnownHosts {
    pub(super) fn empty() -> KnownHosts {
        KnownHosts { entries: Vec::new() }
    }

    /// Reads the files of these settings; one that is missing or unreadable knows nobody.
    pub(super) fn of(settings: &Settings) -> KnownHosts {
        let mut known = KnownHosts::empty();
        known.read_files(&settings.known_name(), &settings.known_hosts);
        if let Some(name) = settings
            .known_name_without_port()
            .filter(|_| known.algorithms().is_empty())
        {
            // as ssh: an entry without the port vouches for a host on another port, but cannot contradict it
            let mut without_port = KnownHosts::empty();
            without_port.read_files(&name, &settings.known_hosts);
            known.entries.extend(
                without_port
                    .entries
                    .into_iter()
                    .map(|e| Recorded { hearsay: true, ..e }),
            );
        }
        known
    }

    fn read_files(&mut self, name: &str, files: &[PathBuf]) {
        for file in files {
            if let Ok(bytes) = std::fs::read(file) {
                self.read(name, file, &String::from_utf8_lossy(&bytes));
            }
        }
    }

    fn read(&mut self, name: &str, file: &std::path::Path, text: &str) {
        for (index, line) in text.lines().enumerate() {
            // fields may be parted by any white space; a line that cannot be read is not ours to judge
            let fields: Vec<&str> = line.split_whitespace().collect();
            if fields.first().is_none_or(|f| f.starts_with('#')) {
                continue;
            }
            let Ok(entry) = fields.join(" ").parse::<Entry>() else {
                continue;
            };
            if matches(entry.host_patterns(), name) {
                let (marker, key) = (entry.marker().copied(), entry.public_key().clone());
                self.entries.push(Recorded {
                    file: file.to_owned(),
                    line: index + 1,
                    marker,
                    key,
                    hearsay: false,
                });
            }
        }
    }

    /// The kinds of key recorded for the host itself.
    pub(super) fn algorithms(&self) -> Vec<Algorithm> {
        self.entries
            .iter()
            .filter(|e| e.marker.is_none())
            .map(|e| plain(&e.key.algorithm()))
            .collect()
    }

    pub(super) fn by_authority_alone(&self) -> bool {
        let authority = |e: &Recorded| e.marker == Some(Marker::CertAuthority);
        self.entries.iter().any(authority) && !self.entries.iter().any(|e| e.marker.is_none())
    }

    pub(super) fn judge(&self, shown: &PublicKey) -> Verdict {
        let same = |e: &&Recorded| e.key.key_data() == shown.key_data();
        if self
            .entries
            .iter()
            .filter(same)
            .any(|e| e.marker == Some(Marker::Revoked))
        {
            return Verdict::Revoked;
        }
        let own = self.entries.iter().filter(|e| e.marker.is_none());
        if own.clone().any(|e| same(&e)) {
            return Verdict::Known;
        }
        // as ssh: whoever is in between could show a key of a kind that is not recorded, and would pass for a new host
        let mut others = own.filter(|e| !e.hearsay);
        let first = others.clone().next();
        let of_this_kind = others.find(|e| plain(&e.key.algorithm()) == plain(&shown.algorithm()));
        match of_this_kind.or(first) {
            Some(e) => Verdict::Changed {
                file: e.file.clone(),
                line: e.line,
            },
            None => Verdict::Unknown,
        }
    }
}

fn matches(patterns: &HostPatterns, name: &str) -> bool {
    match patterns {
        HostPatterns::HashedName { salt, hash } => Hmac::<Sha1>::new_from_slice(salt)
            .is_ok_and(|mac| mac.chain_update(name.as_bytes()).verify_slice(hash).is_ok()),
        HostPatterns::Patterns(patterns) => {
            let hit = |pattern: &str| glob(pattern.to_lowercase().as_bytes(), name.to_lowercase().as_bytes());
            // one negated match excludes the host, wherever it stands in the list
            let excluded = patterns.iter().filter_map(|p| p.strip_prefix('!')).any(hit);
            !excluded && patterns.iter().filter(|p| !p.starts_with('!')).any(|p| hit(p))
        }
    }
}

/// `*` stands for any text, `?` for any one character (ssh_config(5), PATTERNS).
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // where to go on when the text does not fit: after the last star, one character later
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                p += 1;
                retry = Some((p, t));
            }
            Some(&c) if c == b'?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((star, from)) => {
                    p = star;
                    t = from + 1;
                    retry = Some((star, t));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

#[cfg(test)]
mod tests;
