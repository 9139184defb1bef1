//! The faults: how each begins, how it is told, how it ends.

mod virtual_pi;

pub use virtual_pi::{BITRATE, VIRTUAL_PI};

use super::Seen;
use super::observer::{Observer, within};
use pistream_agent::{Cause, Status, StreamState};
use std::time::{Duration, Instant};

/// Nothing takes as long as this to be told, or to heal.
const PATIENCE: Duration = Duration::from_secs(60);
/// A camera streams for so long before the next fault, in seconds: as if it had been well for days, since then it is started
/// anew at once.
const HEALTHY: f64 = 11.0;

pub struct Fault {
    pub name: &'static str,
    pub length: Length,
    pub happens: fn(&Observer<'_>) -> Seen,
}

#[derive(Clone, Copy)]
pub enum Length {
    Short,
    /// Half a minute and more.
    Long,
    /// Ten minutes.
    VeryLong,
}

const fn short(name: &'static str, happens: fn(&Observer<'_>) -> Seen) -> Fault {
    Fault {
        name,
        length: Length::Short,
        happens,
    }
}

const fn long(name: &'static str, happens: fn(&Observer<'_>) -> Seen) -> Fault {
    Fault {
        name,
        length: Length::Long,
        happens,
    }
}

/// Of ffmpeg, the agent, and what it needs to begin.
pub const PROCESSES: &[Fault] = &[
    short("ffmpeg killed", |o| {
        let before = streaming(o);
        o.lab.root(o.camera, "pkill -9 -x ffmpeg");
        o.replaced(&before, Cause::Killed)
    }),
    short("ffmpeg frozen (SIGSTOP)", |o| {
        let before = streaming(o);
        o.lab.root(o.camera, "pkill -STOP -x ffmpeg");
        let start = Instant::now();
        let told = o.told(&before, Cause::Frozen);
        let healed = o.arrives_anew(before.ffmpeg_pid, PATIENCE).map(|_| start.elapsed());
        Seen { told, healed }
    }),
    short("agent killed", |o| {
        let before = streaming(o);
        o.lab
            .root(o.camera, "kill -9 $(systemctl show -P MainPID pistream-camera)");
        healed(o.arrives_anew(before.ffmpeg_pid, PATIENCE))
    }),
    short("DNS away", |o| {
        let before = streaming(o);
        o.lab.root(
            o.camera,
            "cp /etc/hosts /root/hosts; sed '/hub.lab/d' /root/hosts >/etc/hosts; pkill -9 -x ffmpeg",
        );
        let told = o.told(&before, Cause::Unresolved);
        o.lab.root(o.camera, "cp /root/hosts /etc/hosts");
        Seen {
            told,
            healed: o.arrives(PATIENCE),
        }
    }),
    short("name held by a half-dead session", |o| {
        let before = streaming(o);
        o.lab.root(o.camera, "systemctl stop pistream-camera");
        // the same certificate and name under another program's: it will hold the connection and send nothing
        let other = format!(
            "cp -n /usr/bin/ffmpeg /run/other; systemd-run -q --collect --unit other --working-directory=/etc/pistream /run/other \
             -v error -nostdin -re -f lavfi -i testsrc2=size=320x240:rate=15 -c:v libx264 -preset ultrafast -f flv \
             -tls_verify 1 -ca_file ca.pem -cert_file identity.pem -key_file identity.pem rtmps://hub.lab:1936/live/{}",
            o.camera
        );
        o.lab.root(o.camera, &other);
        if o.arrives(PATIENCE).is_none() {
            return healed(None);
        }
        o.lab.root(
            o.camera,
            "pkill -STOP -x other; systemctl start --no-block pistream-camera",
        );
        let start = Instant::now();
        // a supervisor that starts late finds the name free again, and there is nothing to be told
        let taken = |status: &Status| status.restarts.contains_key(&Cause::NameTaken);
        let met = o.until(PATIENCE, |status| taken(status) || status.frames > 0);
        let told = met.filter(|_| o.status().is_some_and(|status| taken(&status)));
        let found = o.arrives_anew(before.ffmpeg_pid, PATIENCE).map(|_| start.elapsed());
        o.lab.root(
            o.camera,
            "systemctl kill -s KILL other; while systemctl is-active -q other; do sleep 0.1; done",
        );
        Seen { told, healed: found }
    }),
];

