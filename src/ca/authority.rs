//! Signs: the authority itself and hosts' certificates.
//!
//! P-256 throughout: GnuTLS, OpenSSL and nginx of every supported Debian take it (an Ed25519 key as ring writes it is
//! refused by OpenSSL 3.0).

use super::issued::{self, Issued, LIFETIME, Standing};
use super::revoked;
use super::store::Store;
use super::subject::Subject;
use super::{Error, Identities};
use crate::model::Name;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData,
    SerialNumber,
};
use std::io::Read;
use std::path::Path;
use std::time::{Duration, SystemTime};

const KEY: &str = "ca.key";
const CERTIFICATE: &str = "ca.pem";

/// The authority's own life. Seconds: ten years.
const AUTHORITY_LIFETIME: u64 = 10 * LIFETIME;

/// From when on everything is good. A Pi has no clock that runs without power: until it has asked somebody for the time it
/// lives at the moment of its last shutdown, or at the build date of its systemd. It must stream then, too. The date says
/// nothing else: a certificate does not exist before it is issued.
pub(super) const SINCE_YEAR: i32 = 2000;

/// The authority at work.
pub struct Authority {
    store: Store,
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
    now: fn() -> SystemTime,
}

impl Authority {
    /// The fleet's authority, made if there is none yet, locked until this is dropped.
    ///
    /// # Errors
    /// Somebody else works with it; its files cannot be read or written, may be read by others, or are damaged.
    pub fn take(inventory: &Path) -> Result<Authority, Error> {
        let store = Store::take(inventory)?;
        if store.read(CERTIFICATE)?.is_none() {
            create(&store)?;
        }
        Authority::open(store)
    }

    /// The fleet's authority if there is one, to read: not locked, and nothing is made.
    ///
    /// # Errors
    /// Its files cannot be read, may be read by others, or are damaged.
    pub fn look(inventory: &Path) -> Result<Option<Authority>, Error> {
        match Store::look(inventory)? {
            Some(store) if store.read(CERTIFICATE)?.is_some() => Authority::open(store).map(Some),
            _ => Ok(None),
        }
    }

    fn open(store: Store) -> Result<Authority, Error> {
        let there = |text: Option<String>, name| text.ok_or_else(|| store.damaged(name, "it is missing"));
        let key = there(store.read_secret(KEY)?, KEY)?;
        let certificate = there(store.read(CERTIFICATE)?, CERTIFICATE)?;
        // rcgen's own words might quote the key
        let key = KeyPair::from_pem(&key).map_err(|_| store.damaged(KEY, "it is no key"))?;
        let issuer = Issuer::from_ca_cert_pem(&certificate, key).map_err(|e| store.damaged(CERTIFICATE, e))?;
        Ok(Authority {
            store,
            issuer,
            certificate,
            now: SystemTime::now,
        })
    }

    fn seconds(&self) -> u64 {
        let since = (self.now)().duration_since(SystemTime::UNIX_EPOCH);
        since.map_or(0, |d| d.as_secs())
    }

