//! Where keys are, and where they are not: looked for in everything that hosts and deployer show or leave behind.

use crate::fleet::{Fleet, deploy, lives, streams_again};
use crate::hosts::{Image, Lab, all, run, text};
use crate::identity::{IDENTITY, SOON, certs, put};
use crate::releases::is_confined;
use base64ct::{Base64, Encoding};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The secret lines of a key in PEM.
fn secrets(pem: &str) -> Vec<String> {
    let key = pem.lines().skip_while(|l| !l.contains("PRIVATE KEY")).skip(1);
    let lines: Vec<String> = key.take_while(|l| !l.starts_with('-')).map(str::to_owned).collect();
    assert!(lines.len() >= 2 && lines.iter().all(|l| l.len() > 3));
    lines
}

/// What seals the authority's key, and where the inventory says it is.
const PASSPHRASE: &str = "brass lantern under the stairs";
const SOURCE: &str = "passphrase";

/// What a viewer logs in with, and where the inventory says it is.
const PASSWORD: &str = "seven damp umbrellas";
const LOGIN: &str = "password";

/// What the owner of a stream at a restream target is known by, and where the inventory says it is.
const STREAM_KEY: &str = "live_27182_TheOwnersAlone";
const TARGET: &str = "stream-key";

/// On a server, besides its identity, and as `holding` sorts them.
const SERVER_SECRETS: [&str; 3] = [
    "/etc/pistream/restream.conf",
    "/etc/pistream/sessions.conf",
    "/etc/pistream/viewers.htpasswd",
];

/// A fleet whose authority was sealed from its first moment on.
fn sealed() -> Lab {
    let lab = Lab::up(Image::Fat, &["hub", "porch"]);
    let mut fleet = Fleet::new(&lab, "russh", &["porch"]);
    // nobody listens there
    let target = format!("rtmp://10.77.{}.1:9/app", lab.id());
    fleet.cameras[0].2 += &format!(", restream: [{{url: \"{target}\", key: {{file: {TARGET}}}}}]");
    fleet.write(&lab);
    let inventory = fs::read_to_string(lab.home().join("hosts.yml")).unwrap();
    lab.write_inventory(&format!(
        "{inventory}ca: {{passphrase: {{file: {SOURCE}}}}}\nviewers: {{anna: {{password: {{file: {LOGIN}}}}}}}\n"
    ));
    say_passphrase(&lab, PASSPHRASE);
    fs::write(lab.home().join(LOGIN), format!("{PASSWORD}\n")).unwrap();
    fs::write(lab.home().join(TARGET), format!("{STREAM_KEY}\n")).unwrap();
    deploy(&lab, &[]).must_exit(0);
    streams_again(&lab, "porch", SOON);
    lab
}

fn say_passphrase(lab: &Lab, passphrase: &str) {
    fs::write(lab.home().join(SOURCE), format!("{passphrase}\n")).unwrap();
}

/// A deploy that must be refused for the want of a passphrase, with one fault, before any host was asked anything.
fn refused(lab: &Lab, words: &str) {
    let before = lives(lab, "hub");
    let refused = deploy(lab, &[]).must_exit(2);
    assert_eq!(refused.text().matches('×').count(), 1, "{}", refused.text());
    let told = refused.text().replace("\n  │ ", " ");
    assert!(told.contains(words) && told.contains("nothing was touched"), "{told}");
    assert_eq!(lives(lab, "hub"), before);
}

/// The authority's key in clear, as OpenSSL opens it: it is sealed as others seal.
fn authority(lab: &Lab) -> String {
    let mut openssl = Command::new("openssl");
    openssl.args(["pkcs8", "-in", ".pistream/ca.key", "-passin", &format!("file:{SOURCE}")]);
    text(&run(openssl.current_dir(lab.home())))
}

