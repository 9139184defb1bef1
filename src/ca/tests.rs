use super::store::Store;
use super::*;
use crate::model::samples::{fleet, name};
use crate::model::{Fleet, Viewer};
use crate::secrets::Clear;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

const DAY: u64 = 86_400;

/// A directory with an inventory in it, as far as the authority cares.
struct Place(TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn inventory(&self) -> PathBuf {
        self.0.path().join("hosts.yml")
    }

    fn store(&self) -> PathBuf {
        self.0.path().join(".pistream")
    }

    /// One that was taken before goes first: two at once are refused.
    fn take_again(&self, before: Authority) -> Authority {
        drop(before);
        self.take()
    }

    fn take(&self) -> Authority {
        Authority::take(&self.inventory(), None).unwrap()
    }
}

/// What a host that made a key sends.
fn request() -> String {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    // it may ask to be whoever it likes
    let wishes = CertificateParams::new(["hub".to_owned(), "10.0.0.254".to_owned()]).unwrap();
    wishes.serialize_request(&key).unwrap().pem().unwrap()
}

fn camera() -> Subject {
    Subject::of_camera(&fleet(1).cameras[0])
}

/// Of a certificate: subject, alternative names, whether it is for a server, whether for a client, and since when.
fn said(pem: &str) -> (String, Vec<String>, bool, bool, i64) {
    let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap();
    let certificate = pem.parse_x509().unwrap();
    let names = &certificate
        .subject_alternative_name()
        .unwrap()
        .unwrap()
        .value
        .general_names;
    let usage = certificate.extended_key_usage().unwrap().unwrap().value;
    (
        certificate.subject().to_string(),
        names.iter().map(ToString::to_string).collect(),
        usage.server_auth,
        usage.client_auth,
        certificate.validity().not_before.timestamp(),
    )
}

/// How many serial numbers the list names.
fn revoked(authority: &Authority) -> usize {
    let list = authority.identities(&[]).unwrap().revoked;
    let (_, pem) = x509_parser::pem::parse_x509_pem(list.as_bytes()).unwrap();
    let (_, list) = x509_parser::parse_x509_crl(&pem.contents).unwrap();
    list.iter_revoked_certificates().count()
}

#[test]
fn the_authority_is_made_once_and_for_its_owner_alone() {
    let place = Place::new();
    assert!(Authority::look(&place.inventory()).unwrap().is_none());
    assert!(!place.store().exists(), "a look makes nothing");
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    drop(place.take());
    assert_eq!(mode(place.store()), 0o700);
    for name in ["ca.key", "ca.pem", "crl.pem", "lock", ".gitignore"] {
        assert_eq!(mode(place.store().join(name)), 0o600, "{name}");
    }
    let certificate = fs::read_to_string(place.store().join("ca.pem")).unwrap();
    drop(place.take());
    assert_eq!(fs::read_to_string(place.store().join("ca.pem")).unwrap(), certificate);
}

