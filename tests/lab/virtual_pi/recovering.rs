//! What root does for a camera that starting anew does not bring back: its driver bound anew, its host booted anew.

use super::{driver, inject, lab};
use crate::fleet::{Fleet, status, streams_again};
use crate::hosts::{Lab, text, wait_for};
use crate::releases::is_confined;
use pistream_agent::{Cause, Status};
use std::time::{Duration, Instant};

/// What the unit of root's has said.
pub(super) const SAID: &str = "journalctl -q -o cat -u pistream-recover.service";
const BOOT: &str = "cat /proc/sys/kernel/random/boot_id";

/// Deploys the camera with `recover: on`, and leaves it as it was.
pub(super) fn with_a_reset_allowed(lab: &Lab, fleet: &mut Fleet) {
    let plain = fleet.cameras[0].2.clone();
    fleet.cameras[0].2 += ", stall_after: 4s, recover: on";
    fleet.deploy(lab).must_exit(0);
    streams_again(lab, "porch", Duration::from_secs(90));
    is_confined(lab, "porch", "pistream-recover.service");
    root_does_nothing_else(lab);
    a_stall_that_only_a_reset_ends(lab);

    fleet.cameras[0].2 = plain;
    fleet.deploy(lab).must_exit(0);
    let left = "ls /etc/systemd/system/pistream-recover.*; systemctl is-active pistream-recover.path; true";
    assert_eq!(lab.root("porch", left), "inactive");
    streams_again(lab, "porch", Duration::from_secs(90));
}

/// Whoever has taken over the supervisor can ask, and is not believed.
fn root_does_nothing_else(lab: &Lab) {
    // a link leads nowhere, and hides no later request
    lab.root(
        "porch",
        "runuser -u pistream -- ln -s /etc/passwd /run/pistream/recover",
    );
    // ELOOP, which each C library has its own words for
    root_says(lab, &["/run/pistream/recover: ", "(os error 40)"]);
    request(lab, "reboot");
    root_says(lab, &["0 reboots in 24 hours, and 0 are allowed"]);
    request(lab, "reset");
    root_says(lab, &["has it open"]);
    // systemd starts it no more than a few times a minute
    lab.root("porch", "systemctl reset-failed pistream-recover.service");
}

/// Nobody tells the camera to go on: its driver has to be bound anew.
fn a_stall_that_only_a_reset_ends(lab: &Lab) {
    inject(lab, "stall");
    let stalled = Instant::now();
    let reset = wait_for(Duration::from_secs(90), "a reset to be asked for", || {
        status(lab, "porch").is_some_and(|now| now.resets.contains_key(&Cause::Stalled))
    });
    streams_again(lab, "porch", Duration::from_secs(90));
    let took = stalled.elapsed();
    let said = lab.root("porch", SAID);
    assert!(said.contains("its driver was unbound and bound again"), "{said}");
    let after = status(lab, "porch").unwrap();
    assert_eq!(after.resets.values().sum::<u64>(), 1, "{after:?}");
    assert_eq!(
        driver(lab, "video_bitrate"),
        "1000000",
        "the controls were not set anew"
    );
    println!("camera silent for good: reset asked for after {reset:.1?}, the server received again after {took:.1?}");
}

fn streaming_with_a_boot_allowed() -> Lab {
    let (lab, mut fleet) = lab();
    fleet.cameras[0].1 = "1M";
    fleet.cameras[0].2 += ", stall_after: 4s, recover: {reboots_per_day: 1}";
    fleet.deploy(&lab).must_exit(0);
    streams_again(&lab, "porch", Duration::from_secs(90));
    lab
}

