//! The page in a real browser, over HTTPS with a login: one story, and what its parts ask a page for.

mod films;
mod handling;
mod list;
mod pictures;
mod strangers;

use crate::browser::Browser;
use crate::fleet::{Fleet, streams_again, verify};
use crate::hosts::{Image, Lab, run, text, wait_for};
use serde_json::json;
use std::process::Command;
use std::time::Duration;

const CAMERAS: [&str; 2] = ["porch", "garden"];
const SOON: Duration = Duration::from_secs(60);

/// A sum over a small copy of what a video shows: another picture has another one.
fn pixels(video: &str) -> String {
    format!(
        "(() => {{ const c = new OffscreenCanvas(40, 30).getContext('2d'); c.drawImage({video}, 0, 0, 40, 30); \
         return c.getImageData(0, 0, 40, 30).data.reduce((sum, v, i) => (sum * 31 + v * (i % 7 + 1)) % 1000000007, 0); }})()"
    )
}

fn video_of(camera: &str) -> String {
    format!("document.querySelector('[data-camera={camera}] video')")
}

fn state(page: &mut Browser, camera: &str) -> String {
    page.text(&format!(
        "document.querySelector('[data-camera={camera}] .state').textContent"
    ))
}

/// Time passes in the video, and its picture changes.
fn plays(page: &mut Browser, video: &str) {
    let time = format!("{video}.currentTime");
    let (before, picture) = (page.number(&time), page.number(&pixels(video)));
    wait_for(SOON, &format!("{video} to advance"), || {
        page.number(&time) > before + 1.0
    });
    wait_for(SOON, &format!("another picture of {video}"), || {
        page.number(&pixels(video)) != picture
    });
}

fn live(page: &mut Browser, camera: &str) {
    wait_for(SOON, &format!("{camera} to be live"), || {
        state(page, camera).starts_with("live")
    });
    plays(page, &video_of(camera));
}

fn all_live(page: &mut Browser) {
    for camera in CAMERAS {
        live(page, camera);
    }
}

/// Opens the page by an address with the login in it. Somebody without is not shown it.
fn open(lab: &Lab, login: &str) -> Browser {
    let key = "openssl x509 -in /etc/pistream/identity.pem -pubkey -noout | openssl pkey -pubin -outform der \
               | openssl dgst -sha256 -binary | base64";
    let key = lab.root("hub", key);
    let hub = format!("https://{}:8443", lab.ip("hub"));
    let space = lab.own_network("screen");
    let status = "performance.getEntriesByType('navigation')[0]?.responseStatus";
    let mut nobody = Browser::trusting(&space, &key, &hub);
    wait_for(SOON, "the refusal", || nobody.number(status) == 401.0);
    drop(nobody);
    let with_login = hub.replace("://", &format!("://{login}@"));
    let mut page = Browser::trusting(&space, &key, &with_login);
    // a relative address has the login in it, too, and cannot be fetched
    wait_for(SOON, "the page", || {
        page.holds("document.readyState === 'complete' && document.baseURI.includes('@')")
    });
    page
}

#[test]
fn the_wall_is_live_and_heals_and_recordings_play_and_seek() {
    let lab = Lab::up(Image::Fat, &["hub", "porch", "garden"]);
    lab.own_network("screen");
    let mut fleet = Fleet::new(&lab, "russh", &CAMERAS);
    let viewers = format!("play: [{}, ", lab.ip("screen"));
    fleet.server = fleet.server.replace("play: [", &viewers) + ", recording: {interval: 10s}";
    fleet.cameras[1].2 += ", audio: silent";
    fleet.sections =
        "viewers:\n  anna: {password: {file: anna}}\n  bert: {password: {file: bert}, cameras: garden}\n".into();
    for viewer in ["anna", "bert"] {
        std::fs::write(lab.home().join(viewer), format!("password-of-{viewer}")).unwrap();
    }
    fleet.deploy(&lab).must_exit(0);
    for camera in CAMERAS {
        streams_again(&lab, camera, Duration::from_secs(30));
    }
    strangers::authority(&lab);
    let mut page = open(&lab, "anna:password-of-anna");
    all_live(&mut page);
    pictures::near(&mut page);
    pictures::steady(&mut page);
    // a camera with a silent track: all of verify holds, and HLS has sound
    verify(&lab).must_hold();
    assert_eq!((sound(&lab, "porch"), sound(&lab, "garden")), (false, true));

    handling::named(&mut page);
    handling::full_screen(&mut page);
    handling::phone(&mut page);
    handling::themes(&mut page);
    pictures::rests_while_hidden(&mut page);
    pictures::far_away(&mut page);
    handling::by_keyboard(&mut page);
    list::changes(&lab, &mut page);
    all_live(&mut page);

    // what a browser asks for of its own accord
    let icon = "fetch(location.origin + '/favicon.ico').then((a) => a.headers.get('content-type'))";
    assert_eq!(page.ask(icon), "image/svg+xml");

    // nothing went wrong but that the first segments were not there yet
    let complaints: Vec<&String> = page.complaints().iter().filter(|c| !c.contains("/dash/")).collect();
    assert!(complaints.is_empty(), "{complaints:?}");

    let mut berts = strangers::anothers_camera(&lab);
    pictures::without_media_source(&mut berts);
    pictures::server_off_the_network(&lab, &mut page, berts);
    pictures::camera_without_power(&lab, &mut page);

    let film = films::play_and_seek(&lab, &mut page);
    films::no_gap_at_a_hand_over(&mut page);
    films::missing_until_now(&lab, &mut page);
    let violations = page.ask("window.violations ?? []");
    assert_eq!(violations, json!([]), "against the page's own policy");
    strangers::camera(&lab, &film);
    strangers::unfinished(&lab, &mut page);
}

/// A camera's HLS has a track of sound.
fn sound(lab: &Lab, camera: &str) -> bool {
    let login = "anna:password-of-anna";
    let list = format!("https://{login}@{}:8443/hls/{camera}/index.m3u8", lab.ip("hub"));
    let ask = "-v error -show_entries stream=codec_name,sample_rate -of csv=p=0";
    text(&run(Command::new("ffprobe").args(ask.split(' ')).arg(list))).contains("aac,8000")
}
