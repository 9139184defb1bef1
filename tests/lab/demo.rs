//! The demo on this machine and on a bare one: it works as anybody, ends in every way, and leaves nothing behind.

use crate::hosts::{Image, Lab, all, run, text, wait_for};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

const PISTREAM: &str = env!("CARGO_BIN_EXE_pistream");
/// nobody, who may write nowhere but where he was let.
const NOBODY: &str = "65534";
const SOON: Duration = Duration::from_secs(60);

/// A directory for temporary files of its own, so that whatever stays in it is the demo's.
struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new() -> Scratch {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o1777)).unwrap();
        Scratch(directory)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// What lies in it.
    fn left(&self) -> Vec<PathBuf> {
        fs::read_dir(self.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect()
    }

    /// Processes that have to do with it, by their command lines.
    fn processes(&self) -> Vec<String> {
        let ours = |entry: fs::DirEntry| {
            let line = fs::read(entry.path().join("cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            line.contains(self.path().to_str().unwrap()).then_some(line)
        };
        fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| ours(entry.ok()?))
            .collect()
    }

    fn nothing_is_left(&self) {
        wait_for(Duration::from_secs(30), "the demo's processes to end", || {
            self.processes().is_empty()
        });
        assert_eq!(self.left(), Vec::<PathBuf>::new());
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("TMPDIR", self.path()).current_dir("/").stdin(Stdio::null());
        command
    }

    /// A demo that goes on until it is ended; its output goes to a file.
    fn start(&self, log: &Path) -> Demo {
        let out = fs::File::create(log).unwrap();
        let child = self
            .command(PISTREAM)
            .arg("demo")
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap();
        Demo {
            child,
            log: log.to_owned(),
        }
    }
}

/// Ends with its value.
struct Demo {
    child: Child,
    log: PathBuf,
}

impl Demo {
    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    fn wait_until_it_streams(&self) {
        wait_for(SOON, "the demo's status line", || self.said().contains(" fps "));
    }

    fn end(mut self, signal: &str) -> ExitStatus {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", signal, &pid])
                .status()
                .unwrap()
                .success()
        );
        let mut ended = None;
        wait_for(Duration::from_secs(30), "the demo to end", || {
            ended = self.child.try_wait().unwrap();
            ended.is_some()
        });
        ended.unwrap()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn demos_of_anybody_verify_side_by_side_and_leave_nothing() {
    let (scratch, programs) = (Scratch::new(), Scratch::new());
    // where nobody may run it from; by another process: a descriptor open for writing here could be in a child of another
    // story when it is run
    let program = programs.path().join("pistream");
    run(Command::new("cp").arg(PISTREAM).arg(&program));
    let runs = ["0", NOBODY, NOBODY].map(|user| {
        let mut demo = scratch.command("setpriv");
        demo.args(["--reuid", user, "--regid", user, "--clear-groups", "--"])
            .arg(&program);
        demo.args(["demo", "--exit-after-verify"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        demo.spawn().unwrap()
    });
    for run in runs {
        let output = run.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", all(&output));
        let printed = text(&output);
        assert!(printed.contains("2 cameras: pictures flow"), "{printed}");
        for url in [
            "rtmp://127.0.0.1:",
            "/hls/porch/index.m3u8",
            "/dash/garden/index.mpd",
            "page  http://",
        ] {
            assert!(printed.contains(url), "no {url} in\n{printed}");
        }
    }
    scratch.nothing_is_left();
}

#[test]
fn every_way_to_end_a_demo_leaves_nothing_behind() {
    let (scratch, logs) = (Scratch::new(), Scratch::new());
    for signal in ["INT", "TERM", "HUP"] {
        let demo = scratch.start(&logs.path().join(signal));
        demo.wait_until_it_streams();
        // a second has passed for the status line when the next segment is there
        let first = demo.said();
        let playlist = scratch.left()[0].join("hub/run/hls/porch/index.m3u8");
        let segments = || fs::read_to_string(&playlist).unwrap_or_default();
        let before = segments();
        wait_for(SOON, "the next segment", || segments() != before);
        assert_eq!(demo.said(), first, "a file is no terminal");
        assert_eq!(demo.end(signal).code(), Some(0), "after {signal}");
        scratch.nothing_is_left();
    }
    // killed it cannot tidy up: its processes end all the same, and the next demo removes the directory
    let demo = scratch.start(&logs.path().join("KILL"));
    demo.wait_until_it_streams();
    demo.end("KILL");
    wait_for(Duration::from_secs(30), "its processes to end", || {
        scratch.processes().is_empty()
    });
    let stale = scratch.left();
    assert_eq!(stale.len(), 1);
    let demo = scratch.start(&logs.path().join("next"));
    demo.wait_until_it_streams();
    assert!(!stale[0].exists());
    // and it left the running one alone
    let other = scratch
        .command(PISTREAM)
        .args(["demo", "--exit-after-verify"])
        .output()
        .unwrap();
    assert!(other.status.success(), "{}", all(&other));
    assert_eq!(demo.end("TERM").code(), Some(0));
    scratch.nothing_is_left();
}

#[test]
fn on_a_terminal_the_status_line_renews_itself_until_ctrl_c() {
    let (scratch, logs) = (Scratch::new(), Scratch::new());
    let log = logs.path().join("typescript");
    let mut terminal = scratch.command("script");
    // `exec`: a shell between them (which of them `script` takes depends on SHELL) would get the Ctrl-C too and end with 130
    terminal.args(["-qefc", &format!("exec {PISTREAM} demo")]).arg(&log);
    terminal
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .env("TERM", "xterm");
    let mut child = terminal.spawn().unwrap();
    let said = || fs::read_to_string(&log).unwrap_or_default();
    wait_for(SOON, "the status line to be renewed", || {
        said().matches("porch ").count() > 5
    });
    // what Ctrl-C sends
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), &[3]).unwrap();
    let mut ended = None;
    wait_for(Duration::from_secs(30), "the demo to end", || {
        ended = child.try_wait().unwrap();
        ended.is_some()
    });
    assert_eq!(ended.unwrap().code(), Some(0), "{}", said());
    // a terminal that does not know its width (this one) breaks no table
    assert!(said().contains(" CAMERA  PICTURE"), "{}", said());
    scratch.nothing_is_left();
}

#[test]
fn a_directory_that_would_not_do_is_refused() {
    let scratch = Scratch::new();
    let odd = scratch.path().join("two words; $x");
    fs::create_dir(&odd).unwrap();
    let refused = scratch
        .command(PISTREAM)
        .arg("demo")
        .env("TMPDIR", &odd)
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2), "{}", all(&refused));
    assert!(all(&refused).contains("TMPDIR"), "{}", all(&refused));
    assert_eq!(fs::read_dir(&odd).unwrap().count(), 0);
}

