//! The real VLC, without a display: by RTMP and HLS, and behind `pistream watch`.

use crate::fleet::{Fleet, streams_again};
use crate::hosts::{Image, Lab, Running, run, wait_for};
use crate::watch::{child_of, distinct_pictures, issue, port_told, with_anna};
use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(60);
/// Of the fifteen a second that come, VLC keeps every fifth as a file.
const PICTURES: usize = 15;

/// VLC refuses root: what it runs as here, with a home that has its settings. They are what a machine without a display
/// needs, and a filter that keeps pictures as they are shown.
struct Somebody {
    home: tempfile::TempDir,
}

impl Somebody {
    fn new() -> Somebody {
        let home = tempfile::tempdir().unwrap();
        let settings = home.path().join(".config/vlc");
        fs::create_dir_all(&settings).unwrap();
        let own = format!(
            "intf=dummy\nvout=vdummy\naout=adummy\nvideo-filter=scene\nscene-path={}\nscene-format=png\nscene-ratio=5\n",
            home.path().display()
        );
        fs::write(settings.join("vlcrc"), own).unwrap();
        Somebody { home }
    }

    fn runs(&self, program: &str, arguments: &[&str]) -> Child {
        run(Command::new("chown")
            .args(["-R", "nobody:nogroup"])
            .arg(self.home.path()));
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", program])
            .args(arguments)
            .current_dir(self.home.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.home.path())
            .stdin(Stdio::null())
            .stderr(fs::File::create(self.complaints()).unwrap());
        command.spawn().unwrap()
    }

    /// What its programs complain of. Without a display there is no end of it: it is worth reading only where a story fails.
    fn complaints(&self) -> PathBuf {
        self.home.path().join("complaints")
    }

    /// Seconds until the first picture was seen, and until enough were.
    fn sees(&self) -> (f64, f64) {
        let start = Instant::now();
        let enough = |pictures| {
            wait_for(SOON, "pictures", || {
                distinct_pictures(self.home.path(), "png") >= pictures
            })
        };
        enough(1);
        let first = start.elapsed().as_secs_f64();
        enough(PICTURES);
        (first, start.elapsed().as_secs_f64())
    }
}

impl Drop for Somebody {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let complaints = fs::read_to_string(self.complaints()).unwrap_or_default();
            let last = complaints.lines().rev().take(20).collect::<Vec<_>>();
            eprintln!("the last complaints, the newest first:\n{}", last.join("\n"));
        }
    }
}

#[test]
fn vlc_shows_pictures_by_rtmp_and_hls_with_sound_and_without() {
    let lab = Lab::up(Image::Fat, &["hub", "porch", "garden"]);
    let mut fleet = Fleet::new(&lab, "russh", &["porch", "garden"]);
    fleet.server = format!("play: [10.77.{}.1], https: off", lab.id());
    fleet.cameras[1].2 += ", audio: silent";
    fleet.deploy(&lab).must_exit(0);
    let hub = lab.ip("hub");
    for camera in ["porch", "garden"] {
        streams_again(&lab, camera, SOON);
        let ways = [
            format!("rtmp://{hub}:1935/live/{camera}"),
            format!("http://{hub}:8080/hls/{camera}/index.m3u8"),
        ];
        for url in ways {
            let somebody = Somebody::new();
            let _vlc = Running(somebody.runs("vlc", &["-q", &url]));
            let (first, all) = somebody.sees();
            println!("{url}: a picture after {first:.1} s, {PICTURES} different ones after {all:.1} s");
        }
    }
}

#[test]
fn watch_starts_the_real_vlc_and_ends_with_it() {
    let (lab, machine) = with_anna();
    assert!(issue(&lab, "machine/anna").status.success());
    let somebody = Somebody::new();
    let pass = somebody.home.path().join("anna");
    run(Command::new("cp").arg("-r").arg(machine.join("anna")).arg(&pass));
    let arguments = ["watch", "porch", "--viewer", "anna", "--player", "vlc"];
    let mut watch = somebody.runs(env!("CARGO_BIN_EXE_pistream"), &arguments);
    let (first, _) = somebody.sees();
    println!("a picture after {first:.1} s");
    let vlc = child_of(watch.id()).expect("the player");
    let port = port_told(vlc).expect("its port");
    run(Command::new("kill").arg(vlc.to_string()));
    wait_for(SOON, "the end after the player's", || {
        watch.try_wait().unwrap().is_some()
    });
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "a port is left");
    assert!(
        Path::new(&format!("/proc/{vlc}"))
            .try_exists()
            .is_ok_and(|there| !there)
    );
}
