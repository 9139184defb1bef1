#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use super::*;
use crate::model::{Fleet, Secret};

fn load(imported: &Imported) -> Fleet {
    match inventory::read(&imported.yaml, Path::new("hosts.yml")) {
        Ok((fleet, _)) => fleet,
        Err(faults) => panic!("{:?}\n{}", miette::Report::new(faults), imported.yaml),
    }
}

/// The original's layout.
const ORIGINAL: &str = "
all:
  children:
    servers:
      hosts:
        stream_server:
          ansible_host: 203.0.113.7
          ansible_user: admin
          ansible_ssh_private_key_file: ~/.ssh/stream
          ansible_become_pass: hunter2
          public_ip: 198.51.100.20
    cameras:
      vars:
        ansible_user: pi
        ansible_python_interpreter: /usr/bin/python3
      hosts:
        porch:
          ansible_host: 192.168.0.10
          ansible_port: 2222
          ansible_password: hunter3
        Garden_2:
          ansible_host: 192.168.0.11
          ansible_password: !vault |
            $ANSIBLE_VAULT;1.1;AES256
            6331323334
          public_ip: 198.51.100.21
";

#[test]
fn the_originals_inventory_becomes_a_fleet() {
    let imported = import(ORIGINAL).unwrap();
    let fleet = load(&imported);
    let server = &fleet.servers[0];
    assert_eq!(server.name.as_str(), "stream-server");
    assert_eq!(server.address, "198.51.100.20");
    assert_eq!(
        (server.ssh.host.as_str(), server.ssh.user.as_deref()),
        ("203.0.113.7", Some("admin"))
    );
    assert!(server.ssh.identity.as_ref().unwrap().ends_with(".ssh/stream"));
    assert_eq!(
        server.ssh.sudo_password,
        Some(Secret::Env("PISTREAM_STREAM_SERVER_SUDO_PASSWORD".to_owned()))
    );
    let porch = &fleet.cameras[0];
    assert_eq!((porch.ssh.user.as_deref(), porch.ssh.port), (Some("pi"), Some(2222)));
    assert_eq!(
        porch.ssh.password,
        Some(Secret::Env("PISTREAM_PORCH_PASSWORD".to_owned()))
    );
    assert_eq!(porch.address, Some("192.168.0.10".parse().unwrap()));
    let garden = &fleet.cameras[1];
    assert_eq!(garden.name.as_str(), "garden-2");
    assert_eq!(garden.address, Some("198.51.100.21".parse().unwrap()));
    assert_eq!(
        garden.ssh.password,
        Some(Secret::Env("PISTREAM_GARDEN_2_PASSWORD".to_owned()))
    );
}

#[test]
fn everything_changed_or_lost_is_told_and_no_password_is() {
    let imported = import(ORIGINAL).unwrap();
    let expected = [
        "stream_server is called stream-server now: a name is of a-z, 0-9 and `-`",
        "Garden_2 is called garden-2 now: a name is of a-z, 0-9 and `-`",
        "the sudo_password of stream-server is no longer written: export PISTREAM_STREAM_SERVER_SUDO_PASSWORD (it stood \
         in clear in the old file)",
        "the password of porch is no longer written: export PISTREAM_PORCH_PASSWORD (it stood in clear in the old file)",
        "the password of garden-2 is no longer written: export PISTREAM_GARDEN_2_PASSWORD (it was encrypted by Ansible \
         Vault)",
        "`ansible_python_interpreter` is not carried over (porch, garden-2)",
    ];
    assert_eq!(imported.notes, expected);
    for secret in ["hunter", "6331323334", "ANSIBLE_VAULT"] {
        assert!(!imported.yaml.contains(secret), "{secret} in {}", imported.yaml);
    }
    for note in &imported.notes {
        assert!(imported.yaml.contains(&format!("# - {note}\n")));
    }
}

#[test]
fn groups_may_stand_at_the_top_and_what_all_share_becomes_a_default() {
    let imported = import(
        "servers:\n  hosts:\n    hub: {ansible_host: 10.0.0.1, ansible_user: pi, ansible_ssh_pass: a}\n\
         cameras:\n  hosts:\n    cam: {ansible_host: 10.0.0.2, ansible_user: pi, ansible_ssh_pass: a}\n",
    )
    .unwrap();
    let fleet = load(&imported);
    assert!(
        imported
            .yaml
            .contains("defaults:\n  ssh:\n    user: pi\n    password: {env: PISTREAM_PASSWORD}\n")
    );
    assert!(
        imported.yaml.contains("  cam:\n    ssh: 10.0.0.2\n"),
        "{}",
        imported.yaml
    );
    assert_eq!(
        fleet.cameras[0].ssh.password,
        Some(Secret::Env("PISTREAM_PASSWORD".to_owned()))
    );
}

#[test]
fn a_camera_needs_no_address_its_certificate_tells_who_it_is() {
    let imported = import(
        "servers: {hosts: {hub: {ansible_host: 10.0.0.1}}}\ncameras: {hosts: {cam_1: {ansible_host: cam1.local}, cam-1: {}}}\n",
    )
    .unwrap();
    assert!(
        imported
            .yaml
            .contains("    ssh: cam1.local\n  cam-1-2:\n    ssh: cam-1\n"),
        "{}",
        imported.yaml
    );
    assert_eq!(load(&imported).cameras[0].address, None);
}

#[test]
fn several_servers_share_no_camera() {
    let imported = import(
        "servers: {hosts: {a: {ansible_host: 10.0.0.1}, b: {ansible_host: 10.0.0.2}}}\ncameras: {hosts: {c: {ansible_host: 10.0.0.3}}}\n",
    )
    .unwrap();
    assert_eq!(load(&imported).cameras[0].server.as_str(), "a");
    assert!(
        imported.notes[0].starts_with("there are 2 servers: every camera streams to a"),
        "{:?}",
        imported.notes
    );
}

#[test]
fn hostile_values_stay_values() {
    let hostile = "x: y\\n#{}[]&*!|>'%@`";
    let imported = import(&format!(
        "servers: {{hosts: {{hub: {{ansible_host: \"{hostile}\", ansible_user: \"a\\nb: c\", public_ip: \"{{{{ x }}}}\"}}}}}}\n"
    ))
    .unwrap();
    // the body parses, and the one host has the one name
    let faults = inventory::read(&imported.yaml, Path::new("hosts.yml")).unwrap_err();
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:?}\n{}", imported.yaml);
    assert!(
        told[0].contains("is not a host") && told[1].contains("is not a user name"),
        "{told:?}"
    );
}

#[test]
fn what_is_no_inventory_is_refused() {
    for text in [
        "[servers]\nhub ansible_host=10.0.0.1\n",
        "",
        "all: {hosts: {a: {}}}",
        "a: [b",
    ] {
        assert!(import(text).is_err(), "{text}");
    }
}
