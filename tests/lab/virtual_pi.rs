//! A Pi with the legacy camera stack: the driver's own controls rule what comes over the wire. And one with a USB camera.

mod recovering;
mod usb;

use crate::fleet::{Fleet, all_well, bitrates_received, deploy, facts, status, streams_again, verify};
use crate::hosts::{Image, Lab, wait_for};
use pistream_agent::Cause;
use std::time::{Duration, Instant, SystemTime};

/// How long it is watched that nothing is written.
const STEADY: Duration = Duration::from_secs(12);

/// What the camera delivers may differ from what was asked by this share.
const TOLERANCE: f64 = 0.15;

/// A server and the virtual Pi, not yet deployed.
pub fn lab() -> (Lab, Fleet) {
    let lab = Lab::up(Image::Fat, &["hub"]);
    lab.up_pi("porch");
    let mut fleet = Fleet::new(&lab, "russh", &["porch"]);
    fleet.cameras[0].2 = "source: auto, size: 800x600, fps: 30, keyframe_interval: 1s".into();
    (lab, fleet)
}

#[test]
fn the_bitrate_of_the_inventory_is_the_drivers_and_the_wires() {
    let (lab, mut fleet) = lab();
    who_has_the_camera_is_named_and_stopped_on_request_alone(&lab, &fleet);
    what_this_camera_cannot_do_is_refused(&lab, &fleet);
    for (bitrate, bits) in [("1M", 1_000_000), ("250k", 250_000)] {
        fleet.cameras[0].1 = bitrate;
        if bits == 250_000 {
            // below the floor at which real encoders are known to freeze: the inventory must insist
            fleet.cameras[0].2 += ", force_bitrate: true";
        }
        let deployed = fleet.deploy(&lab).must_exit(0);
        assert_eq!(deployed.result("porch").0, "changed", "{}", deployed.text());
        streams_again(&lab, "porch", Duration::from_secs(90));

        let now = status(&lab, "porch").unwrap();
        assert_eq!(now.pipeline.as_deref(), Some("v4l2-copy"), "{now:?}");
        assert_eq!(now.bitrate_set, bits, "{now:?}");
        assert_eq!(driver(&lab, "video_bitrate"), bits.to_string());
        assert_eq!(driver(&lab, "repeat_sequence_header"), "1");
        let [received] = bitrates_received(&lab, ["porch"], Duration::from_secs(15));
        println!("bitrate {bitrate}: the server received {:.0} kbit/s", received / 1000.0);
        let off = (received - f64::from(bits)).abs() / f64::from(bits);
        assert!(off < TOLERANCE, "{received:.0} bit/s received of {bits} set");
    }
    verify(&lab).must_hold();
    controls_are_judged_set_listed_and_put_back(&lab, &mut fleet);

    let told = facts(&lab, &["porch"]);
    let camera = &told["hosts"][0]["facts"]["camera"];
    assert_eq!(camera["stack"], "legacy", "{told}");
    assert_eq!(camera["devices"][0]["card"], "mmal service 16.1", "{told}");
    assert_eq!(camera["pipelines"][0]["name"], "v4l2-copy", "{told}");
    assert!(camera["pipelines"][0]["obstacle"].is_null(), "{told}");
    let holder = &camera["holders"][0];
    let (program, unit) = (&holder["program"], &holder["unit"]);
    assert_eq!(
        (program, unit),
        (&"ffmpeg".into(), &"pistream-camera.service".into()),
        "{told}"
    );

    // what root may open, the service may not: its user's rights are what counts
    lab.root("porch", "chmod 600 /dev/video0");
    let told = facts(&lab, &["porch"]);
    lab.root("porch", "chmod 660 /dev/video0");
    let obstacle = told["hosts"][0]["facts"]["camera"]["pipelines"][0]["obstacle"]
        .as_str()
        .unwrap_or_default();
    assert!(obstacle.contains("/dev/video0: Permission denied"), "{told}");

    // a Pi that boots without a network lives years back; certificates must be good then, too
    lab.root("porch", "date -s 2003-03-03 && systemctl restart pistream-camera");
    let since = streams_again(&lab, "porch", Duration::from_secs(90));
    println!("clock 2003-03-03: streaming after {since:.1?}");
    a_clock_that_is_set_while_it_streams(&lab);
}

