//! Against a listing of ffmpeg 5.1: a black picture, 25 frames per second, a keyframe every two seconds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

const LISTING: &str = include_str!("samples/black.framecrc");

fn listing(text: &str) -> Listing {
    let mut listing = Listing::default();
    text.lines().for_each(|line| listing.line(line));
    listing
}

#[test]
fn facts_of_a_listing() {
    let listing = listing(LISTING);
    assert_eq!(
        (listing.codec.as_str(), listing.width, listing.height),
        ("h264", 640, 480)
    );
    assert_eq!(listing.distinct, 0);
    assert!(listing.whole_interval());
    assert_eq!(listing.span(), 2.16);
    assert_eq!(listing.fps(), 25.0);
    // one keyframe of 925 bytes and 49 frames of 12 in two seconds
    assert_eq!(listing.bitrate(), (925 + 49 * 12) * 8 / 2);
}

#[test]
fn less_than_a_keyframe_interval_is_measured_whole() {
    let start: String = LISTING.lines().take(12 + 2 * 20).map(|l| format!("{l}\n")).collect();
    let listing = listing(&start);
    assert!(!listing.whole_interval());
    assert_eq!(listing.packets.len(), 20);
    assert_eq!(
        listing.bitrate(),
        ((925.0 + 19.0 * 12.0) * 8.0 / 0.8_f64).round() as u64
    );
}

#[test]
fn changed_pictures_are_counted() {
    assert_eq!(
        listing("0, 0, 0, 1, 9, 0xa\n0, 1, 1, 1, 9, 0xa\n0, 2, 2, 1, 9, 0xb\n0, 3, 3, 1, 9, 0xa\n").distinct,
        2
    );
}

#[test]
fn nothing_and_nonsense() {
    let empty = listing("");
    assert_eq!((empty.fps(), empty.bitrate(), empty.span()), (0.0, 0, 0.0));
    let odd = listing("#tb 1: 1/0\n1, x, 0, 40, 12, 0x0\n1, 5, 5, 40, 12, 0x0\n1, -9, 5, 40, 12, 0x0\nwords\n#\n");
    assert_eq!((odd.fps(), odd.bitrate()), (0.0, 0));
}
