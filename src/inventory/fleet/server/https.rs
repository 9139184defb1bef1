//! By which certificate viewers know the server, from the keys of `https:`.

use std::net::IpAddr;

use super::flat;
use crate::inventory::fault::Finding;
use crate::inventory::keys::HttpsKeys;
use crate::inventory::reader::{Given, Reader, Switch};
use crate::inventory::values::WebCertificate;
use crate::model::Https;

/// Let's Encrypt's own.
const DIRECTORY: &str = "https://acme-v02.api.letsencrypt.org/directory";
/// Where an ACME server asks whether the name leads to whoever wants a certificate for it (RFC 8555, section 8.3).
const ASKED_AT: u16 = 80;

/// `None`: wrong. `Some(None)`: off. `logins`: passwords will pass. `known`: by which the server is reached. `ports`: of its
/// services, if these are right.
pub(super) fn https(
    given: Option<Given<Switch<HttpsKeys>>>,
    logins: bool,
    known: &[&String],
    ports: Option<&[u16; 5]>,
    reader: &mut Reader,
) -> Option<Option<Https>> {
    let given = given?;
    let mut refuse = |message: String, help: &str| {
        reader.fault(Finding::new(&given.place, message).help(help));
        None
    };
    let Switch::On(keys) = given.value? else {
        if logins {
            return refuse(
                "the viewers' passwords would travel in clear".to_owned(),
                "Where `viewers:` are named, leave `https:` on.",
            );
        }
        return Some(None);
    };
    let (certificate, key) = (flat(keys.certificate)?, flat(keys.key)?);
    let (email, acme) = (flat(keys.email)?, flat(keys.acme)?);
    if !matches!(certificate, Some(WebCertificate::LetsEncrypt)) && (email.is_some() || acme.is_some()) {
        let idle = if email.is_some() { "email" } else { "acme" };
        return refuse(
            format!("`{idle}:` without `certificate: letsencrypt`"),
            "It says how the server gets a certificate: {certificate: letsencrypt, email: you@example.net}.",
        );
    }
    match (certificate, key) {
        (None, None) => Some(Some(Https::Own)),
        (Some(WebCertificate::File(certificate)), Some(key)) => Some(Some(Https::Files {
            certificate: certificate.0,
            key: key.0,
        })),
        (Some(WebCertificate::LetsEncrypt), None) => {
            let is_name = |name: &&&String| name.parse::<IpAddr>().is_err() && name.contains('.');
            let Some(name) = known.iter().find(is_name) else {
                return refuse(
                    "this server has no name to get a certificate for".to_owned(),
                    "Its `address:`, or one of its `names:`, must be a full DNS name that leads to it, not an IP address.",
                );
            };
            if ports?.contains(&ASKED_AT) {
                return refuse(
                    format!("port {ASKED_AT} is taken by this server itself"),
                    "There the authority asks whether the name is the server's; give the service another port.",
                );
            }
            Some(Some(Https::Acme {
                name: (*name).clone(),
                directory: acme.map_or_else(|| DIRECTORY.to_owned(), |url| url.0),
                email: email.map(|email| email.0),
            }))
        }
        (Some(WebCertificate::LetsEncrypt), Some(_)) => refuse(
            "`key:` beside `certificate: letsencrypt`".to_owned(),
            "The server makes the key itself: leave `key:` out.",
        ),
        (certificate, _) => {
            let missing = if certificate.is_some() { "key" } else { "certificate" };
            refuse(
                format!("`https:` without `{missing}:`"),
                "A certificate of your own needs both: {certificate: /path, key: /path}.",
            )
        }
    }
}
