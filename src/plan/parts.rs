//! What plans are put together from.

use super::{Paths, USER};
use crate::ca::Identities;
use crate::model::Name;
use pistream_agent::{Check, Directory, File, Identity, Package, Unit};
use sha2::{Digest, Sha256};

pub(super) fn identity(host: &Name, paths: &Paths, identities: &Identities) -> Identity {
    Identity {
        path: paths.identity.clone(),
        owner: USER.into(),
        certificate: identities.certificates.get(host).cloned(),
    }
}

/// A name for this text: long enough that no two are alike.
pub(super) fn mark(text: &str) -> String {
    let digest = Sha256::digest(text);
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// A unit that is started anew when any of these files changes, and reloaded for none.
pub(super) fn unit(name: &str, restart_on: &[String]) -> Unit {
    Unit {
        name: name.into(),
        restart_on: restart_on.to_vec(),
        reload_on: vec![],
    }
}

pub(super) fn package(name: &str) -> Package {
    Package {
        name: name.into(),
        keep_off: vec![],
    }
}

pub(super) fn directory(path: &str, owner: &str, mode: u32) -> Directory {
    Directory {
        path: path.into(),
        mode,
        owner: owner.into(),
        group: owner.into(),
        keep: false,
    }
}

/// A file that pistream's own user may read and nobody else.
pub(super) fn owned(path: &str, mode: u32, owner: &str, content: String) -> File {
    File {
        path: path.into(),
        mode,
        owner: owner.into(),
        group: USER.into(),
        content,
        secret: false,
    }
}

/// What pistream's own user reads and root alone changes.
pub(super) fn settings(path: &str, content: String) -> File {
    owned(path, 0o640, "root", content)
}

/// A file that everybody may read.
pub(super) fn system(path: &str, content: String) -> File {
    File {
        path: path.into(),
        mode: 0o644,
        owner: "root".into(),
        group: "root".into(),
        content,
        secret: false,
    }
}

pub(super) fn check(name: &str, files: &[String], command: &[&str]) -> Check {
    Check {
        name: name.into(),
        files: files.to_vec(),
        command: command.iter().map(|&w| w.to_owned()).collect(),
        optional: vec![],
    }
}

pub(super) fn unit_check(path: &str, unit: &str) -> Check {
    // only this unit's faults count, not those of whatever else the host runs; systemd knows the option from 250 on, and
    // an older one counts them so by itself
    let own_faults = "--recursive-errors=no";
    let staged = format!("{{dir}}/{unit}");
    Check {
        optional: vec![own_faults.to_owned()],
        ..check(
            unit,
            &[path.to_owned()],
            &["systemd-analyze", "verify", "--man=no", own_faults, &staged],
        )
    }
}
