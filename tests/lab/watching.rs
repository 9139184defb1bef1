//! What a viewer gets of the live pictures: how old they are, whether they stand still, and whether the page grows.
//!
//! A clock is in the picture: 16 fields of black or white, the lowest bits of the milliseconds since 1970 at which the
//! camera made it. Camera, server and viewer are one machine here, so their clocks are one. Knows nothing of pistream but
//! the page's figures and the template whose test picture gets the clock.

use crate::browser::Browser;
use crate::hosts::Lab;
use serde_json::{Value, json};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Fields of the clock, and the side of one in pixels: enough for an encoder at a few hundred kbit/s to leave them alone.
const BITS: u32 = 16;
const FIELD: u32 = 16;
const WRAPS: u64 = 1 << BITS;
/// Milliseconds in which a page whose machine is not too busy is called every twenty.
const STARVED: u64 = 120;
/// Milliseconds that a browser may take to show what was handed to it.
const TAKEN_IN: u64 = 100;

/// The templates, with the clock in the test picture: a directory for `--templates`.
pub fn templates_with_a_clock(lab: &Lab) -> String {
    let directory = lab.home().join("templates");
    fs::create_dir_all(&directory).unwrap();
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    for entry in fs::read_dir(own).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, directory.join(path.file_name().unwrap())).unwrap();
    }
    // the moment a frame is made is its timestamp while the clock is drawn: all fields show the same one
    let mut clock = format!(
        ",settb=1/1000,setpts='floor(RTCTIME/1000)',drawbox=x=0:y=0:w={}:h={FIELD}:c=black:t=fill",
        BITS * FIELD
    );
    for bit in 0..BITS {
        clock += &format!(
            ",drawbox=x={}:y=0:w={FIELD}:h={FIELD}:c=white:t=fill:enable='mod(floor(t*1000/{})\\,2)'",
            bit * FIELD,
            1 << bit
        );
    }
    let camera = directory.join("camera.toml.j2");
    let template = fs::read_to_string(&camera).unwrap();
    let picture = "\":rate=\" ~ camera.fps]";
    assert_eq!(
        template.matches(picture).count(),
        1,
        "the test picture of camera.toml.j2"
    );
    let clock = clock.replace('\\', "\\\\");
    let with_clock = format!("\":rate=\" ~ camera.fps ~ \"{clock},setpts=N/(\" ~ camera.fps ~ \"*TB)\"]");
    fs::write(&camera, template.replace(picture, &with_clock)).unwrap();
    directory.to_str().unwrap().to_owned()
}

/// Ages of pictures, milliseconds.
pub struct Ages(Vec<u64>);

impl Ages {
    fn share(&self, share: f64) -> u64 {
        self.0[((self.0.len() - 1) as f64 * share) as usize]
    }

    pub fn median(&self) -> u64 {
        self.share(0.5)
    }
}

impl From<Vec<u64>> for Ages {
    fn from(mut ages: Vec<u64>) -> Ages {
        assert!(!ages.is_empty(), "no picture was seen");
        ages.sort_unstable();
        Ages(ages)
    }
}

impl std::fmt::Display for Ages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (median, late, worst) = (self.median(), self.share(0.95), self.share(1.0));
        write!(f, "{median} | {late} | {worst} | {}", self.0.len())
    }
}