#[test]
fn no_key_is_anywhere_but_in_its_own_file() {
    let lab = sealed();
    // what signs nothing asks for no passphrase
    fs::remove_file(lab.home().join(SOURCE)).unwrap();
    assert_eq!(deploy(&lab, &[]).must_exit(0).result("porch").0, "unchanged");
    certs(&lab, &["list", "-i", "hosts.yml"]);
    // nobody expects that a host has lost what it had: it fails alone, and where there is a passphrase it does not
    lab.root("porch", &format!("rm {IDENTITY}"));
    let lost = deploy(&lab, &[]).must_exit(1);
    assert_eq!(
        (lost.result("hub").0, lost.result("porch").0),
        ("unchanged", "failed"),
        "{}",
        lost.text()
    );
    say_passphrase(&lab, PASSPHRASE);
    assert_eq!(deploy(&lab, &[]).must_exit(0).result("porch").0, "changed");
    fs::remove_file(lab.home().join(SOURCE)).unwrap();
    // keys are made while somebody looks over everybody's shoulder
    for host in ["hub", "porch"] {
        certs(&lab, &["renew", host, "-i", "hosts.yml"]);
    }
    refused(&lab, "cannot read");
    say_passphrase(&lab, "brass lantern");
    refused(&lab, "does not open");
    say_passphrase(&lab, PASSPHRASE);
    run(&mut lab.pistream(&["render", "-i", "hosts.yml", "-o", "rendered"]));
    certs(&lab, &["issue", "--viewer", "anna"]);
    let viewer = fs::read_to_string(lab.home().join("anna/identity.pem")).unwrap();
    let mut seen = BTreeSet::new();
    assert_eq!(watched(&lab, &["deploy", "-v", "--diff"], &mut seen), Some(0));
    streams_again(&lab, "porch", SOON);
    // logs in, and comes with keys of its own; the restream target is dead
    assert_eq!(watched(&lab, &["verify", "-v"], &mut seen), Some(3));
    assert!(
        seen.iter()
            .any(|line| line.contains("pistream-agent") || line.contains("agent-")),
        "saw nothing"
    );

    let mut keys: Vec<(&str, String)> = Vec::new();
    for host in ["hub", "porch"] {
        let pem = lab.root(host, &format!("cat {IDENTITY}"));
        keys.extend(secrets(&pem).into_iter().map(|line| (host, line)));
    }
    keys.extend(secrets(&authority(&lab)).into_iter().map(|line| ("", line)));
    keys.extend(secrets(&viewer).into_iter().map(|line| ("", line)));
    let login = Base64::encode_string(format!("anna:{PASSWORD}").as_bytes());
    keys.extend([PASSPHRASE, PASSWORD, STREAM_KEY, &login].map(|secret| ("", secret.to_owned())));
    // what stands for her password on the server, and what both are made with
    let seed = fs::read_to_string(lab.home().join(".pistream/logins.seed")).unwrap();
    let hash = lab.root("hub", "sed -n 's/^anna://p' /etc/pistream/viewers.htpasswd");
    let session = lab.root(
        "hub",
        "sed -n 's/^ *\"\\(.*\\)\" anna;$/\\1/p' /etc/pistream/sessions.conf",
    );
    for secret in [seed.trim(), &hash, &session] {
        assert!(secret.len() > 20, "{secret}");
        keys.push(("", secret.to_owned()));
    }
    let patterns = lab.home().join(".patterns");
    let lines: String = keys.iter().map(|(_, line)| format!("{line}\n")).collect();
    fs::write(&patterns, &lines).unwrap();

    for line in &seen {
        assert!(
            !keys.iter().any(|(_, key)| line.contains(key)),
            "a process shows a key: {line}"
        );
    }
    for host in ["hub", "porch"] {
        // all the host has written, whoever may read it
        let mut own = vec![IDENTITY];
        if host == "hub" {
            own.extend(SERVER_SECRETS);
        }
        let own: Vec<String> = own.iter().map(|path| format!(".{path}")).collect();
        assert_eq!(holding(&lab.disk(host), &patterns), own, "{host}");
        for path in &own {
            let found = fs::metadata(lab.disk(host).join(path)).unwrap();
            assert_eq!(found.permissions().mode() & 0o7777, 0o600, "{path}");
            assert_eq!(found.uid().to_string(), lab.root(host, "id -u pistream"), "{path}");
        }
        // what is in memory, and the journal
        put(&lab, host, "/root/patterns", &lines);
        let memory = "grep -rlFf /root/patterns /run /tmp /dev/shm 2>/dev/null; journalctl --sync; journalctl -q | grep -Ff /root/patterns; rm /root/patterns";
        assert_eq!(lab.root(host, memory), "", "{host}");
    }
    fs::remove_file(lab.home().join(".patterns")).unwrap();
    fs::write(lab.home().join("../.patterns"), &lines).unwrap();
    let at_home = holding(&lab.home(), &lab.home().join("../.patterns"));
    assert_eq!(
        at_home,
        [
            "./.pistream/logins.seed".to_owned(),
            "./anna/identity.pem".to_owned(),
            format!("./{SOURCE}"),
            format!("./{LOGIN}"),
            format!("./{TARGET}")
        ],
        "the deployer's own files, what it rendered, and its output"
    );
    for unit in [
        "pistream-server.service",
        "pistream-door.service",
        "pistream-front.service",
        "pistream-recordings.service",
    ] {
        is_confined(&lab, "hub", unit);
    }
}

