//! Live pictures: near, moving, at rest while nobody looks, and back by themselves after a fault.

use super::{CAMERAS, SOON, all_live, live, state};
use crate::browser::Browser;
use crate::hosts::{Lab, wait_for};
use crate::watching::{begin, held, seen};
use serde_json::json;
use std::time::{Duration, Instant};

/// Of a default of two seconds' segments a player can be this far behind; seconds.
const BEHIND: f64 = 6.0;

/// Seconds, as the page says.
fn latency(page: &mut Browser) -> f64 {
    let said = state(page, "porch");
    let seconds = said
        .strip_prefix("live ")
        .and_then(|s| s.split(' ').next()?.parse().ok());
    seconds.unwrap_or(f64::NAN)
}

/// What the page says of how old its pictures are.
pub(super) fn near(page: &mut Browser) {
    println!("the page says: {}", state(page, "porch"));
    wait_for(SOON, "the picture to be near", || {
        (0.0..BEHIND).contains(&latency(page))
    });
}

/// For so long the pictures do not stand still, and the page holds no more than before.
const WATCHED: Duration = Duration::from_secs(20);
/// So much of the time watched: a busy machine costs some, and so does a picture that runs slower for a larger margin.
const PLAYED: f64 = 0.6;

pub(super) fn steady(page: &mut Browser) {
    let first = held(page);
    // the best of three: a machine has much else to do for a while
    let played = (0..3).any(|_| plays_while_watched(page));
    assert!(played, "the pictures stand still");
    let last = held(page);
    assert_eq!(last.ranges, CAMERAS.len() as f64, "holes in the buffers");
    assert!(last.nodes < first.nodes + 20.0, "{first:?} -> {last:?}");
}

/// Whether every camera's pictures move for [`WATCHED`].
fn plays_while_watched(page: &mut Browser) -> bool {
    begin(page, &CAMERAS);
    let start = Instant::now();
    wait_for(WATCHED * 2, "some seconds of pictures", || start.elapsed() >= WATCHED);
    let shares = CAMERAS.map(|camera| {
        let seen = seen(page, camera);
        let share = seen.played / start.elapsed().as_secs_f64();
        println!("{camera}: {} stalls, {share:.2} of the time played", seen.stalls);
        share
    });
    shares.iter().all(|&share| share > PLAYED)
}

/// Nobody sees the page: nothing is fetched, and the pictures are live again as soon as somebody does.
pub(super) fn rests_while_hidden(page: &mut Browser) {
    page.hide();
    for camera in CAMERAS {
        wait_for(SOON, &format!("{camera} to rest"), || state(page, camera) == "paused");
    }
    let fetched = "performance.setResourceTimingBufferSize(1e5), performance.getEntriesByType('resource').length";
    let before = page.number(fetched);
    let hidden = Instant::now();
    wait_for(SOON, "three segments' time", || {
        hidden.elapsed() >= Duration::from_secs(3)
    });
    assert_eq!(page.number(fetched), before, "a hidden page fetches");
    page.reveal();
    let shown = Instant::now();
    all_live(page);
    println!(
        "seen again: live, and moving for a second, after {:.1?}",
        shown.elapsed()
    );
}

/// An answer takes longer than a segment lasts: all that are due are asked for at once, and the pictures stay live.
pub(super) fn far_away(page: &mut Browser) {
    let answers_take = |page: &mut Browser, milliseconds: u32| {
        let conditions =
            json!({ "offline": false, "latency": milliseconds, "downloadThroughput": -1, "uploadThroughput": -1 });
        page.call("Network.emulateNetworkConditions", conditions);
    };
    page.call("Network.enable", json!({}));
    answers_take(page, 1500);
    let since = page.number("performance.now()");
    let at_once = format!(
        "performance.getEntriesByType('resource').filter((e) => e.startTime > {since} && /dash.porch.*m4v$/.test(e.name)) \
         .some((e, i, all) => i > 1 && e.startTime - all[i - 1].startTime < 100)"
    );
    wait_for(SOON, "segments to be fetched at once", || page.holds(&at_once));
    live(page, "porch");
    answers_take(page, 0);
    page.call("Network.disable", json!({}));
}

fn told_that_none_come(page: &mut Browser, camera: &str) -> String {
    wait_for(SOON, "the page to notice", || {
        state(page, camera).starts_with("no picture since")
    });
    state(page, camera)
}

/// A browser without MediaSource plays HLS by itself, if it can.
pub(super) fn without_media_source(page: &mut Browser) {
    let at_start = "Page.addScriptToEvaluateOnNewDocument";
    let without = "delete window.MediaSource; delete window.ManagedMediaSource";
    page.call(at_start, json!({ "source": without }));
    let cannot = page.call(
        at_start,
        json!({ "source": "HTMLMediaElement.prototype.canPlayType = () => ''" }),
    );
    page.call("Page.reload", json!({}));
    let why = "no picture: this browser cannot play the server's DASH or HLS";
    wait_for(SOON, "the page to say why", || state(page, "garden") == why);
    page.call("Page.removeScriptToEvaluateOnNewDocument", cannot);
    page.call("Page.reload", json!({}));
    live(page, "garden");
    assert!(page.holds("document.querySelector('video').src.endsWith('/hls/garden/index.m3u8')"));
}

/// The cable of the server is pulled while nobody looks at the page, and somebody does a day later; another looks at one that
/// plays HLS all the time: nothing arrives at the browsers nor from the cameras.
pub(super) fn server_off_the_network(lab: &Lab, page: &mut Browser, mut plays_hls: Browser) {
    let minute = "new Date().toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })";
    let day = "new Date().toLocaleDateString([], { month: 'short', day: 'numeric' })";
    let (day, live) = (page.text(day), page.text(minute));
    page.hide();
    wait_for(SOON, "porch to rest", || state(page, "porch") == "paused");
    let rests = page.text(minute);
    lab.cut_network("hub");
    page.ask(
        "Date = class extends Date { constructor(...at) { super(...(at.length ? at : [Date.now() + 24 * 3600 * 1000])); } }",
    );
    page.reveal();
    let told = told_that_none_come(page, "porch");
    assert!(
        told.contains(&day) && (told.contains(&live) || told.contains(&rests)),
        "{told:?} of a picture of {day}, {live} or {rests}"
    );
    told_that_none_come(&mut plays_hls, "garden");
    lab.restore_network("hub");
    all_live(page);
}

pub(super) fn camera_without_power(lab: &Lab, page: &mut Browser) {
    lab.power_cut("porch");
    told_that_none_come(page, "porch");
    page.call("Page.reload", json!({}));
    wait_for(SOON, "a new page to know of no picture", || {
        state(page, "porch") == "no picture yet"
    });
    live(page, "garden");
    lab.power_on("porch");
    live(page, "porch");
}
