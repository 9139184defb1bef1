//! `pistream-agent supervise` and `status` as processes, with a stand-in for ffmpeg: a shell script that prints ffmpeg's
//! statistics and obeys signals. Here the supervisor alone is under test; the real ffmpeg is for the lab, and for
//! `capture`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "supervise/bench.rs"]
mod bench;
#[path = "supervise/capture.rs"]
mod capture;
#[path = "supervise/cost.rs"]
mod cost;
#[path = "supervise/systemd.rs"]
mod systemd;
#[path = "supervise/thousand.rs"]
mod thousand;

use bench::{Bench, IMPATIENT, ONLY, PATIENT, events, is_gone, signal, state_and_parent, wait};
use pistream_agent::{Cause, Event, StreamState};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Streams for ever: three frames and 3 kB every tenth of a second.
const STREAMS: &str = r"
n=0
while :; do
    n=$((n + 3))
    printf '[info] frame=%5d fps= 30 q=30.0 size=%8dkB time=00:00:02.80 bitrate= 245.7kbits/s speed=0.997x    \r' $n $n >&2
    sleep 0.1
done";

// ---- what breaks, and what becomes of it --------------------------------------------------------------------------

#[test]
fn stand_in_that_is_killed_streams_again() {
    let bench = Bench::new(STREAMS);
    let supervisor = bench.supervise();
    let first = bench.streaming();
    signal(first.ffmpeg_pid.unwrap(), "KILL");
    let second = bench.until("streaming anew", |status| {
        status.state == StreamState::Streaming && status.ffmpeg_pid != first.ffmpeg_pid
    });
    assert_eq!(second.restarts.into_iter().collect::<Vec<_>>(), [(Cause::Killed, 1)]);
    assert_eq!(second.last_error.as_deref(), Some("ffmpeg was killed by signal 9"));
    supervisor.has_one_ffmpeg();
}

#[test]
fn stand_in_that_freezes_is_found_out_and_replaced() {
    let bench = Bench::new(STREAMS);
    let supervisor = bench.supervise();
    let first = bench.streaming();
    signal(first.ffmpeg_pid.unwrap(), "STOP");
    let frozen = Instant::now();
    let second = bench.until("streaming anew", |status| {
        status.state == StreamState::Streaming && status.ffmpeg_pid != first.ffmpeg_pid
    });
    // who is stopped by a signal is not waited for as long as a camera is
    let took = frozen.elapsed();
    assert!(took < Duration::from_secs(PATIENT.into()), "{took:?}");
    assert_eq!(second.restarts.into_iter().collect::<Vec<_>>(), [(Cause::Frozen, 1)]);
    assert!(second.last_error.unwrap().starts_with("ffmpeg was stopped by a signal"));
    supervisor.has_one_ffmpeg();
}

#[test]
fn stand_in_that_stops_making_frames_and_ignores_term_is_killed() {
    let bench = Bench::new(
        &format!(
            "trap '' TERM INT\n{}\n",
            STREAMS.replace("while :", "while [ $n -lt 6 ]")
        )
        .replace("done\n", "done\nwhile :; do sleep 0.1; done\n"),
    );
    bench.configure(IMPATIENT, ONLY);
    let supervisor = bench.supervise();
    let first = bench.streaming().ffmpeg_pid.unwrap();
    bench.until("stalled", |status| status.restarts.contains_key(&Cause::Stalled));
    assert!(is_gone(first));
    bench.until("started anew", |status| {
        status.ffmpeg_pid.is_some_and(|pid| pid != first)
    });
    supervisor.has_one_ffmpeg();
}

#[test]
fn stand_in_that_asks_a_dns_server_without_an_answer_is_no_camera_that_stalls() {
    // what an ffmpeg that waits for a name holds is a socket of UDP; one that waits for its input holds none
    for (holds, cause, words) in [
        (
            "exec 3<>/dev/udp/127.0.0.1/9",
            Cause::Unresolved,
            "no address came for the server's name",
        ),
        ("exec 3</dev/null", Cause::Stalled, "no frame came within"),
    ] {
        let bench = Bench::new(&format!("exec bash -c '{holds}; exec sleep 1000'"));
        bench.configure(IMPATIENT, ONLY);
        let _supervisor = bench.supervise();
        let status = bench.until("told", |status| !status.restarts.is_empty());
        assert_eq!(status.restarts.into_iter().collect::<Vec<_>>(), [(cause, 1)]);
        let why = status.last_error.unwrap();
        assert!(why.starts_with(words), "{why}");
    }
}

