//! IPv6 from lens to viewer: cameras publish by it, by a certificate or by their address, viewers watch by it, and whoever may do
//! neither by IPv4 may not by IPv6.

use crate::changes::sessions;
use crate::fleet::{deploy, streams_again, verify};
use crate::hosts::{Lab, all, run};
use crate::identity::SOON;
use crate::viewers::{publish, watch};
use crate::web::{As, Web};
use std::fs;
use std::process::Command;
use std::time::Instant;

/// The network's first four bytes say which lab, the last one which host: as in its IPv4 addresses.
fn address(lab: &Lab, host: &str) -> String {
    let ip = lab.ip(host);
    format!("fd77:{}::{}", lab.id(), ip.rsplit('.').next().unwrap())
}

/// This machine, where the lab's viewers sit.
fn here(lab: &Lab) -> String {
    format!("fd77:{}::1", lab.id())
}

/// A lab's network knows IPv4 alone; now this machine and these hosts have an IPv6 address, too.
fn connect(lab: &Lab, hosts: &[&str]) {
    let add = |device: &str, address: &str| {
        let address = format!("{address}/64");
        let words = ["addr", "add", &address, "dev", device, "nodad"];
        words.map(str::to_owned)
    };
    run(Command::new("ip").args(add(&format!("plab{}", lab.id()), &here(lab))));
    for host in hosts {
        let add = add("host0", &address(lab, host));
        let words: Vec<&str> = ["ip"].into_iter().chain(add.iter().map(String::as_str)).collect();
        let added = lab.in_network(host, &words);
        assert!(added.status.success(), "{}", all(&added));
        // whose key the deployer knows by that address, too
        let known = lab.home().join(".ssh/known_hosts");
        let mut text = fs::read_to_string(&known).unwrap();
        let own = |line: &&str| line.starts_with(&format!("{} ", lab.ip(host)));
        let key = text
            .lines()
            .find(own)
            .unwrap()
            .replacen(&lab.ip(host), &address(lab, host), 1);
        text += &format!("{key}\n");
        fs::write(&known, text).unwrap();
    }
}

/// Of `where_some_have_no_tls…`: hub with porch, which has a certificate, and garden, which has none; attic, without TLS, with cellar.
pub fn carries_everything(lab: &Lab) {
    let start = Instant::now();
    connect(lab, &["hub", "attic", "porch", "garden", "cellar"]);
    let ssh = |host: &str| lab.address_for(host, "russh");
    let by_ipv6 = |host: &str, transport: &str| {
        let way = lab.address_for(host, transport);
        way.replacen(&lab.ip(host), &format!("\"{}\"", address(lab, host)), 1)
    };
    let at = |host: &str| format!("\"{}\"", address(lab, host));
    let play = format!("play: [\"{}\"], hls: {{fragment: 1s, playlist: 5s}}", here(lab));
    fs::write(lab.home().join("anna"), "correct horse\n").unwrap();
    lab.write_inventory(&format!(
        "defaults: {{camera: {{source: test, size: 320x240, fps: 15, keyframe_interval: 1s}}}}\n\
         servers:\n  hub: {{ssh: {}, address: {}, {play}}}\n  attic: {{ssh: {}, address: {}, tls: off, {play}}}\n\
         cameras:\n  porch: {{ssh: {}, server: hub}}\n  garden: {{ssh: {}, address: {}, server: hub, tls: off}}\n  \
         cellar: {{ssh: {}, address: {}, server: attic}}\n\
         viewers:\n  anna: {{password: {{file: anna}}, cameras: [porch]}}\n",
        by_ipv6("hub", "russh"),
        at("hub"),
        by_ipv6("attic", "openssh"),
        at("attic"),
        ssh("porch"),
        ssh("garden"),
        at("garden"),
        ssh("cellar"),
        at("cellar"),
    ));
    deploy(lab, &[]).must_exit(0);
    // through the servers' IPv6 addresses, as strangers, as well
    verify(lab).must_hold();
    let door = lab.root("hub", "journalctl -q --no-pager -u pistream-door");
    assert!(door.contains(&format!("client [{}]:", address(lab, "porch"))), "{door}");

    // who may watch
    let try_to_watch = &|server: &str, stream: &str| {
        let url = format!("rtmp://[{}]:1935/live/{stream}", address(lab, server));
        let seen = watch(&url, "10", None);
        assert!(seen.status.success(), "{stream}: {}", all(&seen));
        let stranger = format!("timeout 20 ffmpeg -v error -nostdin -i {url} -frames:v 1 -f null -");
        let seen = lab.ssh("porch", &stranger);
        let refused = crate::hosts::failed_by_itself(&seen);
        assert!(refused, "porch watches {stream}: {}", all(&seen));
    };
    let streams = [("hub", "porch"), ("hub", "garden"), ("attic", "cellar")];
    std::thread::scope(|scope| {
        for (server, stream) in streams {
            scope.spawn(move || try_to_watch(server, stream));
        }
    });
    let web = Web::at(lab, &format!("[{}]", address(lab, "hub")));
    let list = "/hls/porch/index.m3u8";
    assert_eq!(web.status(list, As::Login("anna", "correct horse")), 200);
    assert_eq!(web.status(list, As::Nobody), 401);

    // a viewer by her certificate
    let machine = lab.home().join("machine");
    fs::create_dir(&machine).unwrap();
    let issued = crate::watch::issue(lab, "machine/anna");
    assert!(issued.status.success(), "{}", all(&issued));
    let (_tunnel, url) = crate::watch::tunnel(&machine, &["porch", "--viewer", "anna"]);
    let seen = watch(&url, "10", None);
    assert!(seen.status.success(), "{}", all(&seen));

    // who may publish
    for camera in ["garden", "cellar"] {
        lab.root(camera, "systemctl stop pistream-camera");
    }
    let hub = format!("[{}]", address(lab, "hub"));
    let try_to_publish = |from: &str, stream: &str| {
        let tried = publish(lab, from, &hub, stream);
        let refused = crate::hosts::failed_by_itself(&tried);
        assert!(refused, "{from} streamed as {stream}: {}", all(&tried));
    };
    std::thread::scope(|scope| {
        scope.spawn(|| try_to_publish("cellar", "garden"));
        scope.spawn(|| try_to_publish("porch", "garden"));
        scope.spawn(|| try_to_publish("garden", "cellar"));
    });
    lab.root("garden", "systemctl start pistream-camera");
    streams_again(lab, "garden", SOON);
    // when the front is asked anew, they stay
    let live = sessions(lab);
    assert_eq!(live.len(), 2);
    lab.root("hub", "systemctl reload pistream-front");
    assert_eq!(sessions(lab), live);
    println!("IPv6: {:.1?}", start.elapsed());
}
