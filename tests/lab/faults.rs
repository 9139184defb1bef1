//! What goes wrong while a camera streams, and how long until it streams again.

use crate::changes::session;
use crate::fleet::{Fleet, all_well, deploy, fares, status, streams_again};
use crate::hosts::{Image, Lab, text, wait_for};
use pistream_agent::{Cause, Status};
use std::time::{Duration, Instant};

/// A frozen ffmpeg is waited for no longer (`stall_after` is 9 s by default; what it took is printed).
const FREEZE_FOUND: Duration = Duration::from_secs(20);
/// nginx gives the name of a publisher that went silent back after `drop_idle_publisher 8s`.
const NAME_FREE: Duration = Duration::from_secs(15);

fn streaming() -> (Lab, Status) {
    let lab = Lab::up(Image::Fat, &["hub", "porch"]);
    Fleet::new(&lab, "russh", &["porch"]).deploy(&lab).must_exit(0);
    streams_again(&lab, "porch", Duration::from_secs(30));
    let status = status(&lab, "porch").unwrap();
    (lab, status)
}

/// Waits until frames of another ffmpeg than the one before flow, and tells how long that took.
fn another_ffmpeg_streams(lab: &Lab, before: &Status, deadline: Duration) -> (Duration, Status) {
    let mut found = None;
    let took = wait_for(deadline, "another ffmpeg to stream", || {
        found = status(lab, "porch")
            .filter(|s| s.frames > 0 && s.ffmpeg_pid.is_some() && s.ffmpeg_pid != before.ffmpeg_pid);
        found.is_some()
    });
    (took, found.unwrap())
}

#[test]
fn a_killed_ffmpeg_streams_again_within_seconds() {
    let (lab, before) = streaming();
    lab.root("porch", &format!("kill -9 {}", before.ffmpeg_pid.unwrap()));
    let start = Instant::now();
    let (_, after) = another_ffmpeg_streams(&lab, &before, Duration::from_secs(10));
    streams_again(&lab, "porch", Duration::from_secs(20));
    println!("ffmpeg killed: the server received again after {:.1?}", start.elapsed());
    assert_eq!(after.restarts.get(&Cause::Killed), Some(&1), "{:?}", after.restarts);
}

#[test]
fn a_frozen_ffmpeg_is_found_and_replaced() {
    let (lab, before) = streaming();
    lab.root("porch", &format!("kill -STOP {}", before.ffmpeg_pid.unwrap()));
    let start = Instant::now();
    let found = wait_for(FREEZE_FOUND, "the freeze to be found", || {
        status(&lab, "porch").is_some_and(|s| s.restarts.contains_key(&Cause::Frozen))
    });
    streams_again(&lab, "porch", NAME_FREE * 2);
    println!(
        "ffmpeg frozen: found after {found:.1?}, the server received again after {:.1?}",
        start.elapsed()
    );
}

#[test]
fn a_network_cut_of_twenty_seconds_heals_by_itself() {
    let (lab, _) = streaming();
    lab.cut_network("porch");
    let cut = Instant::now();
    wait_for(Duration::from_secs(25), "twenty seconds without a network", || {
        cut.elapsed() >= Duration::from_secs(20)
    });
    lab.restore_network("porch");
    let healed = streams_again(&lab, "porch", Duration::from_secs(40));
    println!("network cut for 20 s: the server received again {healed:.1?} after it was back");
}

/// Waits until the cause is counted and the last failure told in these words; how long that took.
fn told(lab: &Lab, cause: Cause, words: &str, deadline: Duration) -> Duration {
    wait_for(deadline, &format!("{cause:?} to be told by \"{words}\""), || {
        status(lab, "porch")
            .is_some_and(|s| s.restarts.contains_key(&cause) && s.last_error.is_some_and(|error| error.contains(words)))
    })
}

