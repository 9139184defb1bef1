//! The fleet's certificate authority: who is who, decided on the deployer alone.
//!
//! ```text
//! .pistream/ (0700, beside the inventory)
//!   lock             held while somebody works with it
//!   ca.key  ca.pem   the authority: P-256, ten years; the key sealed by a passphrase, if the user wants that
//!   crl.pem          what is revoked, signed by it
//!   issued/NAME.json every certificate issued to a host or viewer, newest last
//! ```
//!
//! A key but the authority's own is never here: a host makes its key itself and sends a request for a certificate (a
//! viewer's is made here, handed out and forgotten). The request proves that the host has the key; everything else in a certificate is decided here. Knows no host, no plan and
//! no transport.

mod authority;
mod certificate;
mod issued;
mod key;
mod make;
mod revoked;
mod seed;
mod store;
mod subject;
#[cfg(test)]
mod tests;

pub use authority::Authority;
pub use issued::{Issued, Standing};
pub use make::impostor;
pub use subject::{Kind, Subject, bearers, subjects};

use crate::logins::Logins;
use crate::model::Name;
use std::collections::BTreeMap;
use std::path::PathBuf;

const KEY: &str = "ca.key";
const CERTIFICATE: &str = "ca.pem";

/// What stands in a file where the authority's own words would: rendering needs no authority, and two renderings of one
/// inventory must not differ.
const PLACEHOLDER: &str = "# made by `pistream deploy`, from the fleet's certificate authority in .pistream/\n";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{attempted} {path}: {source}", path = .path.display())]
    File {
        attempted: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("another pistream works with {}: wait until it is done", .0.display())]
    Busy(PathBuf),
    #[error("{} may be read by others: `chmod -R go= {}` if nobody else did, else revoke all and remove it", .0.display(), .0.display())]
    Exposed(PathBuf),
    #[error("{}: {cause}; restore it from a backup, or remove {} and deploy: every host gets a new certificate", .path.display(), .directory.display())]
    Damaged {
        path: PathBuf,
        directory: PathBuf,
        cause: String,
    },
    #[error("{attempted}: {cause}")]
    Sign { attempted: &'static str, cause: String },
    #[error("{} is sealed: its passphrase is needed to sign", .0.display())]
    Sealed(PathBuf),
    #[error("the passphrase does not open {}; nothing was touched", .0.display())]
    Passphrase(PathBuf),
    #[error("the request is refused: {0}")]
    Request(String),
    #[error(
        "{0} was never given a certificate: `pistream deploy` gives one to a host, `pistream certs issue` to a viewer"
    )]
    Unknown(Name),
}

impl Error {
    fn sign(attempted: &'static str, cause: impl ToString) -> Error {
        Error::Sign {
            attempted,
            cause: cause.to_string(),
        }
    }
}

/// What the plans of a fleet need of its authority.
#[derive(Debug, Clone)]
pub struct Identities {
    /// The authority's certificate, PEM.
    pub authority: String,
    /// What it revoked, PEM.
    pub revoked: String,
    /// Of each host the certificate that it shall have, PEM. A host without one asks for one.
    pub certificates: BTreeMap<Name, String>,
    /// Of each host and viewer how many of its certificates are revoked, if any.
    pub revocations: BTreeMap<Name, u32>,
    /// What viewers' passwords become on a server.
    pub logins: Logins,
}

impl Identities {
    /// For rendering, and for a comparison before there is an authority.
    pub fn placeholders() -> Identities {
        Identities {
            authority: PLACEHOLDER.into(),
            revoked: PLACEHOLDER.into(),
            certificates: BTreeMap::new(),
            revocations: BTreeMap::new(),
            logins: Logins::default(),
        }
    }
}
