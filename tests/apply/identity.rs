//! The host's key and certificate: made on the host, asked for once, kept and rolled back like any file.

use super::{FakeHost, Told, request};
use pistream_agent::{Action, Answer, Check, Event, Identity, Item, Mode, Outcome, Plan};
use rcgen::{CertificateParams, CertificateSigningRequestParams, Issuer, KeyPair};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;

const PATH: &str = "/etc/identity.pem";

fn plan(certificate: Option<&str>) -> Plan {
    Plan {
        host: "porch".into(),
        identity: Some(Identity {
            path: PATH.into(),
            // below a directory without accounts nobody owns anything
            owner: "pistream".into(),
            certificate: certificate.map(str::to_owned),
        }),
        ..Plan::default()
    }
}

/// Applies the plan and answers when asked for a certificate; with what was asked.
fn converse(host: &FakeHost, plan: &Plan, answer: impl Fn(&str) -> Option<Answer>) -> (Told, Vec<String>) {
    let mut child = host.start();
    let mut stdin = child.stdin.take();
    let line = request(Mode::Apply, true, plan) + "\n";
    stdin.as_mut().unwrap().write_all(line.as_bytes()).unwrap();
    let (mut events, mut requests, mut text) = (Vec::new(), Vec::new(), String::new());
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let event = serde_json::from_str(&line).unwrap();
        if let Event::Certify { request } = &event {
            requests.push(request.clone());
            match answer(request) {
                Some(answer) => {
                    let line = serde_json::to_string(&answer).unwrap() + "\n";
                    stdin.as_mut().unwrap().write_all(line.as_bytes()).unwrap();
                }
                None => stdin = None,
            }
        }
        text += &line;
        events.push(event);
    }
    let code = child.wait().unwrap().code();
    (Told { code, events, text }, requests)
}

/// Any authority's certificate for the key of this request.
fn certify(request: &str) -> Option<Answer> {
    let key = CertificateSigningRequestParams::from_pem(request)
        .expect("a request that verifies")
        .public_key;
    let authority = Issuer::new(CertificateParams::default(), KeyPair::generate().unwrap());
    let pem = CertificateParams::default().signed_by(&key, &authority).unwrap().pem();
    Some(Answer::Certificate { pem })
}

fn nobody(request: &str) -> Option<Answer> {
    panic!("asked: {request}")
}

/// A host that has a certificate, and that.
fn certified() -> (FakeHost, String) {
    let host = FakeHost::new();
    let (told, _) = converse(&host, &plan(None), certify);
    assert!(matches!(told.outcome(), &Outcome::Changed { .. }), "{}", told.text);
    let file = host.read(PATH);
    let from = file.find("-----BEGIN CERTIFICATE-----").unwrap();
    let certificate = file[from..].to_owned();
    (host, certificate)
}

