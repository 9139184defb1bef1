//! What is agreed on with a server before anything is said: algorithms, and whether its host key may be trusted.

use super::super::effective::Settings;
use super::super::{Error, KEEPALIVE};
use super::known_hosts::{KnownHosts, Verdict};
use ::russh::client;
use ::russh::keys::{Algorithm, HashAlg, PublicKeyOrCertificate};
use ::russh::{Preferred, cipher};
use std::borrow::Cow;

pub(super) fn configuration(known: &KnownHosts) -> client::Config {
    let mut preferred = Preferred::DEFAULT;
    // AES-GCM halves an upload's time against ChaCha20 (measured); the rest stays as a fallback
    let mut ciphers = vec![cipher::AES_256_GCM, cipher::AES_128_GCM];
    ciphers.extend(
        Preferred::DEFAULT
            .cipher
            .iter()
            .filter(|c| !ciphers.contains(c))
            .copied()
            .collect::<Vec<_>>(),
    );
    preferred.cipher = Cow::Owned(ciphers);
    // ask for a kind of host key that known_hosts can judge
    let recorded = known.algorithms();
    let mut keys: Vec<Algorithm> = Preferred::DEFAULT.key.to_vec();
    keys.sort_by_key(|algorithm| !recorded.contains(&plain(algorithm)));
    preferred.key = Cow::Owned(keys);
    client::Config {
        preferred,
        nodelay: true,
        keepalive_interval: Some(KEEPALIVE),
        keepalive_max: 3,
        ..client::Config::default()
    }
}

/// An RSA key is recorded as `ssh-rsa`, whatever hash its signatures use.
pub(super) fn plain(algorithm: &Algorithm) -> Algorithm {
    match algorithm {
        Algorithm::Rsa { .. } => Algorithm::Rsa { hash: None },
        other => other.clone(),
    }
}

/// Lets nobody in whose host key is not known.
pub(super) struct Doorkeeper {
    pub(super) settings: Settings,
    pub(super) known: KnownHosts,
}

/// Why a key exchange ended: for a reason of ours, or of the library's.
#[derive(Debug)]
pub(super) enum Refusal {
    Told(Error),
    Library(::russh::Error),
}

impl From<::russh::Error> for Refusal {
    fn from(e: ::russh::Error) -> Refusal {
        Refusal::Library(e)
    }
}

impl client::Handler for Doorkeeper {
    type Error = Refusal;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Refusal> {
        let host = self.settings.alias.clone();
        let PublicKeyOrCertificate::PublicKey { key, .. } = shown else {
            let cause = "it shows a certificate although none was asked for".to_owned();
            return Err(Refusal::Told(Error::Protocol { host, cause }));
        };
        let fingerprint = Some(key.fingerprint(HashAlg::Sha256).to_string());
        Err(Refusal::Told(match self.known.judge(key) {
            Verdict::Known => return Ok(true),
            Verdict::Unknown => Error::HostKeyUnknown {
                host: self.settings.host.clone(),
                port: self.settings.port,
                alias: self.settings.host_key_alias.clone(),
                fingerprint,
                known_hosts: self.settings.own_known_hosts(),
            },
            Verdict::Changed { file, line } => Error::HostKeyChanged {
                host,
                fingerprint,
                file,
                line,
            },
            Verdict::Revoked => Error::HostKeyRevoked { host },
        }))
    }
}
