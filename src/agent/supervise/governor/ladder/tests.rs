//! The ladder against a simulated camera that is started anew on another rung, and an uplink whose rate changes.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]

use super::*;
use crate::supervise::sendqueue::Arrived;

/// The simulation's step.
const TICK: Duration = Duration::from_millis(50);
/// From the start of a run to its first frame.
const START: Duration = Duration::from_secs(1);

struct World {
    ladder: Ladder,
    /// What the encoder makes of what it is told at its start.
    makes: f64,
    now: Instant,
    /// Whether the kernel tells what was acknowledged.
    exact: bool,
    /// Nothing is written before.
    starts: Instant,
    written: f64,
    acknowledged: f64,
    /// Seconds that what the server receives is late, at worst; and when which rung was begun.
    latency: f64,
    rungs: Vec<(u64, usize)>,
    began: Instant,
}

impl World {
    fn new(needs: &[u32]) -> World {
        let now = Instant::now();
        World {
            ladder: Ladder::new(needs.to_vec(), false),
            makes: 1.0,
            now,
            exact: true,
            starts: now + START,
            written: 0.0,
            acknowledged: 0.0,
            latency: 0.0,
            rungs: vec![],
            began: now,
        }
    }

    /// So many seconds on a link of so many bits per second.
    fn run(&mut self, seconds: u64, link: f64) {
        self.latency = 0.0;
        for _ in 0..seconds * 20 {
            self.now += TICK;
            let tick = TICK.as_secs_f64();
            if self.now >= self.starts {
                let told = self.ladder.setting();
                let told = told.unwrap_or_else(|| self.ladder.needs()[self.ladder.at()]);
                self.written += f64::from(told) * self.makes / 8.0 * tick;
            }
            self.acknowledged = (self.acknowledged + link / 8.0 * tick).min(self.written);
            let waiting = self.written - self.acknowledged;
            self.latency = self.latency.max(waiting * 8.0 / link);
            if self.now < self.starts {
                continue;
            }
            let half = self.now.duration_since(self.starts).as_millis() / 500 * 500;
            let reading = Reading {
                written: self.written as u64,
                // ffmpeg tells twice a second
                written_at: self.starts + Duration::from_millis(half as u64),
                waiting: waiting as u64,
                arrived: self.exact.then_some(Arrived {
                    bytes: self.acknowledged as u64,
                    round_trip: Duration::from_millis(20),
                }),
            };
            if let Some(step) = self.ladder.take(self.now, reading) {
                assert_eq!(step.to, self.ladder.at());
                self.rungs
                    .push((self.now.duration_since(self.began).as_secs(), step.to));
                (self.written, self.acknowledged) = (0.0, 0.0);
                self.starts = self.now + step.pause + START;
                self.ladder.begin();
            }
        }
    }
}

const RUNGS: [u32; 5] = [1_000_000, 500_000, 250_000, 125_000, 50_000];

#[test]
fn a_link_that_carries_enough_is_left_alone() {
    for exact in [true, false] {
        let mut world = World::new(&RUNGS);
        world.exact = exact;
        world.run(600, 1_200_000.0);
        assert_eq!(world.rungs, [], "{exact}");
        assert_eq!(world.ladder.told().why, "as the inventory asks");
    }
}

#[test]
fn a_drop_to_a_tenth_costs_one_restart_and_little_latency_and_the_way_back_one_per_rung() {
    let mut world = World::new(&RUNGS);
    world.run(20, 2e6);
    world.run(60, 2e5);
    println!("{:.1} s late at worst, {:?}", world.latency, world.rungs);
    assert!(world.latency < 3.0, "{:.1} s", world.latency);
    assert_eq!(world.rungs.iter().map(|(_, rung)| *rung).next(), Some(3));
    world.run(200, 2e6);
    let told = world.ladder.told();
    assert_eq!(
        (told.target, told.steps),
        (1_000_000, world.rungs.len() as u64),
        "{:?}",
        world.rungs
    );
    assert!(world.rungs.len() <= 6, "{:?}", world.rungs);
}

#[test]
fn where_the_kernel_tells_nothing_but_the_queue_the_same_rung_is_found() {
    let mut world = World::new(&RUNGS);
    world.exact = false;
    world.run(20, 2e6);
    world.run(60, 2e5);
    let lowest = world.rungs.iter().map(|(_, rung)| *rung).max();
    assert!(lowest >= Some(3), "{:?}", world.rungs);
}

