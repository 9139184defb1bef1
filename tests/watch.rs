//! What `certs issue` says of names that are none, and `watch` of a pass that is damaged: one fault, and no more. Needs no
//! host and no network: nobody listens where these passes lead.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const INVENTORY: &str = "servers: {hub: {ssh: '127.0.0.1:9', address: 127.0.0.1, rtmps_port: 9}}
cameras: {porch: {ssh: '127.0.0.2:9'}}
viewers: {anna: {password: {file: password}}}
";

fn pistream(place: &Path, arguments: &[&str]) -> Output {
    let mut pistream = Command::new(env!("CARGO_BIN_EXE_pistream"));
    pistream.args(arguments).current_dir(place).env("HOME", place);
    pistream.stdin(Stdio::null()).output().unwrap()
}

/// A fleet whose hosts are not there, and whose authority is.
fn fleet() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("hosts.yml"), INVENTORY).unwrap();
    fs::write(place.path().join("password"), "wicker basket\n").unwrap();
    assert_eq!(pistream(place.path(), &["deploy"]).status.code(), Some(1));
    place
}

/// The one fault that was told, on one line.
fn fault(what: &str, output: &Output) -> String {
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let faults = told.matches('×').count() + told.matches("error: ").count();
    assert!(
        matches!(output.status.code(), Some(1 | 2)) && faults == 1 && !told.contains("panicked"),
        "{what}: {:?}\n{told}",
        output.status
    );
    told.replace("\n  │ ", " ")
}

#[test]
fn nobody_gets_a_pass_by_a_name_that_is_none() {
    let place = fleet();
    let before = fs::read_dir(place.path()).unwrap().count();
    let long = "a".repeat(64);
    for name in [
        "",
        " ",
        "ANNA",
        "anna ",
        ".",
        "..",
        "../anna",
        "anna/",
        "/anna",
        "an\nna",
        "ännä",
        "-anna",
        "--",
        "*",
        "an?a",
        "anna,porch",
        "$(id)",
        "anna\u{1b}[2J",
        "nobody",
        "hub",
        "porch",
        &long,
    ] {
        fault(
            name,
            &pistream(place.path(), &["certs", "issue", &format!("--viewer={name}")]),
        );
    }
    assert_eq!(
        fs::read_dir(place.path()).unwrap().count(),
        before,
        "a directory was made"
    );
}

#[test]
fn a_damaged_pass_is_told_in_one_fault() {
    let place = fleet();
    let issued = pistream(place.path(), &["certs", "issue", "--viewer", "anna"]);
    assert!(issued.status.success(), "{issued:?}");
    let whole = |file: &str| fs::read(place.path().join("anna").join(file)).unwrap();
    let told = |what: &str, file: &str, content: Option<&[u8]>| {
        let path: PathBuf = place.path().join("anna").join(file);
        let before = fs::read(&path).unwrap();
        match content {
            Some(content) => fs::write(&path, content).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let output = pistream(
            place.path(),
            &["watch", "porch", "--viewer", "anna", "--player", "none"],
        );
        fs::write(&path, before).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fault(&format!("{what} {file}"), &output)
    };
    // as it was issued it is good: it leads to where nobody listens
    let good = told("whole", "ca.pem", Some(&whole("ca.pem")));
    assert!(good.contains("cannot reach 127.0.0.1:9"), "{good}");

    for file in ["identity.pem", "ca.pem", "pass.json"] {
        let content = whole(file);
        assert!(told("no", file, None).contains("is no viewer's directory"), "{file}");
        // the last line may lack its end
        for end in (0..content.len() - 30).step_by(content.len() / 12) {
            let cut = told(&format!("the first {end} bytes of"), file, Some(&content[..end]));
            assert!(!cut.contains("cannot reach"), "{file} cut at {end}: {cut}");
            assert!(
                cut.contains("certs issue") || cut.contains("ask for another"),
                "{file} cut at {end}: {cut}"
            );
        }
        let noise: Vec<u8> = (0..=255).cycle().take(4096).collect();
        assert!(!told("noise as", file, Some(&noise)).contains("cannot reach"), "{file}");
    }
    // parts of it in each other's places
    let (identity, authority) = (whole("identity.pem"), whole("ca.pem"));
    assert!(!told("the authority as", "identity.pem", Some(&authority)).contains("cannot reach"));
    let another = pistream(place.path(), &["certs", "issue", "--viewer", "anna", "-o", "second"]);
    assert!(another.status.success());
    let second = fs::read(place.path().join("second/identity.pem")).unwrap();
    let at = |pem: &[u8]| String::from_utf8_lossy(pem).find("-----BEGIN CERTIFICATE").unwrap();
    let mixed = [&identity[..at(&identity)], &second[at(&second)..]].concat();
    assert!(told("another's certificate in", "identity.pem", Some(&mixed)).contains("the pass is no good"));

    let places = String::from_utf8(whole("pass.json")).unwrap();
    for (from, to) in [
        ("127.0.0.1", ""),
        ("127.0.0.1", "no name at all"),
        ("127.0.0.1", "-.-"),
        ("\"port\": 9", "\"port\": 70000"),
        ("\"port\": 9", "\"port\": \"9\""),
        ("\"port\"", "\"door\""),
        ("porch", "garden"),
    ] {
        let changed = places.replace(from, to);
        assert_ne!(changed, places);
        assert!(
            !told(to, "pass.json", Some(changed.as_bytes())).contains("cannot reach"),
            "{to}"
        );
    }
    for camera in ["", "..", "garden", "porch\n", "*"] {
        let output = pistream(
            place.path(),
            &["watch", "--viewer", "anna", "--player", "none", "--", camera],
        );
        assert!(fault(camera, &output).contains("may not watch"), "{camera}");
    }
}
