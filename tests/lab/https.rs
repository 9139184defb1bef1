//! Another certificate for HTTPS than the fleet's: got and renewed by ACME, from a real ACME server; or one of the user's own,
//! and what is said of one that is no good.

use crate::authority::{Authority, SERVER};
use crate::fleet::{Fleet, deploy, fares, lives, verify};
use crate::hosts::{Lab, run, script, text};
use crate::identity::put;
use std::process::{Command, Stdio};

const NAME: &str = "hub.example.net";
const CERTIFICATE: &str = "/etc/pistream-web/fullchain.pem";
const KEY: &str = "/etc/pistream-web/privkey.pem";
const ACME: &str = "pistream-certificate.service";

/// The authority that certbot asks: pebble, for which every name is the hub's.
const PEBBLE: &str = r#"{"pebble": {"listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000",
"certificate": "/root/pebble.pem", "privateKey": "/root/pebble.pem", "httpPort": 80, "tlsPort": 443}}"#;

/// A fleet that streams with the authority's own certificate goes over to one of certbot's.
pub fn is_got_renewed_and_judged(lab: &Lab, mut fleet: Fleet) {
    fleet.server += &format!(", names: [{NAME}]");
    let plain = fleet.server.clone();
    is_got_by_acme(lab, &mut fleet);

    fleet.server = format!("{plain}, https: {{certificate: {CERTIFICATE}, key: {KEY}}}");
    // what nginx may not read is told before it is to read it
    let stranger = Authority::unknown();
    let first = stranger.identity(NAME, &[NAME], SERVER);
    lay(lab, &first);
    lab.root("hub", &format!("chown root {KEY} && chmod 600 {KEY}"));
    let before = lives(lab, "hub");
    let refused = fleet.deploy(lab).must_exit(1);
    let (_, why) = refused.result("hub");
    assert!(
        why.contains("as user pistream") && why.contains(KEY) && why.contains("Permission denied"),
        "{why}"
    );
    assert_eq!(lives(lab, "hub"), before);

    lay(lab, &first);
    let files = deploy(lab, &[]).must_exit(0);
    let gone = files.changes("hub");
    assert!(gone.iter().any(|change| change.contains(ACME)), "{gone:?}");
    let left = lab.root(
        "hub",
        &format!("ls /etc/systemd/system/{ACME} /etc/pistream/certificate.sh 2>&1 || true"),
    );
    assert_eq!(left.matches("No such file").count(), 2, "{left}");
    verify(lab).must_hold();
    assert_eq!(shown(lab), first_in(&first));

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

/// From an ACME server that is not there yet, then from it; renewed without anybody's doing, and shown without a reload.
fn is_got_by_acme(lab: &Lab, fleet: &mut Fleet) {
    serve_acme(lab);
    // the fleet's own certificate knows the name, too
    fleet.deploy(lab).must_exit(0);
    fleet.server +=
        ", https: {certificate: letsencrypt, email: admin@example.net, acme: \"https://localhost:14000/dir\"}";
    // what cannot be had leaves everything as it was
    let nginx = || lab.root("hub", "pgrep -x nginx");
    let before = nginx();
    let taken = "systemd-run -q --unit taken python3 -m http.server 80 && until (exec 3<>/dev/tcp/127.0.0.1/80); do sleep 0.1; done";
    lab.root("hub", taken);
    let refused = fleet.deploy(lab).must_exit(1);
    let (_, why) = refused.result("hub");
    assert!(why.contains("port 80"), "{why}");
    assert_eq!(nginx(), before);
    lab.root("hub", "systemctl stop taken");

    deploy(lab, &[]).must_exit(0);
    verify(lab).must_hold();
    let lineage = lab.root("hub", "cd /var/lib/pistream/acme/live && ls -d */");
    let certificate = format!("/var/lib/pistream/acme/live/{lineage}fullchain.pem");
    let there = || first_in(&lab.root("hub", &format!("cat {certificate}")));
    let first = shown(lab);
    assert_eq!(first, there());
    assert_eq!(deploy(lab, &[]).must_exit(0).result("hub").0, "unchanged");
    crate::releases::is_confined(lab, "hub", ACME);
    let ends = format!("date -d \"$(openssl x509 -noout -enddate -in {certificate} | cut -d= -f2)\" +%s");
    let days = lab.root("hub", &format!("echo $((($({ends}) - $(date +%s)) / 86400))"));
    let (_, told) = fares(lab);
    assert_eq!(told["servers"][0]["web_certificate_days"].to_string(), days);

    // certbot is told that it is due
    lab.root("hub", "echo renew-by-default = True >>/etc/letsencrypt/cli.ini");
    let before = nginx();
    lab.root("hub", &format!("systemctl restart {ACME}"));
    let second = shown(lab);
    assert_ne!(second, first);
    assert_eq!(second, there());
    assert_eq!(nginx(), before);
    verify(lab).must_hold();
}

/// Puts a key and certificate where the inventory says.
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
    // of itself it refuses one request in twenty, for clients to show that they ask again: certbot does so once, and no more
    let acme =
        "-E PEBBLE_VA_NOSLEEP=1 -E PEBBLE_WFE_NONCEREJECT=0 pebble -config /root/pebble.json -dnsserver 127.0.0.1:8053";
    let trusted = "cp /root/ca.pem /usr/local/share/ca-certificates/acme.crt && update-ca-certificates";
    lab.root(
        "hub",
        &format!("{made} && {trusted} && systemd-run -q {names} && systemd-run -q {acme}"),
    );
    let answers = "exec 3<>/dev/tcp/127.0.0.1/14000 && exec 3<>/dev/tcp/127.0.0.1/8053";
    crate::hosts::wait_for(crate::identity::SOON, "the ACME server", || {
        lab.ssh("hub", answers).status.success()
    });
}

/// The certificate that viewers are shown.
fn shown(lab: &Lab) -> String {
    let mut client = Command::new("openssl");
    client.args(["s_client", "-connect", &format!("{}:8443", lab.ip("hub"))]);
    let shown = text(&client.stdin(Stdio::null()).output().unwrap());
    first_in(&shown)
}

/// The first certificate of a PEM file.
fn first_in(pem: &str) -> String {
    let (_, from) = pem.split_once("-----BEGIN CERTIFICATE-----").unwrap();
    from.split("-----END").next().unwrap().to_owned()
}
