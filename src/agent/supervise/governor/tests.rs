//! The governor against a simulated camera and uplink: an encoder with keyframes that makes more than it is set to, a
//! send queue that fills and blocks the sender when it is full, a link whose rate changes.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::unwrap_used
)]

use super::*;
use std::collections::VecDeque;

/// The simulation's step. Milliseconds.
const MS: u64 = 10;
/// The kernel's send buffer does not grow beyond this in the simulation. Bytes.
const SOCKET: f64 = 400_000.0;

fn bounds(lowest: u32, highest: u32) -> Bounds {
    Bounds {
        lowest,
        highest,
        step: 25_000,
    }
}

struct World {
    governor: Governor,
    start: Instant,
    millisecond: u64,
    /// Frames per second.
    fps: u64,
    /// What the encoder makes of what it is set to.
    makes: f64,
    /// Of two seconds' video, so much is in the keyframe.
    keyframe: f64,
    /// Frames the encoder has made and the socket had no room for. Bytes.
    stuck: f64,
    written: f64,
    /// What ffmpeg said last, and when; nothing while it is blocked.
    told: (u64, u64),
    queue: f64,
    glanced: u64,
    /// Whether the kernel tells what was acknowledged.
    exact: bool,
    /// Acknowledgements come so long after delivery. Milliseconds.
    round_trip: u64,
    delivered: VecDeque<f64>,
    waiting: u64,
    /// The encoder knows of a setting so long after the driver. Milliseconds.
    slow: u64,
    /// The worst age of what the server receives, in seconds at the link's rate; and every setting there was.
    latency: f64,
    settings: Vec<(f64, u32)>,
}

impl World {
    fn new(bounds: Bounds) -> World {
        World {
            settings: vec![(0.0, bounds.highest)],
            governor: Governor::new(bounds),
            start: Instant::now(),
            millisecond: 0,
            fps: 25,
            makes: 1.0,
            keyframe: 0.2,
            stuck: 0.0,
            written: 0.0,
            told: (0, 0),
            queue: 0.0,
            glanced: 0,
            exact: true,
            round_trip: 0,
            delivered: VecDeque::new(),
            waiting: 0,
            slow: 70,
            latency: 0.0,
        }
    }

    /// `seconds` on a link of so many bits per second.
    fn run(&mut self, seconds: u64, link: f64) {
        self.latency = 0.0;
        for _ in 0..seconds * 1000 / MS {
            self.step(link);
        }
    }

    /// A hundredth of a second.
    fn step(&mut self, link: f64) {
        self.millisecond += MS;
        if self.millisecond.is_multiple_of(1000 / self.fps) {
            self.stuck += self.frame();
        }
        let room = (SOCKET - self.queue).clamp(0.0, self.stuck);
        (self.stuck, self.queue, self.written) = (self.stuck - room, self.queue + room, self.written + room);
        self.queue = (self.queue - link / 8.0 * MS as f64 / 1000.0).max(0.0);
        self.delivered.push_back(self.written - self.queue);
        while self.delivered.len() as u64 > 1 + self.round_trip / MS {
            self.delivered.pop_front();
        }
        self.latency = self.latency.max((self.queue + self.stuck) * 8.0 / link);
        self.tell();
    }

    /// The size of the next frame in bytes: a keyframe every two seconds.
    fn frame(&self) -> f64 {
        let known = self.millisecond.saturating_sub(self.slow) as f64 / 1000.0;
        let setting = self.settings.iter().rev().find(|(at, _)| *at <= known);
        let setting = setting.map_or(self.settings[0].1, |&(_, setting)| setting);
        let two_seconds = f64::from(setting) * self.makes / 8.0 * 2.0;
        let frames = self.fps as f64 * 2.0;
        if self.millisecond.is_multiple_of(2000) {
            two_seconds * self.keyframe
        } else {
            two_seconds * (1.0 - self.keyframe) / (frames - 1.0)
        }
    }

    /// As the supervisor does: at every word of ffmpeg's, and every quarter of a second in between.
    fn tell(&mut self) {
        let at = |millisecond| self.start + Duration::from_millis(millisecond);
        let said = self.millisecond.is_multiple_of(500) && self.stuck < 1.0;
        if said {
            self.told = (self.millisecond, self.written as u64 / 1024 * 1024);
        }
        let glance = match self.exact {
            true if self.waiting > 0 => 50,
            true => 100,
            false => 250,
        };
        if said || self.millisecond >= self.glanced + glance {
            self.glanced = self.millisecond;
            // whole packets are acknowledged
            let arrived = self.delivered.front().map_or(0, |bytes| *bytes as u64) / 1448 * 1448;
            self.waiting = self.written as u64 - arrived;
            let reading = Reading {
                written: self.told.1,
                written_at: at(self.told.0),
                waiting: self.waiting,
                arrived: self.exact.then_some(Arrived {
                    bytes: arrived,
                    round_trip: Duration::from_millis(self.round_trip),
                }),
            };
            if let Some(setting) = self.governor.take(at(self.millisecond), reading) {
                self.governor.set(setting);
                self.settings.push((self.millisecond as f64 / 1000.0, setting));
            }
        }
    }