#[test]
fn a_name_that_a_half_dead_session_holds_is_told_and_taken_back() {
    let (lab, _) = streaming();
    lab.root("porch", "systemctl stop pistream-camera");
    // the same certificate, the same name; later it will hold the connection and send nothing
    let other = format!(
        "systemd-run -q --unit other --working-directory=/etc/pistream ffmpeg -v error -nostdin \
         -re -f lavfi -i testsrc2=size=320x240:rate=15 -c:v libx264 -preset ultrafast -f flv \
         -tls_verify 1 -ca_file ca.pem -cert_file identity.pem -key_file identity.pem rtmps://{}:1936/live/porch",
        lab.ip("hub")
    );
    lab.root("porch", &other);
    streams_again(&lab, "porch", Duration::from_secs(20));
    let start = Instant::now();
    lab.root("porch", "systemctl start --no-block pistream-camera");
    told(&lab, Cause::NameTaken, "Already publishing", Duration::from_secs(20));
    let found = start.elapsed();
    lab.root("porch", "kill -STOP $(systemctl show -P MainPID other)");
    let dead = Instant::now();
    wait_for(NAME_FREE * 2, "the name to be free", || {
        status(&lab, "porch").is_some_and(|s| s.frames > 0)
    });
    println!(
        "name held by another session: told after {found:.1?}; half dead: streaming {:.1?} later",
        dead.elapsed()
    );
}

#[test]
fn a_server_whose_name_is_not_known_is_told_and_found_again() {
    let lab = Lab::up(Image::Fat, &["hub", "porch"]);
    let name = format!("{} hub.lab", lab.ip("hub"));
    lab.root("porch", &format!("echo {name} >>/etc/hosts"));
    let mut fleet = Fleet::new(&lab, "russh", &["porch"]);
    fleet.server += ", address: hub.lab";
    fleet.deploy(&lab).must_exit(0);
    streams_again(&lab, "porch", Duration::from_secs(30));
    lab.root(
        "porch",
        "cp /etc/hosts /root/hosts; sed '/hub.lab/d' /root/hosts >/etc/hosts",
    );
    lab.root(
        "porch",
        &format!("kill -9 {}", status(&lab, "porch").unwrap().ffmpeg_pid.unwrap()),
    );
    let found = told(&lab, Cause::Unresolved, "hub.lab", Duration::from_secs(20));
    lab.root("porch", "cp /root/hosts /etc/hosts");
    let healed = streams_again(&lab, "porch", Duration::from_secs(30));
    println!("DNS away: told after {found:.1?}, the server received again {healed:.1?} after it was back");
    a_dns_server_that_never_answers(&lab);
    changed_while_it_starts(&lab, &mut fleet);
}

/// A camera that has not reached its server since it was started is not ready yet, and has read its files: new ones want
/// another start.
fn changed_while_it_starts(lab: &Lab, fleet: &mut Fleet) {
    let unit = |property: &str| lab.root("porch", &format!("systemctl show -P {property} pistream-camera"));
    lab.root("porch", "sed '/hub.lab/d' /root/hosts >/etc/hosts");
    let before = unit("MainPID");
    lab.root("porch", "systemctl restart --no-block pistream-camera");
    let another = |pid: &str| !["0", pid].contains(&unit("MainPID").as_str());
    wait_for(Duration::from_secs(20), "the camera to start", || another(&before));
    let (state, starting) = (unit("ActiveState"), unit("MainPID"));
    assert_eq!(state, "activating");
    fleet.cameras[0].1 = "300k";
    fleet.write(lab);
    let deployed = std::thread::scope(|scope| {
        let deployed = scope.spawn(|| deploy(lab, &["--limit", "porch"]));
        wait_for(Duration::from_secs(20), "another start", || another(&starting));
        lab.root("porch", "cp /root/hosts /etc/hosts");
        deployed.join().unwrap()
    });
    let changes = deployed.must_exit(0).changes("porch");
    assert!(
        changes.contains(&"restart pistream-camera.service".to_owned()),
        "{changes:?}"
    );
    streams_again(lab, "porch", Duration::from_secs(30));
    assert_eq!(status(lab, "porch").unwrap().bitrate_set, 300_000);
}

/// It hears and says nothing: glibc asks three of them twice, for longer than a first frame is waited for.
fn a_dns_server_that_never_answers(lab: &Lab) {
    lab.root(
        "porch",
        "sed '/hub.lab/d' /root/hosts >/etc/hosts; \
         systemd-run -q --unit mute --socket-property=ListenDatagram=127.77.0.53:53 sleep infinity; \
         yes nameserver 127.77.0.53 | head -n 3 >/etc/resolv.conf; pkill -9 -x ffmpeg",
    );
    let found = told(
        lab,
        Cause::Unresolved,
        "does the DNS server answer?",
        Duration::from_secs(40),
    );
    assert!(!status(lab, "porch").unwrap().restarts.contains_key(&Cause::Stalled));
    lab.root("porch", "cp /root/hosts /etc/hosts; rm /etc/resolv.conf");
    streams_again(lab, "porch", Duration::from_secs(40));
    println!("DNS mute: told after {found:.1?}");
}

