//! Streams passed on: to a server that asks for TLS and a key, to a backup in the same inventory, and to targets that are
//! dead in every way there is, which disturb nobody.

use crate::authority::{Authority, SERVER};
use crate::fleet::{ASK_STATISTICS, deploy, fares, streams_again, verify};
use crate::hosts::{Image, Lab, run, text, wait_for};
use crate::identity::put;
use crate::names::NameServer;
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::time::Duration;

const KEY: &str = "live_83610_GoodKeyOfTheOwners";
const WRONG_KEY: &str = "live_83610_KeyOfLastYear";
const SOON: Duration = Duration::from_secs(40);

/// A server of somebody else's: RTMPS with the certificate in identity.pem, and one key that it takes.
fn elsewhere(lab: &Lab, authority: &Authority) {
    let conf = format!(
        "load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
events {{}}
rtmp {{ server {{ listen 127.0.0.1:1935; application app {{
    live on; on_publish http://127.0.0.1:8081/publish; notify_method get;
}} }} }}
stream {{ server {{
    listen 443 ssl; ssl_certificate identity.pem; ssl_certificate_key identity.pem; proxy_pass 127.0.0.1:1935;
}} }}
http {{ access_log /run/elsewhere/asked; server {{
    listen 127.0.0.1:8081;
    location /stat {{ rtmp_stat all; }}
    location /publish {{ if ($arg_name = {KEY}) {{ return 204; }} return 403; }}
}} }}
"
    );
    lab.root("elsewhere", "mkdir -p /run/elsewhere");
    let identity = authority.identity("live.example", &["live.example"], SERVER);
    put(lab, "elsewhere", "/run/elsewhere/identity.pem", &identity);
    put(lab, "elsewhere", "/run/elsewhere/nginx.conf", &conf);
    lab.root(
        "elsewhere",
        "systemd-run -q --unit elsewhere nginx -g 'daemon off;' -c /run/elsewhere/nginx.conf",
    );
}

/// An address from which nothing ever comes back to the hub: that of a network card which is not there.
fn black_hole(lab: &Lab) -> String {
    let address = format!("10.77.{}.250", lab.id());
    run(Command::new("ip")
        .args(["-n", &format!("plab{}-hub", lab.id()), "neigh", "add", &address])
        .args(["lladdr", "02:00:00:00:00:fe", "dev", "host0", "nud", "permanent"]));
    address
}

/// A camera that streams to `hub`, and its targets.
fn inventory(lab: &Lab, targets: &[String]) -> String {
    let [hub, attic, porch] = ["hub", "attic", "porch"].map(|host| lab.address_for(host, "russh"));
    let picture = "source: test, size: 320x240, fps: 15, keyframe_interval: 1s, bitrate: 250k";
    let targets: String = targets.iter().map(|target| format!("      - {target}\n")).collect();
    format!(
        "servers:\n  hub: {{ssh: {hub}, hls: {{fragment: 1s, playlist: 5s}}}}\n  attic: {{ssh: {attic}}}\n\
         viewers: {{anna: {{password: {{file: anna}}}}}}\n\
         cameras:\n  porch:\n    ssh: {porch}\n    server: hub\n    {}\n    restream:\n{targets}",
        picture.replace(", ", "\n    ")
    )
}

/// Bytes the host's nginx has received of the stream so far.
fn received(lab: &Lab, host: &str, stream: &str) -> u64 {
    let page = text(&lab.ssh(host, ASK_STATISTICS));
    let of_stream = page
        .split("<stream>")
        .find(|part| part.contains(&format!("<name>{stream}</name>")));
    let bytes = of_stream.and_then(|part| part.split("<bytes_in>").nth(1)?.split('<').next()?.parse().ok());
    bytes.unwrap_or(0)
}

fn arrives(lab: &Lab, host: &str, stream: &str) {
    let mut before = u64::MAX;
    wait_for(SOON, &format!("bytes of {stream} on {host}"), || {
        let now = received(lab, host, stream);
        let more = now > before;
        before = now;
        more
    });
}

