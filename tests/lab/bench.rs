//! How long a deploy takes beside its floor: `ssh host sudo true` to all hosts at once, in the same run.
//!
//! Not a test: `tests/lab/bench` runs it and it prints a table.

use crate::film;
use crate::fleet::{Fleet, deploy};
use crate::hosts::{BOTH_ROADS, Image, Lab};
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Medians of so many.
const RUNS: usize = 3;
/// What the kernel counts CPU time in (USER_HZ), per second.
const TICKS: f64 = 100.0;

#[test]
#[ignore = "a measurement: run tests/lab/bench"]
fn bench() {
    println!("| hosts | road | what | wall s | deployer CPU s | hosts CPU s | deployer peak RSS MiB | wall / floor |");
    println!("|---|---|---|---|---|---|---|---|");
    for cameras in [4, 20] {
        for transport in BOTH_ROADS {
            rows(cameras, transport);
        }
    }
}

fn rows(cameras: usize, transport: &'static str) {
    let cameras: Vec<String> = (1..=cameras).map(|n| format!("cam{n}")).collect();
    let cameras: Vec<&str> = cameras.iter().map(String::as_str).collect();
    let hosts: Vec<&str> = [&["hub"], cameras.as_slice()].concat();
    let lab = Lab::up(Image::Fat, &["hub"]);
    film::hand_out(&lab, &cameras);
    lab.up_more(&cameras);
    let mut fleet = Fleet::new(&lab, transport, &cameras);
    for (_, bitrate, keys) in &mut fleet.cameras {
        (*bitrate, *keys) = ("50k", film::CAMERA.to_owned());
    }
    fleet.write(&lab);

    let first = vec![measure(&lab, || deployer(&lab))];
    let floor = repeat(|_| measure(&lab, || floor(&lab, &hosts)));
    let nothing = repeat(|_| measure(&lab, || deployer(&lab)));
    assert_eq!(deploy(&lab, &[]).must_exit(0).result("cam1").0, "unchanged");
    let one = repeat(|run| {
        fleet.set_bitrate("cam1", ["75k", "100k", "125k"][run % RUNS]);
        fleet.write(&lab);
        measure(&lab, || deployer(&lab))
    });
    let floor_wall = median(&floor, |m| m.wall);
    let named = [
        ("first deploy", first),
        ("nothing to change", nothing),
        ("one bitrate changed", one),
        ("floor", floor),
    ];
    for (what, runs) in named {
        let wall = median(&runs, |m| m.wall);
        println!(
            "| 1 + {} | {transport} | {what} | {wall:.2} | {:.2} | {:.1} | {:.0} | {:.2} |",
            cameras.len(),
            median(&runs, |m| m.cpu),
            median(&runs, |m| m.on_hosts),
            median(&runs, |m| m.memory),
            wall / floor_wall
        );
    }
}

struct Measured {
    wall: f64,
    cpu: f64,
    on_hosts: f64,
    memory: f64,
}

fn repeat(mut one: impl FnMut(usize) -> Measured) -> Vec<Measured> {
    (0..RUNS).map(&mut one).collect()
}

fn median(runs: &[Measured], value: impl Fn(&Measured) -> f64) -> f64 {
    let mut values: Vec<f64> = runs.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn deployer(lab: &Lab) -> Vec<Command> {
    vec![lab.pistream(&["deploy", "-i", "hosts.yml"])]
}

/// The least that any work on all hosts takes, not yet started.
pub fn floor(lab: &Lab, hosts: &[&str]) -> Vec<Command> {
    let ssh = |host: &&str| {
        let mut command = Command::new("ssh");
        command
            .arg("-F")
            .arg(lab.ssh_config())
            .arg(format!("pi@{}", lab.ip(host)))
            .args(["sudo", "true"]);
        command
    };
    hosts.iter().map(ssh).collect()
}

/// Runs the commands at once and waits for all.
fn measure(lab: &Lab, commands: impl Fn() -> Vec<Command>) -> Measured {
    let (cpu, on_hosts, start) = (children_cpu(), lab.cpu(), Instant::now());
    let quiet = |mut command: Command| command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let mut running: Vec<_> = commands().into_iter().map(quiet).collect();
    let mut memory: f64 = 0.0;
    while !running.iter_mut().all(|child| child.try_wait().unwrap().is_some()) {
        memory = memory.max(running.iter().map(|child| resident(child.id())).sum());
        std::thread::sleep(Duration::from_millis(5));
    }
    let wall = start.elapsed().as_secs_f64();
    for mut child in running {
        assert!(child.wait().unwrap().success());
    }
    Measured {
        wall,
        cpu: children_cpu() - cpu,
        on_hosts: lab.cpu() - on_hosts,
        memory,
    }
}

/// CPU seconds of this process's children that have ended, and of theirs (/proc/self/stat: cutime, cstime).
pub fn children_cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    fields[13..15]
        .iter()
        .map(|ticks| ticks.parse::<f64>().unwrap())
        .sum::<f64>()
        / TICKS
}

/// MiB of memory of a process and its children, without what they share with others.
fn resident(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let anonymous = status
        .lines()
        .find_map(|l| l.strip_prefix("RssAnon:")?.trim().strip_suffix(" kB"));
    let own = anonymous.and_then(|kib| kib.parse::<f64>().ok()).unwrap_or_default() / 1024.0;
    let tasks = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let children = tasks
        .filter_map(|task| fs::read_to_string(task.path().join("children")).ok())
        .collect::<String>();
    own + children
        .split_whitespace()
        .filter_map(|child| child.parse().ok())
        .map(resident)
        .sum::<f64>()
}
