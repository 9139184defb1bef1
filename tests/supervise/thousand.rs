//! A thousand restarts in a row, at the pace the back-off allows: nothing is left behind, and nothing grows.

use crate::bench::{Bench, Supervisor};
use pistream_agent::{Cause, StreamState};
use std::fs;

/// So many before anything is compared: allocator and threads have found their places.
const FIRST: u64 = 100;
const MORE: u64 = 1000;
/// Pages that are touched late; of each restart's words alone, kept for ever, there would be three times as much. kB.
const PAGES: u64 = 32;

/// What the supervisor holds while no ffmpeg runs.
#[derive(Debug, PartialEq, Eq)]
struct Held {
    descriptors: usize,
    children: Vec<(u32, char)>,
    threads: u64,
}

fn held(supervisor: &Supervisor<'_>) -> Held {
    Held {
        descriptors: supervisor.descriptors(),
        children: supervisor.children(),
        threads: of_status(supervisor, "Threads:"),
    }
}

/// A number out of `/proc/PID/status`.
fn of_status(supervisor: &Supervisor<'_>, key: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", supervisor.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// Waits until ffmpeg has been started again so often, and is not there.
fn restarted(bench: &Bench, times: u64) {
    for passed in (0..=times).step_by(5) {
        bench.until("started again and again", |status| {
            let restarts = status.restarts.get(&Cause::NotListening).copied().unwrap_or(0);
            restarts >= passed && status.state == StreamState::BackingOff
        });
    }
}

#[test]
#[ignore = "ten minutes: cargo test --test supervise -- --ignored --nocapture thousand"]
fn a_thousand_restarts_of_a_stand_in_leave_nothing_behind() {
    let bench = Bench::new(
        "echo '[tcp @ 0x560aec3e1dc0] [error] Connection to tcp://127.0.0.1:1 failed: Connection refused' >&2\nexit 1",
    );
    let supervisor = bench.supervise();
    restarted(&bench, FIRST);
    let (before, memory_before) = (held(&supervisor), of_status(&supervisor, "VmRSS:"));
    restarted(&bench, FIRST + MORE);
    let (after, memory) = (held(&supervisor), of_status(&supervisor, "VmRSS:"));
    println!("after {FIRST} restarts: {memory_before} kB, {before:?}");
    println!("after {MORE} more: {memory} kB, {after:?}");
    assert_eq!(before, after);
    assert!(after.children.is_empty());
    assert!(
        memory <= memory_before + PAGES,
        "{memory} kB instead of {memory_before} kB"
    );
    assert!(bench.log().lines().count() < 100, "{}", bench.log());
}
