//! Every fault many times: when it was told, and when bytes arrived at the server again.
//!
//! Not a test that `tests/run` knows: `tests/lab/fault-table` runs it and it prints a table.

mod faults;
mod observer;

use crate::fleet::Fleet;
use crate::hosts::{Image, Lab};
use crate::virtual_pi;
use faults::{Fault, LINES, Length, PROCESSES, SERVERS, VIRTUAL_PI};
use observer::{Line, Observer};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::Duration;

/// No fault is to be felt for longer once it is over.
const SHOULD: Duration = Duration::from_secs(12);

/// What one fault did.
pub struct Seen {
    /// From its beginning until the camera's status named it; none where nobody is left to tell, or nothing is to be told.
    told: Option<Duration>,
    /// From its end until bytes of the camera's arrived at the server again.
    healed: Option<Duration>,
}

/// Cameras in containers, streaming to a server known by its name, so that the name can go away.
fn streaming(cameras: &[&str]) -> Lab {
    let lab = Lab::up(Image::Fat, &[&["hub"], cameras].concat());
    let name = format!("{} hub.lab", lab.ip("hub"));
    for camera in cameras {
        lab.root(camera, &format!("echo {name} >>/etc/hosts"));
    }
    let mut fleet = Fleet::new(&lab, "russh", cameras);
    fleet.server += ", address: hub.lab";
    fleet.deploy(&lab).must_exit(0);
    lab
}

fn in_container<'a>(lab: &'a Lab, camera: &'static str) -> Observer<'a> {
    Observer {
        lab,
        camera,
        fps: 15.0,
        line: None,
    }
}

#[test]
#[ignore = "a measurement: run tests/lab/fault-table"]
fn cameras() {
    let lab = streaming(&["porch", "garden"]);
    // what befalls one of them is none of the other's business
    let [porch, garden] = ["porch", "garden"].map(|camera| in_container(&lab, camera));
    table(&[(&porch, PROCESSES), (&garden, LINES)]);
}

#[test]
#[ignore = "a measurement: run tests/lab/fault-table"]
fn servers() {
    let lab = streaming(&["porch"]);
    table(&[(&in_container(&lab, "porch"), SERVERS)]);
}

#[test]
#[ignore = "a measurement: run tests/lab/fault-table"]
fn virtual_pi() {
    let (lab, mut fleet) = virtual_pi::lab();
    fleet.cameras[0].1 = faults::BITRATE.0;
    fleet.deploy(&lab).must_exit(0);
    let porch = Observer {
        lab: &lab,
        camera: "porch",
        fps: 30.0,
        line: Some(Line::to(&lab, "porch")),
    };
    table(&[(&porch, VIRTUAL_PI)]);
}

/// The faults of each camera one after the other, the cameras at the same time.
fn table(cameras: &[(&Observer<'_>, &[Fault])]) {
    println!("| fault | recovered | told after, s | bytes arrived again after its end, s |\n|---|---|---|---|");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let done = &done;
        let watched = cameras.iter().map(|&(observer, faults)| {
            let counter = scope.spawn(|| observer.count(done));
            (counter, scope.spawn(|| rows(observer, faults)))
        });
        let (counters, rows): (Vec<_>, Vec<_>) = watched.unzip();
        let rows: Vec<_> = rows.into_iter().map(ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Relaxed);
        for counter in counters {
            let (most, zombies) = counter.join().unwrap();
            eprintln!("ffmpegs at once: {most} at most; zombies that stayed: {zombies}");
            assert!(most == 1 && zombies == 0, "{most} ffmpegs at once, {zombies} zombies");
        }
        let wrong: Vec<String> = rows.into_iter().flat_map(Result::unwrap).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    });
}

/// Prints a row per fault; what did not recover by itself.
fn rows(observer: &Observer<'_>, faults: &[Fault]) -> Vec<String> {
    let mut wrong = Vec::new();
    let only = std::env::var("PISTREAM_FAULT").unwrap_or_default();
    for fault in faults.iter().filter(|fault| fault.name.contains(&only)) {
        let seen: Vec<Seen> = (0..times(fault.length)).map(|_| happens(fault, observer)).collect();
        let healed: Vec<Duration> = seen.iter().filter_map(|seen| seen.healed).collect();
        if healed.len() < seen.len() {
            wrong.push(format!("{}: {} of {} recovered", fault.name, healed.len(), seen.len()));
        }
        let told = seen.iter().filter_map(|seen| seen.told).collect();
        let recovered = format!("{} of {}", healed.len(), seen.len());
        println!(
            "| {} | {recovered} | {} | {} |",
            fault.name,
            spread(told),
            spread(healed)
        );
    }
    wrong
}

/// Once; what took longer than it should is told with the camera's own words.
fn happens(fault: &Fault, observer: &Observer<'_>) -> Seen {
    let seen = (fault.happens)(observer);
    let seconds = |time: Option<Duration>| time.map_or(-1.0, |time| time.as_secs_f64());
    eprintln!(
        "once: {}: told {:.2} healed {:.2}",
        fault.name,
        seconds(seen.told),
        seconds(seen.healed)
    );
    if seen.healed.is_none_or(|healed| healed > SHOULD) {
        let journal = "journalctl -q -n 25 -o short-precise --no-pager -u pistream-camera";
        eprintln!(
            "{}: {:?}\n{}",
            fault.name,
            seen.healed,
            observer.lab.root(observer.camera, journal)
        );
        let journal = "journalctl -q -n 60 -o short-precise --no-pager -u pistream-server";
        eprintln!("--- hub\n{}", observer.lab.root("hub", journal));
    }
    seen
}

/// Long faults less often, so that the table is done within two hours.
fn times(length: Length) -> usize {
    let times = std::env::var("PISTREAM_TIMES").map_or(20, |times| times.parse().unwrap());
    let share = match length {
        Length::Short => times,
        Length::Long => times / 4,
        Length::VeryLong => times / 8,
    };
    share.max(1)
}

/// "0.4 / 0.9 / 2.1": the least, the median and the most.
fn spread(mut times: Vec<Duration>) -> String {
    times.sort();
    let [Some(least), Some(most)] = [times.first(), times.last()] else {
        return "—".to_owned();
    };
    let seconds = |time: &Duration| format!("{:.1}", time.as_secs_f64());
    let median = &times[times.len() / 2];
    format!("{} / {} / {}", seconds(least), seconds(median), seconds(most))
}
