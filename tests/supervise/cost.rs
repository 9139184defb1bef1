//! What the agent itself costs beside a real ffmpeg that makes 30 frames a second and publishes to this machine. Takes a
//! minute: by hand, through tests/cost, which gives it the release agent.

use crate::bench::Bench;
use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// So long it is watched, after it has settled.
const MINUTE: Duration = Duration::from_secs(60);
/// Bytes, its program's own pages among them.
const MOST_MEMORY: u64 = 1_500_000;
/// Of a core.
const MOST_CPU: f64 = 0.001;

/// Resident memory, in bytes.
fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.unwrap().trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Seconds that all of its threads have run, by the scheduler's count.
fn cpu(pid: u32) -> f64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let nanoseconds = threads.map(|thread| {
        let stat = fs::read_to_string(thread.unwrap().path().join("schedstat")).unwrap();
        stat.split(' ').next().unwrap().parse::<f64>().unwrap()
    });
    nanoseconds.sum::<f64>() / 1e9
}

#[test]
#[ignore = "takes a minute: tests/cost"]
fn the_agent_costs_a_megabyte_and_a_half_and_a_thousandth_of_a_core() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    // ends with the stream
    std::thread::spawn(move || {
        for stream in server.incoming() {
            let mut stream = stream.unwrap();
            let mut taken = [0; 4096];
            while stream.read(&mut taken).is_ok_and(|bytes| bytes > 0) {}
        }
    });
    let bench = Bench::new("exec /usr/bin/ffmpeg \"$@\"");
    bench.configure(
        9,
        &format!(
            "[[pipeline]]\nname = \"test-pattern\"\narguments = [\"-re\", \"-f\", \"lavfi\", \"-i\", \
             \"testsrc=size=320x240:rate=30\", \"-c:v\", \"libx264\", \"-preset\", \"ultrafast\", \"-g\", \"60\", \"-f\", \
             \"flv\", \"tcp://127.0.0.1:{port}\"]\n"
        ),
    );
    let supervisor = bench.supervise();
    bench.streaming();
    let pid = supervisor.pid();
    let (start, before) = (Instant::now(), cpu(pid));
    let frames = bench.status().unwrap().frames;
    std::thread::sleep(MINUTE);
    let (used, memory) = ((cpu(pid) - before) / start.elapsed().as_secs_f64(), resident(pid));
    let made = (bench.status().unwrap().frames - frames) as f64 / start.elapsed().as_secs_f64();
    println!(
        "{made:.1} frames a second: {:.3} % of a core, {} kB resident",
        used * 100.0,
        memory / 1000
    );
    assert!(
        made > 25.0,
        "ffmpeg made {made:.1} frames a second: the machine is too busy to measure on"
    );
    assert!(used <= MOST_CPU, "{used}");
    assert!(memory <= MOST_MEMORY, "{memory}");
}