/// As when the network comes hours after the boot: whoever takes pictures' times from that clock begins anew, which is no failure.
fn a_clock_that_is_set_while_it_streams(lab: &Lab) {
    let before = status(lab, "porch").unwrap();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    lab.root("porch", &format!("date -s @{}", now.as_secs()));
    let anew = wait_for(Duration::from_secs(20), "another ffmpeg", || {
        status(lab, "porch").is_some_and(|now| now.ffmpeg_pid.is_some() && now.ffmpeg_pid != before.ffmpeg_pid)
    });
    let since = streams_again(lab, "porch", Duration::from_secs(90));
    let after = status(lab, "porch").unwrap();
    assert_eq!(after.restarts, before.restarts, "{after:?}");
    println!("clock set by 23 years: another ffmpeg after {anew:.1?}, streaming after {since:.1?} more");
}

/// motion's part is played by a program that reads the camera, under its unit's name.
fn who_has_the_camera_is_named_and_stopped_on_request_alone(lab: &Lab, fleet: &Fleet) {
    lab.root(
        "porch",
        "printf '[Service]\\nExecStart=/usr/bin/v4l2-ctl -d /dev/video0 --stream-mmap\\nStandardOutput=null\\n[Install]\\n\
         WantedBy=multi-user.target\\n' >/etc/systemd/system/motion.service && systemctl enable --now motion",
    );
    let motion = || lab.root("porch", "systemctl is-active motion; systemctl is-enabled motion; true");
    wait_for(
        Duration::from_secs(30),
        "the stand-in for motion to have the camera",
        || {
            lab.ssh(
                "porch",
                "ls -l /proc/$(systemctl show -P MainPID motion)/fd | grep -q /dev/video0",
            )
            .status
            .success()
        },
    );
    let refused = fleet.deploy(lab).must_exit(1);
    let (_, detail) = refused.result("porch");
    assert!(detail.contains("of motion.service) has /dev/video0"), "{detail}");
    assert!(detail.contains("deploy --stop-others"), "{detail}");
    assert_eq!(motion(), "active\nenabled");

    // a deploy that stops it and then fails gives the camera back
    let broken = lab.home().join("broken");
    std::fs::create_dir_all(&broken).unwrap();
    let unit = "[Unit]\nDescription=broken\n[Service]\nType=notify\nExecStart=/bin/false\n[Install]\nWantedBy=multi-user.target\n";
    std::fs::write(broken.join("pistream-camera.service.j2"), unit).unwrap();
    let failed = deploy(lab, &["--stop-others", "--templates", "broken"]).must_exit(1);
    assert!(
        failed.changes("porch").contains(&"stop motion.service".to_owned()),
        "{}",
        failed.text()
    );
    assert_eq!(motion(), "active\nenabled", "{}", failed.text());

    let done = deploy(lab, &["--stop-others"]).must_exit(0);
    for change in ["stop motion.service", "disable motion.service"] {
        assert!(done.changes("porch").contains(&change.to_owned()), "{}", done.text());
    }
    assert_eq!(motion(), "inactive\ndisabled");
    streams_again(lab, "porch", Duration::from_secs(90));
    lab.root(
        "porch",
        "rm /etc/systemd/system/motion.service && systemctl daemon-reload",
    );
}