#[test]
fn stand_in_that_cannot_connect_is_backed_off_from_and_the_network_named() {
    let bench = Bench::new(
        "echo '[tcp @ 0x560aec3e1dc0] [error] Connection to tcp://127.0.0.1:1 failed: Connection refused' >&2\nexit 1",
    );
    let supervisor = bench.supervise();
    let status = bench.until("backing off for the fifth time", |status| {
        status.state == StreamState::BackingOff && status.restarts.get(&Cause::NotListening) >= Some(&5)
    });
    assert_eq!(status.restarts.len(), 1, "{:?}", status.restarts);
    assert_eq!(
        status.last_error.unwrap(),
        "tcp: Connection to tcp://127.0.0.1:1 failed: Connection refused"
    );
    assert_eq!((status.ffmpeg_pid, status.frames), (None, 0));
    // by now it may be on its next try
    wait("nobody running meanwhile", || supervisor.children().is_empty());
    let starts = u64::try_from(bench.starts().len()).unwrap();
    assert!(
        starts >= 5 && starts <= bench.status().unwrap().restarts[&Cause::NotListening] + 1,
        "{starts} starts"
    );
    // said once, however often it happened
    assert_eq!(
        bench.log().matches("ffmpeg: tcp: Connection to").count(),
        1,
        "{}",
        bench.log()
    );
}

#[test]
fn what_the_stand_in_got_over_is_no_cause_of_what_ends_it_later() {
    // as an H.264 that begins between two keyframes is passed on; then the connection breaks
    let bench = Bench::new(&format!(
        "echo '[h264 @ 0x55f0] [error] non-existing PPS 0 referenced' >&2\n{}\n\
         echo '[error] Error closing file rtmp://127.0.0.1/live/x: Connection reset by peer' >&2\nexit 1",
        STREAMS.replace("while :", "while [ $n -lt 90 ]")
    ));
    let _supervisor = bench.supervise();
    let status = bench.until("told", |status| !status.restarts.is_empty());
    assert_eq!(status.restarts.into_iter().collect::<Vec<_>>(), [(Cause::Network, 1)]);
    assert!(status.last_error.unwrap().ends_with("Connection reset by peer"));
}

#[test]
fn stand_in_that_does_not_exist_is_told_and_tried_again() {
    let bench = Bench::new(STREAMS);
    fs::rename(bench.path("ffmpeg"), bench.path("away")).unwrap();
    let _supervisor = bench.supervise();
    let status = bench.until("told", |status| status.last_error.is_some());
    assert!(
        status
            .last_error
            .unwrap()
            .contains("ffmpeg: cannot be started: No such file"),
        "{}",
        bench.log()
    );
    fs::rename(bench.path("away"), bench.path("ffmpeg")).unwrap();
    bench.streaming();
}

#[test]
fn stand_in_that_floods_stderr_is_never_blocked() {
    let flood =
        "i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); echo \"[error] trouble number $i of a great many\" >&2; done";
    let bench = Bench::new(&format!("{flood}\n{STREAMS}"));
    let _supervisor = bench.supervise();
    let status = bench.streaming();
    assert!(status.restarts.is_empty());
    let log = bench.log();
    assert!(log.lines().count() < 30 && log.contains("trouble number 1 of"), "{log}");
}

#[test]
fn stand_in_killed_many_times_leaves_no_zombie_and_never_two() {
    let bench = Bench::new(STREAMS);
    let supervisor = bench.supervise();
    for _ in 0..5 {
        let pid = bench.streaming().ffmpeg_pid.unwrap();
        signal(pid, "KILL");
        bench.until("another", |status| status.ffmpeg_pid.is_some_and(|now| now != pid));
        supervisor.has_one_ffmpeg();
        assert!(state_and_parent(pid).is_none(), "{pid} was not reaped");
    }
    bench.streaming();
    let starts = bench.starts();
    assert_eq!(starts.iter().filter(|&&pid| !is_gone(pid)).count(), 1, "{starts:?}");
}

#[test]
fn what_the_stand_in_left_running_goes_with_it() {
    let bench = Bench::new(&format!("sleep 1000 & echo $! >\"$0.helper\"\n{STREAMS}"));
    let _supervisor = bench.supervise();
    let first = bench.streaming().ffmpeg_pid.unwrap();
    let helper: u32 = fs::read_to_string(bench.path("ffmpeg.helper"))
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    assert!(!is_gone(helper));
    signal(first, "KILL");
    wait("the helper gone", || is_gone(helper));
}

// ---- the end --------------------------------------------------------------------------------------------------------

#[test]
fn term_ends_supervisor_and_stand_in() {
    for name in ["TERM", "INT"] {
        let bench = Bench::new(STREAMS);
        let mut supervisor = bench.supervise();
        let pid = bench.streaming().ffmpeg_pid.unwrap();
        supervisor.signal(name);
        assert_eq!(supervisor.exits().code(), Some(0));
        assert!(is_gone(pid));
        assert!(!bench.path("status.sock").exists());
    }
}

