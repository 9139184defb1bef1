//! What a server is told of a viewer's password: a hash to compare with, and what its sessions show.
//!
//! Both are made from the password and the fleet's seed, which never leaves the deployer, and always the same way: a
//! deploy changes nothing on the server as long as the password is the same, and needs to remember nothing about it. The
//! salts are as good as random to everybody without the seed; two fleets, servers or viewers with one password share
//! neither hash nor session. Nothing here is random or asks a clock.

use crate::model::{Name, Viewer};
use crate::secrets::Clear;
use hmac::{Hmac, KeyInit, Mac};
use sha_crypt::{PasswordHasher, ShaCrypt};
use sha2::Sha256;

/// Bytes of the seed.
pub const SEED: usize = 32;

/// glibc's crypt() reads no longer password, in bytes (CRYPT_MAX_PASSPHRASE_SIZE, crypt.h).
const LONGEST: usize = 511;

/// Bytes of a salt: sixteen characters, all that sha512-crypt takes.
const SALT: usize = 12;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the password of {0} is longer than {LONGEST} bytes: the server could not check it")]
    TooLong(Name),
    #[error("the password of {viewer} cannot be hashed: {cause}")]
    Hash { viewer: Name, cause: String },
}

/// The fleet's seed; without one (rendering, a comparison before the first deploy) there are placeholders.
#[derive(Clone, Default)]
pub struct Logins {
    seed: Option<[u8; SEED]>,
}

impl std::fmt::Debug for Logins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Logins")
    }
}

impl Logins {
    pub fn new(seed: [u8; SEED]) -> Logins {
        Logins { seed: Some(seed) }
    }

    /// The password as crypt(3) compares it: sha512-crypt in its modular format.
    ///
    /// # Errors
    /// A password longer than crypt(3) reads.
    pub fn hash(&self, server: &Name, viewer: &Viewer, password: &Clear) -> Result<Clear, Error> {
        let Some(salt) = self.derive("salt", server, viewer, password) else {
            return Ok(Clear::new("made-by-deploy"));
        };
        let password = password.expose().as_bytes();
        if password.len() > LONGEST {
            return Err(Error::TooLong(viewer.name.clone()));
        }
        let hash = ShaCrypt::SHA512.hash_password_with_salt(password, &salt[..SALT]);
        match hash {
            Ok(hash) => Ok(Clear::new(hash.as_str())),
            Err(error) => Err(Error::Hash {
                viewer: viewer.name.clone(),
                cause: error.to_string(),
            }),
        }
    }

    /// What a browser shows instead of the password once that was accepted: 256 bits, hexadecimal. Another password makes
    /// another session.
    pub fn session(&self, server: &Name, viewer: &Viewer, password: &Clear) -> Clear {
        match self.derive("session", server, viewer, password) {
            Some(bytes) => Clear::new(bytes.iter().map(|b| format!("{b:02x}")).collect::<String>()),
            None => Clear::new(format!("made-by-deploy-for-{}", viewer.name)),
        }
    }

    /// HMAC-SHA256 under the seed; the parts cannot run into each other, since none but the last may hold a NUL.
    fn derive(&self, purpose: &str, server: &Name, viewer: &Viewer, password: &Clear) -> Option<[u8; 32]> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.seed?).ok()?;
        for part in [purpose, server.as_str(), viewer.name.as_str(), password.expose()] {
            mac.update(part.as_bytes());
            mac.update(&[0]);
        }
        Some(mac.finalize().into_bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Secret;
    use crate::model::samples::name;
    use sha_crypt::PasswordVerifier;

    fn viewer(text: &str) -> Viewer {
        Viewer {
            name: name(text),
            password: Secret::Env("X".into()),
            cameras: vec![],
        }
    }

    #[test]
    fn a_login_changes_with_everything_it_depends_on_and_with_nothing_else() {
        let (hub, anna, password) = (name("hub"), viewer("anna"), Clear::new("correct horse"));
        let logins = Logins::new([7; SEED]);
        let all = |logins: &Logins, server: &Name, viewer: &Viewer, password: &Clear| {
            let hash = logins.hash(server, viewer, password).expect("a hash");
            (hash, logins.session(server, viewer, password))
        };
        let first = all(&logins, &hub, &anna, &password);
        assert_eq!(first, all(&Logins::new([7; SEED]), &hub, &anna, &password));
        for (hash, session) in [
            all(&Logins::new([8; SEED]), &hub, &anna, &password),
            all(&logins, &name("attic"), &anna, &password),
            all(&logins, &hub, &viewer("bert"), &password),
            all(&logins, &hub, &anna, &Clear::new("wrong horse")),
        ] {
            let salt = |hash: &Clear| hash.expose().split('$').nth(3).map(str::to_owned);
            assert_ne!(salt(&hash), salt(&first.0));
            assert_ne!(session, first.1);
        }
    }

    #[test]
    fn crypt_accepts_the_hash_for_the_password_alone() {
        let hash = Logins::new([7; SEED])
            .hash(&name("hub"), &viewer("anna"), &Clear::new("grün"))
            .expect("a hash");
        let hash = hash.expose();
        assert!(hash.starts_with("$6$rounds=5000$"), "{hash}");
        assert!(ShaCrypt::SHA512.verify_password("grün".as_bytes(), hash).is_ok());
        assert!(ShaCrypt::SHA512.verify_password("grun".as_bytes(), hash).is_err());
    }

    #[test]
    fn a_password_that_crypt_does_not_read_to_its_end_is_refused() {
        let long = Clear::new("x".repeat(LONGEST + 1));
        assert!(
            Logins::new([7; SEED])
                .hash(&name("hub"), &viewer("anna"), &long)
                .is_err()
        );
    }
}
