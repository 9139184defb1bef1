//! The passphrase of the authority's key: from where the inventory says, or asked for on the terminal; and the authority
//! opened with it.
//!
//! Whoever is about to have something signed calls this before anything is changed; nobody else does, so that a run that
//! signs nothing asks for nothing.

use crate::ca::{self, Authority};
use crate::model::Secret;
use crate::secrets::{self, Clear};
use crate::terminal::{self, Unanswered};
use std::path::Path;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "the authority's key is sealed, and there is no terminal to ask for its passphrase; nothing was touched. Say in the \
         inventory where it comes from (`ca: {{passphrase: {{env: NAME}}}}`), or run this on a terminal"
    )]
    NoTerminal,
    #[error("ca.passphrase: {0}; nothing was touched")]
    Fetch(String),
    #[error("the two differ; nothing was touched")]
    Differ,
    #[error("an empty passphrase seals nothing; nothing was touched")]
    Empty,
    #[error(transparent)]
    Authority(#[from] ca::Error),
}

/// The authority, to work with; one that is made now is sealed where the inventory names a passphrase.
///
/// # Errors
/// The authority cannot be worked with, or its passphrase cannot be had for a new one.
pub fn take(inventory: &Path, source: Option<&Secret>) -> Result<Authority, Error> {
    let passphrase = match (Authority::look(inventory)?, source) {
        (None, Some(source)) => Some(fetch(source)?),
        _ => None,
    };
    Ok(Authority::take(inventory, passphrase.as_ref())?)
}

/// Tells on standard error of a key in clear that the inventory would have sealed.
pub fn warn_if_clear(authority: &Authority, source: Option<&Secret>) {
    if source.is_some() && !authority.is_sealed() {
        let key = authority.key_path();
        eprintln!(
            "{} lies on this disk in clear, although the inventory names a passphrase: `pistream certs seal`",
            key.display()
        );
    }
}

/// Opens the authority's key, if it is sealed and not open yet: `source` first, else by a question on the terminal.
///
/// # Errors
/// There is no passphrase to be had, or it is another.
pub fn open(authority: &Authority, source: Option<&Secret>) -> Result<(), Error> {
    match source {
        Some(source) => open_by(authority, source),
        None if authority.is_open() => Ok(()),
        None => open_by_question(authority),
    }
}

/// As [`open`], without a question: for the middle of other work.
///
/// # Errors
/// As [`open`].
pub fn open_by(authority: &Authority, source: &Secret) -> Result<(), Error> {
    match authority.is_open() {
        true => Ok(()),
        false => Ok(authority.open(&fetch(source)?)?),
    }
}

/// Opens a sealed key by a question, whatever the inventory says: where the passphrase there may be the next one already.
///
/// # Errors
/// There is no terminal, or it is another.
pub fn open_by_question(authority: &Authority) -> Result<(), Error> {
    let question = format!("Passphrase for {}: ", authority.key_path().display());
    Ok(authority.open(&ask(&question)?)?)
}

/// A passphrase to seal with: from `source`, else asked for twice.
///
/// # Errors
/// There is none to be had, or what was typed differs.
pub fn new(source: Option<&Secret>) -> Result<Clear, Error> {
    if let Some(source) = source {
        return fetch(source);
    }
    let passphrase = ask("New passphrase for the authority's key: ")?;
    match ask("The same again: ")? == passphrase {
        true => Ok(passphrase),
        false => Err(Error::Differ),
    }
}

fn ask(question: &str) -> Result<Clear, Error> {
    terminal::ask(question).map_err(|unanswered| match unanswered {
        Unanswered::Empty => Error::Empty,
        Unanswered::NoTerminal | Unanswered::Wrong => Error::NoTerminal,
    })
}

fn fetch(source: &Secret) -> Result<Clear, Error> {
    secrets::fetch(source).map_err(Error::Fetch)
}
