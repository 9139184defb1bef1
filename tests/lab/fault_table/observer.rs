//! What the camera tells, what arrives at the server, and how many ffmpegs there are: seen from outside the hosts, where
//! that can be. ssh would cost a quarter of a second each time, and goes with the cable.

use crate::fleet::{ASK_STATISTICS, bytes_of};
use crate::hosts::{Lab, Running, wait_for};
use pistream_agent::{Event, Status};
use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(30);
/// Between two looks into a host that has to be asked, and does the work of answering itself.
const SELDOM: Duration = Duration::from_secs(4);
/// A child that has ended is reaped within this, or it is a zombie that stays.
const REAPED: Duration = Duration::from_secs(3);

/// Of a lab's camera, and its server `hub`.
pub struct Observer<'a> {
    pub lab: &'a Lab,
    pub camera: &'static str,
    /// Its frame rate, as meant.
    pub fps: f64,
    /// Where its status is asked for, if not in the files of a container's processes.
    pub line: Option<Line>,
}

/// One connection to a host into which nobody can look from outside: made once, since a handshake costs the virtual Pi a
/// second of its processor. Commands take it, too.
pub struct Line {
    status: PathBuf,
    _ssh: Running,
}

impl Line {
    pub fn to(lab: &Lab, host: &str) -> Line {
        let status = lab.home().join("status.sock");
        let settings = format!("  ControlPath {}\n", lab.home().join("ssh-%h").display());
        let mut config = OpenOptions::new().append(true).open(lab.ssh_config()).unwrap();
        config.write_all(settings.as_bytes()).unwrap();
        let mut ssh = Command::new("ssh");
        // it ends by itself after a minute where the host is gone, and so is whoever would have ended it
        ssh.args(["-M", "-N", "-o", "ServerAliveInterval=20", "-L"])
            .arg(format!("{}:/run/pistream/status.sock", status.display()))
            .arg("-F")
            .arg(lab.ssh_config())
            .arg(lab.ip(host))
            .stdin(Stdio::null());
        let ssh = Running(ssh.spawn().unwrap());
        wait_for(Duration::from_secs(30), "the line to the host", || status.exists());
        Line { status, _ssh: ssh }
    }
}

impl Observer<'_> {
    pub fn status(&self) -> Option<Status> {
        let mut socket = UnixStream::connect(self.socket()?).ok()?;
        socket.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).ok()?;
        answer.lines().find_map(|line| match serde_json::from_str(line) {
            Ok(Event::Status { status }) => Some(*status),
            _ => None,
        })
    }

    /// The agent's status socket, as this machine sees it.
    fn socket(&self) -> Option<PathBuf> {
        if let Some(line) = &self.line {
            return Some(line.status.clone());
        }
        let processes = self.lab.processes(self.camera);
        let (agent, ..) = processes.iter().find(|(_, name, _)| name.starts_with("agent-"))?;
        Some(format!("/proc/{agent}/root/run/pistream/status.sock").into())
    }

    fn bytes(&self) -> Option<u64> {
        let answer = self.lab.in_network("hub", &["bash", "-c", ASK_STATISTICS]);
        bytes_of(self.camera, &String::from_utf8_lossy(&answer.stdout))
    }

    /// Waits until the camera's status is as wanted; `None` if it never is.
    pub fn until(&self, patience: Duration, wanted: impl Fn(&Status) -> bool) -> Option<Duration> {
        within(patience, || self.status().is_some_and(|status| wanted(&status)))
    }

    /// Waits until bytes of the camera's arrive.
    pub fn arrives(&self, patience: Duration) -> Option<Duration> {
        let mut before = None;
        within(patience, || {
            let now = self.bytes();
            let advanced = matches!((before, now), (Some(before), Some(now)) if now > before);
            before = now;
            advanced
        })
    }

    /// Waits until bytes of another ffmpeg than this one arrive, after its first frame.
    pub fn arrives_anew(&self, before: Option<u32>, patience: Duration) -> Option<Duration> {
        let start = Instant::now();
        self.until(patience, |status| {
            status.frames > 0 && status.ffmpeg_pid.is_some() && status.ffmpeg_pid != before
        })?;
        self.arrives(patience)?;
        Some(start.elapsed())
    }

    /// Counts ffmpegs until `done`: the most that ever ran at once, and the zombies that stayed.
    pub fn count(&self, done: &AtomicBool) -> (usize, usize) {
        let (mut most, mut zombies) = (0, 0);
        let mut dead: HashMap<u32, Instant> = HashMap::new();
        while !done.load(Ordering::Relaxed) {
            let ffmpegs = self.ffmpegs();
            let ended = |pid: &u32| ffmpegs.iter().any(|(other, state)| other == pid && *state == 'Z');
            dead.retain(|pid, _| ended(pid));
            for (pid, _) in ffmpegs.iter().filter(|(_, state)| *state == 'Z') {
                let since = *dead.entry(*pid).or_insert_with(Instant::now);
                if since.elapsed() > REAPED {
                    zombies += 1;
                    // counted once
                    dead.insert(*pid, Instant::now() + Duration::from_secs(86_400));
                }
            }
            most = most.max(ffmpegs.iter().filter(|(_, state)| *state != 'Z').count());
            std::thread::sleep(self.line.as_ref().map_or(POLL, |_| SELDOM));
        }
        (most, zombies)
    }

    /// Their process ids, and states as the kernel writes them; dying ones are left out.
    fn ffmpegs(&self) -> Vec<(u32, char)> {
        if self.line.is_none() {
            let mut processes = self.lab.processes(self.camera);
            processes.retain(|(_, name, state)| name == "ffmpeg" && *state != 'X');
            return processes.into_iter().map(|(pid, _, state)| (pid, state)).collect();
        }
        let told = self.lab.ssh(self.camera, "ps -C ffmpeg -o pid=,state=");
        let text = String::from_utf8_lossy(&told.stdout).into_owned();
        let one = |line: &str| {
            let (pid, state) = line.trim().split_once(' ')?;
            Some((pid.parse().ok()?, state.trim().chars().next()?))
        };
        text.lines().filter_map(one).collect()
    }
}

/// Waits until it holds, and tells how long that took; `None` if it never does.
pub fn within(patience: Duration, mut holds: impl FnMut() -> bool) -> Option<Duration> {
    let start = Instant::now();
    loop {
        if holds() {
            return Some(start.elapsed());
        }
        if start.elapsed() > patience {
            return None;
        }
        std::thread::sleep(POLL);
    }
}
