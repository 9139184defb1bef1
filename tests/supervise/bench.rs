//! The parts of a test of the supervisor: a directory with a stand-in for ffmpeg, a supervisor in it, waiting.

use pistream_agent::{Event, Status, StreamState};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long anything may take that should take moments; generous, since the machine may be busy.
pub const SOON: Duration = Duration::from_secs(20);

/// A camera's `stall_after` where nothing is to stall, in seconds: a busy machine starves a stand-in for one or two.
pub const PATIENT: u32 = 9;
/// Where something does.
pub const IMPATIENT: u32 = 2;

/// One pipeline that any host can run.
pub const ONLY: &str = "[[pipeline]]\nname = \"only\"\narguments = [\"-i\", \"x\"]\n";

/// The agent: the one tests/cost gives, the one this build made, else one built now.
pub fn agent() -> &'static Path {
    static AGENT: OnceLock<PathBuf> = OnceLock::new();
    AGENT.get_or_init(|| {
        if let Some(path) = std::env::var_os("PISTREAM_COST_AGENT") {
            return PathBuf::from(path);
        }
        if let Some(path) = option_env!("PISTREAM_AGENT_PATH") {
            return PathBuf::from(path);
        }
        let cargo = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "-p", "pistream-agent", "--bin", "pistream-agent"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(cargo.unwrap().success(), "the agent does not build");
        let deps = std::env::current_exe().unwrap();
        deps.parent().unwrap().parent().unwrap().join("pistream-agent")
    })
}

/// A directory of a test's own, with a configuration and a stand-in in it. Removed at the end.
pub struct Bench {
    directory: PathBuf,
}

impl Bench {
    /// `stand_in` is the script's body; every start of it appends its process id to `starts`.
    pub fn new(stand_in: &str) -> Bench {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("pistream-supervise-{}-{number}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        let bench = Bench { directory };
        let starts = bench.path("starts");
        let script = format!(
            "#!/bin/sh\n# stand-in for ffmpeg\necho $$ >>'{}'\n{stand_in}\n",
            starts.display()
        );
        executable(&bench.path("ffmpeg"), &script);
        bench.configure(PATIENT, ONLY);
        bench
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub fn configure(&self, stall_after: u32, pipelines: &str) {
        let config = format!(
            "stream = \"porch\"\nffmpeg = {:?}\nstatus_socket = {:?}\nstall_after = {stall_after}\nbitrate = 250000\n\n{pipelines}",
            self.path("ffmpeg"),
            self.path("status.sock")
        );
        fs::write(self.path("camera.toml"), config).unwrap();
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(agent());
        command.arg("supervise").arg("--config").arg(self.path("camera.toml"));
        command
            .stdin(Stdio::null())
            .stderr(fs::File::create(self.path("log")).unwrap());
        command
    }

    pub fn supervise(&self) -> Supervisor<'_> {
        self.supervise_by(&mut self.command())
    }

    pub fn supervise_by(&self, command: &mut Command) -> Supervisor<'_> {
        Supervisor {
            bench: self,
            child: command.spawn().unwrap(),
        }
    }

    pub fn starts(&self) -> Vec<u32> {
        let starts = fs::read_to_string(self.path("starts")).unwrap_or_default();
        starts.lines().filter_map(|line| line.parse().ok()).collect()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// `pistream-agent status` as a process.
    pub fn ask(&self) -> Output {
        Command::new(agent())
            .args(["status", "--socket"])
            .arg(self.path("status.sock"))
            .output()
            .unwrap()
    }

    /// The status straight from the socket, if something listens.
    pub fn status(&self) -> Option<Status> {
        let mut answer = String::new();
        let mut socket = UnixStream::connect(self.path("status.sock")).ok()?;
        socket.set_read_timeout(Some(SOON)).unwrap();
        socket.read_to_string(&mut answer).ok()?;
        let events = events(&answer);
        match &events[..] {
            [Event::Hello { .. }, Event::Status { status }] => Some((**status).clone()),
            other => panic!("not an answer: {other:?}"),
        }
    }

    /// Waits until the status is as wanted.
    pub fn until(&self, what: &str, wanted: impl Fn(&Status) -> bool) -> Status {
        self.until_within(SOON, what, wanted)
    }

    /// The same for what takes longer.
    pub fn until_within(&self, patience: Duration, what: &str, wanted: impl Fn(&Status) -> bool) -> Status {
        let mut last = None;
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            last = self.status();
            if let Some(status) = last.take_if(|status| wanted(status)) {
                return status;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("not {what} within {patience:?}: {last:?}\nlog:\n{}", self.log());
    }

    pub fn streaming(&self) -> Status {
        self.until("streaming", |status| status.state == StreamState::Streaming)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A running supervisor; killed when the test is over (ffmpeg goes with it).
pub struct Supervisor<'a> {
    bench: &'a Bench,
    child: Child,
}

impl Supervisor<'_> {
    pub fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    pub fn exits(&mut self) -> ExitStatus {
        let mut ended = None;
        wait("exited", || {
            ended = self.child.try_wait().unwrap();
            ended.is_some()
        });
        ended.unwrap()
    }

    /// Process ids and states ("S", "Z" …) of the supervisor's children.
    pub fn children(&self) -> Vec<(u32, char)> {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        ids.filter_map(|pid| {
            let (state, parent) = state_and_parent(pid)?;
            (parent == self.child.id()).then_some((pid, state))
        })
        .collect()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How many files, pipes and sockets the supervisor has open.
    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// Exactly one child, alive, and it is the one the status names.
    pub fn has_one_ffmpeg(&self) {
        wait("one child, no zombie", || {
            let told = self.bench.status().and_then(|status| status.ffmpeg_pid);
            matches!(&self.children()[..], [(pid, state)] if Some(*pid) == told && *state != 'Z')
        });
    }
}

impl Drop for Supervisor<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program that can be run at once. Written by another process: a descriptor open for writing here could be in a child of
/// another test when it is run ("Text file busy").
pub fn executable(path: &Path, script: &str) {
    let mut writer = Command::new("sh");
    writer.args(["-c", "cat >\"$0\" && chmod 755 \"$0\""]).arg(path);
    let mut writer = writer.stdin(Stdio::piped()).spawn().unwrap();
    writer.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(writer.wait().unwrap().success());
}

pub fn events(lines: &str) -> Vec<Event> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub fn signal(pid: u32, name: &str) {
    let sent = Command::new("sh")
        .args(["-c", "kill -s \"$0\" \"$1\"", name, &pid.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

pub fn state_and_parent(pid: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// Gone, or dead and left to whoever adopted it.
pub fn is_gone(pid: u32) -> bool {
    state_and_parent(pid).is_none_or(|(state, _)| matches!(state, 'Z' | 'X'))
}

pub fn wait(what: &str, mut holds: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < SOON, "not {what} within {SOON:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
    start.elapsed()
}