/// How old the pictures are that a decoder without a display has of this address, for so long.
pub fn at_the_decoder(url: &str, over: Duration) -> Ages {
    let strip = (BITS * FIELD) as usize;
    // gray first: a line of two colours' planes is no line
    let line = format!("format=gray,crop={strip}:1:0:{}", FIELD / 2);
    let at_once = "-v error -nostdin -fflags nobuffer -flags low_delay -threads 1 -analyzeduration 0 -fpsprobesize 0";
    let mut ffmpeg = Command::new("ffmpeg")
        .args(at_once.split(' '))
        .args(["-probesize", "5000", "-i", url, "-vf", &line])
        .args("-fps_mode passthrough -f rawvideo -pix_fmt gray -".split(' '))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pictures = ffmpeg.stdout.take().unwrap();
    let mut ages = Vec::new();
    let mut line = vec![0; strip];
    let start = Instant::now();
    while start.elapsed() < over {
        pictures.read_exact(&mut line).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
        let field = |bit: u32| u64::from(line[(bit * FIELD + FIELD / 2) as usize] > 127) << bit;
        let clock: u64 = (0..BITS).map(field).sum();
        ages.push((now + WRAPS - clock) % WRAPS);
    }
    let _ = ffmpeg.kill();
    let _ = ffmpeg.wait();
    // the first ones waited for the decoder to find out what it decodes
    ages.drain(..ages.len() / 4);
    ages.into()
}

/// What a page has seen of one camera since `begin`.
pub struct Seen {
    /// Of the pictures shown, sampled every 100 ms.
    pub ages: Vec<u64>,
    /// How often it stood still for want of pictures, without having been told to be elsewhere.
    pub stalls: u64,
    /// Of these, within two seconds after the browser had not been given the processor for [`STARVED`]; or with pictures at
    /// hand in the same moment as another camera's: their players know nothing of each other, so it was all of the browser.
    pub starved: u64,
    /// Of the others, with at least a picture's time buffered since [`TAKEN_IN`] before it, and so by a fault of the player.
    pub needless: u64,
    /// Each of them, and what was at hand, in words.
    pub records: Vec<String>,
    /// Seconds of media time.
    pub played: f64,
    /// What the page says, like "live 2.2 s".
    pub told: String,
}

impl Seen {
    /// In words.
    pub fn stalls(&self) -> String {
        format!(
            "{} stalls, {} of them of a starved browser, {} others with pictures at hand",
            self.stalls, self.starved, self.needless
        )
    }
}

/// From now on this page's videos are watched.
pub fn begin(page: &mut Browser, cameras: &[&str]) {
    let script = format!(
        "(() => {{
            let ran = performance.now();
            const begun = ran;
            window.starved = -Infinity;
            window.watched = {{}};
            const endOf = ({{ buffered }}) => buffered.length ? buffered.end(buffered.length - 1) : 0;
            setInterval(() => {{
                const now = performance.now();
                if (now - ran > {STARVED}) window.starved = now;
                ran = now;
                for (const seen of Object.values(window.watched)) {{
                    const end = endOf(seen.video);
                    if (end !== seen.end) [seen.before, seen.end, seen.grew] = [seen.end, end, now];
                }}
            }}, 20);
            for (const name of {}) {{
            const figure = document.querySelector(`[data-camera=\"${{name}}\"]`);
            const video = figure.querySelector('video');
            const seen = window.watched[name] = {{ ages: [], stalls: [], played: 0, at: video.currentTime, video, figure,
                end: endOf(video), before: endOf(video), grew: 0 }};
            // a player that began anew has another media time
            video.addEventListener('timeupdate', () => {{
                const step = video.currentTime - seen.at;
                if (step > 0 && step < 2) seen.played += step;
                seen.at = video.currentTime;
            }});
            video.addEventListener('waiting', () => {{
                if (video.seeking) return;
                const now = performance.now();
                const end = endOf(video);
                // what has come just now was too late
                const held = end !== seen.end ? seen.end : now - seen.grew < {TAKEN_IN} ? seen.before : end;
                const inTime = (t) => (t - video.currentTime).toFixed(3);
                seen.stalls.push({{
                    at: now,
                    starved: now - ran > {STARVED} || now - window.starved < 2000,
                    atHand: held - video.currentTime > 0.15,
                    words: `at ${{((now - begun) / 1000).toFixed(1)}} s: held ${{inTime(held)}} s, now ${{inTime(end)}} s, `
                        + `grew ${{(now - seen.grew).toFixed(0)}} ms ago, speed ${{video.playbackRate}}`,
                }});
            }});
            const strip = new OffscreenCanvas({BITS} * {FIELD}, {FIELD}).getContext('2d', {{ willReadFrequently: true }});
            const look = () => {{
                const {{ width, height }} = strip.canvas;
                strip.drawImage(video, 0, 0, width, height, 0, 0, width, height);
                const now = Date.now();
                const line = strip.getImageData(0, height / 2, width, 1).data;
                let clock = 0;
                for (let bit = 0; bit < {BITS}; bit++) if (line[4 * {FIELD} * (bit + 0.5)] > 127) clock += 2 ** bit;
                seen.ages.push((now % {WRAPS} - clock + {WRAPS}) % {WRAPS});
            }};
            seen.look = (milliseconds) => setInterval(look, milliseconds);
        }} }})()",
        json!(cameras)
    );
    page.ask(&script);
}