/// Before anything is changed, and with the nearest that it can.
fn what_this_camera_cannot_do_is_refused(lab: &Lab, fleet: &Fleet) {
    let vcgencmd = "printf '#!/bin/sh\\necho gpu=64M\\n' >/usr/local/bin/vcgencmd && chmod 755 /usr/local/bin/vcgencmd";
    lab.root("porch", vcgencmd);
    let before = status(lab, "porch").unwrap().ffmpeg_pid;
    for (keys, reason, nearest) in [
        (
            "source: auto, size: 800x600, fps: 120",
            "no 120 fps at 800x600; the nearest is 90 (H264)",
            "what the camera offers",
        ),
        (
            "source: auto, size: 1920x1080, fps: 30",
            "needs 128 MB of the GPU's memory, and there are 64M",
            "size: 1296x972",
        ),
        (
            "source: {v4l2: /dev/video0}, size: 4096x2160, fps: 5, level: 5.1",
            "; the nearest is ",
            "size: 1296x972",
        ),
        (
            "source: {usb: /dev/video0}, size: 800x600",
            "no V4L2 device is called uvcvideo (/dev/video0 mmal service 16.1)",
            "what the camera offers",
        ),
    ] {
        let mut wrong = fleet.clone();
        wrong.cameras[0].1 = "1M";
        wrong.cameras[0].2 = keys.to_owned();
        let refused = wrong.deploy(lab).must_exit(1);
        let (_, detail) = refused.result("porch");
        assert!(detail.contains(reason) && detail.contains(nearest), "{keys}: {detail}");
    }
    lab.root("porch", "rm /usr/local/bin/vcgencmd");
    assert_eq!(
        status(lab, "porch").unwrap().ffmpeg_pid,
        before,
        "a refused deploy disturbed the stream"
    );
}

/// On the camera that streams already: a boot of the virtual Pi costs a minute.
fn controls_are_judged_set_listed_and_put_back(lab: &Lab, fleet: &mut Fleet) {
    let plain = fleet.cameras[0].2.clone();
    let before = status(lab, "porch").unwrap();
    for (controls, words) in [
        (
            "video_bitrate_mode: 7",
            "has no entry 7; it has 0 (Variable Bitrate), 1 (Constant Bitrate)",
        ),
        ("video_bitrate_mode: lowest", "has no entry `lowest`"),
        ("video_bitrate_mood: 1", "the nearest are video_bitrate_mode"),
    ] {
        fleet.cameras[0].2 = format!("{plain}, controls: {{{controls}}}");
        let refused = fleet.deploy(lab).must_exit(1);
        assert!(refused.result("porch").1.contains(words), "{}", refused.text());
    }
    let after = status(lab, "porch").unwrap();
    assert_eq!(
        after.ffmpeg_pid, before.ffmpeg_pid,
        "a refused deploy disturbed the stream"
    );

    fleet.cameras[0].2 = format!("{plain}, controls: {{video_bitrate_mode: constant bitrate}}");
    fleet.deploy(lab).must_exit(0);
    streams_again(lab, "porch", Duration::from_secs(90));
    assert_eq!(driver(lab, "video_bitrate_mode"), "1 (Constant Bitrate)");
    let mut listed = lab.pistream(&["controls", "porch", "-i", "hosts.yml", "--json"]);
    let listed: serde_json::Value = serde_json::from_slice(&crate::hosts::run(&mut listed).stdout).unwrap();
    let controls = listed[0]["controls"].as_array().unwrap();
    let names = lab.root("porch", "v4l2-ctl -d /dev/video0 -l | grep -c ' 0x'");
    assert_eq!(controls.len().to_string(), names, "{listed:#}");
    for control in controls {
        let (name, now) = (control["name"].as_str().unwrap(), &control["value"]);
        assert_eq!(driver(lab, name).split(' ').next().unwrap(), now.to_string(), "{name}");
    }
    let table = crate::hosts::text(&crate::hosts::run(&mut lab.pistream(&[
        "controls",
        "porch",
        "-i",
        "hosts.yml",
    ])));
    println!("{table}");
    assert!(table.contains("25000 to 25000000 in steps of 25000"), "{table}");
    what_the_driver_made_of_a_value_is_told(lab);

    fleet.cameras[0].2 = plain;
    fleet.deploy(lab).must_exit(0);
    streams_again(lab, "porch", Duration::from_secs(90));
    assert_eq!(
        driver(lab, "video_bitrate_mode"),
        "0 (Variable Bitrate)",
        "not put back"
    );
}