#[test]
fn two_at_once_are_refused_and_an_exposed_key_is_not_used() {
    let place = Place::new();
    let one = place.take();
    assert!(matches!(Authority::take(&place.inventory(), None), Err(Error::Busy(_))));
    drop(one);
    let key = place.store().join("ca.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(Authority::take(&place.inventory(), None), Err(Error::Exposed(path)) if path == key));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(place.store(), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(Authority::look(&place.inventory()), Err(Error::Exposed(_))));
}

#[test]
fn the_deployer_and_not_the_request_says_who_somebody_is() {
    let place = Place::new();
    let pem = place.take().issue(&camera(), &request()).unwrap();
    let (subject, names, server, client, since) = said(&pem);
    assert_eq!((subject.as_str(), server, client), ("CN=cam1", false, true));
    assert_eq!(names, ["DNSName(cam1.camera.invalid)"]);
    // 2000-01-01: a Pi without a clock must be able to stream
    assert_eq!(since, 946_684_800);

    let server = Subject::of_server(&fleet(0), &fleet(0).servers[0]);
    let pem = place.take().issue(&server, &request()).unwrap();
    let (subject, names, server, client, _) = said(&pem);
    assert_eq!((subject.as_str(), server, client), ("CN=hub", true, false));
    assert_eq!(names, ["IPAddress(0a:00:00:fe)", "DNSName(hub)"]);
}

#[test]
fn only_a_request_that_its_own_p256_key_signed_gets_a_certificate() {
    let place = Place::new();
    let authority = place.take();
    let refused = |request: &str| matches!(authority.issue(&camera(), request), Err(Error::Request(_)));
    let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
    let other_curve = CertificateParams::default()
        .serialize_request(&key)
        .unwrap()
        .pem()
        .unwrap();
    assert!(refused(&other_curve) && refused("") && refused("no request"));
    // one letter of the signature is another
    let mut forged = request();
    let at = forged.rfind("\n-----END").unwrap() - 8;
    let other = if &forged[at..=at] == "A" { "B" } else { "A" };
    forged.replace_range(at..=at, other);
    assert!(refused(&forged));
}

#[test]
fn a_certificate_is_good_for_a_year_and_due_when_a_third_is_left() {
    let place = Place::new();
    place.take().issue(&camera(), &request()).unwrap();
    fn in_days(days: u64) -> SystemTime {
        SystemTime::now() + Duration::from_secs(days * DAY)
    }
    let wanted = |authority: Authority| authority.identities(&[camera()]).unwrap().certificates.len();
    assert_eq!(wanted(place.take()), 1);
    assert_eq!(wanted(place.take().at(|| in_days(243))), 1);
    assert_eq!(wanted(place.take().at(|| in_days(244))), 0);
    assert_eq!(wanted(place.take().at(|| in_days(400))), 0);
    let standing = |days| place.take().list().unwrap().0[0].1.standing(None, now() + days * DAY);
    assert_eq!(
        [standing(0), standing(244), standing(365)],
        [Standing::Good, Standing::Due, Standing::Expired]
    );
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap().as_secs()
}

#[test]
fn a_server_with_another_address_gets_another_certificate() {
    let place = Place::new();
    let mut fleet = fleet(0);
    let authority = place.take();
    let wanted = |fleet: &Fleet| authority.identities(&subjects(fleet)).unwrap().certificates.len();
    authority.issue(&subjects(&fleet)[0], &request()).unwrap();
    assert_eq!(wanted(&fleet), 1);
    fleet.servers[0].address = "hub.example.net".into();
    assert_eq!(wanted(&fleet), 0);
    // with plain RTMP it is for viewers alone, with plain HTTP too for nobody
    fleet.servers[0].tls = false;
    assert_eq!(subjects(&fleet).len(), 1);
    fleet.servers[0].https = None;
    assert!(subjects(&fleet).is_empty());
}

#[test]
fn who_is_revoked_keeps_what_he_has_and_gets_no_other_until_it_is_renewed() {
    let place = Place::new();
    let authority = place.take();
    let first = authority.issue(&camera(), &request()).unwrap();
    authority.revoke(&name("cam1")).unwrap();
    let identities = authority.identities(&[camera()]).unwrap();
    assert_eq!(identities.certificates[&name("cam1")], first);
    assert_eq!(revoked(&authority), 1);
    assert!(matches!(
        authority.issue(&camera(), &request()),
        Err(Error::Request(why)) if why.contains("certs renew cam1")
    ));

    authority.renew(&name("cam1")).unwrap();
    assert!(authority.identities(&[camera()]).unwrap().certificates.is_empty());
    let second = authority.issue(&camera(), &request()).unwrap();
    assert_eq!(
        authority.identities(&[camera()]).unwrap().certificates[&name("cam1")],
        second
    );
    assert_eq!(revoked(&authority), 1, "what was revoked stays so");
    assert!(matches!(authority.revoke(&name("cam2")), Err(Error::Unknown(_))));
}

#[test]
fn a_damaged_authority_is_told_and_not_replaced() {
    let place = Place::new();
    drop(place.take());
    fs::write(place.store().join("ca.key"), "-----BEGIN PRIVATE KEY-----\nsecret\n").unwrap();
    let Err(error) = Authority::take(&place.inventory(), None) else {
        panic!("taken")
    };
    let words = error.to_string();
    assert!(words.contains("ca.key") && !words.contains("secret"), "{words}");
}

#[test]
fn a_viewers_key_is_made_here_and_is_no_hosts() {
    let place = Place::new();
    let authority = place.take();
    let anna = Subject::of_viewer(&Viewer {
        name: name("anna"),
        password: crate::model::Secret::Env("PASSWORD".into()),
        cameras: vec![],
    });
    let identity = authority.issue_with_key(&anna).unwrap();
    let (key, certificate) = identity.expose().split_once("-----BEGIN CERTIFICATE").unwrap();
    assert!(KeyPair::from_pem(key).is_ok());
    let (subject, names, server, client, _) = said(&format!("-----BEGIN CERTIFICATE{certificate}"));
    assert_eq!((subject.as_str(), server, client), ("CN=anna", false, true));
    assert_eq!(names, ["DNSName(anna.viewer.invalid)"]);
    // both are good, and one revocation ends both
    authority.issue_with_key(&anna).unwrap();
    authority.revoke(&name("anna")).unwrap();
    assert_eq!(revoked(&authority), 2);
    assert!(matches!(authority.issue_with_key(&anna), Err(Error::Request(_))));
    for entry in fs::read_dir(place.store().join("issued")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains("PRIVATE"), "{text}");
    }
}

/// A viewer called as the camera is.
fn namesake() -> Subject {
    Subject::of_viewer(&Viewer {
        name: name("cam1"),
        password: crate::model::Secret::Env("PASSWORD".into()),
        cameras: vec![],
    })
}

