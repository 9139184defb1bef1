//! Makes keys together with their certificates: the authority itself, viewers' keys, and impostors for `verify`. Keys of
//! hosts are made on the hosts.

use super::certificate::{LIFETIME, SINCE_YEAR, common_name, serial};
use super::store::Store;
use super::{CERTIFICATE, Error, KEY, key, revoked};
use crate::model::Name;
use crate::secrets::Clear;
use rcgen::{
    BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SerialNumber,
};
use std::time::{Duration, SystemTime};

/// The authority's own life. Seconds: ten years.
const AUTHORITY_LIFETIME: u64 = 10 * LIFETIME;

/// A new authority, its key sealed where there is a passphrase. Its certificate is written last: with it, the authority is
/// there.
pub(super) fn authority(store: &Store, passphrase: Option<&Clear>) -> Result<(), Error> {
    let attempted = "make the fleet's certificate authority";
    let sign = |e: rcgen::Error| Error::sign(attempted, e);
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(sign)?;
    let serial = serial()?;
    let mut params = CertificateParams::default();
    // two fleets' authorities have different names
    let which: String = serial.iter().take(4).map(|b| format!("{b:02x}")).collect();
    params.distinguished_name = common_name(&format!("pistream authority {which}"));
    params.not_before = rcgen::date_time_ymd(SINCE_YEAR, 1, 1);
    params.not_after = (SystemTime::now() + Duration::from_secs(AUTHORITY_LIFETIME)).into();
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = params.self_signed(&key).map_err(sign)?.pem();
    let kept = match passphrase {
        Some(passphrase) => {
            key::seal(&key, passphrase).ok_or_else(|| Error::sign(attempted, "its key cannot be sealed"))?
        }
        None => key.serialize_pem(),
    };
    store.write(KEY, &kept)?;
    let issuer = Issuer::new(params, key);
    revoked::write(store, &issuer, 0)?;
    store.write(CERTIFICATE, &certificate)
}

/// A new key, and the request for a certificate that its holder would send. PEM.
pub(super) fn request() -> Result<(String, String), Error> {
    let sign = |e: rcgen::Error| Error::sign("make a key", e);
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(sign)?;
    let request = CertificateParams::default().serialize_request(&key).map_err(sign)?;
    Ok((key.serialize_pem(), request.pem().map_err(sign)?))
}

/// A key and certificate that say to be this camera's, signed by nobody the fleet knows: what its server must refuse. Nobody
/// is the worse for their being known.
///
/// # Errors
/// No key can be made.
pub fn impostor(camera: &Name) -> Result<String, Error> {
    let sign = |e: rcgen::Error| Error::sign("make an impostor's certificate", e);
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(sign)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(camera.as_str());
    let certificate = params.self_signed(&key).map_err(sign)?;
    Ok(key.serialize_pem() + &certificate.pem())
}