/// A deploy refuses a value between two steps; one that comes by another way the driver rounds.
fn what_the_driver_made_of_a_value_is_told(lab: &Lab) {
    lab.root(
        "porch",
        "sed -i 's/^.pipeline.controls.$/&\\nrotate = 100/' /etc/pistream/camera.toml && systemctl restart pistream-camera",
    );
    streams_again(lab, "porch", Duration::from_secs(90));
    let told = all_well(lab, Duration::from_secs(60));
    let rounded = "control rotate: the driver made 90 of 100";
    assert_eq!(told["cameras"][0]["notes"], serde_json::json!([rounded]), "{told:#}");
    let verified = verify(lab);
    assert!(verified.text().contains(rounded), "{}", verified.text());
    verified.must_hold();
}

#[test]
fn a_camera_that_falls_silent_or_fails_is_started_anew_and_the_cause_told() {
    let (lab, mut fleet) = lab();
    fleet.cameras[0].1 = "1M";
    recovering::with_a_reset_allowed(&lab, &mut fleet);
    nothing_is_written(&lab);

    inject(&lab, "stall");
    let found = told(&lab, Cause::Stalled, "waits for the camera");
    inject(&lab, "run");
    healed(&lab, "silent", found);

    inject(&lab, "error");
    let found = told(&lab, Cause::Camera, "Input/output error");
    healed(&lab, "capture error", found);

    usb::a_usb_camera(&lab, &mut fleet);
}

fn inject(lab: &Lab, fault: &str) {
    lab.root(
        "porch",
        &format!("echo {fault} >/sys/devices/platform/picam_emu.0/fault"),
    );
}

/// Waits until the last failure is this one, and tells how long that took.
fn told(lab: &Lab, cause: Cause, words: &str) -> Duration {
    wait_for(
        Duration::from_secs(40),
        &format!("{cause:?}, {words}, to be told"),
        || {
            let now = status(lab, "porch");
            now.is_some_and(|s| {
                s.restarts.contains_key(&cause) && s.last_error.is_some_and(|error| error.contains(words))
            })
        },
    )
}

fn healed(lab: &Lab, fault: &str, found: Duration) {
    let healed = streams_again(lab, "porch", Duration::from_secs(90));
    println!("camera, {fault}: told after {found:.1?}, the server received again {healed:.1?} after it was well");
}

/// On a Pi that streams, neither the agent nor ffmpeg writes anything to the disk.
fn nothing_is_written(lab: &Lab) {
    let ask = "for pid in $(systemctl show -P MainPID pistream-camera) $(pgrep -x ffmpeg); do
            grep -e ^syscw -e ^write_bytes /proc/$pid/io; done";
    let writes = || -> Vec<u64> {
        let told = lab.root("porch", ask);
        told.lines()
            .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
            .collect()
    };
    let (start, before) = (Instant::now(), writes());
    wait_for(STEADY * 2, "a quiet while", || start.elapsed() >= STEADY);
    let after = writes();
    let [words, agent, ffmpeg] = [0, 1, 3].map(|at| after[at] - before[at]);
    println!(
        "in {STEADY:?} of streaming: agent {agent} bytes to disk, {words} words to systemd; ffmpeg {ffmpeg} bytes to disk"
    );
    // the beat every 15 s and the rates every 10 s
    assert!(words <= 4, "the agent writes {words} times");
    assert_eq!((agent, ffmpeg), (0, 0));
}

fn driver(lab: &Lab, name: &str) -> String {
    control(lab, "/dev/video0", name)
}

/// What a device's control is set to.
fn control(lab: &Lab, device: &str, name: &str) -> String {
    let answer = lab.root("porch", &format!("v4l2-ctl -d {device} -C {name}"));
    answer.split_once(": ").unwrap().1.to_owned()
}
