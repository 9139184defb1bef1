//! The page in a real browser, over HTTPS with a login: pictures that move, that come back after a cut cable and a rebooted camera, recordings that
//! play and seek; on a phone, in light and dark, without a word in the console; and nothing of it for strangers.

use crate::browser::Browser;
use crate::fleet::{Fleet, streams_again, verify};
use crate::hosts::{Image, Lab, run, text, wait_for};
use crate::watching::{begin, held, seen};
use serde_json::{Value, json};
use std::process::Command;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(60);
/// Of a default of two seconds' segments a player can be this far behind; seconds.
const BEHIND: f64 = 6.0;

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

/// For so long the pictures do not stand still, and the page holds no more than before.
const WATCHED: Duration = Duration::from_secs(20);
/// So much of the time watched: a busy machine costs some, and so does a picture that runs slower for a larger margin.
const PLAYED: f64 = 0.6;

fn steady(page: &mut Browser, cameras: &[&str]) {
    begin(page, cameras);
    let (start, first) = (Instant::now(), held(page));
    wait_for(WATCHED * 2, "some seconds of pictures", || start.elapsed() >= WATCHED);
    for camera in cameras {
        let seen = seen(page, camera);
        let share = seen.played / start.elapsed().as_secs_f64();
        println!("{camera}: {} stalls, {share:.2} of the time played", seen.stalls);
        assert!(share > PLAYED, "{camera} stands still: {} stalls", seen.stalls);
    }
    let last = held(page);
    assert_eq!(last.ranges, cameras.len() as f64, "holes in the buffers");
    assert!(last.nodes < first.nodes + 20.0, "{first:?} -> {last:?}");
}

/// What can be reached by the keyboard has a name to be read out; the names.
fn named(page: &mut Browser) -> Vec<String> {
    page.call("Accessibility.enable", json!({}));
    let tree = page.call("Accessibility.getFullAXTree", json!({}));
    page.call("Accessibility.disable", json!({}));
    let focusable = |node: &&Value| {
        let properties = node["properties"].as_array().map_or(&[][..], Vec::as_slice);
        node["role"]["value"] != "RootWebArea"
            && properties
                .iter()
                .any(|p| p["name"] == "focusable" && p["value"]["value"] == true)
    };
    let nodes = tree["nodes"].as_array().unwrap();
    let name = |node: &Value| node["name"]["value"].as_str().unwrap_or_default().to_owned();
    let names: Vec<String> = nodes.iter().filter(focusable).map(name).collect();
    assert!(
        !names.is_empty() && names.iter().all(|name| !name.is_empty()),
        "{names:?}"
    );
    names
}

/// Nobody sees the page: nothing is fetched, and the pictures are live again as soon as somebody does.
fn rests_while_hidden(page: &mut Browser) {
    page.hide();
    for camera in ["porch", "garden"] {
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
    for camera in ["porch", "garden"] {
        live(page, camera);
    }
    println!(
        "seen again: live, and moving for a second, after {:.1?}",
        shown.elapsed()
    );
}

/// Enter: the whole screen, and back. Arrows: from picture to picture. Escape: from the recordings to the wall.
fn by_keyboard(page: &mut Browser) {
    let press = |page: &mut Browser, key: &str| {
        for kind in ["rawKeyDown", "keyUp"] {
            let code = match key {
                "Enter" => 13,
                "Escape" => 27,
                _ => 39,
            };
            page.call(
                "Input.dispatchKeyEvent",
                json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code }),
            );
        }
    };
    let at = "document.activeElement.closest('figure')?.dataset.camera";
    page.ask(&format!("{}.focus()", video_of("porch")));
    press(page, "ArrowRight");
    assert_eq!(page.text(at), "garden");
    press(page, "ArrowRight");
    assert_eq!(page.text(at), "porch");
    for whole in [true, false] {
        press(page, "Enter");
        wait_for(SOON, "the whole screen, and back", || {
            page.holds("document.fullscreenElement !== null") == whole
        });
    }
    page.ask("location.hash = 'porch'");
    wait_for(SOON, "the recordings", || {
        page.holds("document.querySelector('#wall').hidden")
    });
    assert!(page.holds("document.querySelector('nav [aria-current=page]').textContent === 'porch'"));
    press(page, "Escape");
    wait_for(SOON, "the wall", || {
        page.holds("!document.querySelector('#wall').hidden")
    });
}

fn latency(page: &mut Browser, camera: &str) -> f64 {
    let said = state(page, camera);
    let seconds = said
        .strip_prefix("live ")
        .and_then(|s| s.split(' ').next()?.parse().ok());
    seconds.unwrap_or(f64::NAN)
}