    /// What the plans of these hosts need. A host whose certificate is due has none here; one that is revoked keeps what
    /// it has, so that deploys go on as if nothing were, and its server refuses it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn identities(&self, subjects: &[Subject]) -> Result<Identities, Error> {
        let mut identities = Identities {
            authority: self.certificate.clone(),
            revoked: revoked::read(&self.store)?,
            certificates: Default::default(),
        };
        let now = self.seconds();
        for subject in subjects {
            if let Some(newest) = issued::load(&self.store, &subject.name)?.pop()
                && matches!(newest.standing(Some(subject), now), Standing::Good | Standing::Revoked)
            {
                identities.certificates.insert(subject.name.clone(), newest.pem);
            }
        }
        Ok(identities)
    }

    /// A certificate for the key that the request is signed with. Nothing else of the request counts.
    ///
    /// # Errors
    /// The request is not signed by the key it names, that is no P-256 key, or the host's last certificate was revoked.
    pub fn issue(&self, subject: &Subject, request: &str) -> Result<String, Error> {
        let mut all = issued::load(&self.store, &subject.name)?;
        let now = self.seconds();
        if all
            .last()
            .is_some_and(|l| l.standing(Some(subject), now) == Standing::Revoked)
        {
            let name = &subject.name;
            return Err(Error::Request(format!(
                "the certificate of {name} is revoked; `pistream certs renew {name}` lets it have another"
            )));
        }
        let key = CertificateSigningRequestParams::from_pem(request)
            .map_err(|e| Error::Request(e.to_string()))?
            .public_key;
        if key.algorithm() != &PKCS_ECDSA_P256_SHA256 || key.der_bytes().len() != 65 {
            return Err(Error::Request("it is not for a P-256 key".into()));
        }
        let sign = |e: rcgen::Error| Error::Sign {
            attempted: "sign a certificate",
            cause: e.to_string(),
        };
        let serial = serial()?;
        let mut params = CertificateParams::new(subject.names.clone()).map_err(sign)?;
        params.distinguished_name = common_name(subject.name.as_str());
        params.not_before = rcgen::date_time_ymd(SINCE_YEAR, 1, 1);
        params.not_after = moment(now + LIFETIME).into();
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![match subject.server {
            true => ExtendedKeyUsagePurpose::ServerAuth,
            false => ExtendedKeyUsagePurpose::ClientAuth,
        }];
        params.use_authority_key_identifier_extension = true;
        let pem = params.signed_by(&key, &self.issuer).map_err(sign)?.pem();
        all.push(Issued {
            serial: serial.iter().map(|b| format!("{b:02X}")).collect(),
            not_after: now + LIFETIME,
            names: subject.names.clone(),
            pem: pem.clone(),
            revoked: None,
            renew: false,
        });
        issued::save(&self.store, &subject.name, &all)?;
        Ok(pem)
    }

    /// From the next deploy of its server on, no certificate of this host is good any more, and it gets no other.
    ///
    /// # Errors
    /// It never had one, or the store cannot be written.
    pub fn revoke(&self, host: &Name) -> Result<(), Error> {
        let mut all = issued::load(&self.store, host)?;
        if all.is_empty() {
            return Err(Error::Unknown(host.clone()));
        }
        let now = self.seconds();
        for certificate in &mut all {
            certificate.revoked.get_or_insert(now);
            certificate.renew = false;
        }
        issued::save(&self.store, host, &all)?;
        revoked::write(&self.store, &self.issuer, now)
    }

    /// The next deploy of this host makes a new key and certificate. What was revoked stays revoked.
    ///
    /// # Errors
    /// It never had one, or the store cannot be written.
    pub fn renew(&self, host: &Name) -> Result<(), Error> {
        let mut all = issued::load(&self.store, host)?;
        let newest = all.last_mut().ok_or_else(|| Error::Unknown(host.clone()))?;
        newest.renew = true;
        issued::save(&self.store, host, &all)
    }

    /// Every host's newest certificate, in the order of their names, and the time by the deployer's clock.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn list(&self) -> Result<(Vec<(Name, Issued)>, u64), Error> {
        let mut newest = Vec::new();
        for host in issued::hosts(&self.store)? {
            if let Some(certificate) = issued::load(&self.store, &host)?.pop() {
                newest.push((host, certificate));
            }
        }
        Ok((newest, self.seconds()))
    }

    #[cfg(test)]
    pub(super) fn at(self, now: fn() -> SystemTime) -> Authority {
        Authority { now, ..self }
    }
}

/// A key and certificate that say to be this camera's, signed by nobody the fleet knows: what its server must refuse. Nobody
/// is the worse for their being known.
///
/// # Errors
/// No key can be made.
pub fn impostor(camera: &Name) -> Result<String, Error> {
    let sign = |e: rcgen::Error| Error::Sign {
        attempted: "make an impostor's certificate",
        cause: e.to_string(),
    };
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(sign)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(camera.as_str());
    let certificate = params.self_signed(&key).map_err(sign)?;
    Ok(key.serialize_pem() + &certificate.pem())
}

/// A new authority. Its certificate is written last: with it, the authority is there.
fn create(store: &Store) -> Result<(), Error> {
    let sign = |e: rcgen::Error| Error::Sign {
        attempted: "make the fleet's certificate authority",
        cause: e.to_string(),
    };
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
    store.write(KEY, &key.serialize_pem())?;
    let issuer = Issuer::new(params, key);
    revoked::write(store, &issuer, 0)?;
    store.write(CERTIFICATE, &certificate)
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

pub(super) fn moment(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// 128 random bits; positive, and of the same length every time.
fn serial() -> Result<[u8; 16], Error> {
    let path = Path::new("/dev/urandom");
    let mut serial = [0; 16];
    let read = std::fs::File::open(path).and_then(|mut random| random.read_exact(&mut serial));
    read.map_err(|source| Error::File {
        attempted: "read",
        path: path.to_owned(),
        source,
    })?;
    serial[0] = serial[0] & 0x7f | 0x40;
    Ok(serial)
}
