//! What goes wrong while a camera streams, and how long until it streams again.

use crate::fleet::{Fleet, status, streams_again};
use crate::hosts::{Image, Lab, wait_for};
use pistream_agent::{Cause, Status};
use std::time::{Duration, Instant};

/// A frozen ffmpeg is waited for no longer (`stall_after` is 9 s by default; what it took is printed).
const FREEZE_FOUND: Duration = Duration::from_secs(20);
/// nginx gives the name of a publisher that went silent back after `drop_idle_publisher 10s`.
const NAME_FREE: Duration = Duration::from_secs(15);

fn streaming() -> (Lab, Status) {
    let lab = Lab::up(Image::Fat, &["hub", "porch"]);
    Fleet::new(&lab, "russh", &["porch"]).deploy(&lab).must_exit(0);
    streams_again(&lab, "porch", Duration::from_secs(30));
    let status = status(&lab, "porch").unwrap();
    (lab, status)
}

/// Waits until frames of another ffmpeg than the one before flow, and tells how long that took.
fn another_ffmpeg_streams(lab: &Lab, before: &Status, deadline: Duration) -> (Duration, Status) {
    let mut found = None;
    let took = wait_for(deadline, "another ffmpeg to stream", || {
        found = status(lab, "porch")
            .filter(|s| s.frames > 0 && s.ffmpeg_pid.is_some() && s.ffmpeg_pid != before.ffmpeg_pid);
        found.is_some()
    });
    (took, found.unwrap())
}

#[test]
fn a_killed_ffmpeg_streams_again_within_seconds() {
    let (lab, before) = streaming();
    lab.root("porch", &format!("kill -9 {}", before.ffmpeg_pid.unwrap()));
    let start = Instant::now();
    let (_, after) = another_ffmpeg_streams(&lab, &before, Duration::from_secs(10));
    streams_again(&lab, "porch", Duration::from_secs(20));
    println!("ffmpeg killed: the server received again after {:.1?}", start.elapsed());
    assert_eq!(after.restarts.get(&Cause::Killed), Some(&1), "{:?}", after.restarts);
}

#[test]
fn a_frozen_ffmpeg_is_found_and_replaced() {
    let (lab, before) = streaming();
    lab.root("porch", &format!("kill -STOP {}", before.ffmpeg_pid.unwrap()));
    let start = Instant::now();
    let found = wait_for(FREEZE_FOUND, "the freeze to be found", || {
        status(&lab, "porch").is_some_and(|s| s.restarts.contains_key(&Cause::Stalled))
    });
    streams_again(&lab, "porch", NAME_FREE * 2);
    println!(
        "ffmpeg frozen: found after {found:.1?}, the server received again after {:.1?}",
        start.elapsed()
    );
}

#[test]
fn a_network_cut_of_twenty_seconds_heals_by_itself() {
    let (lab, _) = streaming();
    lab.cut_network("porch");
    let cut = Instant::now();
    wait_for(Duration::from_secs(25), "twenty seconds without a network", || {
        cut.elapsed() >= Duration::from_secs(20)
    });
    lab.restore_network("porch");
    let healed = streams_again(&lab, "porch", Duration::from_secs(40));
    println!("network cut for 20 s: the server received again {healed:.1?} after it was back");
}

#[test]
fn a_dead_supervisor_is_started_again_by_systemd() {
    let (lab, before) = streaming();
    lab.root("porch", "kill -9 $(systemctl show -P MainPID pistream-camera.service)");
    let (took, _) = another_ffmpeg_streams(&lab, &before, Duration::from_secs(20));
    streams_again(&lab, "porch", NAME_FREE * 2);
    println!("supervisor killed: streaming again after {took:.1?}");
    assert_eq!(lab.root("porch", "pgrep -cx ffmpeg"), "1", "an orphan streams on");
}
