//! The authority's key as it lies on disk: PKCS#8 in PEM, in clear or sealed by a passphrase.
//!
//! Sealed it is what `openssl pkcs8 -topk8 -scrypt` writes (PBES2 of RFC 8018: scrypt with N = 16384, r = 8, p = 1, which is
//! the most that OpenSSL opens unasked, and AES-256-CBC): a backup of it can be opened without pistream. Knows no file.

use crate::secrets::Clear;
use pkcs8::der::pem::PemLabel;
use pkcs8::{EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef, SecretDocument};
use rcgen::KeyPair;

/// A key as it was found.
pub(super) enum Kept {
    Clear(Box<KeyPair>),
    Sealed(Sealed),
}

/// A key that nobody uses without its passphrase.
pub(super) struct Sealed(SecretDocument);

/// `None` if that is no key. Why, is not told: the words might quote it.
pub(super) fn read(pem: &str) -> Option<Kept> {
    if let Ok(key) = KeyPair::from_pem(pem) {
        return Some(Kept::Clear(Box::new(key)));
    }
    let (label, der) = SecretDocument::from_pem(pem).ok()?;
    EncryptedPrivateKeyInfoRef::validate_pem_label(label).ok()?;
    EncryptedPrivateKeyInfoRef::try_from(der.as_bytes()).ok()?;
    Some(Kept::Sealed(Sealed(der)))
}

impl Sealed {
    /// `None` if the passphrase is another.
    pub(super) fn open(&self, passphrase: &Clear) -> Option<KeyPair> {
        let sealed = EncryptedPrivateKeyInfoRef::try_from(self.0.as_bytes()).ok()?;
        let key = sealed.decrypt(passphrase.expose()).ok()?;
        KeyPair::try_from(key.as_bytes()).ok()
    }
}

/// In PEM. `None` where the system has no random numbers.
pub(super) fn seal(key: &KeyPair, passphrase: &Clear) -> Option<String> {
    let clear = key.serialize_der();
    let sealed = PrivateKeyInfoRef::try_from(clear.as_slice()).ok()?;
    let sealed = sealed.encrypt(passphrase.expose()).ok()?;
    let pem = sealed.to_pem(EncryptedPrivateKeyInfoRef::PEM_LABEL, LineEnding::LF);
    pem.ok().map(|pem| pem.to_string())
}