#[test]
fn a_server_that_is_reloaded_restarted_or_stopped_is_streamed_to_again() {
    let (lab, _) = streaming();
    // another nginx counts its sessions anew
    let live = || {
        let nginx = lab.root("hub", "systemctl show -P MainPID pistream-server");
        session(&lab, "porch").map(|session| (nginx, session))
    };
    for verb in ["reload", "restart"] {
        let before = live();
        lab.root("hub", &format!("systemctl {verb} pistream-server"));
        let start = Instant::now();
        wait_for(Duration::from_secs(20), "another session", || {
            let now = live();
            now.is_some() && now != before
        });
        streams_again(&lab, "porch", Duration::from_secs(20));
        println!("nginx {verb}: the server received again after {:.1?}", start.elapsed());
    }
    lab.root("hub", "systemctl stop pistream-server");
    let found = told(&lab, Cause::NotListening, "Connection refused", Duration::from_secs(20));
    status_tells_of_a_stopped_server(&lab);
    lab.root("hub", "systemctl start pistream-server");
    let healed = streams_again(&lab, "porch", Duration::from_secs(40));
    println!("nginx stopped: told after {found:.1?}, the server received again {healed:.1?} after its start");
    let told = all_well(&lab, Duration::from_secs(30));
    assert!(
        told["cameras"][0]["problem"].is_null() && told["servers"][0]["live"] == 1,
        "{told:#}"
    );
    for host in [&told["cameras"][0], &told["servers"][0]] {
        assert_eq!(host["certificate_days"], 364, "{told:#}");
    }
    println!(
        "{}",
        text(&lab.pistream(&["status", "-i", "hosts.yml"]).output().unwrap())
    );
}

/// From both sides: the camera's cause with its counter, the server's unit.
fn status_tells_of_a_stopped_server(lab: &Lab) {
    let (code, told) = fares(lab);
    assert_eq!(code, Some(1), "{told:#}");
    let camera = &told["cameras"][0];
    let problem = camera["problem"].as_str().unwrap_or_default();
    assert!(
        problem.contains("not listening: ") && problem.contains("Connection refused"),
        "{told:#}"
    );
    for counter in ["restarts", "restarts_today"] {
        let counted = camera["status"][counter]["not_listening"].as_u64();
        assert!(counted > Some(0), "{counter}: {told:#}");
    }
    let problems = told["servers"][0]["problems"].to_string();
    assert!(problems.contains("pistream-server.service is inactive"), "{told:#}");
    println!(
        "{}",
        text(&lab.pistream(&["status", "-i", "hosts.yml"]).output().unwrap())
    );
}

#[test]
fn a_dead_supervisor_is_started_again_by_systemd() {
    let (lab, before) = streaming();
    lab.root("porch", "kill -9 $(systemctl show -P MainPID pistream-camera.service)");
    let (took, _) = another_ffmpeg_streams(&lab, &before, Duration::from_secs(20));
    streams_again(&lab, "porch", NAME_FREE * 2);
    println!("supervisor killed: streaming again after {took:.1?}");
    assert_eq!(lab.root("porch", "pgrep -cx ffmpeg"), "1", "an orphan streams on");
}

#[test]
fn a_power_supply_that_is_too_weak_is_told_by_a_stand_in_for_the_firmware() {
    let (lab, _) = streaming();
    lab.root(
        "porch",
        "mount -t tmpfs firmware /sys/devices/platform && mkdir -p /sys/devices/platform/soc/soc:firmware && \
         echo 50005 >/sys/devices/platform/soc/soc:firmware/get_throttled && systemctl restart pistream-camera",
    );
    let mut told = Vec::new();
    wait_for(Duration::from_secs(30), "the warning", || {
        told = status(&lab, "porch").map(|s| s.warnings).unwrap_or_default();
        !told.is_empty()
    });
    assert_eq!(
        told,
        ["the Pi reports under-voltage: the power supply is too weak, throttled"]
    );
    lab.root(
        "porch",
        &format!("kill -9 {}", status(&lab, "porch").unwrap().ffmpeg_pid.unwrap()),
    );
    // a failure, and what may be behind it
    self::told(&lab, Cause::Killed, "under-voltage", Duration::from_secs(10));
}