/// Files below the directory in which one of the patterns stands.
fn holding(directory: &Path, patterns: &Path) -> Vec<String> {
    let mut grep = Command::new("grep");
    grep.args(["-rlFf"]).arg(patterns).arg(".").current_dir(directory);
    let found = text(&grep.output().unwrap());
    let mut found: Vec<String> = found.lines().map(str::to_owned).collect();
    found.sort();
    found
}

/// The exit code of `pistream ARGUMENTS`, whose output stays in the deployer's home, while everybody is looked at.
fn watched(lab: &Lab, arguments: &[&str], seen: &mut BTreeSet<String>) -> Option<i32> {
    let file = fs::File::create(lab.home().join(format!("{}.log", arguments[0]))).unwrap();
    let mut pistream = lab.pistream(&[arguments, &["-i", "hosts.yml"]].concat());
    let mut pistream = pistream.stdout(file.try_clone().unwrap()).stderr(file).spawn().unwrap();
    let status = loop {
        look_at_processes(seen);
        if let Some(status) = pistream.try_wait().unwrap() {
            break status;
        }
    };
    look_at_processes(seen);
    status.code()
}

/// Command lines and environments of all processes of this machine and its hosts.
fn look_at_processes(seen: &mut BTreeSet<String>) {
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        for what in ["cmdline", "environ"] {
            if let Ok(bytes) = fs::read(entry.path().join(what)) {
                seen.insert(String::from_utf8_lossy(&bytes).replace('\0', " "));
            }
        }
    }
}

/// `pistream ARGUMENTS` on a terminal, at which this is typed.
fn on_a_terminal(directory: &Path, arguments: &str, typed: &str) -> Output {
    let command = format!("{} {arguments}", env!("CARGO_BIN_EXE_pistream"));
    let mut script = Command::new("script");
    script
        .args(["-q", "-e", "-c", &command, "script.log"])
        .current_dir(directory);
    script
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut script = script.spawn().unwrap();
    script.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    script.wait_with_output().unwrap()
}

#[test]
fn a_passphrase_that_the_inventory_does_not_name_is_asked_for_on_the_terminal_alone() {
    let place = tempfile::tempdir().unwrap();
    let here = place.path();
    let inventory = |passphrase: &str| {
        let text = format!("servers: {{hub: {{ssh: 127.0.0.1:9}}}}\n{passphrase}");
        fs::write(here.join("hosts.yml"), text).unwrap();
    };
    let key = || fs::read_to_string(here.join(".pistream/ca.key")).unwrap();
    let is_sealed = || key().contains("BEGIN ENCRYPTED PRIVATE KEY");
    let typing = |arguments: &str, typed: &str, code: i32| {
        let output = on_a_terminal(here, arguments, typed);
        assert_eq!(output.status.code(), Some(code), "{arguments}: {}", all(&output));
        text(&output)
    };
    // the host is not there, the authority is
    inventory("");
    typing("deploy", "", 1);
    assert!(!is_sealed());
    typing("certs seal", "first\nanother\n", 2);
    assert!(!is_sealed(), "what was typed differed");
    typing("certs seal", "first\nfirst\n", 0);
    assert!(is_sealed());

    let sealed = key();
    let told = typing("deploy", "wrong\n", 2);
    assert!(told.contains("does not open"), "{told}");
    let mut alone = Command::new("setsid");
    alone
        .args(["--wait", env!("CARGO_BIN_EXE_pistream"), "deploy"])
        .current_dir(here)
        .stdin(Stdio::null());
    let alone = alone.output().unwrap();
    assert_eq!(alone.status.code(), Some(2), "{}", all(&alone));
    assert!(all(&alone).contains("no terminal to ask"), "{}", all(&alone));
    assert_eq!(key(), sealed);
    typing("deploy", "first\n", 1);

    // the inventory names the next one: the present one is typed, and then nothing is
    inventory("ca: {passphrase: {file: passphrase}}\n");
    fs::write(here.join("passphrase"), "second\n").unwrap();
    typing("certs seal", "first\n", 0);
    typing("deploy", "", 1);
    assert_ne!(key(), sealed);
    typing("certs unseal", "", 0);
    assert!(!is_sealed());
    let told = typing("deploy", "", 1);
    assert!(told.contains("in clear"), "{told}");
}
