#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

/// By openssl: `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -subj /CN=cam1 -days 365`, on 2026-11-25.
const CERTIFICATE: &str = include_str!("samples/cam1.pem");

#[test]
fn a_key_survives_being_written() {
    let key = Key::generate().unwrap();
    let again = Key::from_pem(&key.to_pem().unwrap()).unwrap();
    assert_eq!(again.public(), key.public());
    assert_eq!((key.public().len(), key.public()[0]), (65, 4));
    assert_ne!(Key::generate().unwrap().public(), key.public());
}

#[test]
fn a_certificate_says_until_when_and_for_whom() {
    let certificate = Certificate::from_pem(CERTIFICATE).unwrap();
    assert_eq!(certificate.public_key.len(), 65);
    let file = std::env::temp_dir().join(format!("pistream-identity-{}", std::process::id()));
    // what follows is the certificate of whoever signed it
    let key = Key::generate().unwrap().to_pem().unwrap();
    let chain = format!("{key}{CERTIFICATE}-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
    std::fs::write(&file, chain).unwrap();
    let until = expiry(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(date(until), "2027-11-25");
    assert_eq!(expiry(&file), None);
}

#[test]
fn days_are_those_of_the_calendar() {
    for (seconds, day) in [
        (0, "1970-01-01"),
        (951_782_400, "2000-02-29"),
        (951_868_800, "2000-03-01"),
        (4_102_444_799, "2099-12-31"),
    ] {
        assert_eq!(date(seconds), day);
    }
}

#[test]
fn what_is_cut_off_or_changed_is_no_certificate_and_no_fault() {
    let lines: Vec<&str> = CERTIFICATE.lines().collect();
    let body: String = lines[1..lines.len() - 1].concat();
    let with = |body: &str| format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
    assert!(Certificate::from_pem(&with(&body)).is_none(), "one long line is no PEM");
    for length in (0..body.len()).step_by(4) {
        let cut: Vec<&str> = body.as_bytes()[..length]
            .chunks(64)
            .map(|c| std::str::from_utf8(c).unwrap())
            .collect();
        // the part behind the public key may be missing: nothing is read from there
        let _ = Certificate::from_pem(&with(&cut.join("\n")));
    }
    assert!(Certificate::from_pem(&CERTIFICATE.replace("CERTIFICATE", "X509 CRL")).is_none());
    assert!(Key::from_pem(CERTIFICATE).is_none());
}
