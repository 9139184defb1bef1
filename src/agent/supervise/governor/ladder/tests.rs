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
            ladder: Ladder::new(needs.to_vec()),
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
                self.written += f64::from(self.ladder.needs()[self.ladder.at()]) / 8.0 * tick;
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
