//! What H.264 and the Pi's encoder allow: levels, and bits per pixel.
//!
//! Pure numbers; knows no YAML.

use crate::model::{Bitrate, Profile, Size};

/// A row of table A-1 of ITU-T H.264.
#[derive(Debug, PartialEq)]
pub(super) struct Level {
    /// Times ten.
    pub(super) number: u8,
    /// MaxMBPS: macroblocks of 16x16 pixels per second.
    pub(super) macroblocks_per_second: u64,
    /// MaxFS: macroblocks per frame.
    pub(super) macroblocks: u64,
    /// MaxBR for baseline and main: bits per second. High has a quarter more.
    pub(super) bits_per_second: u64,
}

const fn level(number: u8, macroblocks_per_second: u64, macroblocks: u64, kilobits: u64) -> Level {
    Level {
        number,
        macroblocks_per_second,
        macroblocks,
        bits_per_second: kilobits * 1_000,
    }
}

/// Ascending. Without 1b, which the Pi has no use for.
pub(super) const LEVELS: [Level; 16] = [
    level(10, 1_485, 99, 64),
    level(11, 3_000, 396, 192),
    level(12, 6_000, 396, 384),
    level(13, 11_880, 396, 768),
    level(20, 11_880, 396, 2_000),
    level(21, 19_800, 792, 4_000),
    level(22, 20_250, 1_620, 4_000),
    level(30, 40_500, 1_620, 10_000),
    level(31, 108_000, 3_600, 14_000),
    level(32, 216_000, 5_120, 20_000),
    level(40, 245_760, 8_192, 20_000),
    level(41, 245_760, 8_192, 50_000),
    level(42, 522_240, 8_704, 50_000),
    level(50, 589_824, 22_080, 135_000),
    level(51, 983_040, 36_864, 240_000),
    level(52, 2_073_600, 36_864, 240_000),
];

/// The lowest level that carries such a stream; `None` if none does.
pub(super) fn lowest_level(size: Size, fps: u32, bitrate: Bitrate, profile: Profile) -> Option<u8> {
    let across = u64::from(size.width.div_ceil(16));
    let down = u64::from(size.height.div_ceil(16));
    let macroblocks = across * down;
    let fits = |level: &&Level| {
        let bits = match profile {
            Profile::High => level.bits_per_second * 5 / 4,
            Profile::Baseline | Profile::Main => level.bits_per_second,
        };
        // a side is at most sqrt(8 MaxFS) macroblocks (A.3.1)
        let side = across.max(down);
        macroblocks <= level.macroblocks
            && side * side <= 8 * level.macroblocks
            && macroblocks * u64::from(fps) <= level.macroblocks_per_second
            && u64::from(bitrate.bits_per_second()) <= bits
    };
    LEVELS.iter().find(fits).map(|level| level.number)
}

/// "4.0"
pub(super) fn in_words(level: u8) -> String {
    format!("{}.{}", level / 10, level % 10)
}

/// Under so many bits per pixel of a frame the Pi's encoder is reported to freeze on some pictures
/// (raspberrypi/userland#337, rpicam-apps#664 and #682, mediamtx#2579): worth a warning.
pub(super) const DOUBTFUL: f64 = 0.05;

/// Under so many it is not worth trying.
pub(super) const FREEZES: f64 = 0.01;

/// Bits per pixel of a frame.
pub(super) fn bits_per_pixel(size: Size, fps: u32, bitrate: Bitrate) -> f64 {
    f64::from(bitrate.bits_per_second()) / (f64::from(size.width) * f64::from(size.height) * f64::from(fps))
}

/// The lowest bitrate that has at least so many bits per pixel of a frame, and at most the highest there is.
pub(super) fn lowest_bitrate(size: Size, fps: u32, bits_per_pixel: f64) -> u64 {
    let bits = f64::from(size.width) * f64::from(size.height) * f64::from(fps) * bits_per_pixel;
    let steps = (1..=Bitrate::MAX / Bitrate::STEP).find(|steps| f64::from(steps * Bitrate::STEP) >= bits);
    steps.map_or(u64::from(Bitrate::MAX), |steps| u64::from(steps * Bitrate::STEP))
}
