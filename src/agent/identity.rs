//! The host's own key and certificate: makes the key here, asks the deployer for the certificate, hands both to the
//! transaction as one file of the plan. So they come, go and are rolled back like any other file.
//!
//! The key is written nowhere but into that file, and no word of it enters an event. Who the host is, the deployer
//! decides: the request names nobody.

mod certificate;
mod key;
mod request;

pub(crate) use certificate::{date, expiry};

use crate::events;
use crate::host::Host;
use certificate::Certificate;
use key::Key;
use pistream_agent::{Answer, Event, Fault, File, Identity, Mode, Plan};
use std::time::Duration;

/// The deployer signs in a millisecond; one that takes longer is gone.
const PATIENCE: Duration = Duration::from_secs(60);
/// A certificate has about 800 bytes.
const LONGEST_ANSWER: u64 = 1 << 16;
const GET: &str = "get a certificate for this host";
/// What check mode compares with where a key is still to be made.
const TO_BE_MADE: &str = "key and certificate are made by deploy\n";

/// The plan with the identity as one of its files: as it is on this host if that will do, else a new one. Check mode asks
/// nobody and makes nothing.
pub(crate) fn complete(host: &Host, mut plan: Plan, mode: Mode) -> Result<Plan, Fault> {
    let Some(wanted) = plan.identity.take() else {
        return Ok(plan);
    };
    let content = match (present(host, &wanted), mode) {
        (Some(present), _) => present,
        (None, Mode::Check) => TO_BE_MADE.to_owned(),
        (None, Mode::Apply) => new()?,
    };
    plan.files.push(File {
        path: wanted.path,
        mode: 0o600,
        group: wanted.owner.clone(),
        owner: wanted.owner,
        content,
        secret: true,
    });
    Ok(plan)
}

/// What is on the host, if that is the certificate wanted together with its key.
fn present(host: &Host, wanted: &Identity) -> Option<String> {
    let certificate = wanted.certificate.as_deref()?;
    let there = std::fs::read_to_string(host.real(&wanted.path)).ok()?;
    let key = Key::from_pem(there.strip_suffix(certificate)?)?;
    (Certificate::from_pem(certificate)?.public_key == key.public()).then_some(there)
}

/// A new key with a certificate for it.
fn new() -> Result<String, Fault> {
    let fault = |cause: String, advice: &str| Fault {
        attempted: GET.to_owned(),
        cause,
        advice: Some(advice.to_owned()),
    };
    let unmade = || {
        fault(
            "the system gives no random numbers, or no key can be made of them".to_owned(),
            "look at the host's kernel log",
        )
    };
    let key = Key::generate().ok_or_else(unmade)?;
    let request = request::pem(&key).ok_or_else(unmade)?;
    events::emit(&Event::Certify { request });
    let Answer::Certificate { pem } = crate::request::answer(GET, LONGEST_ANSWER, PATIENCE)? else {
        return Err(crate::request::unfit(GET));
    };
    match Certificate::from_pem(&pem) {
        Some(certificate) if certificate.public_key == key.public() => {
            let key = key.to_pem().ok_or_else(unmade)?;
            Ok(format!("{key}{pem}"))
        }
        _ => Err(fault(
            "what the deployer sent is no certificate for this host's key".to_owned(),
            "this is a fault of the deployer: please report it",
        )),
    }
}

#[cfg(test)]
mod tests;
