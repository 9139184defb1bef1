//! A hundred cameras at one server: what it takes to deploy, ask and verify them all, whom a change disturbs, and what a camera
//! costs the server.
//!
//! A measurement: `tests/lab/hundred` runs it, and it prints what the README quotes. Every camera is a host of its own with all
//! that a deploy puts there. What they stream is a film, passed on as it is: a hundred encoders would need another machine.

use crate::bench::{children_cpu, floor};
use crate::changes::{Watcher, longest_gap, recorded, sessions};
use crate::film;
use crate::fleet::{Fleet, all_well, deploy, fares, verify};
use crate::hosts::{Image, Lab, Running, wait_for};
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Between two pictures with none lost between them: their own distance is 200. Milliseconds of the film's time, which a
/// machine that is late does not stretch.
const GAP: i64 = 300;

const VERIFIED_WITHIN: Duration = Duration::from_secs(15);
const RELOADED_WITHIN: Duration = Duration::from_secs(1);
/// For what is not measured.
const SOON: Duration = Duration::from_secs(180);
/// Processor time is counted over so long.
const COUNTED: Duration = Duration::from_secs(30);
/// What the kernel counts it in (USER_HZ), per second.
const TICKS: f64 = 100.0;

const UNITS: [&str; 4] = [
    "pistream-server",
    "pistream-front",
    "pistream-door",
    "pistream-recordings",
];