/// The status line a host gets for a path of the page.
fn answer(lab: &Lab, host: &str, path: &str) -> String {
    let ask = format!(
        "printf 'GET {path} HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet -connect {}:8443 2>/dev/null | head -1 | tr -d '\\r'",
        lab.ip("hub")
    );
    text(&lab.ssh(host, &ask))
}

/// Opens the page with a login, which somebody without is not shown. The address with the login in it is visited once; then
/// the session counts.
fn open(lab: &Lab, login: &str) -> Browser {
    let key = "openssl x509 -in /etc/pistream/identity.pem -pubkey -noout | openssl pkey -pubin -outform der \
               | openssl dgst -sha256 -binary | base64";
    let key = lab.root("hub", key);
    let hub = format!("https://{}:8443", lab.ip("hub"));
    let status = "performance.getEntriesByType('navigation')[0]?.responseStatus";
    let mut nobody = Browser::trusting(&key, &hub);
    wait_for(SOON, "the refusal", || nobody.number(status) == 401.0);
    drop(nobody);
    let mut page = Browser::trusting(
        &key,
        &format!("{}/icon.svg", hub.replace("://", &format!("://{login}@"))),
    );
    wait_for(SOON, "the login", || {
        page.holds("document.documentElement.tagName === 'svg'")
    });
    page.go(&hub);
    page
}