    fn made_over(&mut self, seconds: u64, link: f64) -> f64 {
        let before = self.written + self.stuck;
        self.run(seconds, link);
        (self.written + self.stuck - before) * 8.0 / seconds as f64
    }
}

#[test]
fn a_wide_link_is_used_as_the_inventory_asks_and_nothing_is_touched() {
    for keyframe in [0.05, 0.2, 0.5] {
        let mut world = World::new(bounds(50_000, 250_000));
        world.keyframe = keyframe;
        world.run(300, 2e6);
        assert_eq!(world.settings, [(0.0, 250_000)], "{keyframe}");
        assert_eq!(world.governor.told().why, "as the inventory asks");
    }
}

#[test]
fn a_link_that_drops_to_a_tenth_is_followed_within_three_seconds_of_latency_and_back() {
    let mut world = World::new(bounds(75_000, 1_000_000));
    // a keyframe of 25 kB is a second of such a link by itself
    world.keyframe = 0.1;
    world.run(20, 2e6);
    assert_eq!(world.settings, [(0.0, 1_000_000)]);
    world.run(60, 2e5);
    println!("{:.1} s at worst, {:?}", world.latency, world.settings);
    assert!(world.latency < 3.0, "{:.1} s {:?}", world.latency, world.settings);
    assert_eq!(world.stuck, 0.0, "frames stayed in the camera");
    let used = world.made_over(20, 2e5);
    assert!(used > 1e5 && world.latency < 1.5, "{used} {:?}", world.settings);
    world.run(40, 2e6);
    assert_eq!(world.governor.setting(), 1_000_000, "{:?}", world.settings);
}

#[test]
fn without_it_the_same_drop_means_minutes_of_latency() {
    let mut world = World::new(bounds(1_000_000, 1_000_000));
    world.run(20, 2e6);
    world.run(60, 2e5);
    assert!(world.latency > 60.0, "{:.1} s", world.latency);
}

#[test]
fn a_link_that_is_just_wide_enough_for_keyframes_is_left_alone() {
    let mut world = World::new(bounds(50_000, 250_000));
    world.run(300, 320_000.0);
    assert_eq!(world.settings, [(0.0, 250_000)]);
    assert!(world.latency < 1.0, "{}", world.latency);
}

#[test]
fn the_floor_holds_on_a_link_that_carries_next_to_nothing_and_on_a_dead_one() {
    for link in [20_000.0, 1.0] {
        let mut world = World::new(bounds(150_000, 500_000));
        world.run(10, 2e6);
        world.run(120, link);
        let lowest = world.settings.iter().map(|&(_, setting)| setting).min();
        assert_eq!((lowest, world.governor.setting()), (Some(150_000), 150_000));
    }
}

#[test]
fn an_encoder_that_makes_half_too_much_is_brought_within_a_step() {
    for (makes, highest) in [(1.5, 1_000_000), (1.2, 500_000), (1.08, 1_000_000), (1.5, 250_000)] {
        let mut world = World::new(bounds(50_000, highest));
        world.makes = makes;
        world.run(40, 1e7);
        let made = world.made_over(60, 1e7);
        let off = (made - f64::from(highest)) / f64::from(highest);
        // a step of 25 kbit/s is a tenth of the smallest
        assert!(
            off.abs() <= 0.051,
            "{makes} of {highest}: {made:.0} {:?}",
            world.settings
        );
    }
}

#[test]
fn an_encoder_with_little_to_do_is_not_driven_up() {
    let mut world = World::new(bounds(50_000, 500_000));
    world.makes = 0.3;
    world.run(120, 1e7);
    assert_eq!(world.settings, [(0.0, 500_000)]);
}

#[test]
fn whatever_the_link_does_the_setting_is_a_step_within_the_bounds() {
    let mut chance = fastrand::Rng::with_seed(7);
    for _ in 0..40 {
        let mut world = World::new(bounds(75_000, 1_500_000));
        (world.makes, world.keyframe) = (0.5 + chance.f64(), chance.f64() * 0.6);
        for _ in 0..10 {
            world.run(chance.u64(1..20), 10_f64.powf(4.0 + chance.f64() * 3.0));
        }
        for &(_, setting) in &world.settings {
            assert!(
                (75_000..=1_500_000).contains(&setting) && setting % 25_000 == 0,
                "{setting}"
            );
        }
        world.makes = 1.0;
        world.run(150, 1e7);
        assert_eq!(world.governor.setting(), 1_500_000, "{:?}", world.settings);
    }
}