#[test]
fn term_ends_a_stand_in_that_does_not_listen() {
    let bench = Bench::new(&format!("trap '' TERM INT\n{STREAMS}"));
    let mut supervisor = bench.supervise();
    let pid = bench.streaming().ffmpeg_pid.unwrap();
    supervisor.signal("TERM");
    assert_eq!(supervisor.exits().code(), Some(0));
    assert!(is_gone(pid));
}

#[test]
fn stand_in_dies_with_a_supervisor_that_is_killed() {
    let bench = Bench::new(STREAMS);
    let supervisor = bench.supervise();
    let pid = bench.streaming().ffmpeg_pid.unwrap();
    supervisor.signal("KILL");
    wait("the stand-in gone", || is_gone(pid));
    // the socket it left behind is in nobody's way
    let _next = bench.supervise();
    bench.until("streaming anew", |status| {
        status.state == StreamState::Streaming && status.ffmpeg_pid != Some(pid)
    });
}

#[test]
fn hup_changes_nothing() {
    let bench = Bench::new(STREAMS);
    let supervisor = bench.supervise();
    let first = bench.streaming();
    supervisor.signal("HUP");
    let later = bench.until("further", |status| status.frames > first.frames + 6);
    assert_eq!(later.ffmpeg_pid, first.ffmpeg_pid);
}

// ---- which pipeline -------------------------------------------------------------------------------------------------

#[test]
fn stand_in_runs_the_first_pipeline_that_can_and_says_why() {
    let bench = Bench::new(&format!("echo \"$@\" >>\"$0.arguments\"\n{STREAMS}"));
    bench.configure(
        PATIENT,
        r#"[[pipeline]]
name = "v4l2-copy"
device = "/dev/no-such-camera"
requires = [{ v4l2 = { device = "/dev/no-such-camera", format = "H264" } }]
arguments = ["-i", "first"]
controls = { video_bitrate = 250000 }
[[pipeline]]
name = "file-copy"
requires = [{ file = "/dev/null" }]
arguments = ["-i", "second"]
[[pipeline]]
name = "last"
arguments = ["-i", "third"]
"#,
    );
    let _supervisor = bench.supervise();
    let status = bench.streaming();
    assert_eq!(status.pipeline.as_deref(), Some("file-copy"));
    assert_eq!(
        status.why,
        "v4l2-copy passed over: /dev/no-such-camera: No such file or directory (os error 2)"
    );
    let arguments = fs::read_to_string(bench.path("ffmpeg.arguments")).unwrap();
    assert!(
        arguments.trim().ends_with("-i second") && arguments.contains("-stats"),
        "{arguments}"
    );
}

#[test]
fn nothing_to_run_is_not_the_end() {
    let bench = Bench::new(STREAMS);
    let late = bench.path("late.mp4");
    bench.configure(
        PATIENT,
        &format!("[[pipeline]]\nname = \"file-copy\"\nrequires = [{{ file = {late:?} }}]\narguments = [\"-re\"]\n"),
    );
    let _supervisor = bench.supervise();
    let status = bench.until("without a pipeline", |status| status.state == StreamState::NoPipeline);
    assert!(status.why.contains("late.mp4: No such file"), "{}", status.why);
    assert!(status.pipeline.is_none() && status.restarts.is_empty());
    fs::write(late, "here").unwrap();
    assert_eq!(bench.streaming().pipeline.as_deref(), Some("file-copy"));
}

#[test]
fn an_encoder_counts_when_five_frames_went_through_the_stand_in() {
    let trial = r#"case "$*" in
*"-c:v lies"*) exit 0 ;;
*"-c:v broken"*) echo '[broken @ 0x1] [error] Could not find a valid device' >&2; exit 1 ;;
*"-frames:v 5"*) echo '[info] frame=    5 fps=0.0 q=-0.0 Lsize=N/A time=00:00:00.20 bitrate=N/A speed=11.3x' >&2; exit 0 ;;
esac"#;
    let bench = Bench::new(&format!("{trial}\n{STREAMS}"));
    let pipelines: Vec<String> = ["lies", "broken", "works"]
        .iter()
        .map(|name| {
            format!("[[pipeline]]\nname = \"{name}\"\nrequires = [{{ encoder = \"{name}\" }}]\narguments = [\"-re\"]\n")
        })
        .collect();
    bench.configure(PATIENT, &pipelines.concat());
    let _supervisor = bench.supervise();
    let status = bench.streaming();
    assert_eq!(status.pipeline.as_deref(), Some("works"));
    assert!(
        status
            .why
            .contains("lies passed over: encoder lies: only 0 of 5 frames came out"),
        "{}",
        status.why
    );
    assert!(
        status
            .why
            .contains("broken passed over: encoder broken: Could not find a valid device"),
        "{}",
        status.why
    );
    // tried once, encoders cost a restart no time
    let before = bench.starts().len();
    signal(status.ffmpeg_pid.unwrap(), "KILL");
    bench.until("streaming anew", |now| {
        now.state == StreamState::Streaming && now.ffmpeg_pid != status.ffmpeg_pid
    });
    assert_eq!(bench.starts().len(), before + 1);
}