#[test]
fn who_gets_the_name_of_another_kind_is_not_taken_for_the_one_before() {
    let place = Place::new();
    let authority = place.take();
    let all = || issued::load(&Store::look(&place.inventory()).unwrap().unwrap(), &name("cam1")).unwrap();
    let good = || all().iter().map(|c| c.revoked.is_none()).collect::<Vec<_>>();
    authority.issue_with_key(&namesake()).unwrap();
    assert!(!authority.is_mistaken(&namesake()).unwrap() && authority.is_mistaken(&camera()).unwrap());
    // before the camera has one: its server would know the name already
    authority.part(&camera()).unwrap();
    assert!(!authority.is_mistaken(&camera()).unwrap());
    assert_eq!((good(), revoked(&authority)), (vec![false], 1));
    authority.issue(&camera(), &request()).unwrap();
    assert_eq!(authority.identities(&[camera()]).unwrap().certificates.len(), 1);
    assert_eq!((good(), revoked(&authority)), (vec![false, true], 1));

    // the other way round, and without a deploy between
    authority.issue_with_key(&namesake()).unwrap();
    assert_eq!((good(), revoked(&authority)), (vec![false, false, true], 2));
    // nobody meant to shut the camera out
    authority.part(&camera()).unwrap();
    assert!(authority.identities(&[camera()]).unwrap().certificates.is_empty());
    authority.issue(&camera(), &request()).unwrap();
    assert_eq!((good(), revoked(&authority)), (vec![false, false, false, true], 3));

    // what ran out is refused without a list, and two of one kind are one's
    let later = place
        .take_again(authority)
        .at(|| SystemTime::now() + Duration::from_secs(400 * DAY));
    assert!(!later.is_mistaken(&namesake()).unwrap());
    let authority = place.take_again(later);
    authority.issue(&camera(), &request()).unwrap();
    assert_eq!(good(), [false, false, false, true, true]);
}

#[test]
fn a_revoked_camera_is_another_ones_than_the_viewer_of_its_name() {
    let place = Place::new();
    let authority = place.take();
    authority.issue(&camera(), &request()).unwrap();
    authority.revoke(&name("cam1")).unwrap();
    authority.issue_with_key(&namesake()).unwrap();
    assert_eq!(revoked(&authority), 1);
}

/// As people type it; the other is nobody's.
const PASSPHRASE: &str = "grüne Tür, \"7\" Stufen";

#[test]
fn a_sealed_key_signs_nothing_until_its_passphrase_opens_it() {
    let place = Place::new();
    let right = Clear::new(PASSPHRASE);
    let key = || fs::read_to_string(place.store().join("ca.key")).unwrap();
    drop(Authority::take(&place.inventory(), Some(&right)).unwrap());
    assert!(
        key().starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"),
        "{}",
        key()
    );
    let mode = fs::metadata(place.store().join("ca.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let authority = place.take();
    assert!(authority.is_sealed() && !authority.is_open());
    assert_eq!(authority.identities(&[camera()]).unwrap().certificates.len(), 0);
    assert!(matches!(authority.issue(&camera(), &request()), Err(Error::Sealed(_))));
    let before = key();
    // unoptimised, each try takes a second
    let almost = Clear::new("grune Tur, \"7\" Stufen");
    assert!(matches!(authority.open(&almost), Err(Error::Passphrase(_))));
    assert!(matches!(authority.issue(&camera(), &request()), Err(Error::Sealed(_))));
    authority.open(&right).unwrap();
    authority.issue(&camera(), &request()).unwrap();
    assert_eq!(key(), before, "open, it stays sealed on disk");
    drop(authority);

    let authority = place.take();
    assert!(matches!(authority.revoke(&name("cam1")), Err(Error::Sealed(_))));
    assert!(
        authority.list().unwrap().0[0].1.revoked.is_none(),
        "nothing was touched"
    );
    authority.open(&right).unwrap();
    authority.revoke(&name("cam1")).unwrap();
    assert_eq!(revoked(&authority), 1);
}

#[test]
fn a_key_is_sealed_by_another_passphrase_and_opened_for_good() {
    let place = Place::new();
    let (first, second) = (Clear::new("first"), Clear::new("second"));
    let authority = place.take();
    let clear = fs::read_to_string(place.store().join("ca.key")).unwrap();
    authority.seal(&first).unwrap();
    drop(authority);
    let authority = place.take();
    assert!(matches!(authority.seal(&second), Err(Error::Sealed(_))));
    assert!(matches!(authority.unseal(), Err(Error::Sealed(_))));
    authority.open(&first).unwrap();
    authority.seal(&second).unwrap();
    drop(authority);
    let authority = place.take();
    assert!(matches!(authority.open(&first), Err(Error::Passphrase(_))));
    authority.open(&second).unwrap();
    authority.unseal().unwrap();
    assert_eq!(fs::read_to_string(place.store().join("ca.key")).unwrap(), clear);
    place.take_again(authority).issue(&camera(), &request()).unwrap();
}
