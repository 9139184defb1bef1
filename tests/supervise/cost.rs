//! What the agent itself costs beside a real ffmpeg that makes 30 frames a second and publishes to this machine. Takes a
//! minute: by hand, through tests/cost, which gives it the release agent, for instructions one of each architecture.

use crate::bench::{Bench, agent};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// So long it is watched, after it has settled.
const MINUTE: Duration = Duration::from_secs(60);
/// Bytes, its program's own pages among them.
const MOST_MEMORY: u64 = 1_500_000;
/// Of a core.
const MOST_CPU: f64 = 0.001;
/// A second: that part of the first Pi's and the Zero's core, which has 1 GHz, were each of its instructions done in a cycle.
const MOST_INSTRUCTIONS: f64 = 1e9 * MOST_CPU;

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

/// A camera whose real ffmpeg publishes a test picture to a listener that takes everything.
fn camera() -> Bench {
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
    bench
}

/// Frames a second that ffmpeg makes while the minute passes.
fn minute(bench: &Bench) -> f64 {
    let (start, before) = (Instant::now(), bench.status().unwrap().frames);
    std::thread::sleep(MINUTE);
    let made = (bench.status().unwrap().frames - before) as f64 / start.elapsed().as_secs_f64();
    assert!(
        made > 25.0,
        "ffmpeg made {made:.1} frames a second: the machine is too busy to measure on"
    );
    made
}

#[test]
#[ignore = "takes a minute: tests/cost"]
fn the_agent_costs_a_megabyte_and_a_half_and_a_thousandth_of_a_core() {
    let bench = camera();
    let supervisor = bench.supervise();
    bench.streaming();
    let pid = supervisor.pid();
    let (start, before) = (Instant::now(), cpu(pid));
    let made = minute(&bench);
    let (used, memory) = ((cpu(pid) - before) / start.elapsed().as_secs_f64(), resident(pid));
    println!(
        "{made:.1} frames a second: {:.3} % of a core, {} kB resident",
        used * 100.0,
        memory / 1000
    );
    assert!(used <= MOST_CPU, "{used}");
    assert!(memory <= MOST_MEMORY, "{memory}");
}

/// Counts the lines that QEMU's user emulation writes to a pipe, one for each instruction of the agent (and of what it forks,
/// until that is ffmpeg). What the kernel does for the agent is not among them.
#[test]
#[ignore = "takes a minute and an emulator: tests/cost"]
fn the_agent_executes_a_million_instructions_a_second_at_most() {
    let emulator = std::env::var("PISTREAM_COST_EMULATOR").expect("tests/cost gives it");
    let mut emulator = emulator.split(' ');
    let bench = camera();
    let pipe = bench.path("instructions");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let executed = Arc::new(AtomicUsize::new(0));
    let (count, lines) = (executed.clone(), pipe.clone());
    // ends with the emulator
    std::thread::spawn(move || {
        let mut log = BufReader::with_capacity(1 << 16, fs::File::open(lines).unwrap());
        let mut line = Vec::new();
        while log.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
            line.clear();
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    let supervise = bench.command();
    let mut command = Command::new(emulator.next().unwrap());
    command
        .args(emulator)
        .args(["-singlestep", "-d", "exec,nochain", "-D"])
        .arg(&pipe)
        .arg(agent())
        .args(supervise.get_args());
    let _supervisor = bench.supervise_by(&mut command);
    bench.streaming();
    let (start, before) = (Instant::now(), executed.load(Ordering::Relaxed));
    let made = minute(&bench);
    let executed = (executed.load(Ordering::Relaxed) - before) as f64 / start.elapsed().as_secs_f64();
    println!("{made:.1} frames a second: {executed:.0} instructions a second");
    assert!(executed > 0.0, "nothing was counted");
    assert!(executed <= MOST_INSTRUCTIONS, "{executed}");
}
