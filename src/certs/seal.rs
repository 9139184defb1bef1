//! `pistream certs seal` and `unseal`: whether the authority's key lies on disk in clear.

use super::there;
use crate::{exit, inventory, passphrase};
use miette::{IntoDiagnostic, miette};
use std::io::Write;
use std::path::Path;

/// Seals a key, or a sealed one by another passphrase. A sealed one is opened by what is typed: what the inventory names
/// may be the next passphrase already.
pub(super) fn seal(path: &Path) -> miette::Result<exit::Code> {
    let fleet = inventory::load_and_warn(path)?;
    let authority = there(path)?;
    let source = fleet.passphrase.as_ref();
    if authority.is_sealed() {
        passphrase::open_by_question(&authority).into_diagnostic()?;
    }
    let new = passphrase::new(source).into_diagnostic()?;
    authority.seal(&new).into_diagnostic()?;
    say(&format!("{} is sealed now", authority.key_path().display()))
}

pub(super) fn unseal(path: &Path) -> miette::Result<exit::Code> {
    let fleet = inventory::load_and_warn(path)?;
    let authority = there(path)?;
    if !authority.is_sealed() {
        return Err(miette!("{} is not sealed", authority.key_path().display()));
    }
    passphrase::open(&authority, fleet.passphrase.as_ref()).into_diagnostic()?;
    authority.unseal().into_diagnostic()?;
    say(&format!(
        "{} lies on this disk in clear now, for you alone",
        authority.key_path().display()
    ))
}

fn say(text: &str) -> miette::Result<exit::Code> {
    // whoever reads may have gone
    writeln!(std::io::stdout(), "{text}").into_diagnostic()?;
    Ok(exit::Code::Done)
}
