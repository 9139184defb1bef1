//! Lines as ssh-keyscan and `ssh-keygen -H` write them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use std::path::Path;

const ONE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIImoQOtn7+XGP3lSehBJsm2aOMNXHnl9x7Mi+R92p5P0";
const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICWnQvqjHgOxEoA3Aik3mF5fgrdA4FmXReaYlSSyjfAE";
const RSA: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDc7GcjxFWAGrKE7CFWWhKdC0BZIEkfGeob8SKG6XcTjhK5NFT+CO6F1tgQOgWCvgjSp+7kY/jN7NoiQElXpweIZHGq7M0aK39LpT1bLjleVelCr+Ut6uBgSsNCXxH502fFh7jKQov4g4QO8ZQZTTMbzcsRDs/NwsA0ptDoVk2ZWSxMrppDjqQrkAnLIqJ+KQo+jPItd+vOGwomuprxewQhr0PZUK4ns0h31KASkVLjzrFlexIKtuv5SIz/5sCwiH205Yg6y2xd6QkAUBtKqXFJ5oO2a7LTCmz2hFAerReT25Vspr0ZPPAKlnxvvVRUjrkAg/x5uXv5iO2ECdQ18L9V";
/// `[127.0.0.1]:20222`, hashed by ssh-keygen.
const HASHED: &str = "|1|+CrSltZEW+j4BMlLKNtAHTAmsRs=|CWDKMrxGJipTF/zClNcDbvdW0b8=";

fn key(text: &str) -> PublicKey {
    PublicKey::from_openssh(text).unwrap()
}

fn judge(name: &str, text: &str, shown: &str) -> Verdict {
    let mut known = KnownHosts::empty();
    known.read(name, Path::new("/k"), text);
    known.judge(&key(shown))
}

#[test]
fn a_recorded_key_is_known_by_every_spelling() {
    for (name, hosts) in [
        ("example.org", "example.org"),
        ("example.org", "10.0.0.1,Example.org"),
        ("example.org", "*.net,ex?mple.*"),
        ("[127.0.0.1]:20222", "[127.0.0.1]:20222"),
        ("[127.0.0.1]:20222", HASHED),
    ] {
        assert_eq!(judge(name, &format!("{hosts} {ONE}\n"), ONE), Verdict::Known, "{hosts}");
        assert_eq!(
            judge(name, &format!("{hosts}\t{ONE}  a comment here\r\n"), ONE),
            Verdict::Known,
            "{hosts}"
        );
    }
}

#[test]
fn another_name_or_port_is_unknown() {
    for (name, hosts) in [
        ("example.org", "example.com"),
        ("example.org", "*.org,!example.org"),
        ("127.0.0.1", "[127.0.0.1]:20222"),
        ("[127.0.0.1]:2022", HASHED),
    ] {
        assert_eq!(
            judge(name, &format!("{hosts} {ONE}\n"), ONE),
            Verdict::Unknown,
            "{hosts}"
        );
    }
    assert_eq!(judge("a", "", ONE), Verdict::Unknown);
}

/// What a file of these lines says of a host at 127.0.0.1.
async fn of(port: u16, alias: Option<&str>, text: &str) -> Verdict {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("known");
    std::fs::write(&file, text).unwrap();
    let ssh = crate::model::Ssh {
        port: Some(port),
        ..crate::model::samples::ssh("127.0.0.1")
    };
    let mut settings = crate::transport::effective::settings(&ssh, Some(Path::new("/dev/null")))
        .await
        .unwrap();
    settings.known_hosts = vec![file];
    settings.host_key_alias = alias.map(str::to_owned);
    KnownHosts::of(&settings).judge(&key(ONE))
}

#[tokio::test]
async fn an_entry_without_the_port_vouches_but_does_not_contradict() {
    for (recorded, verdict) in [(ONE, Verdict::Known), (OTHER, Verdict::Unknown)] {
        assert_eq!(of(20222, None, &format!("127.0.0.1 {recorded}\n")).await, verdict);
    }
}

#[tokio::test]
async fn a_host_with_an_alias_is_known_by_no_other_name() {
    for port in [22, 20222] {
        for name in ["127.0.0.1", "[127.0.0.1]:20222"] {
            let verdict = of(port, Some("Porch"), &format!("{name} {ONE}\n")).await;
            assert_eq!(verdict, Verdict::Unknown, "{name}, port {port}");
        }
        let verdict = of(port, Some("Porch"), &format!("porch {ONE}\n")).await;
        assert_eq!(verdict, Verdict::Known, "port {port}");
    }
}

#[test]
fn another_key_of_the_kind_is_a_change_with_its_place() {
    let text = format!("# comment\n\nb {ONE}\na {OTHER}\n");
    assert_eq!(
        judge("a", &text, ONE),
        Verdict::Changed {
            file: "/k".into(),
            line: 4
        }
    );
    // a second line with the key shown makes it known after all
    assert_eq!(judge("a", &format!("{text}a {ONE}\n"), ONE), Verdict::Known);
}

#[test]
fn a_key_of_another_kind_is_a_change_too() {
    let changed = |line| Verdict::Changed {
        file: "/k".into(),
        line,
    };
    assert_eq!(judge("a", &format!("a {RSA}\n"), ONE), changed(1));
    // the line that is told is the one to look at: that of the kind shown, if there is one
    assert_eq!(judge("a", &format!("a {RSA}\na {OTHER}\n"), ONE), changed(2));
}

#[test]
fn a_revoked_key_is_refused_even_if_known() {
    assert_eq!(
        judge("a", &format!("a {ONE}\n@revoked * {ONE}\n"), ONE),
        Verdict::Revoked
    );
    assert_eq!(
        judge("a", &format!("a {ONE}\n@revoked * {OTHER}\n"), ONE),
        Verdict::Known
    );
}

#[test]
fn an_authority_is_no_host_key() {
    let mut known = KnownHosts::empty();
    known.read(
        "a.example",
        Path::new("/k"),
        &format!("@cert-authority *.example {ONE}\n"),
    );
    assert_eq!(known.judge(&key(ONE)), Verdict::Unknown);
    assert!(known.by_authority_alone());
    known.read("a.example", Path::new("/k"), &format!("a.example {OTHER}\n"));
    assert!(!known.by_authority_alone());
}

#[test]
fn garbage_lines_are_passed_over() {
    let text = format!("a\n@unknown a {ONE}\na ssh-ed25519 ????\n|1|x|y {ONE}\n\u{fffd}\na {ONE}\n");
    assert_eq!(judge("a", &text, ONE), Verdict::Known);
}

#[test]
fn recorded_kinds_are_asked_for_first() {
    let mut known = KnownHosts::empty();
    known.read("a", Path::new("/k"), &format!("a {RSA}\n"));
    let configuration = super::super::doorkeeper::configuration(&known);
    assert!(configuration.preferred.key[0].clone().is_rsa());
    assert!(configuration.preferred.key.contains(&Algorithm::Ed25519));
}
