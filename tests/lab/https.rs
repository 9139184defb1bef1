//! A certificate of the user's own for HTTPS: got and renewed by certbot as the README says, from a real ACME server, and
//! what is said of one that is no good.

use crate::authority::{Authority, SERVER};
use crate::fleet::{Fleet, deploy, lives, verify};
use crate::hosts::{Lab, run, script, text};
use crate::identity::put;
use std::process::{Command, Stdio};

const NAME: &str = "hub.example.net";
const CERTIFICATE: &str = "/etc/pistream-web/fullchain.pem";
const KEY: &str = "/etc/pistream-web/privkey.pem";
const README: &str = include_str!("../../README.md");

/// The authority that certbot asks: pebble, for which every name is the hub's.
const PEBBLE: &str = r#"{"pebble": {"listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000",
"certificate": "/root/pebble.pem", "privateKey": "/root/pebble.pem", "httpPort": 80, "tlsPort": 443}}"#;

/// A fleet that streams with the authority's own certificate goes over to one of certbot's.
pub fn is_got_renewed_and_judged(lab: &Lab, mut fleet: Fleet) {
    fleet.server += &format!(", names: [{NAME}], https: {{certificate: {CERTIFICATE}, key: {KEY}}}");
    // what nginx may not read is told before it is to read it
    let stranger = Authority::unknown();
    lay(lab, &stranger.identity(NAME, &[NAME], SERVER));
    lab.root("hub", &format!("chown root {KEY} && chmod 600 {KEY}"));
    let before = lives(lab, "hub");
    let refused = fleet.deploy(lab).must_exit(1);
    let (_, why) = refused.result("hub");
    assert!(
        why.contains("as user pistream") && why.contains(KEY) && why.contains("Permission denied"),
        "{why}"
    );
    assert_eq!(lives(lab, "hub"), before);

    lab.root("hub", "rm -r /etc/pistream-web");
    serve_acme(lab);
    certbot(lab, &command());
    deploy(lab, &[]).must_exit(0);
    verify(lab).must_hold();
    let first = shown(lab);
    assert_eq!(first, there(lab));
    certbot(lab, "certbot renew -q --force-renewal --no-random-sleep-on-renew");
    let second = shown(lab);
    assert_ne!(second, first);
    assert_eq!(second, there(lab));

    // another one lies there than nginx shows
    lay(lab, &stranger.identity(NAME, &[NAME], SERVER));
    is_told(lab, &format!("the server shows another certificate than {CERTIFICATE}"));
    for (identity, told) in [
        (stranger.expired(NAME, &[NAME], SERVER), "certificate has expired"),
        (
            stranger.identity("elsewhere", &["elsewhere.example.net"], SERVER),
            "hostname mismatch",
        ),
    ] {
        lay(lab, &identity);
        lab.root("hub", "systemctl reload pistream-front");
        is_told(
            lab,
            &format!("no answer under a certificate that is good for {NAME}: {told}"),
        );
    }
}

/// Puts a key and certificate where the inventory says, as certbot's hook does.
fn lay(lab: &Lab, identity: &str) {
    let (key, certificate) = identity.split_at(identity.find("-----BEGIN CERTIFICATE").unwrap());
    lab.root("hub", "mkdir -p /etc/pistream-web");
    for (path, pem) in [(CERTIFICATE, certificate), (KEY, key)] {
        put(lab, "hub", path, pem);
        lab.root("hub", &format!("chgrp pistream {path} && chmod 440 {path}"));
    }
}

fn is_told(lab: &Lab, words: &str) {
    let verified = verify(lab);
    assert!(verified.text().contains(words), "{words} in\n{}", verified.text());
    verified.must_name("porch", "web");
}

fn serve_acme(lab: &Lab) {
    let packages = text(&run(&mut script("containers/acme")));
    let to = format!("{}:/root/acme", lab.ip("hub"));
    run(Command::new("scp")
        .args(["-q", "-r", "-F"])
        .arg(lab.ssh_config())
        .args([&packages, &to]));
    lab.root(
        "hub",
        "DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends /root/acme/*.deb",
    );
    put(lab, "hub", "/root/pebble.json", PEBBLE);
    // names are answered at port 8053; "" stands for no such service
    let made = "cd /root && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout pebble.pem -out ca.pem \
                -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null && cat ca.pem >>pebble.pem";
    let hub = lab.ip("hub");
    let names = format!("pebble-challtestsrv -defaultIPv4 {hub} -defaultIPv6 '' -http01 '' -https01 '' -tlsalpn01 ''");
    let acme = "-E PEBBLE_VA_NOSLEEP=1 pebble -config /root/pebble.json -dnsserver 127.0.0.1:8053";
    lab.root(
        "hub",
        &format!("{made} && systemd-run -q {names} && systemd-run -q {acme}"),
    );
    let answers = "exec 3<>/dev/tcp/127.0.0.1/14000 && exec 3<>/dev/tcp/127.0.0.1/8053";
    crate::hosts::wait_for(crate::identity::SOON, "the ACME server", || {
        lab.ssh("hub", answers).status.success()
    });
}

/// The README's, asking the authority of this lab.
fn command() -> String {
    let (_, from) = README.split_once("    certbot certonly ").unwrap();
    let (arguments, _) = from.split_once("\n\n").unwrap();
    let ours = "-n --agree-tos -m admin@example.net --server https://localhost:14000/dir";
    format!("certbot certonly {ours} {arguments}")
}

fn certbot(lab: &Lab, command: &str) {
    let done = lab.root(
        "hub",
        &format!("export REQUESTS_CA_BUNDLE=/root/ca.pem; {command} 2>&1"),
    );
    // a hook that fails is told, and not with an exit code
    assert!(!done.contains("Hook"), "{done}");
}

/// The certificate that viewers are shown.
fn shown(lab: &Lab) -> String {
    let mut client = Command::new("openssl");
    client.args(["s_client", "-connect", &format!("{}:8443", lab.ip("hub"))]);
    let shown = text(&client.stdin(Stdio::null()).output().unwrap());
    let (_, from) = shown.split_once("-----BEGIN CERTIFICATE-----").unwrap();
    from.split("-----END").next().unwrap().to_owned()
}

/// The first certificate in the file that the inventory names.
fn there(lab: &Lab) -> String {
    let file = lab.root("hub", &format!("cat {CERTIFICATE}"));
    let (_, from) = file.split_once("-----BEGIN CERTIFICATE-----").unwrap();
    from.split("-----END").next().unwrap().to_owned()
}
