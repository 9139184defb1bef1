//! A day of frames through everything that takes in what ffmpeg says, with a clock that is an argument: what is held of
//! memory after 24 hours is what was held after one.
#![allow(unsafe_code)]

use super::ffmpeg::{Said, said};
use super::governor::{Governor, Reading};
use super::journal::Sieve;
use super::meter::{Meter, Sample};
use super::sendqueue::Delivery;
use pistream_agent::Bounds;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// Counts what a thread has allocated and not freed; the tests beside this one have threads of their own.
struct Counting;

thread_local! {
    static HELD: Cell<i64> = const { Cell::new(0) };
}

fn count(bytes: i64) {
    // a thread that ends frees what it held when there is no counter any more
    let _ = HELD.try_with(|held| held.set(held.get() + bytes));
}

// SAFETY: every call goes to the system's allocator with the same arguments; counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(i64::try_from(layout.size()).unwrap_or(i64::MAX));
        // SAFETY: the caller's own promise about `layout`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-i64::try_from(layout.size()).unwrap_or(i64::MAX));
        // SAFETY: it came from `alloc` above, with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// ffmpeg's statistics come so often, in a second.
const TOLD: u64 = 2;
const FPS: u64 = 30;

/// Bytes held after so many of these hours, the parts as one thread of the supervisor has them.
fn held_after(hours: &[u64]) -> Vec<i64> {
    let start = Instant::now();
    let (mut meter, mut delivery, mut sieve) = (Meter::default(), Delivery::default(), Sieve::default());
    let mut governor = Governor::new(Bounds {
        lowest: 50_000,
        highest: 250_000,
        step: 25_000,
    });
    governor.begin();
    let mut found = Vec::new();
    for tick in 1..=hours.iter().max().copied().unwrap_or_default() * 3600 * TOLD {
        let now = start + Duration::from_millis(tick * 1000 / TOLD);
        let (frame, kilobytes) = (tick * FPS / TOLD, tick * 16);
        let line = format!(
            "[info] frame={frame:8} fps= 30 q=-1.0 size={kilobytes:10}kB time=00:00:02.80 bitrate= 256.0kbits/s speed=1.00x"
        );
        let Some(Said::Progress { frames, bytes }) = said(&line) else {
            panic!("no statistics: {line}");
        };
        meter.add(Sample { at: now, frames, bytes });
        assert!(meter.rates(now).0 > 0.0 || tick < 3);
        // the uplink is narrow for a minute of each hour
        let waiting = if tick / TOLD % 3600 < 60 { 40_000 } else { 500 };
        delivery.sample(now, bytes, Some(waiting));
        governor.take(
            now,
            Reading {
                written: bytes,
                written_at: now,
                waiting,
                arrived: None,
            },
        );
        if tick % 100 == 0 {
            let _ = sieve.pass(&format!("[warning] something new, the {tick:012}th"), now);
        }
        if tick % (3600 * TOLD) == 0 && hours.contains(&(tick / TOLD / 3600)) {
            found.push(HELD.get());
        }
    }
    found
}

#[test]
fn a_day_of_frames_leaves_no_more_in_memory_than_an_hour() {
    let held = held_after(&[1, 24]);
    println!("held after 1 h: {} bytes, after 24 h: {}", held[0], held[1]);
    assert!(held[1] <= held[0] + 1024, "{held:?}");
}
