//! Faults of a virtual Pi, which has a kernel, a clock and a disk of its own: a container shares this machine's.

use super::{Fault, PATIENCE, healed, long, short, streaming};
use crate::fault_table::Seen;
use crate::fault_table::observer::{Observer, within};
use pistream_agent::{Cause, Status};
use std::time::{Duration, Instant};

/// The camera's, in the inventory and in bits per second.
pub const BITRATE: (&str, u32) = ("1M", 1_000_000);

pub const VIRTUAL_PI: &[Fault] = &[
    short("clock at 1970 when the service starts", |o| {
        let before = streaming(o);
        let start = Instant::now();
        let now: u64 = o.lab.root(o.camera, "date +%s").parse().unwrap();
        o.lab
            .root(o.camera, "date -s @86400; systemctl restart --no-block pistream-camera");
        // the old agent answers for a moment yet
        let anew = o.until(PATIENCE, |status| status.uptime_seconds < before.uptime_seconds);
        let told = o.until(PATIENCE, |status| status.restarts.contains_key(&Cause::Clock));
        let now = now + start.elapsed().as_secs();
        o.lab.root(o.camera, &format!("date -s @{now}"));
        Seen {
            told: anew.zip(told).map(|(anew, told)| anew + told),
            healed: o.arrives(PATIENCE),
        }
    }),
    short("disk full", |o| {
        let before = streaming(o);
        // the part that only root may fill as well
        o.lab.root(
            o.camera,
            "i=0; for size in 512M 64M 8M 1M 64K 4K; do while fallocate -l $size /fill.$i 2>/run/told; do i=$((i+1)); done; done; \
             systemctl restart --no-block pistream-camera",
        );
        let seen = healed(o.arrives_anew(before.ffmpeg_pid, PATIENCE));
        o.lab.root(o.camera, "rm -f /fill.*");
        seen
    }),
    short("camera's queue fails", |o| {
        let before = streaming(o);
        camera(o, "error");
        o.replaced(&before, Cause::Camera)
    }),
    short("camera's controls fail", |o| {
        let before = streaming(o);
        // a driver is asked only for values that it does not have yet
        camera(o, "ctrl_ok");
        o.lab.root(o.camera, "v4l2-ctl -d /dev/video0 -c video_bitrate=500000");
        camera(o, "ctrl_eio");
        o.lab.root(o.camera, "pkill -9 -x ffmpeg");
        let told = o.told(&before, Cause::Camera);
        camera(o, "ctrl_ok");
        Seen {
            told,
            healed: o.arrives(PATIENCE),
        }
    }),
    long("30 % of all packets sent are lost for 60 s", lossy),
    short("camera silent (stall)", |o| {
        let before = streaming(o);
        camera(o, "stall");
        let told = o.told(&before, Cause::Stalled);
        camera(o, "run");
        Seen {
            told,
            healed: o.arrives(PATIENCE),
        }
    }),
];

/// Told when the bitrate is lowered. The virtual Pi's own kernel can lose packets, this machine's need not.
fn lossy(o: &Observer<'_>) -> Seen {
    const MINUTE: Duration = Duration::from_secs(60);
    let target = |status: &Status| status.governed.as_ref().map(|governed| governed.target);
    // the last time's is over for the governor, too
    o.until(2 * MINUTE, |status| target(status) == Some(BITRATE.1))
        .expect("the camera's own bitrate");
    let before = streaming(o);
    let device = "$(ip -o route get 10.77.0.1 | sed 's/.* dev \\([^ ]*\\).*/\\1/')";
    let netem = |verb: &str| {
        o.lab
            .root(o.camera, &format!("tc qdisc {verb} dev {device} root netem loss 30%"))
    };
    netem("add");
    let start = Instant::now();
    let told = o.until(MINUTE, |status| target(status) < target(&before));
    within(MINUTE.saturating_sub(start.elapsed()), || false);
    netem("del");
    let seen = Seen {
        told,
        healed: o.arrives(PATIENCE),
    };
    if let Some(after) = o.status() {
        let (target, restarts) = (target(&after), after.restarts);
        eprintln!(
            "at {target:?} bit/s after it; failures before {:?}, after {restarts:?}",
            before.restarts
        );
    }
    seen
}

fn camera(o: &Observer<'_>, fault: &str) {
    o.lab.root(
        o.camera,
        &format!("echo {fault} >/sys/devices/platform/picam_emu.0/fault"),
    );
}