#[test]
fn a_link_between_two_rungs_is_tried_less_and_less_often() {
    let mut world = World::new(&RUNGS);
    world.run(3600, 2e5);
    println!("{:?}", world.rungs);
    // down once, then up and down again after 30 s, 1 min, 2, 4, 8, 15, 15 …
    assert!(
        world.rungs.len() <= 20,
        "{} restarts in an hour: {:?}",
        world.rungs.len(),
        world.rungs
    );
}

#[test]
fn a_cut_link_is_no_narrow_one_and_the_last_rung_is_the_last() {
    let mut world = World::new(&RUNGS);
    world.run(20, 2e6);
    world.run(60, 1.0);
    assert_eq!(world.rungs, []);
    let mut world = World::new(&RUNGS);
    world.run(120, 30_000.0);
    assert_eq!(world.ladder.at(), 4);
    assert!(world.rungs.len() <= 2, "{:?}", world.rungs);
    let mut alone = World::new(&[250_000]);
    alone.run(120, 30_000.0);
    assert_eq!(alone.rungs, []);
}

/// A camera whose encoder is told its bitrate at its start, and makes this of it.
fn told(makes: f64) -> World {
    let mut world = World::new(&RUNGS);
    world.ladder = Ladder::new(RUNGS.to_vec(), true);
    world.makes = makes;
    world
}

/// Bits per second that are made over so many seconds.
fn made(world: &mut World, seconds: u64) -> f64 {
    let before = world.written;
    world.run(seconds, 1e7);
    (world.written - before) * 8.0 / seconds as f64
}

#[test]
fn an_encoder_that_makes_too_much_is_started_anew_with_less_and_then_left_alone() {
    for makes in [1.15, 1.3, 1.5, 1.9] {
        let mut world = told(makes);
        world.run(120, 1e7);
        let steps = world.rungs.clone();
        let made = made(&mut world, 600);
        println!(
            "{makes}: {made:.0} bit/s after {steps:?}, told {:?}",
            world.ladder.setting()
        );
        assert!((made - 1e6).abs() < 5e4, "{makes}: {made:.0}");
        assert!(
            (1..=3).contains(&steps.len()) && world.rungs == steps,
            "{:?}",
            world.rungs
        );
        assert_eq!(world.ladder.told().target, 1_000_000);
    }
}

#[test]
fn a_scene_or_a_little_too_much_is_no_reason_to_start_anew() {
    let mut world = told(1.08);
    world.run(600, 1e7);
    assert_eq!(world.rungs, []);
    for _ in 0..20 {
        world.makes = 1.6;
        world.run(19, 1e7);
        world.makes = 0.7;
        world.run(20, 1e7);
    }
    assert_eq!(world.rungs, []);
}

#[test]
fn what_turned_out_to_be_a_scene_is_undone_after_an_hour() {
    let mut world = told(1.4);
    world.run(120, 1e7);
    assert!(world.ladder.setting() < Some(800_000));
    world.makes = 0.8;
    world.run(3500, 1e7);
    assert!(world.ladder.setting() < Some(800_000));
    world.run(200, 1e7);
    assert_eq!(world.ladder.setting(), Some(1_000_000), "{:?}", world.rungs);
}

#[test]
fn a_restart_does_not_begin_at_nought_and_lower_rungs_are_told_less_too() {
    let mut world = told(1.5);
    world.run(60, 1e7);
    let setting = world.ladder.setting();
    world.ladder.begin();
    assert_eq!(world.ladder.setting(), setting);
    world.run(60, 300_000.0);
    assert!(world.ladder.at() > 0, "{:?}", world.rungs);
    let asked = world.ladder.needs()[world.ladder.at()];
    assert!(
        world.ladder.setting() < Some(asked),
        "{:?} of {asked}",
        world.ladder.setting()
    );
}

#[test]
fn on_a_link_that_carries_what_is_asked_for_and_no_more_a_lower_rung_finds_it_out() {
    let mut world = told(1.5);
    world.run(600, 1_150_000.0);
    println!("{:?}", world.rungs);
    assert_eq!(
        (world.ladder.at(), world.ladder.setting()),
        (0, Some(675_000)),
        "{:?}",
        world.rungs
    );
    assert!(world.rungs.len() <= 6, "{:?}", world.rungs);
}

#[test]
fn an_encoder_is_never_told_less_than_the_lowest() {
    let mut world = World::new(&[100_000, 75_000]);
    world.ladder = Ladder::new(vec![100_000, 75_000], true);
    world.makes = 1.9;
    world.run(600, 1e7);
    assert_eq!(world.ladder.setting(), Some(75_000), "{:?}", world.rungs);
    assert_eq!(world.rungs.len(), 1, "{:?}", world.rungs);
}