#[test]
fn a_bare_machine_is_told_what_is_missing_or_gets_it() {
    let lab = Lab::up(Image::Bare, &["desk"]);
    let send = format!(
        "ssh -F {} {} 'cat >/usr/bin/pistream && chmod 755 /usr/bin/pistream' <{PISTREAM}",
        lab.ssh_config().display(),
        lab.ip("desk")
    );
    run(Command::new("sh").args(["-c", &send]));

    let refused = lab.ssh("desk", "su pi -c 'pistream demo --no-install'");
    assert_eq!(refused.status.code(), Some(2), "{}", all(&refused));
    let told = all(&refused);
    let command = "apt-get install nginx libnginx-mod-rtmp libnginx-mod-stream ffmpeg\n";
    assert!(told.contains(command), "not to be copied whole: {told}");
    assert!(!lab.ssh("desk", "test -e /usr/sbin/nginx").status.success());

    let done = lab.ssh("desk", "su pi -c 'pistream demo --exit-after-verify'");
    assert!(done.status.success(), "{}", all(&done));
    assert!(all(&done).contains("installing what the demo needs"), "{}", all(&done));
    // Debian's nginx neither runs nor will
    assert_eq!(text(&lab.ssh("desk", "systemctl is-active nginx")), "inactive");
    assert_eq!(text(&lab.ssh("desk", "systemctl is-enabled nginx")), "disabled");
    let left = "ls -d /tmp/pistream-* /usr/sbin/policy-rc.d 2>/dev/null; pgrep -l 'nginx|ffmpeg|pistream' || true";
    assert_eq!(lab.root("desk", left), "");
}