#[test]
#[ignore = "seven minutes: nothing has to have helped for five before a host is booted anew"]
fn a_camera_that_is_dead_until_its_host_boots_is_healed_by_that_as_often_as_allowed() {
    let lab = streaming_with_a_boot_allowed();
    let first = lab.root("porch", BOOT);
    inject(&lab, "dead");
    let dead = Instant::now();
    let mut last = None;
    let down = wait_for(Duration::from_secs(600), "another boot", || {
        // the next boot's supervisor may answer before the boot is seen to be another
        let asked = status(&lab, "porch").filter(|now| !now.resets.is_empty());
        last = asked.or_else(|| last.take());
        is_another_boot(&lab, &first)
    });
    let last: Status = last.unwrap();
    streams_again(&lab, "porch", Duration::from_secs(120));
    let resets = last.resets.get(&Cause::Stalled).copied().unwrap_or(0);
    println!(
        "camera dead until the next boot: {resets} resets in vain, booted anew after {down:.0?}, the server received again \
         after {:.0?}",
        dead.elapsed()
    );
    assert!(resets > 1, "{last:?}");

    // another one the same day is refused, by what outlived the boot
    wait_for(Duration::from_secs(20), "the supervisor", || {
        status(&lab, "porch").is_some()
    });
    request(&lab, "reboot");
    root_says(&lab, &["1 reboots in 24 hours, and 1 are allowed"]);
}

#[test]
#[ignore = "ten minutes: nothing has to have helped for five before a host is booted anew, and its shutdown waits, too"]
fn an_ffmpeg_that_is_stuck_in_the_kernel_is_told_of_and_freed_by_a_boot_where_that_is_allowed() {
    let lab = streaming_with_a_boot_allowed();
    let stuck = |now: &Status| now.last_error.as_ref().is_some_and(|error| error.contains("SIGKILL"));

    // a device that answers at last
    let mut expected = status(&lab, "porch").unwrap().restarts;
    expected.insert(Cause::Frozen, 1);
    inject(&lab, "hang");
    let told = wait_for(Duration::from_secs(40), "the stuck ffmpeg to be told of", || {
        status(&lab, "porch").is_some_and(|now| stuck(&now))
    });
    inject(&lab, "run");
    let again = streams_again(&lab, "porch", Duration::from_secs(90));
    assert_eq!(status(&lab, "porch").unwrap().restarts, expected);
    println!("ffmpeg stuck in the kernel: told after {told:.1?}, received again {again:.1?} after the device answered");

    // and one that never does
    let first = lab.root("porch", BOOT);
    inject(&lab, "hang");
    let hung = Instant::now();
    let (mut last, mut asked): (Option<Status>, _) = (None, None);
    wait_for(Duration::from_secs(900), "another boot", || {
        if is_another_boot(&lab, &first) {
            return true;
        }
        // in the end it is told nothing any more
        if let Some(now) = status(&lab, "porch").filter(|now| now.down_seconds > 0) {
            let before = last.as_ref().map_or(0, |last| last.uptime_seconds);
            assert!(
                now.uptime_seconds >= before,
                "systemd ended the agent, which lived: {now:?}"
            );
            last = Some(now);
            asked = Some(hung.elapsed());
        }
        false
    });
    let (last, down) = (last.unwrap(), hung.elapsed());
    assert!(
        stuck(&last) && last.down_seconds > 250 && last.resets.is_empty(),
        "{last:?}"
    );
    streams_again(&lab, "porch", Duration::from_secs(120));
    println!(
        "stuck for good: the agent was heard for {:.0?}, another boot after {down:.0?}, received again after {:.0?}",
        asked.unwrap_or_default(),
        hung.elapsed()
    );
}

/// Whether the camera runs, and not since the boot that had this identifier.
fn is_another_boot(lab: &Lab, first: &str) -> bool {
    let boot = lab.ssh("porch", BOOT);
    boot.status.success() && text(&boot) != first
}

/// Writes a request as the supervisor does.
fn request(lab: &Lab, word: &str) {
    let write = format!("echo {word} >/run/pistream/new && mv /run/pistream/new /run/pistream/recover");
    lab.root("porch", &format!("runuser -u pistream -- sh -c '{write}'"));
}

/// Waits until root has said this about a request, in one line.
fn root_says(lab: &Lab, words: &[&str]) {
    wait_for(Duration::from_secs(30), &words.concat(), || {
        let said = lab.root("porch", SAID);
        said.lines().any(|line| words.iter().all(|word| line.contains(word)))
    });
}
