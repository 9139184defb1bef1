//! What was issued to one host, newest last: nothing is forgotten, since what is forgotten cannot be revoked.

use super::Error;
use super::certificate::LIFETIME;
use super::store::Store;
use super::subject::{Kind, Subject};
use crate::model::Name;
use crate::told::days_left;
use serde::{Deserialize, Serialize};

/// Below the store, a file per host.
const DIRECTORY: &str = "issued";

/// One certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// Hexadecimal, as `openssl x509 -serial` prints it.
    pub serial: String,
    /// Seconds since 1970.
    pub not_after: u64,
    /// The names it is good for.
    pub names: Vec<String>,
    /// Whether a server can pass streams on with it.
    #[serde(default)]
    pub sends: bool,
    pub pem: String,
    /// When it was revoked. Seconds since 1970.
    pub revoked: Option<u64>,
    /// The next deploy replaces it, whatever its age.
    pub renew: bool,
}

/// How things stand with a host's newest certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Good,
    /// The next deploy renews it: a third of its life is left, it is for other addresses or another use, it was another's who had
    /// the name, or somebody asked for it.
    Due,
    Expired,
    /// The host gets no other until somebody asks for it.
    Revoked,
}

impl Issued {
    /// `subject`: what it should be good for, if that is known.
    pub fn standing(&self, subject: Option<&Subject>, now: u64) -> Standing {
        if self.renew || subject.is_some_and(|s| self.is_anothers(s)) {
            return Standing::Due;
        }
        if self.revoked.is_some() {
            return Standing::Revoked;
        }
        let other = subject.is_some_and(|s| s.names != self.names || s.sends != self.sends);
        match self.not_after.saturating_sub(now) {
            0 => Standing::Expired,
            left if left <= LIFETIME / 3 || other => Standing::Due,
            _ => Standing::Good,
        }
    }

    /// Whether it was issued to somebody else, of another kind, who had the subject's name.
    pub(super) fn is_anothers(&self, subject: &Subject) -> bool {
        Kind::of(&subject.name, &self.names) != subject.kind
    }

    /// Whole days until it ends; none after it.
    pub fn days_left(&self, now: u64) -> u64 {
        days_left(self.not_after, now)
    }
}

/// Marks as revoked what is good of another kind's than the subject's. Whether anything was. Should the name be the other kind's
/// again, that gets another certificate: nobody meant to shut it out.
pub(super) fn part(subject: &Subject, all: &mut [Issued], now: u64) -> bool {
    let good = |c: &&mut Issued| c.revoked.is_none() && c.not_after > now && c.is_anothers(subject);
    let mut any = false;
    for certificate in all.iter_mut().filter(good) {
        certificate.revoked = Some(now);
        certificate.renew = true;
        any = true;
    }
    any
}

pub(super) fn load(store: &Store, host: &Name) -> Result<Vec<Issued>, Error> {
    let name = file(host);
    let Some(text) = store.read_secret(&name)? else {
        return Ok(Vec::new());
    };
    serde_json::from_str(&text).map_err(|e| store.damaged(&name, e))
}

pub(super) fn save(store: &Store, host: &Name, issued: &[Issued]) -> Result<(), Error> {
    let name = file(host);
    let text = serde_json::to_string_pretty(issued).map_err(|e| store.damaged(&name, e))?;
    store.write(&name, &format!("{text}\n"))
}

/// All hosts that ever got one, in the order of their names.
pub(super) fn hosts(store: &Store) -> Result<Vec<Name>, Error> {
    let names = store.names(DIRECTORY)?;
    Ok(names
        .iter()
        .filter_map(|n| Name::new(n.strip_suffix(".json")?))
        .collect())
}

fn file(host: &Name) -> String {
    format!("{DIRECTORY}/{host}.json")
}