#[test]
fn a_new_ffmpeg_starts_where_the_last_one_was() {
    let mut world = World::new(bounds(75_000, 1_000_000));
    world.run(10, 2e6);
    world.run(20, 2e5);
    let setting = world.governor.setting();
    assert!(setting < 300_000);
    world.governor.begin();
    assert_eq!((world.governor.setting(), world.governor.told().backlog), (setting, 0));
}

#[test]
fn a_driver_that_refuses_is_asked_again_later_and_the_status_says_so() {
    let (mut governor, start) = (Governor::new(bounds(50_000, 250_000)), Instant::now());
    let mut asked = Vec::new();
    for quarter in 0..40_u64 {
        let now = start + Duration::from_millis(250 * quarter);
        let reading = Reading {
            written: 8_000 * quarter,
            written_at: now,
            waiting: 6_000 * quarter,
            arrived: None,
        };
        if governor.take(now, reading).is_some() {
            asked.push(quarter);
            governor.refuse(now, "Input/output error");
        }
    }
    assert!(asked.len() == 2 && asked[1] - asked[0] >= 20, "{asked:?}");
    assert_eq!(governor.setting(), 250_000);
    assert!(
        governor.told().why.contains("Input/output error"),
        "{:?}",
        governor.told()
    );
}

/// The worst age over many moments at which a link of 2 Mbit/s drops to a tenth.
fn worst(bitrate: u32, keyframe: f64, round_trip: u64, exact: bool) -> f64 {
    let at = |phase: u64| {
        let mut world = World::new(bounds(75_000, bitrate));
        (world.exact, world.round_trip, world.keyframe) = (exact, round_trip, keyframe);
        world.millisecond = phase * 50;
        world.run(10, 2e6);
        assert_eq!(
            world.settings.len(),
            1,
            "{bitrate} {keyframe} {round_trip}: {:?}",
            world.settings
        );
        world.run(15, 2e5);
        world.latency
    };
    (0..40_u64).map(at).fold(0.0, f64::max)
}

#[test]
fn where_the_kernel_tells_a_drop_costs_a_keyframe_that_was_under_way_and_two_and_a_half_seconds_at_most() {
    for bitrate in [500_000, 1_000_000, 1_500_000, 1_900_000] {
        for keyframe in [0.05, 0.1, 0.2, 0.3] {
            let worst = worst(bitrate, keyframe, 0, true);
            let alone = f64::from(bitrate) * 2.0 * keyframe / 2e5;
            println!(
                "{bitrate}, keyframe of {keyframe} of two seconds: {worst:.1} s, of which the keyframe {alone:.1} s"
            );
            assert!(worst - alone < 2.5, "{bitrate} {keyframe}: {worst:.1} s, {alone:.1} s");
            assert!(
                worst < 3.0 || bitrate > 1_000_000 || keyframe > 0.2,
                "{bitrate} {keyframe}: {worst:.1} s"
            );
        }
    }
}

#[test]
fn a_long_way_to_the_server_is_no_narrow_one() {
    for round_trip in [20, 100, 300] {
        let mut world = World::new(bounds(75_000, 1_000_000));
        (world.round_trip, world.keyframe) = (round_trip, 0.3);
        world.run(120, 2e6);
        assert_eq!(world.settings, [(0.0, 1_000_000)], "{round_trip}");
        assert!(worst(500_000, 0.2, round_trip, true) < 3.0, "{round_trip}");
    }
}

#[test]
fn a_radio_links_hiccups_are_no_narrow_link() {
    let mut world = World::new(bounds(75_000, 1_000_000));
    (world.round_trip, world.keyframe) = (40, 0.1);
    for _ in 0..60 {
        world.run(4, 2e6);
        // the moments go through all that is between two keyframes
        for _ in 0..15 {
            world.step(1.0);
        }
    }
    // at worst one that comes together with a keyframe
    let lowered = world.settings.windows(2).filter(|pair| pair[1].1 < pair[0].1).count();
    assert!(lowered <= 1, "{:?}", world.settings);
}

#[test]
fn where_the_kernel_tells_nothing_but_the_queue_it_takes_longer() {
    let worst = worst(500_000, 0.3, 0, false);
    assert!(worst < 3.0, "{worst:.1} s");
}

#[test]
fn other_bounds_do_not_make_the_uplink_wider() {
    let mut world = World::new(bounds(75_000, 1_000_000));
    world.run(10, 2e6);
    world.run(20, 2e5);
    let smaller = world.governor.within(bounds(25_000, 50_000));
    assert_eq!((smaller.setting(), smaller.told().target), (50_000, 50_000));
    let back = smaller.within(bounds(75_000, 1_000_000));
    assert_eq!((back.setting(), back.told().target), (75_000, 75_000));
}

#[test]
fn a_camera_of_few_frames_is_silent_between_them_and_not_slow() {
    for fps in [1, 2, 5] {
        let mut world = World::new(bounds(25_000, 250_000));
        world.fps = fps;
        world.run(300, 2e6);
        assert_eq!(world.settings, [(0.0, 250_000)], "{fps}");
    }
}
