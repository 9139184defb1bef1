//! Signs: hosts' certificates, and what is revoked.
//!
//! P-256 throughout: GnuTLS, OpenSSL and nginx of every supported Debian take it (an Ed25519 key as ring writes it is
//! refused by OpenSSL 3.0).

use super::certificate::{LIFETIME, SINCE_YEAR, common_name, hexadecimal, moment, serial};
use super::issued::{self, Issued, Standing};
use super::key::{self, Kept, Sealed};
use super::store::Store;
use super::subject::{Kind, Subject};
use super::{CERTIFICATE, Error, Identities, KEY, make, revoked, seed};
use crate::model::Name;
use crate::secrets::Clear;
use rcgen::{
    CertificateParams, CertificateSigningRequestParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SerialNumber,
};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

/// The authority at work.
pub struct Authority {
    store: Store,
    /// The key as it lies on disk, if it is sealed.
    sealed: Option<Sealed>,
    /// Not there while the key is sealed and nobody has opened it.
    issuer: OnceLock<Issuer<'static, KeyPair>>,
    certificate: String,
    now: fn() -> SystemTime,
}

impl Authority {
    /// The fleet's authority, made if there is none yet, locked until this is dropped. `passphrase` seals the key of one
    /// that is made, and is not looked at otherwise.
    ///
    /// # Errors
    /// Somebody else works with it; its files cannot be read or written, may be read by others, or are damaged.
    pub fn take(inventory: &Path, passphrase: Option<&Clear>) -> Result<Authority, Error> {
        let store = Store::take(inventory)?;
        if store.read(CERTIFICATE)?.is_none() {
            make::authority(&store, passphrase)?;
        }
        seed::ensure(&store)?;
        let authority = Authority::load(store)?;
        if let (Some(passphrase), false) = (passphrase, authority.is_open()) {
            authority.open(passphrase)?;
        }
        Ok(authority)
    }

    /// The fleet's authority if there is one, to read: not locked, and nothing is made.
    ///
    /// # Errors
    /// Its files cannot be read, may be read by others, or are damaged.
    pub fn look(inventory: &Path) -> Result<Option<Authority>, Error> {
        match Store::look(inventory)? {
            Some(store) if store.read(CERTIFICATE)?.is_some() => Authority::load(store).map(Some),
            _ => Ok(None),
        }
    }

    fn load(store: Store) -> Result<Authority, Error> {
        let there = |text: Option<String>, name| text.ok_or_else(|| store.damaged(name, "it is missing"));
        let key = there(store.read_secret(KEY)?, KEY)?;
        let certificate = there(store.read(CERTIFICATE)?, CERTIFICATE)?;
        let key = key::read(&key).ok_or_else(|| store.damaged(KEY, "it is no key"))?;
        let mut authority = Authority {
            store,
            sealed: None,
            issuer: OnceLock::new(),
            certificate,
            now: SystemTime::now,
        };
        match key {
            Kept::Clear(key) => authority.use_key(*key)?,
            Kept::Sealed(sealed) => authority.sealed = Some(sealed),
        }
        Ok(authority)
    }

    fn use_key(&self, key: KeyPair) -> Result<(), Error> {
        let issuer = Issuer::from_ca_cert_pem(&self.certificate, key);
        let issuer = issuer.map_err(|e| self.store.damaged(CERTIFICATE, e))?;
        // whoever was first opened the same key
        let _ = self.issuer.set(issuer);
        Ok(())
    }

    /// The authority's certificate, PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Whether the key lies on disk sealed.
    pub fn is_sealed(&self) -> bool {
        self.sealed.is_some()
    }

    /// Whether it can sign.
    pub fn is_open(&self) -> bool {
        self.issuer.get().is_some()
    }

    pub fn key_path(&self) -> PathBuf {
        self.store.path(KEY)
    }

    /// Opens a sealed key; it stays sealed on disk.
    ///
    /// # Errors
    /// The passphrase is another.
    pub fn open(&self, passphrase: &Clear) -> Result<(), Error> {
        match &self.sealed {
            Some(sealed) => {
                let key = sealed.open(passphrase);
                self.use_key(key.ok_or_else(|| Error::Passphrase(self.key_path()))?)
            }
            None => Ok(()),
        }
    }

