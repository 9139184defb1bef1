//! A certification request (PKCS#10, RFC 2986) for a P-256 key, with an empty subject: it proves that whoever asks has
//! the key, and claims nothing.

use super::key::Key;
use pem_rfc7468::LineEnding;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;
const ATTRIBUTES: u8 = 0xa0;

/// `SEQUENCE { OID ecPublicKey, OID prime256v1 }` (RFC 5480).
const P256: [u8; 21] = [
    0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
    0x01, 0x07,
];
/// `SEQUENCE { OID ecdsa-with-SHA256 }` (RFC 5758).
const ECDSA_WITH_SHA256: [u8; 12] = [0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];

/// `None` only if it could not be written as PEM.
pub(super) fn pem(key: &Key) -> Option<String> {
    pem_rfc7468::encode_string("CERTIFICATE REQUEST", LineEnding::LF, &der(key)).ok()
}

fn der(key: &Key) -> Vec<u8> {
    let version = value(INTEGER, &[&[0]]);
    let nobody = value(SEQUENCE, &[]);
    let public = value(SEQUENCE, &[&P256, &bits(&key.public())]);
    let info = value(SEQUENCE, &[&version, &nobody, &public, &value(ATTRIBUTES, &[])]);
    let signature = bits(&key.sign(&info));
    value(SEQUENCE, &[&info, &ECDSA_WITH_SHA256, &signature])
}

fn bits(bytes: &[u8]) -> Vec<u8> {
    // no bit of the last byte is unused
    value(BIT_STRING, &[&[0], bytes])
}

/// A DER value made of these parts.
pub(super) fn value(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|p| p.len()).sum();
    let mut value = vec![tag];
    // long form from 128 on: the number of length bytes, then the length, big-endian without leading zeroes
    let bytes = length.to_be_bytes();
    let significant = &bytes[bytes.iter().position(|b| *b != 0).unwrap_or(bytes.len() - 1)..];
    if length >= 0x80 {
        value.push(0x80 | significant.len() as u8);
    }
    value.extend(significant);
    parts.iter().for_each(|p| value.extend_from_slice(p));
    value
}
