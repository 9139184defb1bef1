//! What ffmpeg has sent and nobody has acknowledged: the only early sign of a dead network, since ffmpeg goes on encoding
//! into the kernel's buffers and then blocks without a word.

mod diag;

use diag::Diag;
use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

/// ffmpeg tells its size in whole kilobytes; less than this is no progress. Bytes.
const NOISE: u64 = 2048;

/// What of a process's output is under way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sent {
    /// Bytes in the send queues: sent but unacknowledged, or not yet sent.
    pub(super) waiting: u64,
    /// What the other side has acknowledged, where the kernel tells that.
    pub(super) arrived: Option<Arrived>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arrived {
    /// Since the connection was made.
    pub(super) bytes: u64,
    /// The shortest way there and back that the kernel has seen lately.
    pub(super) round_trip: Duration,
}

/// The TCP connections of a process. Which they are is remembered: to go through its descriptors ten times a second
/// would be the dearest thing the supervisor does.
#[derive(Debug)]
pub(super) struct Connections {
    pid: u32,
    sockets: BTreeSet<String>,
    /// `None` where the kernel does not answer such questions.
    diag: Option<Diag>,
}

impl Connections {
    pub(super) fn of(pid: u32) -> Connections {
        Connections {
            pid,
            sockets: BTreeSet::new(),
            diag: Diag::open().ok(),
        }
    }

    /// `None` when there is no connection, or nobody tells.
    pub(super) fn sent(&mut self) -> Option<Sent> {
        let known = self.look_up();
        if known.is_some() {
            return known;
        }
        self.sockets = sockets(self.pid);
        self.look_up()
    }

    /// After [`Connections::sent`]: whether the process has a socket of any kind, as who asks for a name has.
    pub(super) fn are_begun(&self) -> bool {
        !self.sockets.is_empty()
    }

    fn look_up(&mut self) -> Option<Sent> {
        if self.sockets.is_empty() {
            return None;
        }
        let asked = self.diag.as_mut().and_then(|diag| diag.sent(&self.sockets));
        asked.or_else(|| {
            let queues = ["tcp", "tcp6"].iter().filter_map(|table| {
                let table = fs::read_to_string(format!("/proc/{}/net/{table}", self.pid)).ok()?;
                queued(&table, &self.sockets)
            });
            let waiting = queues.reduce(u64::saturating_add)?;
            Some(Sent { waiting, arrived: None })
        })
    }
}

/// The inodes of a process's sockets, of whatever kind.
fn sockets(pid: u32) -> BTreeSet<String> {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten();
    let inode = |entry: fs::DirEntry| {
        let target = fs::read_link(entry.path()).ok()?;
        Some(target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
    };
    descriptors.flatten().filter_map(inode).collect()
}

/// The sum of `tx_queue` over the lines of `/proc/net/tcp` whose inode is one of these (proc(5)).
fn queued(table: &str, inodes: &BTreeSet<String>) -> Option<u64> {
    let queues = table.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        // sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode …
        let (queues, inode) = (fields.get(4)?, fields.get(9)?);
        inodes
            .contains(*inode)
            .then(|| u64::from_str_radix(queues.split_once(':')?.0, 16).ok())?
    });
    queues.reduce(u64::saturating_add)
}

/// Watches that what leaves ffmpeg also arrives.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    acknowledged: u64,
    advanced: Option<Instant>,
    waiting: u64,
}

impl Delivery {
    /// At `now` ffmpeg had written `written` bytes, of which `waiting` had not been acknowledged.
    ///
    /// While nothing is acknowledged the difference cannot grow: what is written is added to both.
    pub(super) fn sample(&mut self, now: Instant, written: u64, waiting: Option<u64>) {
        let Some(waiting) = waiting else {
            self.advanced = None;
            return;
        };
        let acknowledged = written.saturating_sub(waiting);
        self.waiting = waiting;
        if waiting == 0 || self.advanced.is_none() || acknowledged > self.acknowledged + NOISE {
            self.acknowledged = acknowledged;
            self.advanced = Some(now);
        }
    }

    /// Whether anything has been acknowledged; `None` while nothing is known.
    pub(super) fn has_arrived(&self) -> Option<bool> {
        self.advanced.map(|_| self.acknowledged > 0)
    }

    /// For how long nothing has been acknowledged although something waits, and how many bytes wait.
    pub(super) fn stuck(&self, now: Instant) -> Option<(Duration, u64)> {
        let advanced = self.advanced.filter(|_| self.waiting > 0)?;
        Some((now.duration_since(advanced), self.waiting))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn the_kernels_table_is_read_by_inode() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
            0: 0100007F:0019 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1111 1 0 100 0 0 10 0\n   \
            1: 0B00000A:BEEF 0A00000A:078F 01 0000A028:00000000 01:00000014 00000000     0        0 2222 2 0 24 4 30 10 -1\n";
        let of = |inodes: &[&str]| queued(table, &inodes.iter().map(|inode| (*inode).to_owned()).collect());
        assert_eq!(of(&["2222"]), Some(0xA028));
        assert_eq!(of(&["1111", "2222", "3333"]), Some(0xA028));
        assert_eq!(of(&["3333"]), None);
        assert_eq!(queued("garbage\nmore garbage\n", &BTreeSet::new()), None);
    }

    #[test]
    fn a_real_connection_whose_other_end_does_not_read() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut sender = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let _receiver = listener.accept().unwrap();
        sender.set_nonblocking(true).unwrap();
        // until the receiver's window and the sender's buffer are full
        while sender.write(&[0; 65536]).is_ok() {}
        assert!(Connections::of(std::process::id()).sent().unwrap().waiting > 0);
    }

    fn half_seconds(delivery: &mut Delivery, start: Instant, count: std::ops::Range<u32>, queue: impl Fn(u64) -> u64) {
        for half in count {
            let written = u64::from(half) * 16_000;
            delivery.sample(start + Duration::from_millis(500) * half, written, Some(queue(written)));
        }
    }

    #[test]
    fn a_slow_but_living_network_is_not_stuck() {
        let (mut delivery, start) = (Delivery::default(), Instant::now());
        // the queue grows without a pause, and yet a third arrives
        half_seconds(&mut delivery, start, 0..100, |written| written / 3 * 2 + 1);
        let (stuck, _) = delivery.stuck(start + Duration::from_secs(50)).unwrap();
        assert!(stuck <= Duration::from_secs(1), "{stuck:?}");
    }

    #[test]
    fn a_cut_shows_from_the_moment_of_the_cut() {
        let (mut delivery, start) = (Delivery::default(), Instant::now());
        half_seconds(&mut delivery, start, 0..20, |_| 0);
        half_seconds(&mut delivery, start, 20..40, |written| {
            (written - 19 * 16_000) * 103 / 100
        });
        let (stuck, waiting) = delivery.stuck(start + Duration::from_secs(20)).unwrap();
        assert!(
            stuck >= Duration::from_secs(10) && waiting > 300_000,
            "{stuck:?} {waiting}"
        );
    }

    #[test]
    fn nothing_waiting_or_nothing_known_is_never_stuck() {
        let (mut delivery, start) = (Delivery::default(), Instant::now());
        delivery.sample(start, 1000, Some(0));
        assert_eq!(delivery.stuck(start + Duration::from_secs(60)), None);
        delivery.sample(start, 1000, None);
        assert_eq!(delivery.stuck(start + Duration::from_secs(60)), None);
    }
}