    /// Seals the key on disk, whether it was sealed before or not.
    ///
    /// # Errors
    /// It is not open, or cannot be written.
    pub fn seal(&self, passphrase: &Clear) -> Result<(), Error> {
        let sealed = key::seal(self.issuer()?.key(), passphrase);
        let sealed =
            sealed.ok_or_else(|| Error::sign("seal the authority's key", "the system has no random numbers"))?;
        self.store.write(KEY, &sealed)
    }

    /// Puts the key on disk in clear.
    ///
    /// # Errors
    /// It is not open, or cannot be written.
    pub fn unseal(&self) -> Result<(), Error> {
        self.store.write(KEY, &self.issuer()?.key().serialize_pem())
    }

    fn issuer(&self) -> Result<&Issuer<'static, KeyPair>, Error> {
        self.issuer.get().ok_or_else(|| Error::Sealed(self.key_path()))
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
            revocations: revoked::times(&self.store)?,
            logins: seed::read(&self.store)?,
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
    /// The request is not signed by the key it names, that is no P-256 key, or the host's last certificate was revoked; the
    /// authority's own key is sealed.
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
        let sign = |e: rcgen::Error| Error::sign("sign a certificate", e);
        let serial = serial()?;
        let mut params = CertificateParams::new(subject.names.clone()).map_err(sign)?;
        params.distinguished_name = common_name(subject.name.as_str());
        params.not_before = rcgen::date_time_ymd(SINCE_YEAR, 1, 1);
        params.not_after = moment(now + LIFETIME).into();
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = match subject.kind {
            Kind::Camera | Kind::Viewer => vec![ExtendedKeyUsagePurpose::ClientAuth],
            Kind::Server if subject.sends => {
                vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth]
            }
            Kind::Server => vec![ExtendedKeyUsagePurpose::ServerAuth],
        };
        params.use_authority_key_identifier_extension = true;
        let pem = params.signed_by(&key, self.issuer()?).map_err(sign)?.pem();
        let parted = issued::part(subject, &mut all, now);
        all.push(Issued {
            serial: hexadecimal(&serial),
            not_after: now + LIFETIME,
            names: subject.names.clone(),
            sends: subject.sends,
            pem: pem.clone(),
            revoked: None,
            renew: false,
        });
        issued::save(&self.store, &subject.name, &all)?;
        if parted {
            revoked::write(&self.store, self.issuer()?, now)?;
        }
        Ok(pem)
    }

    /// A new key and a certificate for it, PEM: for a viewer, who has no agent to make one.
    ///
    /// # Errors
    /// As [`Authority::issue`].
    pub fn issue_with_key(&self, subject: &Subject) -> Result<Clear, Error> {
        let (key, request) = make::request()?;
        let certificate = self.issue(subject, &request)?;
        Ok(Clear::new(key + &certificate))
    }

    /// Whether somebody of another kind had the subject's name, as a viewer that of a camera that is gone, and a certificate that is
    /// good.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn is_mistaken(&self, subject: &Subject) -> Result<bool, Error> {
        let mut all = issued::load(&self.store, &subject.name)?;
        Ok(issued::part(subject, &mut all, self.seconds()))
    }

    /// Revokes what the one before had: a server knows a certificate by its name alone, and would take it for the subject's.
    ///
    /// # Errors
    /// The authority's key is sealed, or the store cannot be written; then nothing is revoked.
    pub fn part(&self, subject: &Subject) -> Result<(), Error> {
        let mut all = issued::load(&self.store, &subject.name)?;
        let (issuer, now) = (self.issuer()?, self.seconds());
        issued::part(subject, &mut all, now);
        issued::save(&self.store, &subject.name, &all)?;
        revoked::write(&self.store, issuer, now)
    }

    /// From the next deploy of its server on, no certificate of this host is good any more, and it gets no other.
    ///
    /// # Errors
    /// It never had one, the authority's key is sealed, or the store cannot be written; then nothing is revoked.
    pub fn revoke(&self, host: &Name) -> Result<(), Error> {
        let mut all = issued::load(&self.store, host)?;
        if all.is_empty() {
            return Err(Error::Unknown(host.clone()));
        }
        let (issuer, now) = (self.issuer()?, self.seconds());
        for certificate in &mut all {
            certificate.revoked.get_or_insert(now);
            certificate.renew = false;
        }
        issued::save(&self.store, host, &all)?;
        revoked::write(&self.store, issuer, now)
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
