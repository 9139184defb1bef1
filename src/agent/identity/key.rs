//! A P-256 key: made from the kernel's random numbers, written and read as PKCS#8 PEM (what GnuTLS and OpenSSL both read).
//! Never shown: it has no `Debug`.

use p256::SecretKey;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::elliptic_curve::Generate;
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};

pub(super) struct Key(SecretKey);

impl Key {
    /// `None` where the kernel gives no random numbers.
    pub(super) fn generate() -> Option<Key> {
        SecretKey::try_generate().ok().map(Key)
    }

    /// `None` if that is no P-256 key.
    pub(super) fn from_pem(pem: &str) -> Option<Key> {
        SecretKey::from_pkcs8_pem(pem).ok().map(Key)
    }

    pub(super) fn to_pem(&self) -> Option<String> {
        let pem = self.0.to_pkcs8_pem(LineEnding::LF).ok()?;
        Some(pem.as_str().to_owned())
    }

    /// The public key as a certificate holds it: 65 bytes, an uncompressed point.
    pub(super) fn public(&self) -> Vec<u8> {
        self.0.public_key().to_sec1_bytes().to_vec()
    }

    /// ECDSA with SHA-256, as certificates and requests hold it (DER).
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: DerSignature = SigningKey::from(&self.0).sign(message);
        signature.as_bytes().to_vec()
    }
}