// ---- what it tells --------------------------------------------------------------------------------------------------

#[test]
fn status_tells_the_stand_ins_frames_and_rates() {
    let bench = Bench::new(STREAMS);
    let _supervisor = bench.supervise();
    // 30 frames and 30 kB a second at best; a busy machine sleeps longer, and hears much at once then
    bench.until("measured", |status| {
        let fits = status.fps > 5.0 && status.fps < 40.0;
        status.frames > 30 && fits && (40_000..350_000).contains(&status.bitrate_measured)
    });
    let answer = bench.ask();
    assert!(answer.status.success());
    let events = events(&String::from_utf8(answer.stdout).unwrap());
    let [Event::Hello { protocol, arch, .. }, Event::Status { status }] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(
        (*protocol, arch.as_str()),
        (pistream_agent::PROTOCOL, std::env::consts::ARCH)
    );
    assert_eq!(
        (status.stream.as_str(), status.state),
        ("porch", StreamState::Streaming)
    );
    assert_eq!(
        (status.pipeline.as_deref(), status.why.as_str()),
        (Some("only"), "the only one configured")
    );
    assert_eq!((status.bitrate_set, status.restarts.len()), (250_000, 0));
    assert_eq!(status.ffmpeg_pid.as_ref(), bench.starts().last());
    assert_eq!(
        fs::metadata(bench.path("status.sock")).unwrap().permissions().mode() & 0o777,
        0o660
    );
}

#[test]
fn a_client_that_never_reads_keeps_nobody_waiting() {
    let bench = Bench::new(STREAMS);
    let _supervisor = bench.supervise();
    bench.streaming();
    let _silent: Vec<UnixStream> = (0..50)
        .map(|_| UnixStream::connect(bench.path("status.sock")).unwrap())
        .collect();
    bench.until("advancing", |status| status.frames > 3);
}

#[test]
fn status_without_a_supervisor_says_so() {
    let bench = Bench::new(STREAMS);
    let answer = bench.ask();
    assert_eq!(answer.status.code(), Some(1));
    let events = events(&String::from_utf8(answer.stdout).unwrap());
    let [Event::Hello { .. }, Event::Failed { fault }] = &events[..] else {
        panic!("{events:?}");
    };
    assert!(
        fault.attempted.contains("status.sock") && fault.cause.contains("No such file"),
        "{fault:?}"
    );
    assert!(fault.advice.is_some());
}

// ---- what is refused ------------------------------------------------------------------------------------------------

#[test]
fn a_wrong_configuration_is_one_line_and_exit_code_2() {
    let bench = Bench::new(STREAMS);
    bench.configure(PATIENT, "[[pipeline]]\nname = \"only\"\nargumets = []\n");
    for extra in [&[][..], &["--check"]] {
        let refused = bench.command().args(extra).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(refused.status.code(), Some(2));
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(
            said.contains("camera.toml:9:1: ") && said.contains("argumets"),
            "{said}"
        );
    }
    assert!(bench.starts().is_empty());
}

#[test]
fn a_good_configuration_passes_the_check_and_nothing_is_started() {
    let bench = Bench::new(STREAMS);
    assert!(bench.command().arg("--check").status().unwrap().success());
    assert!(bench.starts().is_empty());
    assert!(!bench.path("status.sock").exists());
}

#[test]
fn a_second_supervisor_is_refused_and_the_first_not_disturbed() {
    let bench = Bench::new(STREAMS);
    let _first = bench.supervise();
    let before = bench.streaming();
    let second = bench.command().stderr(Stdio::piped()).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another supervisor listens there already"));
    assert_eq!(bench.streaming().ffmpeg_pid, before.ffmpeg_pid);
}

#[test]
fn a_stale_socket_is_replaced_and_a_foreign_file_is_not() {
    let bench = Bench::new(STREAMS);
    drop(UnixListener::bind(bench.path("status.sock")).unwrap());
    let mut supervisor = bench.supervise();
    bench.streaming();
    supervisor.signal("TERM");
    supervisor.exits();

    fs::write(bench.path("status.sock"), "precious").unwrap();
    let refused = bench.command().stderr(Stdio::piped()).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(fs::read_to_string(bench.path("status.sock")).unwrap(), "precious");
}