#[test]
#[ignore = "a measurement: run tests/lab/hundred"]
fn hundred() {
    let cameras = std::env::var("PISTREAM_CAMERAS").map_or(100, |n| n.parse().unwrap());
    let names: Vec<String> = (1..=cameras).map(|n| format!("cam{n:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let lab = Lab::up(Image::Fat, &["hub"]);
    film::hand_out(&lab, &names);
    lab.up_more(&names);
    // a server does not share its processor with the cameras
    lab.weigh("hub", cameras);

    fleet(&lab, &names[1..]).write(&lab);
    timed(&lab, "first deploy of all but one, packages there", || {
        deploy(&lab, &[]).must_exit(0)
    });
    all_well(&lab, SOON);
    timed(&lab, "deploy, nothing to change", || deploy(&lab, &[]).must_exit(0));

    nobody_is_disturbed(&lab, &names);
    what_it_costs(&lab, cameras);

    let hosts = [&["hub"], names.as_slice()].concat();
    timed(&lab, "floor: `ssh host sudo true`, all at once", || {
        let started: Vec<Running> = floor(&lab, &hosts)
            .iter_mut()
            .map(|ssh| Running(ssh.stdin(Stdio::null()).spawn().unwrap()))
            .collect();
        for mut login in started {
            assert!(login.0.wait().unwrap().success());
        }
    });
    let ((code, told), _) = timed(&lab, "status", || fares(&lab));
    assert_eq!(code, Some(0), "{told}");
    let (verified, took) = timed(&lab, "verify", || verify(&lab));
    verified.must_hold();
    assert!(took < VERIFIED_WITHIN, "verify took {took:.1?}");
    the_server_alone(&lab, &names);
}

/// verify while no camera's agent can be asked: what is left is what the server does for it.
fn the_server_alone(lab: &Lab, names: &[&str]) {
    let mut inventory = fs::read_to_string(lab.home().join("hosts.yml")).unwrap();
    for (n, name) in names.iter().enumerate() {
        // nobody listens there, and that is found out at once
        let nowhere = format!("host: 127.1.0.{}, port: 9,", n + 1);
        inventory = inventory.replace(&format!("host: {},", lab.ip(name)), &nowhere);
    }
    lab.write_inventory(&inventory);
    let (verified, took) = timed(lab, "verify, no camera's agent asked", || verify(lab));
    for name in names {
        assert_eq!(verified.broken(name), ["agent"], "{name}: {}", verified.text());
    }
    assert!(took < VERIFIED_WITHIN, "it took {took:.1?}");
}

fn fleet(lab: &Lab, names: &[&str]) -> Fleet {
    let mut fleet = Fleet::new(lab, "russh", names);
    fleet.server = format!("play: [10.77.{}.1]", lab.id());
    for (_, bitrate, keys) in &mut fleet.cameras {
        (*bitrate, *keys) = ("50k", film::CAMERA.to_owned());
    }
    fleet
}

/// A camera comes to the others, then front and door are reloaded once more: for the cameras, for somebody who watches and
/// for every recording it is as if nothing had been.
fn nobody_is_disturbed(lab: &Lab, names: &[&str]) {
    let before = sessions(lab);
    assert_eq!(before.len(), names.len() - 1);
    let watcher = Watcher::start(lab, names[1]);
    let seen = || Watcher::seen(lab).len();
    wait_for(SOON, "pictures", || seen() > 10);

    fleet(lab, names).write(lab);
    let (deployed, _) = timed(lab, "deploy, a camera more", || deploy(lab, &[]).must_exit(0));
    let changes = deployed.changes("hub");
    let reloaded = |unit: &str| changes.contains(&format!("reload {unit}.service"));
    assert!(reloaded("pistream-front") && reloaded("pistream-door"), "{changes:?}");
    assert!(!reloaded("pistream-server"), "{changes:?}");
    for (conf, unit) in [("nginx", "server"), ("front", "front"), ("door", "door")] {
        let check = format!("nginx -t -q -e stderr -p /run/pistream-{unit}/ -c /etc/pistream/{conf}.conf");
        took_on_hub(lab, &format!("nginx -t of {conf}.conf"), &check);
    }
    for unit in ["pistream-front", "pistream-door"] {
        let took = took_on_hub(lab, &format!("reload of {unit}"), &format!("systemctl reload {unit}"));
        assert!(took < RELOADED_WITHIN, "the reload of {unit} took {took:.2?}");
    }
    wait_for(SOON, "the one that came", || sessions(lab).len() == names.len());
    let now = seen();
    wait_for(SOON, "pictures after it", || seen() > now + 10);

    let after = sessions(lab);
    assert!(
        before.iter().all(|(stream, id)| after.get(stream) == Some(id)),
        "a stream began anew"
    );
    let gap = longest_gap(&Watcher::seen(lab));
    assert!(gap < GAP, "{gap} ms without a picture at a viewer");
    drop(watcher);
    let chunks = recorded(lab, "*.flv");
    assert_eq!(chunks.len(), names.len(), "recorded anew");
    assert!(chunks.iter().all(|times| times.len() > 10), "{chunks:?}");
    let longest = chunks.iter().map(|times| longest_gap(times)).max().unwrap();
    assert!(longest < GAP, "{longest} ms without a picture in a recording");
    println!(
        "longest time between two pictures, 200 meant: {gap} ms at a viewer, {longest} ms in {} recordings",
        chunks.len()
    );
}

/// Memory and processor time of the server's units while all stream, nobody watches and nobody asks.
fn what_it_costs(lab: &Lab, cameras: usize) {
    let (before, start) = (UNITS.map(|unit| used(lab, unit)), Instant::now());
    wait_for(COUNTED * 2, "the count's end", || start.elapsed() > COUNTED);
    let seconds = start.elapsed().as_secs_f64();
    let (mut memory, mut share) = (0.0, 0.0);
    let each = cameras as f64;
    let row = |unit: &str, memory: f64, share: f64| {
        println!(
            "{unit}: {memory:.1} MiB, {share:.2} % of a core; a camera {:.0} KiB, {:.3} %",
            memory * 1024.0 / each,
            share / each
        );
    };
    for (unit, before) in UNITS.iter().zip(before) {
        let now = used(lab, unit);
        let of_unit = (now.1 - before.1) / seconds * 100.0;
        row(unit, now.0, of_unit);
        memory += now.0;
        share += of_unit;
    }
    row("all of them", memory, share);
}

/// MiB that a unit's processes have in memory, each one's share of what it shares (PSS), and their processor seconds so far.
fn used(lab: &Lab, unit: &str) -> (f64, f64) {
    let ask = format!(
        "main=$(systemctl show -P MainPID {unit}); for pid in $main $(pgrep -P $main); do \
         grep ^Pss: /proc/$pid/smaps_rollup; cut -d' ' -f14,15 /proc/$pid/stat; done"
    );
    let (mut memory, mut processor) = (0.0, 0.0);
    for line in lab.root("hub", &ask).lines() {
        let numbers = line.split_whitespace().filter_map(|word| word.parse::<f64>().ok());
        match line.starts_with("Pss:") {
            true => memory += numbers.sum::<f64>() / 1024.0,
            false => processor += numbers.sum::<f64>() / TICKS,
        }
    }
    (memory, processor)
}

/// Prints how long the work took, and the processor seconds that it, the hosts and everybody else on this machine had meanwhile.
/// Tells how long it would have been without everybody else: their seconds by the number of processors are not counted.
fn timed<T>(lab: &Lab, what: &str, work: impl FnOnce() -> T) -> (T, Duration) {
    let had = || (children_cpu(), lab.cpu(), busy());
    let (before, start) = (had(), Instant::now());
    let value = work();
    let (took, after) = (start.elapsed().as_secs_f64(), had());
    let (here, hosts) = (after.0 - before.0, after.1 - before.1);
    let others = (after.2 - before.2 - here - hosts).max(0.0);
    println!("{what}: {took:.2} s; processor: {here:.1} s here, {hosts:.1} s on the hosts, {others:.1} s others");
    let processors = std::thread::available_parallelism().unwrap().get() as f64;
    (value, Duration::from_secs_f64((took - others / processors).max(0.0)))
}

/// Seconds that all processors of this machine together were at work since it started (proc_stat(5)).
fn busy() -> f64 {
    let stat = fs::read_to_string("/proc/stat").unwrap();
    let mut ticks = stat
        .split_whitespace()
        .skip(1)
        .take(8)
        .map(|n| n.parse::<f64>().unwrap());
    // user, nice, system; idle and waiting for disks are left out; interrupts, stolen
    let working: f64 = ticks.by_ref().take(3).sum();
    (working + ticks.skip(2).sum::<f64>()) / TICKS
}

/// How long a command takes by the host's own clock, the way there left out.
fn took_on_hub(lab: &Lab, what: &str, command: &str) -> Duration {
    let told = lab.root(
        "hub",
        &format!("start=$(date +%s%N); {command} && echo $(($(date +%s%N) - start))"),
    );
    let took = Duration::from_nanos(told.parse().unwrap());
    println!("{what}: {took:.2?}");
    took
}
