//! Who sees what: viewers from an allowed address do, everybody else is refused, and nobody streams under another's name.

use crate::fleet::{Fleet, deploy, streams_again};
use crate::hosts::{Image, Lab, all, wait_for};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Frames to see before a picture counts as seen.
const FRAMES: &str = "10";

fn watch(url: &str) -> Output {
    let mut player = Command::new("timeout");
    player.args([
        "20",
        "ffmpeg",
        "-v",
        "error",
        "-nostdin",
        "-i",
        url,
        "-frames:v",
        FRAMES,
        "-f",
        "null",
        "-",
    ]);
    player.stdin(Stdio::null()).output().unwrap()
}

#[test]
fn viewers_of_the_inventory_see_the_streams_and_strangers_do_not() {
    let lab = Lab::up(Image::Fat, &["hub", "porch", "garden"]);
    Fleet::new(&lab, "russh", &["porch", "garden"])
        .deploy(&lab)
        .must_exit(0);
    let hub = lab.ip("hub");
    for camera in ["porch", "garden"] {
        streams_again(&lab, camera, Duration::from_secs(30));
        let roads = [
            format!("rtmp://{hub}:1935/live/{camera}"),
            format!("http://{hub}:8080/hls/{camera}/index.m3u8"),
            format!("http://{hub}:8080/dash/{camera}/index.mpd"),
        ];
        for url in &roads {
            // the first segments of HLS and DASH take a moment
            wait_for(Duration::from_secs(40), url, || watch(url).status.success());
            // a camera may publish, not play
            let stranger = lab.ssh(
                "porch",
                &format!("timeout 20 ffmpeg -v error -nostdin -i {url} -frames:v 1 -f null -"),
            );
            assert!(!stranger.status.success(), "porch plays {url}");
        }
    }
}

/// Publishes for five seconds by plain RTMP.
fn publish(lab: &Lab, from: &str, server: &str, stream: &str) -> Output {
    let url = format!("rtmp://{}:1935/live/{stream}", lab.ip(server));
    let picture = "-re -f lavfi -i testsrc2=size=320x240:rate=15 -t 5 -c:v libx264 -preset ultrafast";
    lab.ssh(
        from,
        &format!("timeout 20 ffmpeg -v error -nostdin {picture} -f flv {url}"),
    )
}

#[test]
fn where_some_have_no_tls_nobody_streams_under_the_name_of_another() {
    let lab = Lab::up(Image::Fat, &["hub", "attic", "porch", "garden", "cellar"]);
    let ssh = |host: &str| lab.address_for(host, "russh");
    let play = format!("play: [10.77.{}.1], hls: {{fragment: 1s, playlist: 5s}}", lab.id());
    lab.write_inventory(&format!(
        "defaults: {{camera: {{source: test, size: 320x240, fps: 15, keyframe_interval: 1s}}}}\n\
         servers:\n  hub: {{ssh: {}, {play}}}\n  attic: {{ssh: {}, tls: off, {play}}}\n\
         cameras:\n  porch: {{ssh: {}, server: hub}}\n  garden: {{ssh: {}, server: hub, tls: off}}\n  \
         cellar: {{ssh: {}, server: attic}}\n",
        ssh("hub"),
        ssh("attic"),
        ssh("porch"),
        ssh("garden"),
        ssh("cellar"),
    ));
    deploy(&lab, &[]).must_exit(0);
    for camera in ["garden", "cellar"] {
        assert!(!lab.disk(camera).join("etc/pistream/identity.pem").exists(), "{camera}");
    }
    crate::fleet::verify(&lab).must_hold();

    for camera in ["porch", "garden", "cellar"] {
        lab.root(camera, "systemctl stop pistream-camera");
    }
    // the one with a certificate neither, from its own address: without it that is nobody's
    for (from, server, stream) in [
        ("garden", "hub", "porch"),
        ("porch", "hub", "garden"),
        ("porch", "hub", "porch"),
        ("cellar", "hub", "garden"),
        ("garden", "attic", "cellar"),
    ] {
        let tried = publish(&lab, from, server, stream);
        assert!(!tried.status.success(), "{from} streamed as {stream}: {}", all(&tried));
    }
    for (from, server) in [("garden", "hub"), ("cellar", "attic")] {
        let own = publish(&lab, from, server, from);
        assert!(own.status.success(), "{from} may not stream as itself: {}", all(&own));
    }
    // who came is in nginx's journal by the address that it came from
    let came = format!("client {}:", lab.ip("porch"));
    let journal = lab.root("hub", "journalctl -q --no-pager -u pistream-server");
    assert!(journal.contains(&came), "{journal}");
}

#[test]
fn a_changed_server_configuration_is_reloaded_and_the_streams_go_on() {
    let lab = Lab::up(Image::Fat, &["hub", "porch"]);
    let mut fleet = Fleet::new(&lab, "russh", &["porch"]);
    fleet.deploy(&lab).must_exit(0);
    streams_again(&lab, "porch", Duration::from_secs(30));
    let master = lab.root("hub", "systemctl show -P MainPID pistream-server");
    let worker = lab.root("hub", "pgrep -f 'nginx: worker process'");
    fleet.server = format!("play: [10.77.{}.1, 192.0.2.1]", lab.id());
    let deployed = fleet.deploy(&lab).must_exit(0);
    assert!(
        deployed
            .changes("hub")
            .contains(&"reload pistream-server.service".to_owned()),
        "{}",
        deployed.text()
    );
    assert_eq!(
        lab.root("hub", "systemctl show -P MainPID pistream-server"),
        master,
        "restarted, not reloaded"
    );
    // new viewers reach the new worker: the publishers must be there too
    let start = Instant::now();
    let gone = format!("! kill -0 {worker}");
    wait_for(Duration::from_secs(20), "the old worker's end", || {
        lab.ssh("hub", &gone).status.success()
    });
    streams_again(&lab, "porch", Duration::from_secs(20));
    println!(
        "reloaded: the new worker streams {:.1?} after the deploy",
        start.elapsed()
    );
    assert_eq!(deploy(&lab, &[]).must_exit(0).result("hub").0, "unchanged");
}
