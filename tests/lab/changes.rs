//! What of a fleet changes while it streams, and whom that disturbs: who belongs to it, nobody; how streams are kept, everybody
//! for a second.

use crate::fleet::{ASK_STATISTICS, Fleet, deploy, streams_again};
use crate::hosts::{Image, Lab, Running, text, wait_for};
use std::collections::BTreeMap;
use std::fs::File;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(40);
/// Of pictures that come fifteen times a second, to a busy machine. Milliseconds.
const GAP: i64 = 400;

/// Every stream with the number that nginx gave the session of its publisher.
pub fn sessions(lab: &Lab) -> BTreeMap<String, String> {
    let statistics = text(&lab.ssh("hub", ASK_STATISTICS));
    let streams = statistics.split("<stream>").skip(1);
    let publisher = |stream: &str| {
        let name = stream.split("<name>").nth(1)?.split('<').next()?;
        let mut clients = stream.split("<client>").skip(1);
        let publisher = clients.find(|client| client.contains("<publishing/>"))?;
        Some((
            name.to_owned(),
            publisher.split("<id>").nth(1)?.split('<').next()?.to_owned(),
        ))
    };
    streams.filter_map(publisher).collect()
}

pub fn session(lab: &Lab, stream: &str) -> Option<String> {
    sessions(lab).remove(stream)
}

/// Somebody who watches by RTMP from here; the timestamps of what he sees are written down.
pub struct Watcher(Running);

impl Watcher {
    pub fn start(lab: &Lab, stream: &str) -> Watcher {
        let url = format!("rtmp://{}:1935/live/{stream}", lab.ip("hub"));
        let player = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-i", &url])
            .args(["-c", "copy", "-copyts", "-flush_packets", "1", "-f", "framecrc", "-"])
            .stdin(Stdio::null())
            .stdout(File::create(lab.home().join("seen")).unwrap())
            .spawn()
            .unwrap();
        Watcher(Running(player))
    }

    /// Milliseconds of every picture so far.
    pub fn seen(lab: &Lab) -> Vec<i64> {
        let seen = std::fs::read_to_string(lab.home().join("seen")).unwrap();
        let pictures = seen.lines().filter(|line| !line.starts_with('#'));
        pictures
            .filter_map(|line| line.split(',').nth(1)?.trim().parse().ok())
            .collect()
    }
}

/// The longest time between two pictures; pictures never go back.
pub fn longest_gap(times: &[i64]) -> i64 {
    let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
    assert!(gaps.clone().all(|gap| gap >= 0), "{times:?}");
    gaps.max().unwrap()
}

/// Milliseconds of every picture in each of these chunks that are being written.
pub fn recorded(lab: &Lab, chunks: &str) -> Vec<Vec<i64>> {
    let ask = "ffprobe -v error -show_entries packet=dts_time -of csv=p=0 $chunk";
    let told = lab.root(
        "hub",
        &format!("cd /var/lib/pistream/recordings && for chunk in {chunks}; do echo chunk; {ask}; done"),
    );
    let milliseconds = |line: &str| Some((line.parse::<f64>().ok()? * 1000.0).round() as i64);
    told.split("chunk")
        .skip(1)
        .map(|times| times.lines().filter_map(milliseconds).collect())
        .collect()
}

#[test]
fn who_belongs_to_the_fleet_changes_and_no_stream_is_touched() {
    let lab = Lab::up(Image::Fat, &["hub", "porch", "garden"]);
    let mut fleet = Fleet::new(&lab, "russh", &["porch"]);
    fleet.deploy(&lab).must_exit(0);
    streams_again(&lab, "porch", SOON);
    let live = || {
        let camera = lab.root("porch", "pgrep -x ffmpeg; systemctl show -P MainPID pistream-camera");
        let core = lab.root("hub", "pgrep -P $(systemctl show -P MainPID pistream-server)");
        (session(&lab, "porch"), camera, core)
    };
    let before = live();
    let mut watcher = Watcher::start(&lab, "porch");
    let seen = || Watcher::seen(&lab).len();
    wait_for(SOON, "pictures", || seen() > 30);

    // another camera, another viewer by address, a viewer with a login
    let mut more = Fleet::new(&lab, "russh", &["porch", "garden"]);
    more.server = format!(
        "play: [10.77.{}.1, 192.0.2.1], hls: {{fragment: 1s, playlist: 5s}}",
        lab.id()
    );
    std::fs::write(lab.home().join("anna"), "correct horse").unwrap();
    more.sections = "viewers: {anna: {password: {file: anna}}}\n".into();
    let start = Instant::now();
    let deployed = more.deploy(&lab).must_exit(0);
    println!("a camera and two viewers more: deployed in {:.1?}", start.elapsed());
    let changes = deployed.changes("hub");
    for nginx in ["front", "door"] {
        assert!(
            changes.contains(&format!("reload pistream-{nginx}.service")),
            "{changes:?}"
        );
    }
    assert!(
        !changes.iter().any(|c| c.ends_with(" pistream-server.service")),
        "{changes:?}"
    );
    streams_again(&lab, "garden", SOON);
    let after = seen();
    wait_for(SOON, "pictures after it", || seen() > after + 30);
    assert_eq!(live(), before);
    let gap = longest_gap(&Watcher::seen(&lab));
    assert!(gap < GAP, "{gap} ms without a picture at a viewer");
    let kept = recorded(&lab, "porch.*.flv");
    assert_eq!(kept.len(), 1, "recorded anew");
    let times = &kept[0];
    let gap = longest_gap(times);
    assert!(
        times.len() > 60 && gap < GAP,
        "{gap} ms without a picture in the recording of {}",
        times.len()
    );

    // fewer again: who was let in and may no longer be is put out, the other stays
    fleet.server = "hls: {fragment: 1s, playlist: 5s}".into();
    fleet.write(&lab);
    let start = Instant::now();
    deploy(&lab, &["--limit", "hub"]).must_exit(0);
    assert_eq!(
        session(&lab, "garden"),
        None,
        "a camera that is none any more streams on"
    );
    wait_for(Duration::from_secs(30), "the viewer's end", || {
        watcher.0.0.try_wait().unwrap().is_some()
    });
    println!(
        "a camera and a viewer less: out {:.1?} after the deploy began",
        start.elapsed()
    );
    assert_eq!(live(), before);

    // how streams are kept: they begin anew with the new worker, as soon as the old one is gone
    let master = lab.root("hub", "systemctl show -P MainPID pistream-server");
    fleet.server = "hls: {fragment: 2s, playlist: 6s}".into();
    let deployed = fleet.deploy(&lab).must_exit(0);
    let changes = deployed.changes("hub");
    assert!(
        changes.contains(&"reload pistream-server.service".to_owned()),
        "{changes:?}"
    );
    assert_eq!(
        lab.root("hub", "systemctl show -P MainPID pistream-server"),
        master,
        "restarted, not reloaded"
    );
    streams_again(&lab, "porch", SOON);
    let now = live();
    assert!(now.0 != before.0 && now.2 != before.2, "{now:?}");
    assert_eq!(
        deploy(&lab, &["--limit", "hub"]).must_exit(0).result("hub").0,
        "unchanged"
    );
}
