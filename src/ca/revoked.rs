//! The list of what is revoked (a CRL, RFC 5280): made of what was issued, for servers to read.

use super::Error;
use super::certificate::{LIFETIME, SINCE_YEAR, moment};
use super::issued;
use super::store::Store;
use crate::model::Name;
use rcgen::{CertificateRevocationListParams, Issuer, KeyIdMethod, KeyPair, RevokedCertParams, SerialNumber};
use std::collections::BTreeMap;
use std::time::Duration;

const NAME: &str = "crl.pem";

pub(super) fn read(store: &Store) -> Result<String, Error> {
    store.read(NAME)?.ok_or_else(|| store.damaged(NAME, "it is missing"))
}

/// Of each host and viewer how many certificates were ever revoked; those without any are left out. The number only grows.
pub(super) fn times(store: &Store) -> Result<BTreeMap<Name, u32>, Error> {
    let mut times = BTreeMap::new();
    for host in issued::hosts(store)? {
        let revoked = issued::load(store, &host)?.into_iter().filter(|c| c.revoked.is_some());
        if let Ok(count @ 1..) = u32::try_from(revoked.count()) {
            times.insert(host, count);
        }
    }
    Ok(times)
}

/// Writes it anew. What has expired by `now` (seconds since 1970) is refused without it.
pub(super) fn write(store: &Store, issuer: &Issuer<'_, KeyPair>, now: u64) -> Result<(), Error> {
    let since = rcgen::date_time_ymd(SINCE_YEAR, 1, 1);
    let mut revoked = Vec::new();
    for host in issued::hosts(store)? {
        let of_host = issued::load(store, &host)?;
        revoked.extend(of_host.into_iter().filter(|c| c.revoked.is_some() && c.not_after > now));
    }
    let revoked_certs: Vec<RevokedCertParams> = revoked
        .iter()
        .map(|certificate| RevokedCertParams {
            serial_number: SerialNumber::from_slice(&bytes(&certificate.serial)),
            revocation_time: moment(certificate.revoked.unwrap_or_default()).into(),
            reason_code: None,
            invalidity_date: None,
        })
        .collect();
    let list = CertificateRevocationListParams {
        this_update: since,
        // A list that ran out would shut every camera out. It is replaced when something is revoked, not by the calendar.
        next_update: since + Duration::from_secs(100 * LIFETIME),
        crl_number: SerialNumber::from(revoked.len() as u64),
        issuing_distribution_point: None,
        revoked_certs,
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let pem = list.signed_by(issuer).and_then(|list| list.pem());
    let pem = pem.map_err(|e| Error::sign("sign the list of what is revoked", e))?;
    store.write(NAME, &pem)
}

/// Of a serial number's digits.
fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits = hexadecimal.as_bytes().chunks(2);
    digits
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}
