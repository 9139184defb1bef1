//! The seed of viewers' logins: kept beside the authority's key, since it needs the same care.

use super::Error;
use super::certificate::{hexadecimal, random};
use super::store::Store;
use crate::logins::{Logins, SEED};

/// Hexadecimal.
const NAME: &str = "logins.seed";

/// Makes one where there is none.
pub(super) fn ensure(store: &Store) -> Result<(), Error> {
    match store.read_secret(NAME)? {
        Some(_) => Ok(()),
        None => store.write(NAME, &(hexadecimal(&random::<SEED>()?) + "\n")),
    }
}

/// Placeholders where there is none yet.
pub(super) fn read(store: &Store) -> Result<Logins, Error> {
    let Some(text) = store.read_secret(NAME)? else {
        return Ok(Logins::default());
    };
    let byte = |at: usize| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes: Option<Vec<u8>> = (0..SEED).map(|n| byte(2 * n)).collect();
    let seed = bytes.and_then(|bytes| bytes.try_into().ok());
    seed.map(Logins::new)
        .ok_or_else(|| store.damaged(NAME, "it is no seed"))
}
