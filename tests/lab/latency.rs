//! How far behind viewers are, by which way; and an hour of the page. Measurements: run by hand, they print what the
//! README quotes.
//!
//!     cargo test --test lab -- --ignored --nocapture latency::how
//!     PISTREAM_SECONDS=3600 cargo test --test lab -- --ignored --nocapture latency::the_page

use crate::browser::Browser;
use crate::fleet::{Fleet, deploy, streams_again};
use crate::hosts::{Image, Lab, wait_for};
use crate::watching::{Ages, at_the_decoder, begin, held, read_clocks, seen, templates_with_a_clock};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(60);
/// `porch` as the inventory's defaults have it, `garden` with `latency: low`.
const CAMERAS: [&str; 2] = ["porch", "garden"];

fn seconds(otherwise: u64) -> Duration {
    let given = std::env::var("PISTREAM_SECONDS").ok();
    Duration::from_secs(given.and_then(|s| s.parse().ok()).unwrap_or(otherwise))
}

/// Two cameras with a clock in the picture, streaming.
fn fleet(size: &str, garden: &str) -> (Lab, Fleet) {
    let lab = Lab::up(Image::Fat, &["hub", "porch", "garden"]);
    let mut fleet = Fleet::new(&lab, "russh", &CAMERAS);
    fleet.server = format!("play: [10.77.{}.1]", lab.id());
    fleet.cameras[0].2 = format!("source: test, size: {size}");
    // clocks in pictures are looked at here, not who may see them
    fleet.server += ", https: off";
    fleet.cameras[1].2 = format!("source: test, size: {size}, {garden}");
    stream(&lab, &fleet);
    (lab, fleet)
}

fn stream(lab: &Lab, fleet: &Fleet) {
    fleet.write(lab);
    deploy(lab, &["--templates", &templates_with_a_clock(lab)]).must_exit(0);
    for camera in CAMERAS {
        streams_again(lab, camera, SOON);
    }
}

/// The wall before us, settled.
fn wall(lab: &Lab) -> Browser {
    let mut page = Browser::open(&format!("http://{}:8080/", lab.ip("hub")));
    for camera in CAMERAS {
        let state = format!("document.querySelector('[data-camera={camera}] .state')?.textContent");
        wait_for(SOON, "the picture to find its place", || {
            page.text(&state).starts_with("live")
        });
    }
    begin(&mut page, &CAMERAS);
    page
}

/// How old pictures are on the page, as rows of a table; the medians and stalls of both cameras.
fn on_the_page(lab: &Lab, over: Duration, ways: [&str; 2]) -> [(u64, u64); 2] {
    let mut page = wall(lab);
    read_clocks(&mut page);
    let start = Instant::now();
    wait_for(over * 2, "the measurement's end", || start.elapsed() >= over);
    [0, 1].map(|at| {
        let mut seen = seen(&mut page, CAMERAS[at]);
        let ages = Ages::from(std::mem::take(&mut seen.ages));
        println!("| page, {} | {ages} | {} | {} |", ways[at], seen.stalls(), seen.told);
        seen.records
            .iter()
            .for_each(|record| eprintln!("{}: {record}", ways[at]));
        (ages.median(), seen.stalls)
    })
}

#[test]
#[ignore = "a measurement of some minutes"]
fn how_old_pictures_are_at_the_decoder_and_on_the_page() {
    let (lab, mut fleet) = fleet("640x480", "audio: off");
    let over = seconds(60);
    println!("| way | median ms | p95 | max | pictures | stalls | the page says |");
    println!("|---|---|---|---|---|---|---|");
    let rtmp = at_the_decoder(&format!("rtmp://{}:1935/live/porch", lab.ip("hub")), over.min(SOON));
    println!("| RTMP, at the decoder | {rtmp} | | |");
    let normal = on_the_page(&lab, over, ["`latency: normal`", "the same, second camera"]);
    fleet.cameras[1].2 = "source: test, size: 640x480, latency: low".into();
    stream(&lab, &fleet);
    let low = on_the_page(&lab, over, ["`normal` on a server with a `low` one", "`latency: low`"]);
    assert!(rtmp.median() <= 200, "RTMP");
    assert!(normal[0].0 <= 2500 && low[1].0 <= 800, "the page: {normal:?}, {low:?}");
    assert_eq!((normal[0].1, low[1].1), (0, 0), "stalls");
}

#[test]
#[ignore = "takes an hour, or PISTREAM_SECONDS"]
fn the_page_neither_stalls_nor_grows_in_an_hour() {
    let (lab, _) = fleet("320x240", "latency: low");
    let mut page = wall(&lab);
    let (start, over) = (Instant::now(), seconds(3600));
    // what a page allocates once is there after a while
    let warm = over.min(Duration::from_secs(120));
    wait_for(warm * 2, "the page to warm up", || start.elapsed() >= warm / 2);
    let first = held(&mut page);
    println!("after {:?}: {first:?}", start.elapsed());
    let mut told = Instant::now();
    wait_for(over * 2, "the end", || {
        if told.elapsed() > Duration::from_secs(300) {
            told = Instant::now();
            for camera in CAMERAS {
                let seen = seen(&mut page, camera);
                println!("{camera}: {}, {}", seen.stalls(), seen.told);
            }
            println!("after {:?}: {:?}", start.elapsed(), held(&mut page));
        }
        std::thread::sleep(Duration::from_millis(500));
        start.elapsed() >= over
    });
    let last = held(&mut page);
    println!("after {:?}: {last:?}", start.elapsed());
    for camera in CAMERAS {
        let seen = seen(&mut page, camera);
        let share = seen.played / start.elapsed().as_secs_f64();
        println!(
            "{camera}: {}, {share:.3} of the time played, {}",
            seen.stalls(),
            seen.told
        );
        seen.records.iter().for_each(|record| println!("    {record}"));
        assert_eq!(seen.needless, 0, "{camera} stalls with pictures at hand");
        assert!(
            share > 0.99 && seen.stalls - seen.starved <= over.as_secs() / 600,
            "{camera} stalls"
        );
    }
    assert!(last.heap < first.heap * 1.5 + 1e6, "objects: {first:?} -> {last:?}");
    assert!(
        last.nodes < first.nodes + 50.0 && last.listeners < first.listeners + 20.0,
        "{first:?} -> {last:?}"
    );
    assert_eq!(last.ranges, 2.0, "holes in the buffers");
    assert!(last.buffered < 2.0 * 60.0, "{last:?}");
}
