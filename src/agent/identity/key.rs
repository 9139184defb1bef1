//! A P-256 key: made from the kernel's random numbers, written and read as PKCS#8 PEM (what GnuTLS and OpenSSL both read).
//! Never shown: it has no `Debug`.

use super::request::value;
use p256::SecretKey;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::Generate;
use pem_rfc7468::LineEnding;

const LABEL: &str = "PRIVATE KEY";
const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;

/// Of a key in PKCS#8 (RFC 5958, RFC 5915) all but the key: for P-256 every length is always the same. What stands before
/// the secret number:
/// `SEQUENCE { 0, { ecPublicKey, prime256v1 }, OCTET STRING { SEQUENCE { 1, OCTET STRING {` …
const BEFORE_SECRET: [u8; 36] = [
    0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
    0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01, 0x04, 0x20,
];
/// … and between that and the public point: `}, [1] { BIT STRING {`.
const BEFORE_PUBLIC: [u8; 5] = [0xa1, 0x44, 0x03, 0x42, 0x00];
const SECRET: usize = 32;

pub(super) struct Key(SecretKey);

impl Key {
    /// `None` where the kernel gives no random numbers.
    pub(super) fn generate() -> Option<Key> {
        SecretKey::try_generate().ok().map(Key)
    }

    /// `None` if that is no P-256 key as [`Key::to_pem`] writes it.
    pub(super) fn from_pem(pem: &str) -> Option<Key> {
        let (label, der) = pem_rfc7468::decode_vec(pem.as_bytes()).ok()?;
        let rest = der.strip_prefix(&BEFORE_SECRET).filter(|_| label == LABEL)?;
        let (secret, rest) = rest.split_at_checked(SECRET)?;
        let key = Key(SecretKey::from_slice(secret).ok()?);
        (rest.strip_prefix(&BEFORE_PUBLIC)? == key.public()).then_some(key)
    }

    /// `None` only if it could not be written as PEM.
    pub(super) fn to_pem(&self) -> Option<String> {
        let secret = self.0.to_bytes();
        let der = [&BEFORE_SECRET[..], &secret, &BEFORE_PUBLIC, &self.public()].concat();
        pem_rfc7468::encode_string(LABEL, LineEnding::LF, &der).ok()
    }

    /// The public key as a certificate holds it: 65 bytes, an uncompressed point.
    pub(super) fn public(&self) -> Vec<u8> {
        self.0.public_key().to_sec1_bytes().to_vec()
    }

    /// ECDSA with SHA-256, as certificates and requests hold it: `SEQUENCE { r, s }` (RFC 3279).
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = SigningKey::from(&self.0).sign(message);
        let (r, s) = signature.split_bytes();
        value(SEQUENCE, &[&integer(&r), &integer(&s)])
    }
}

/// A positive number, big-endian: without leading zeroes, but for the one that keeps it positive.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let from = bytes.iter().position(|b| *b != 0).unwrap_or(bytes.len() - 1);
    let sign: &[u8] = if bytes[from] & 0x80 == 0 { &[] } else { &[0] };
    value(INTEGER, &[sign, &bytes[from..]])
}