#[test]
fn a_host_makes_its_key_and_shows_it_to_nobody() {
    let host = FakeHost::new();
    let (told, requests) = converse(&host, &plan(None), certify);
    assert_eq!(requests.len(), 1);
    let file = host.read(PATH);
    assert!(file.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{file:?}");
    let mode = fs::metadata(host.at(PATH)).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let secret: Vec<&str> = file.lines().skip(1).take_while(|l| !l.starts_with('-')).collect();
    assert!(secret.len() >= 2);
    for line in secret {
        assert!(!told.text.contains(line), "the key shows in {}", told.text);
    }
    // the key fits the certificate
    let key = KeyPair::from_pem(&file[..file.find("-----BEGIN CERTIFICATE").unwrap()]).unwrap();
    assert!(requests[0].contains("CERTIFICATE REQUEST"));
    let asked = CertificateSigningRequestParams::from_pem(&requests[0]).unwrap();
    assert_eq!(rcgen::PublicKeyData::der_bytes(&asked.public_key), key.public_key_raw());
    assert_eq!(
        asked.params.distinguished_name.iter().count(),
        0,
        "it claims to be somebody"
    );
}

#[test]
fn what_is_there_already_is_not_asked_for_again() {
    let (host, certificate) = certified();
    let before = host.read(PATH);
    let (told, _) = converse(&host, &plan(Some(&certificate)), nobody);
    assert_eq!(told.outcome(), &Outcome::Unchanged, "{}", told.text);
    fs::set_permissions(host.at(PATH), fs::Permissions::from_mode(0o644)).unwrap();
    let (told, _) = converse(&host, &plan(Some(&certificate)), nobody);
    assert!(matches!(told.outcome(), &Outcome::Changed { .. }), "{}", told.text);
    assert_eq!(host.read(PATH), before);
    assert_eq!(
        fs::metadata(host.at(PATH)).unwrap().permissions().mode() & 0o7777,
        0o600
    );
}

#[test]
fn a_key_that_is_lost_or_damaged_is_made_anew() {
    let (host, certificate) = certified();
    let whole = host.read(PATH);
    let damages = [
        String::new(),
        certificate.clone(),
        whole.replacen('M', "N", 1),
        whole[..whole.len() - 9].to_owned(),
    ];
    for damaged in damages {
        host.write(PATH, &damaged);
        let (told, requests) = converse(&host, &plan(Some(&certificate)), certify);
        assert_eq!(requests.len(), 1, "{damaged:?}");
        assert!(matches!(told.outcome(), &Outcome::Changed { .. }), "{}", told.text);
        assert_ne!(host.read(PATH), whole);
    }
}

#[test]
fn check_mode_asks_nobody_and_makes_nothing() {
    let host = FakeHost::new();
    let told = host.ask(Mode::Check, true, &plan(None));
    assert_eq!(told.outcome(), &Outcome::Pending { changes: 1 }, "{}", told.text);
    assert!(told.events.iter().any(|e| matches!(
        e,
        Event::Change { item: Item::File(path), action: Action::Create, diff: None } if path == PATH
    )));
    assert!(!host.at(PATH).exists());
    let (host, certificate) = certified();
    let told = host.ask(Mode::Check, true, &plan(Some(&certificate)));
    assert_eq!(told.outcome(), &Outcome::Unchanged, "{}", told.text);
    let told = host.ask(Mode::Check, true, &plan(None));
    assert_eq!(told.outcome(), &Outcome::Pending { changes: 1 }, "{}", told.text);
}

#[test]
fn no_certificate_means_that_nothing_is_touched() {
    let (host, _) = certified();
    let before = host.read(PATH);
    let other = |_: &str| certify(&KeyPair::generate().map(|key| csr(&key)).unwrap());
    let refused = |_: &str| {
        Some(Answer::Refused {
            why: "porch is revoked".into(),
        })
    };
    type Deployer<'a> = &'a dyn Fn(&str) -> Option<Answer>;
    let answers: [(Deployer<'_>, &str); 4] = [
        (&refused, "porch is revoked"),
        (&other, "no certificate for this host's key"),
        (
            &|_| Some(Answer::Certificate { pem: "nonsense".into() }),
            "no certificate for this host's key",
        ),
        (&|_| None, "the deployer went away"),
    ];
    for (answer, why) in answers {
        let (told, _) = converse(&host, &plan(None), answer);
        let Outcome::Refused { fault } = told.outcome() else {
            panic!("{}", told.text)
        };
        assert!(fault.cause.contains(why), "{fault:?}");
        assert_eq!(host.read(PATH), before);
    }
}

fn csr(key: &KeyPair) -> String {
    CertificateParams::default()
        .serialize_request(key)
        .unwrap()
        .pem()
        .unwrap()
}

#[test]
fn a_roll_back_brings_the_old_key_back() {
    let (host, _) = certified();
    let before = host.read(PATH);
    let mut bad = plan(None);
    bad.checks = vec![Check {
        name: "what nobody likes".into(),
        files: vec![PATH.into()],
        optional: vec![],
        command: vec![
            "/bin/sh".into(),
            "-c".into(),
            "grep -q PRIVATE {dir}/identity.pem && exit 1".into(),
        ],
    }];
    let (told, requests) = converse(&host, &bad, certify);
    assert!(matches!(told.outcome(), &Outcome::RolledBack { .. }), "{}", told.text);
    assert_eq!((requests.len(), host.read(PATH)), (1, before));
}
