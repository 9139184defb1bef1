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

#[test]
fn without_tls_a_camera_cannot_stream_under_the_name_of_another() {
    let lab = Lab::up(Image::Fat, &["hub", "porch", "garden"]);
    let mut fleet = Fleet::new(&lab, "russh", &["porch", "garden"]);
    fleet.server += ", tls: off";
    fleet.deploy(&lab).must_exit(0);
    streams_again(&lab, "porch", Duration::from_secs(30));
    lab.root("garden", "systemctl stop pistream-camera");
    let publish = |stream: &str| {
        let url = format!("rtmp://{}:1935/live/{stream}", lab.ip("hub"));
        let picture = "-re -f lavfi -i testsrc2=size=320x240:rate=15 -t 5 -c:v libx264 -preset ultrafast";
        lab.ssh(
            "porch",
            &format!("timeout 20 ffmpeg -v error -nostdin {picture} -f flv {url}"),
        )
    };
    let impostor = publish("garden");
    assert!(
        !impostor.status.success(),
        "porch streamed as garden: {}",
        all(&impostor)
    );
    lab.root("porch", "systemctl stop pistream-camera");
    let own = publish("porch");
    assert!(own.status.success(), "porch may not stream as itself: {}", all(&own));
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