#[test]
fn a_stream_is_passed_on_by_tls_and_dead_targets_disturb_nobody() {
    let lab = Lab::up(Image::Fat, &["hub", "attic", "porch", "elsewhere"]);
    let (here, address) = (
        format!("10.77.{}.1", lab.id()),
        lab.ip("elsewhere").parse::<Ipv4Addr>().unwrap(),
    );
    let authority = Authority::unknown();
    elsewhere(&lab, &authority);
    lab.root(
        "hub",
        &format!("rm -f /etc/resolv.conf; echo nameserver {here} >/etc/resolv.conf"),
    );
    for (file, content) in [
        ("key", KEY),
        ("old-key", WRONG_KEY),
        ("ca.pem", authority.pem()),
        ("anna", "sixteen candles"),
    ] {
        fs::write(lab.home().join(file), content).unwrap();
    }
    let good = [
        "{url: rtmps://live.example/app, key: {file: key}, ca: ca.pem}".to_owned(),
        "{server: attic}".to_owned(),
    ];

    // nobody answers questions about names: the server starts all the same, and when somebody does, the stream goes on
    lab.write_inventory(&inventory(&lab, &good));
    deploy(&lab, &[]).must_exit(0);
    streams_again(&lab, "porch", SOON);
    arrives(&lab, "attic", "porch");
    assert_eq!(received(&lab, "elsewhere", KEY), 0);
    let names = NameServer::start(&here, &[("live.example", address), ("other.example", address)]);
    arrives(&lab, "elsewhere", KEY);
    let verified = verify(&lab);
    assert!(verified.text().contains("attic: ok, there "), "{}", verified.text());
    verified.must_hold();
    let asked = lab.root("elsewhere", "cat /run/elsewhere/asked");
    assert!(
        asked.contains("tcurl=rtmps://live.example/app&") && asked.contains(&format!("name={KEY}")),
        "{asked}"
    );
    // the backup keeps what it gets
    let kept = "find /var/lib/pistream/recordings -name 'porch.*' -size +0 | grep -q .";
    wait_for(SOON, "the backup's recording", || {
        lab.ssh("attic", kept).status.success()
    });

    let hole = black_hole(&lab);
    let dead = [
        (
            "{url: rtmps://live.example/app, key: {file: old-key}, ca: ca.pem}",
            "live.example: publish refused",
        ),
        (
            "{url: rtmps://other.example/app, ca: ca.pem}",
            "other.example: certificate refused: does not match",
        ),
        (
            "{url: rtmps://live.example:1/app, ca: ca.pem}",
            "live.example: not reached: Connection refused",
        ),
        (
            &format!("rtmp://{hole}/app"),
            &format!("{hole}: not reached: it does not answer"),
        ),
        (
            "rtmp://nobody.example/app",
            "nobody.example: not reached: nobody.example could not be resolved",
        ),
    ]
    .map(|(target, told)| (target.to_owned(), told.to_owned()));
    let all: Vec<String> = good
        .iter()
        .cloned()
        .chain(dead.iter().map(|(target, _)| target.clone()))
        .collect();
    lab.write_inventory(&inventory(&lab, &all));
    let deployed = deploy(&lab, &["--diff"]).must_exit(0);
    streams_again(&lab, "porch", SOON);
    arrives(&lab, "attic", "porch");
    arrives(&lab, "elsewhere", KEY);
    // the backup gets the stream, and lets nobody see it
    lab.root("attic", "sed -i s/^anna:/bert:/ /etc/pistream/viewers.htpasswd");
    // whatever comes before it in the chain holds: recording, HLS, DASH and the picture
    let verified = verify(&lab);
    for told in ["live.example: ok; attic: passed on, but there web: the login of anna REFUSED (status 401); "]
        .into_iter()
        .chain(dead.iter().map(|(_, told)| told.as_str()))
    {
        assert!(verified.text().contains(told), "{told} in\n{}", verified.text());
    }
    let (code, told) = fares(&lab);
    let targets = told["servers"][0]["restreams"].as_array().unwrap();
    let states: Vec<String> = targets
        .iter()
        .map(|target| format!("{}: {}", target["target"], target["state"]).replace('"', ""))
        .collect();
    assert_eq!(
        (code, &states[..2]),
        (Some(1), &["live.example: ok".to_owned(), "attic: ok".to_owned()][..])
    );
    for (state, (_, words)) in states[2..].iter().zip(&dead) {
        assert!(state.starts_with(words.as_str()), "{words} in {state}");
    }
    for key in [KEY, WRONG_KEY] {
        assert!(!told.to_string().contains(key), "a key shows");
        assert!(
            !verified.text().contains(key) && !deployed.text().contains(key),
            "a key shows"
        );
        keys_are_hidden(&lab, key);
    }
    verified.must_name("porch", "restream");
    drop(names);
}

/// On the server the key is in one file, which nobody else may read, and the way to the targets is nobody else's.
fn keys_are_hidden(lab: &Lab, key: &str) {
    let holding = Command::new("grep")
        .args(["-rlF", key, "."])
        .current_dir(lab.disk("hub"))
        .output()
        .unwrap();
    assert_eq!(text(&holding), "./etc/pistream/restream.conf");
    let found = fs::metadata(lab.disk("hub").join("etc/pistream/restream.conf")).unwrap();
    let owner = (found.mode() & 0o7777, found.uid().to_string());
    assert_eq!(owner, (0o600, lab.root("hub", "id -u pistream")));
    put(lab, "hub", "/root/key", key);
    let look = format!(
        "grep -rlFf /root/key /run /tmp /dev/shm /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null; \
         journalctl --sync; journalctl -q | grep -Ff /root/key; {{ {ASK_STATISTICS}; }} | grep -Ff /root/key; \
         runuser -u nobody -- ls /run/pistream-server /run/pistream-door /run/pistream-front 2>/dev/null; rm /root/key"
    );
    assert_eq!(lab.root("hub", &look), "");
}
