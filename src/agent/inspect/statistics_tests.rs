//! Against an answer of nginx-rtmp 1.2.2, shortened: `good` is pushed to one target that takes it and to four that do not
//! (nobody there, mute, publish refused, no such application).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

const XML: &str = include_str!("samples/stat.xml");

fn sample() -> Statistics {
    Statistics::parse(XML, "live").unwrap()
}

#[test]
fn publisher_and_restream() {
    let statistics = sample();
    let good = statistics.stream("good").unwrap();
    assert_eq!(good.bytes_in, 250_936);
    let publisher = good.publisher.as_ref().unwrap();
    assert_eq!((publisher.id, publisher.address.as_str()), (2, "127.0.0.1"));
    assert_eq!(good.restreams.len(), 1);
    assert_eq!(good.restreams[0].address, "unix:restream-good-1.sock");
    assert!(statistics.stream("frozen").unwrap().restreams.is_empty());
    assert!(statistics.stream("none").is_none());
}

#[test]
fn streams_of_another_application_are_not_ours() {
    let relay = Statistics::parse(XML, "relay").unwrap();
    assert_eq!(relay.stream("good").unwrap().publisher.as_ref().unwrap().id, 9);
    assert!(relay.stream("frozen").is_none());
    assert!(matches!(
        Statistics::parse(XML, "elsewhere"),
        Err(StatisticsError::NoApplication(_))
    ));
    assert!(matches!(
        Statistics::parse("<html>", "live"),
        Err(StatisticsError::NotXml(_))
    ));
}

#[test]
fn a_restream_counts_while_it_forwards() {
    let (before, mut now) = (sample(), sample());
    let to = |now: &Statistics, socket| now.streams[0].forwards_since(&before.streams[0], socket);
    let forwarding = |now: &Statistics| to(now, "restream-good-1.sock");
    assert!(!forwarding(&now), "stands still");
    now.streams[0].restreams[0].timestamp += 2000;
    assert!(forwarding(&now) && !to(&now, "restream-good-2.sock"));
    now.streams[0].restreams[0].dropped += 40;
    assert!(!forwarding(&now), "the target stopped reading");
    now.streams[0].restreams[0].dropped = 0;
    now.streams[0].restreams[0].id = 77;
    assert!(!forwarding(&now), "only trying, again and again");
}

#[test]
fn bytes_between_two_looks() {
    let (before, mut now) = (sample(), sample());
    now.streams[0].bytes_in += 62_500;
    assert_eq!(received(before.stream("good"), now.stream("good")), 62_500);
    now.streams[0].publisher.as_mut().unwrap().id = 99;
    now.streams[0].bytes_in = 10_000;
    assert_eq!(
        received(before.stream("good"), now.stream("good")),
        10_000,
        "began anew"
    );
    assert_eq!(received(before.stream("good"), None), 0);
}