/// Of the cable, and of the host as a whole.
pub const LINES: &[Fault] = &[
    short("cable out for 5 s", |o| cable(o, Duration::from_secs(5))),
    short("camera's power cut, and on again", |o| {
        streaming(o);
        o.lab.power_cut(o.camera);
        // with the boot
        let start = Instant::now();
        o.lab.power_on(o.camera);
        healed(o.arrives_anew(None, PATIENCE).map(|_| start.elapsed()))
    }),
    long("agent frozen (SIGSTOP), ended by systemd's watchdog", |o| {
        let before = streaming(o);
        let main = "systemctl show -P MainPID pistream-camera";
        let frozen = o
            .lab
            .root(o.camera, &format!("pid=$({main}); kill -STOP $pid; echo $pid"));
        let told = within(PATIENCE * 2, || {
            let now = o.lab.root(o.camera, main);
            now != frozen
        });
        Seen {
            told,
            healed: o.arrives_anew(before.ffmpeg_pid, PATIENCE),
        }
    }),
    long("cable out for 60 s", |o| cable(o, Duration::from_secs(60))),
    Fault {
        name: "cable out for 10 min",
        length: Length::VeryLong,
        happens: |o| cable(o, Duration::from_secs(600)),
    },
];

/// Of the server.
pub const SERVERS: &[Fault] = &[
    short("nginx restarted", |o| {
        let before = streaming(o);
        o.lab.root("hub", "systemctl restart pistream-server");
        healed(o.arrives_anew(before.ffmpeg_pid, PATIENCE))
    }),
    short("nginx reloaded", |o| {
        let before = streaming(o);
        o.lab.root("hub", "systemctl reload pistream-server");
        healed(o.arrives_anew(before.ffmpeg_pid, PATIENCE))
    }),
    short("nginx stopped for a while", |o| {
        let before = streaming(o);
        o.lab.root("hub", "systemctl stop pistream-server");
        let told = o.told(&before, Cause::NotListening);
        o.lab.root("hub", "systemctl start pistream-server");
        Seen {
            told,
            healed: o.arrives(PATIENCE),
        }
    }),
    short("server rebooted", |o| {
        let before = streaming(o);
        // with the shutdown and the boot; it ends the connection that told it to
        let start = Instant::now();
        o.lab.ssh("hub", "systemctl reboot");
        healed(o.arrives_anew(before.ffmpeg_pid, PATIENCE).map(|_| start.elapsed()))
    }),
    short("server's power cut, and on again", |o| {
        let before = streaming(o);
        o.lab.power_cut("hub");
        // with the boot
        let start = Instant::now();
        o.lab.power_on("hub");
        let again = o.arrives_anew(before.ffmpeg_pid, PATIENCE).map(|_| start.elapsed());
        healed(again)
    }),
];

impl Observer<'_> {
    /// Waits until one more failure of this cause has been told.
    fn told(&self, before: &Status, cause: Cause) -> Option<Duration> {
        let count = |status: &Status| status.restarts.get(&cause).copied().unwrap_or(0);
        let known = count(before);
        self.until(PATIENCE, |status| count(status) > known)
    }

    /// A fault that is over as soon as it happened.
    fn replaced(&self, before: &Status, cause: Cause) -> Seen {
        let start = Instant::now();
        let told = self.told(before, cause);
        let healed = self.arrives_anew(before.ffmpeg_pid, PATIENCE);
        Seen {
            told,
            healed: healed.map(|_| start.elapsed()),
        }
    }
}

/// The camera as it is once it has streamed for long enough.
fn streaming(o: &Observer<'_>) -> Status {
    // the supervisor counts from the first frame, which on an emulated Pi comes late; by the rate that is meant, since the
    // measured one is low at first
    let streamed = |status: &Status| status.frames as f64 / o.fps;
    let well = |status: &Status| status.state == StreamState::Streaming && streamed(status) >= HEALTHY;
    o.until(PATIENCE * 2, well).expect("a healthy camera");
    o.arrives(PATIENCE).expect("a stream");
    o.status().expect("a status")
}

fn healed(healed: Option<Duration>) -> Seen {
    Seen { told: None, healed }
}

fn cable(o: &Observer<'_>, length: Duration) -> Seen {
    let before = streaming(o);
    o.lab.cut_network(o.camera);
    let start = Instant::now();
    let told = |status: &Status| status.restarts.values().sum::<u64>() > before.restarts.values().sum();
    let told = o.until(length, told);
    within(length.saturating_sub(start.elapsed()), || false);
    o.lab.restore_network(o.camera);
    Seen {
        told,
        healed: o.arrives(PATIENCE),
    }
}