/// Reads the clock in the pictures, too; `begin` came before.
pub fn read_clocks(page: &mut Browser) {
    page.ask("Object.values(window.watched).forEach((seen) => seen.look(100))");
}

pub fn seen(page: &mut Browser, camera: &str) -> Seen {
    let asked = page.ask(&format!(
        "(({{ ages, played, figure, stalls }}) => {{
            const others = Object.values(window.watched).filter((other) => other.stalls !== stalls);
            const here = others.flatMap((other) => other.stalls).filter((stall) => !stall.starved && stall.atHand);
            const together = (stall) => here.some((other) => Math.abs(other.at - stall.at) < {TAKEN_IN});
            const kind = (stall) => stall.starved ? 'starved' : !stall.atHand ? 'late' : together(stall) ? 'starved' : 'needless';
            return {{ ages, played, told: figure.querySelector('.state').textContent,
                stalls: stalls.map((stall) => ({{ kind: kind(stall), words: stall.words }})) }};
        }})(window.watched['{camera}'])"
    ));
    let ages = asked["ages"].as_array().unwrap_or_else(|| panic!("{asked}"));
    let stalls = asked["stalls"].as_array().unwrap();
    let word = |stall: &Value, key: &str| stall[key].as_str().unwrap().to_owned();
    let of = |kind: &str| stalls.iter().filter(|stall| stall["kind"] == kind).count() as u64;
    Seen {
        ages: ages.iter().filter_map(Value::as_u64).collect(),
        stalls: stalls.len() as u64,
        starved: of("starved"),
        needless: of("needless"),
        records: stalls
            .iter()
            .map(|stall| format!("{}, {}", word(stall, "kind"), word(stall, "words")))
            .collect(),
        played: asked["played"].as_f64().unwrap(),
        told: asked["told"].as_str().unwrap().to_owned(),
    }
}

/// What a page holds in memory, garbage collected.
#[derive(Debug)]
pub struct Held {
    /// Bytes of its scripts' objects.
    pub heap: f64,
    pub nodes: f64,
    pub listeners: f64,
    /// Ranges of buffered pictures, of all videos.
    pub ranges: f64,
    /// Seconds of them.
    pub buffered: f64,
}

pub fn held(page: &mut Browser) -> Held {
    page.call("Performance.enable", json!({}));
    page.call("HeapProfiler.collectGarbage", json!({}));
    let metrics = page.call("Performance.getMetrics", json!({}));
    let metric = |name: &str| {
        let metrics = metrics["metrics"].as_array().unwrap();
        let found = metrics.iter().find(|m| m["name"] == name);
        found.unwrap_or_else(|| panic!("{name}"))["value"].as_f64().unwrap()
    };
    let (heap, nodes, listeners) = (metric("JSHeapUsedSize"), metric("Nodes"), metric("JSEventListeners"));
    let of_all = |page: &mut Browser, of_one: &str| {
        page.number(&format!(
            "[...document.querySelectorAll('#wall video')].map(({{ buffered: b }}) => {of_one}).reduce((a, b) => a + b, 0)"
        ))
    };
    Held {
        heap,
        nodes,
        listeners,
        ranges: of_all(page, "b.length"),
        buffered: of_all(page, "b.length && b.end(b.length - 1) - b.start(0)"),
    }
}
