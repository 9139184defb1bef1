//! What systemd is told, by a stand-in for systemd: a socket that listens.

use crate::STREAMS;
use crate::bench::{Bench, SOON, Supervisor};
use pistream_agent::StreamState;
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

/// Where a supervisor's words to systemd arrive.
struct Systemd(UnixDatagram);

impl Systemd {
    fn starts(bench: &Bench) -> (Systemd, Supervisor<'_>) {
        let socket = UnixDatagram::bind(bench.path("notify")).unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
        let mut command = bench.command();
        command
            .env("NOTIFY_SOCKET", bench.path("notify"))
            .env("WATCHDOG_USEC", "400000");
        (Systemd(socket), bench.supervise_by(&mut command))
    }

    /// Waits for this word; what was heard before it.
    fn hears(&self, wanted: &str) -> Vec<String> {
        let mut heard = Vec::new();
        loop {
            let mut datagram = [0; 4096];
            let length = self
                .0
                .recv(&mut datagram)
                .unwrap_or_else(|error| panic!("no {wanted}: {error}; {heard:?}"));
            let text = String::from_utf8_lossy(&datagram[..length]).into_owned();
            if text.contains(wanted) {
                return heard;
            }
            heard.push(text);
        }
    }
}

#[test]
fn systemd_is_told_ready_status_and_the_watchdogs_beat() {
    let bench = Bench::new(&format!(
        "env | grep -c -e NOTIFY_SOCKET -e WATCHDOG >\"$0.leaks\"\n{STREAMS}"
    ));
    let (systemd, supervisor) = Systemd::starts(&bench);
    let before = systemd.hears("READY=1");
    assert!(
        before.iter().any(|told| told.contains("STATUS=starting")),
        "ready before the first frame: {before:?}"
    );
    systemd.hears("STATUS=streaming porch through only");
    let five_beats = || {
        let start = Instant::now();
        for _ in 0..5 {
            systemd.hears("WATCHDOG=1");
        }
        start.elapsed()
    };
    // the best of three: a busy machine holds some of them up
    let took = [five_beats(), five_beats(), five_beats()];
    assert!(took.iter().min() < Some(&Duration::from_millis(5 * 400)), "{took:?}");
    assert_eq!(fs::read_to_string(bench.path("ffmpeg.leaks")).unwrap().trim(), "0");
    supervisor.signal("TERM");
    systemd.hears("STOPPING=1");
}

#[test]
fn who_waits_for_a_camera_that_nothing_can_run_is_let_go_at_once() {
    let bench = Bench::new(STREAMS);
    bench.configure(
        1,
        "[[pipeline]]\nname = \"file-copy\"\nrequires = [{ file = \"/no/such.mp4\" }]\narguments = [\"-re\"]\n",
    );
    let start = Instant::now();
    let (systemd, _supervisor) = Systemd::starts(&bench);
    systemd.hears("READY=1");
    // a camera whose first frame does not come would be waited for 15 s
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    let status = bench.until("without a pipeline", |status| status.state == StreamState::NoPipeline);
    assert!(status.why.contains("no/such.mp4"), "{}", status.why);
}
