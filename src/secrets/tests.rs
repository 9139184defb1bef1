#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::time::{Duration, Instant};

use super::*;
use crate::inventory;

fn fleet(camera_ssh: &str) -> Fleet {
    let text = format!(
        "servers:\n  hub: {{ssh: admin@203.0.113.7}}\ncameras:\n  porch:\n    ssh: {{host: 192.168.0.10, {camera_ssh}}}\n"
    );
    inventory::read(&text, Path::new("hosts.yml"))
        .expect("a good inventory")
        .0
}

fn fetch(secret: Secret) -> String {
    source::fetch(&secret).expect("a secret").expose().to_owned()
}

fn refusal(secret: Secret) -> String {
    source::fetch(&secret).expect_err("no secret").to_string()
}

#[test]
fn a_secret_is_what_its_source_holds_without_the_last_newline() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "geheim \n").unwrap();
    assert_eq!(fetch(Secret::File(file.path().to_owned())), "geheim ");
    assert_eq!(
        fetch(Secret::Command("printf 'from %s\\r\\n' vault".to_owned())),
        "from vault"
    );
    assert_eq!(fetch(Secret::Env("PATH".to_owned())), std::env::var("PATH").unwrap());
}

#[test]
fn what_is_no_secret_is_refused_and_not_shown() {
    for (command, why) in [
        ("true", "it is empty"),
        (
            "printf 'hunter\\ntwo'",
            "it has a line break or control character in it",
        ),
        ("printf 'hunter\\377'", "it is not UTF-8"),
        ("head -c 2000 /dev/zero | tr '\\0' x", "it is longer than 1 KiB"),
    ] {
        assert_eq!(
            refusal(Secret::Command(command.to_owned())),
            format!("what `{command}` gives is not a secret: {why}")
        );
    }
    let told = refusal(Secret::Command("echo hunter2; echo not found >&2; exit 3".to_owned()));
    assert!(told.ends_with("failed (exit status: 3): not found"), "{told}");
}

#[test]
fn a_command_that_hangs_is_stopped_with_what_it_started() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let started = Instant::now();
    let command = format!("sleep 600 & echo $! > {}; wait", file.path().display());
    let error = source::run(&command, Duration::from_secs(3)).expect_err("stopped");
    assert!(matches!(error, source::Error::CommandDeadline { .. }), "{error}");
    assert!(started.elapsed() < Duration::from_secs(60));
    let sleeper = std::fs::read_to_string(file.path()).unwrap();
    assert!(!sleeper.is_empty(), "it was stopped before it had begun");
    let proc = format!("/proc/{}/stat", sleeper.trim());
    let until = Instant::now() + Duration::from_secs(20);
    // gone, or a zombie that nobody has reaped yet
    while std::fs::read_to_string(&proc).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(Instant::now() < until, "{proc} is still there");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn all_missing_sources_are_told_at_once_by_their_places() {
    let fleet = fleet("password: {env: PISTREAM_NOT_SET}, sudo_password: {file: /nonexistent/pistream}");
    let told = Secrets::resolve(&fleet).expect_err("missing").to_string();
    assert_eq!(
        told,
        "secrets are missing; nothing was touched\n  \
         cameras.porch.ssh.password: the environment variable PISTREAM_NOT_SET is not set: export it, then run this again\n  \
         cameras.porch.ssh.sudo_password: cannot read /nonexistent/pistream: No such file or directory (os error 2)"
    );
}

#[test]
fn one_source_is_fetched_once_for_all_who_name_it() {
    let counter = tempfile::NamedTempFile::new().unwrap();
    let command = format!("echo x >> {}; echo geheim", counter.path().display());
    let fleet = fleet(&format!(
        "password: {{command: '{command}'}}, sudo_password: {{command: '{command}'}}"
    ));
    let secrets = Secrets::resolve(&fleet).unwrap();
    let ssh = &fleet.cameras[0].ssh;
    assert_eq!(secrets.text(ssh.password.as_ref().unwrap()).expose(), "geheim");
    assert_eq!(secrets.text(ssh.sudo_password.as_ref().unwrap()).expose(), "geheim");
    assert_eq!(std::fs::read_to_string(counter.path()).unwrap(), "x\n");
}

#[test]
fn placeholders_are_harmless_in_every_format() {
    let secrets = Secrets::placeholders();
    for (secret, expected) in [
        (Secret::Env("PORCH_PASSWORD".to_owned()), "secret-env-PORCH_PASSWORD"),
        (Secret::File("/home/me/key ;}.txt".into()), "secret-file-key---.txt"),
        (
            Secret::Command("pass show 'a/b$c'".to_owned()),
            "secret-command-pass-show--a-b-c-",
        ),
    ] {
        assert_eq!(secrets.text(&secret).expose(), expected);
    }
}

#[test]
fn debug_shows_no_secret() {
    let mut secrets = Secrets::placeholders();
    secrets
        .fetched
        .insert(Secret::Env("A".to_owned()), Clear::new("hunter2"));
    assert!(!format!("{secrets:?}").contains("hunter2"));
}
