//! Certificates for tests: of authorities nobody knows, and of the fleet's own, with whatever in them a test needs.

use crate::hosts::Lab;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, SerialNumber, date_time_ymd,
};
use std::fs;
use std::time::{Duration, SystemTime};

pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// What a certificate is for.
pub use ExtendedKeyUsagePurpose::{ClientAuth as CAMERA, ServerAuth as SERVER};

impl Authority {
    /// One that nobody knows.
    pub fn unknown() -> Authority {
        let mut params = params("pistream authority of somebody else");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// The fleet's own, from beside the deployer's inventory.
    pub fn of_fleet(lab: &Lab) -> Authority {
        let read = |name: &str| fs::read_to_string(lab.home().join(".pistream").join(name)).unwrap();
        let (key, pem) = (KeyPair::from_pem(&read("ca.key")).unwrap(), read("ca.pem"));
        Authority {
            issuer: Issuer::from_ca_cert_pem(&pem, key).unwrap(),
            pem,
        }
    }

    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A list that revokes nobody.
    pub fn list(&self) -> String {
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2000, 1, 1),
            next_update: date_time_ymd(2099, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().pem().unwrap()
    }

    /// A new key and a certificate for it, as they stand on a host.
    pub fn identity(&self, name: &str, names: &[&str], usage: ExtendedKeyUsagePurpose) -> String {
        let (key, params) = wanted(name, names, usage);
        key.serialize_pem() + &params.signed_by(&key, &self.issuer).unwrap().pem()
    }

    /// The same, out of date since yesterday.
    pub fn expired(&self, name: &str, names: &[&str], usage: ExtendedKeyUsagePurpose) -> String {
        let (key, mut params) = wanted(name, names, usage);
        params.not_after = (SystemTime::now() - Duration::from_secs(86_400)).into();
        key.serialize_pem() + &params.signed_by(&key, &self.issuer).unwrap().pem()
    }
}

/// A key and a certificate that it signed itself.
pub fn self_signed(name: &str, names: &[&str], usage: ExtendedKeyUsagePurpose) -> String {
    let (key, params) = wanted(name, names, usage);
    key.serialize_pem() + &params.self_signed(&key).unwrap().pem()
}

fn wanted(name: &str, names: &[&str], usage: ExtendedKeyUsagePurpose) -> (KeyPair, CertificateParams) {
    let mut params = params(name);
    let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    params.subject_alt_names = CertificateParams::new(names).unwrap().subject_alt_names;
    params.extended_key_usages = vec![usage];
    (KeyPair::generate().unwrap(), params)
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(2099, 1, 1);
    params
}