#[test]
fn the_wall_is_live_and_heals_and_recordings_play_and_seek() {
    let lab = Lab::up(Image::Fat, &["hub", "porch", "garden"]);
    let mut fleet = Fleet::new(&lab, "russh", &["porch", "garden"]);
    fleet.server += ", recording: {interval: 10s}";
    fleet.cameras[1].2 += ", audio: silent";
    fleet.sections =
        "viewers:\n  anna: {password: {file: anna}}\n  bert: {password: {file: bert}, cameras: garden}\n".into();
    for viewer in ["anna", "bert"] {
        std::fs::write(lab.home().join(viewer), format!("password-of-{viewer}")).unwrap();
    }
    fleet.deploy(&lab).must_exit(0);
    for camera in ["porch", "garden"] {
        streams_again(&lab, camera, Duration::from_secs(30));
    }
    let mut stranger = Browser::open(&format!("https://{}:8443/", lab.ip("hub")));
    wait_for(SOON, "a browser that does not know the authority to refuse", || {
        stranger.text("location.href").starts_with("chrome-error:")
    });
    drop(stranger);
    let mut berts = open(&lab, "bert:password-of-bert");
    live(&mut berts, "garden");
    assert_eq!(
        berts.ask("[...document.querySelectorAll('[data-camera]')].map((c) => c.dataset.camera)"),
        json!(["garden"])
    );
    assert_eq!(berts.ask("fetch('dash/porch/index.mpd').then((a) => a.status)"), 403);
    drop(berts);
    let mut page = open(&lab, "anna:password-of-anna");
    for camera in ["porch", "garden"] {
        live(&mut page, camera);
    }
    println!("the page says: {}", state(&mut page, "porch"));
    let near = |page: &mut Browser| (0.0..BEHIND).contains(&latency(page, "porch"));
    wait_for(SOON, "the picture to be near", || near(&mut page));
    steady(&mut page, &["porch", "garden"]);
    let names = named(&mut page);
    for name in ["porch", "garden"] {
        assert!(
            names.iter().any(|n| n.starts_with(name) && n.contains("full screen")),
            "{names:?}"
        );
    }
    // a camera with a silent track: all of verify holds, and HLS has sound
    verify(&lab).must_hold();
    let sound = |camera: &str| {
        let login = "anna:password-of-anna";
        let list = format!("https://{login}@{}:8443/hls/{camera}/index.m3u8", lab.ip("hub"));
        let ask = "-v error -show_entries stream=codec_name,sample_rate -of csv=p=0";
        text(&run(Command::new("ffprobe").args(ask.split(' ')).arg(list))).contains("aac,8000")
    };
    assert_eq!((sound("porch"), sound("garden")), (false, true));

    // one click, and the whole screen
    page.ask(&format!("{}.click()", video_of("porch")));
    wait_for(SOON, "the full screen", || {
        page.holds("document.fullscreenElement !== null")
    });
    page.ask("document.exitFullscreen()");

    // a phone; light and dark
    page.call(
        "Emulation.setDeviceMetricsOverride",
        json!({ "width": 360, "height": 780, "deviceScaleFactor": 2, "mobile": true }),
    );
    assert!(page.holds("document.documentElement.scrollWidth <= innerWidth"));
    assert!(page.holds(
        "[...document.querySelectorAll('#wall figure')].every((f) => f.clientWidth > 300 && f.clientWidth <= innerWidth)"
    ));
    page.call("Emulation.clearDeviceMetricsOverride", json!({}));
    let background = |page: &mut Browser, scheme: &str| {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        page.call("Emulation.setEmulatedMedia", json!({ "features": features }));
        page.text("getComputedStyle(document.body).backgroundColor")
    };
    assert_ne!(background(&mut page, "dark"), background(&mut page, "light"));
    // PISTREAM_SCREENSHOT=DIR: the pictures that the README shows, as base64
    if let Some(directory) = std::env::var_os("PISTREAM_SCREENSHOT") {
        for scheme in ["light", "dark"] {
            background(&mut page, scheme);
            let picture = page.picture();
            std::fs::write(std::path::Path::new(&directory).join(scheme), picture).unwrap();
        }
    }

    rests_while_hidden(&mut page);
    by_keyboard(&mut page);

    // nothing went wrong but that the first segments were not there yet
    let complaints: Vec<&String> = page.complaints().iter().filter(|c| !c.contains("/dash/")).collect();
    assert!(complaints.is_empty(), "{complaints:?}");

    // the cable of the server is pulled: nothing arrives at the browser nor from the cameras
    lab.cut_network("hub");
    wait_for(SOON, "the page to notice", || {
        state(&mut page, "porch").starts_with("no picture since")
    });
    lab.restore_network("hub");
    for camera in ["porch", "garden"] {
        live(&mut page, camera);
    }
    // a camera loses its power
    lab.power_cut("porch");
    wait_for(SOON, "the page to notice", || {
        state(&mut page, "porch").starts_with("no picture since")
    });
    live(&mut page, "garden");
    lab.power_on("porch");
    live(&mut page, "porch");

    // its recordings: a gap where it was away, films before and after
    page.ask("location.hash = 'porch'");
    let films = "[...document.querySelectorAll('.chunks li[data-file$=\".mp4\"]')]";
    wait_for(SOON, "films and the gap", || {
        page.holds(&format!(
            "{films}.length >= 2 && document.querySelectorAll('.chunks li.gap').length >= 1"
        ))
    });
    assert!(page.holds("document.querySelectorAll('.day .bar.gap').length >= 1"));
    page.ask(&format!("{films}[0].querySelector('button').click()"));
    let film = "document.querySelector('#archive video')";
    wait_for(SOON, "the film to open", || {
        page.number(&format!("{film}.duration")) > 5.0
    });
    plays(&mut page, film);
    let seek = format!(
        "new Promise((done) => {{ const v = {film}; v.pause(); const before = {}; \
         v.addEventListener('seeked', () => done([v.currentTime, before, {}]), {{ once: true }}); v.currentTime = 4.5; }})",
        pixels(film),
        pixels(film)
    );
    let sought = page.ask(&seek);
    assert_eq!(sought[0], 4.5, "{sought}");
    assert_ne!(sought[1], sought[2], "the picture is the same after seeking");
    let file = page.text(&format!("{films}[0].dataset.file"));
    let size = page.number(&format!(
        "fetch('recordings/{file}').then((a) => a.blob()).then((b) => b.size)"
    ));
    let on_disk = lab.root("hub", &format!("stat -c %s /var/lib/pistream/recordings/{file}"));
    assert_eq!(on_disk.parse::<f64>().unwrap(), size);
    assert_eq!(
        page.ask("window.violations ?? []"),
        json!([]),
        "against the page's own policy"
    );

    // a camera is a stranger here: it may publish, not watch
    let growing = lab.root(
        "hub",
        "ls /var/lib/pistream/recordings/*.flv | head -1 | xargs basename",
    );
    for path in [
        "/",
        "/cameras.json",
        "/archive/porch.json",
        &format!("/recordings/{file}"),
        "/dash/porch/index.mpd",
    ] {
        assert_eq!(answer(&lab, "garden", path), "HTTP/1.1 403 Forbidden", "{path}");
    }
    // and nobody sees what is not finished, or what lies there
    for path in [
        format!("/recordings/{growing}"),
        "/recordings/".into(),
        "/recordings/porch/".into(),
        "/archive/".into(),
    ] {
        let asked = format!("fetch('{path}').then((a) => a.status)");
        let status = page.number(&asked);
        assert!(status == 403.0 || status == 404.0, "{path}: {status}");
    }
}
