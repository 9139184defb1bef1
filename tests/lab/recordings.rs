//! Recordings as they are kept: filed as films, deleted before the disk is full, never lost and never in the streams' way.

use crate::fleet::{Fleet, bytes_received, lives, streams_again, verify};
use crate::hosts::{Image, Lab, all, run, text, wait_for};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};
use std::time::{Duration, Instant, SystemTime};

const PATH: &str = "/var/lib/pistream/recordings";
/// Where a test puts files that nginx is to have written: on the same disk, so that they appear at once.
const ASIDE: &str = "/var/lib/pistream/aside";
const SOON: Duration = Duration::from_secs(60);

fn fleet(lab: &Lab, cameras: &[&str], recording: &str) -> Fleet {
    let mut fleet = Fleet::new(lab, "russh", cameras);
    fleet.server += &format!(", recording: {{interval: 10s, {recording}}}");
    fleet
}

/// Files below the recordings' directory that match, without the directory, in the order of their names.
fn files(lab: &Lab, pattern: &str) -> Vec<String> {
    let found = lab.root("hub", &format!("cd {PATH} && find . -type f -path '{pattern}' | sort"));
    found
        .lines()
        .map(|line| line.trim_start_matches("./").to_owned())
        .collect()
}

/// Video packets in a file, by ffprobe.
fn packets(lab: &Lab, path: &str) -> u32 {
    let ask = "ffprobe -v error -select_streams v -count_packets -show_entries stream=nb_read_packets -of csv=p=0";
    lab.root("hub", &format!("{ask} {path}"))
        .trim_end_matches(',')
        .parse()
        .unwrap()
}

/// Seconds that a film's picture lasts, by ffprobe.
fn duration(lab: &Lab, path: &str) -> f64 {
    let ask = "ffprobe -v error -select_streams v -show_entries stream=duration -of csv=p=0";
    lab.root("hub", &format!("{ask} {path}")).parse().unwrap()
}

/// The day so many days ago: "2026-10-16".
fn day(ago: u64) -> String {
    let then = SystemTime::now() - Duration::from_secs(ago * 24 * 60 * 60);
    humantime::format_rfc3339(then).to_string()[..10].to_owned()
}

/// A film of so many megabytes, as if recorded at noon so many days ago.
fn old_chunk(lab: &Lab, stream: &str, ago: u64, megabytes: u32) -> String {
    let day = day(ago);
    let name = format!("{stream}/{day}/{stream}.{}T120000Z.mp4", day.replace('-', ""));
    let make = format!(
        "f={PATH}/{name}; install -d -o pistream -g pistream $(dirname $(dirname $f)) $(dirname $f) && \
         head -c {megabytes}M /dev/zero >$f && touch -d '{day} 13:00Z' $f && chown pistream: $f"
    );
    lab.root("hub", &make);
    name
}

/// The keeper looks at everything that is filed when it starts.
fn restart_keeper(lab: &Lab) {
    lab.root("hub", "systemctl restart pistream-recordings");
}

#[test]
fn finished_chunks_become_films_and_a_killed_keeper_loses_none() {
    let lab = Lab::up(Image::Fat, &["hub", "porch"]);
    takes_nobodys_directory(&lab);
    // as a fresh disk that is mounted there
    lab.root(
        "hub",
        &format!("install -d {PATH} && install -d -m 700 {PATH}/lost+found"),
    );
    fleet(&lab, &["porch"], &format!("path: {PATH}"))
        .deploy(&lab)
        .must_exit(0);
    wait_for(SOON, "two films", || files(&lab, "./porch/*.mp4").len() >= 2);
    // whole films: fifteen frames for each second of theirs, which are ten and the rest of a keyframe interval
    let films = files(&lab, "./porch/*.mp4");
    let counted = packets(&lab, &format!("{PATH}/{}", films[0]));
    let lasts = duration(&lab, &format!("{PATH}/{}", films[0]));
    let whole = (f64::from(counted) - 15.0 * lasts).abs() <= 2.0 && (8.0..14.0).contains(&lasts);
    assert!(whole, "{counted} frames in {lasts} s of {films:?}");
    // with the index in front, and for pistream's user alone
    let order = "head -c 64 $f | grep -aq moov && stat -c '%a %U' $f";
    let told = lab.root("hub", &format!("f={PATH}/{}; {order}", films[0]));
    assert_eq!(told, "640 pistream");
    // nginx's file is gone, but for the one being written
    wait_for(SOON, "the received files to go", || files(&lab, "./*.flv").len() <= 1);

    told_and_fetched(&lab);

    // a large one, so that there is a middle in which to be killed
    let make = format!(
        "mkdir -p {ASIDE} && ffmpeg -v error -nostdin -f lavfi -i testsrc2=size=640x480:rate=25 -t 4 -c:v libx264 \
         -preset ultrafast -b:v 30M -minrate 30M -maxrate 30M -bufsize 3M -x264-params nal-hrd=cbr -f flv {ASIDE}/part.flv && \
         ffmpeg -v error -nostdin -stream_loop 20 -i {ASIDE}/part.flv -c copy {ASIDE}/whole.flv && chown -R pistream: {ASIDE}"
    );
    lab.root("hub", &make);
    let wanted = packets(&lab, &format!("{ASIDE}/whole.flv"));
    let (received, film) = (
        format!("{PATH}/porch.20251001T120000Z.flv"),
        format!("{PATH}/porch/2025-10-01/porch.20251001T120000Z.mp4"),
    );
    lab.root("hub", &format!("mv {ASIDE}/whole.flv {received}"));
    // each time as soon as its ffmpeg is at work, and a moment later; what is there is looked at before it begins anew
    let kill = format!(
        "before=0; for delay in 0 0.1 0.3; do \
             for i in $(seq 600); do \
                 p=$(systemctl show -P MainPID pistream-recordings); \
                 [ $p != 0 ] && [ $p != $before ] && pgrep -P $p -x ffmpeg >/dev/null && break; sleep 0.02; \
             done; \
             sleep $delay; kill -9 $p || exit 1; before=$p; ls {received} {film} 2>/dev/null; \
         done; true"
    );
    let left = lab.root("hub", &kill);
    assert_eq!(left, [received.as_str(); 3].join("\n"), "killed in the middle");
    wait_for(SOON, "the film of the large chunk", || {
        lab.ssh("hub", &format!("[ -e {film} ] && ! [ -e {received} ]"))
            .status
            .success()
    });
    assert_eq!(packets(&lab, &film), wanted);
    // another chunk may just be filed; what a killed keeper left would stay
    wait_for(SOON, "nothing half filed", || files(&lab, "*.part").is_empty());

    // what refused publishers leave goes; what is none of ours stays
    lab.root(
        "hub",
        &format!("cd {PATH} && : >porch.20251002T120000Z.flv && : >notes.flv && chown pistream: *.flv"),
    );
    wait_for(SOON, "the stub to go", || {
        files(&lab, "./porch.20251002T120000Z.flv").is_empty()
    });
    assert_eq!(files(&lab, "./notes.flv"), ["notes.flv"]);
    verify(&lab).must_hold();
}

/// Recordings go where nothing of anybody else's is.
fn takes_nobodys_directory(lab: &Lab) {
    let look = "stat -c '%a %U %n' /srv/share /srv/share/*; id pistream; ls /etc/pistream";
    lab.root("hub", "install -d -o pi /srv/share && touch /srv/share/letters");
    let before = all(&lab.ssh("hub", look));
    let deployed = fleet(lab, &["porch"], "path: /srv/share").deploy(lab).must_exit(1);
    let told = deployed.text();
    assert!(
        told.contains("give /srv/share to pistream: it belongs to somebody else"),
        "{told}"
    );
    assert_eq!(all(&lab.ssh("hub", look)), before);
}

/// `pistream recordings` with these arguments.
fn ask(lab: &Lab, arguments: &[&str]) -> Output {
    let arguments = [&["recordings"], arguments, &["-i", "hosts.yml"]].concat();
    lab.pistream(&arguments).output().unwrap()
}

/// The commands, on a fleet with at least two films: what is there, what is missing and why, one film over a chunk's border.
fn told_and_fetched(lab: &Lab) {
    for (unit, why) in [
        ("pistream-door", "pistream-door, by which cameras come in, was stopped"),
        ("pistream-server", "nginx was stopped on the server"),
    ] {
        let down = Instant::now();
        lab.root("hub", &format!("systemctl stop {unit}"));
        wait_for(SOON, "a gap that counts", || down.elapsed() > Duration::from_secs(7));
        lab.root("hub", &format!("systemctl start {unit}"));
        streams_again(lab, "porch", Duration::from_secs(30));
        let gaps = ask(lab, &["gaps", "porch", "--from", "10m"]);
        assert!(text(&gaps).contains(why), "{}", all(&gaps));
    }

    let listed = ask(lab, &["ls", "--json"]);
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    let chunks = listed["cameras"][0]["chunks"].as_array().unwrap();
    let [first, second] = [&chunks[0], &chunks[1]];
    // a chunk is told of from the second after it began
    wait_for(SOON, "the chunk that is being written", || {
        text(&ask(lab, &["ls"])).contains("now")
    });
    let table = text(&ask(lab, &["ls"]));
    let today = first["file"].as_str().unwrap().split('/').nth(1).unwrap();
    assert!(
        table.contains("porch") && table.contains(today) && table.contains("now"),
        "{table}"
    );

    let time = |of: &serde_json::Value| {
        text(&run(Command::new("date").args([
            "-u",
            "-d",
            &format!("@{of}"),
            "+%FT%T",
        ])))
    };
    let (from, to) = (time(&first["start"]), time(&second["end"]));
    let export = ["export", "porch", "--from", &from, "--to", &to, "-o", "film.mp4"];
    let done = ask(lab, &export);
    assert_eq!(done.status.code(), Some(0), "{}", all(&done));
    println!("{}", text(&done));
    let film = lab.home().join("film.mp4");
    assert_eq!(std::fs::metadata(&film).unwrap().permissions().mode() & 0o777, 0o600);
    let in_chunks: u32 = [first, second]
        .map(|chunk| packets(lab, &format!("{PATH}/{}", chunk["file"].as_str().unwrap())))
        .iter()
        .sum();
    let decoded = run(Command::new("ffmpeg").args([
        "-v",
        "error",
        "-nostdin",
        "-i",
        film.to_str().unwrap(),
        "-f",
        "framecrc",
        "-",
    ]));
    assert!(decoded.stderr.is_empty(), "{}", all(&decoded));
    let frames = text(&decoded).lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(
        frames,
        usize::try_from(in_chunks).unwrap(),
        "a film has other frames than its chunks"
    );
    until_now(lab, &from);
    former(lab);
    interrupted(lab);
    // never over a file that is there, and no half film where there is none
    assert_eq!(ask(lab, &export).status.code(), Some(2));
    let none = ask(
        lab,
        &[
            "export",
            "porch",
            "--from",
            "2020-01-01",
            "--to",
            "2020-01-02",
            "-o",
            "none.mp4",
        ],
    );
    assert!(
        none.status.code() == Some(1) && all(&none).contains("nothing is recorded"),
        "{}",
        all(&none)
    );
    assert!(!lab.home().join("none.mp4").exists());
}

/// A film of filed chunks and of the one that nginx is writing runs at one speed.
fn until_now(lab: &Lab, from: &str) {
    let done = ask(lab, &["export", "porch", "--from", from, "-o", "now.mp4"]);
    assert_eq!(done.status.code(), Some(0), "{}", all(&done));
    let film = lab.home().join("now.mp4");
    let times = run(Command::new("ffprobe")
        .args("-v error -select_streams v -show_entries packet=dts_time -of csv=p=0".split(' '))
        .arg(&film));
    let times: Vec<f64> = text(&times)
        .lines()
        .map(|t| t.trim_end_matches(',').parse().unwrap())
        .collect();
    assert!(times.len() > 300, "{} frames", times.len());
    // 15 frames a second
    let odd: Vec<&[f64]> = times
        .windows(2)
        .filter(|pair| !(0.03..0.2).contains(&(pair[1] - pair[0])))
        .collect();
    assert!(odd.is_empty(), "{odd:?}");
}

/// Recordings of a camera that the inventory names no longer are told of; a name that nobody has is an error.
fn former(lab: &Lab) {
    let film = old_chunk(lab, "attic", 3, 1);
    let listed = ask(lab, &["ls", "attic"]);
    assert!(
        listed.status.success() && text(&listed).contains(&day(3)),
        "{}",
        all(&listed)
    );
    // dark all the time: one gap, no more than was asked for
    let gaps = text(&ask(lab, &["gaps", "attic", "--from", "60m"]));
    assert!(gaps.contains("attic") && gaps.lines().count() == 2, "{gaps}");
    assert!(gaps.contains("1h ") || gaps.contains("60m"), "{gaps}");
    lab.root("hub", &format!("rm {PATH}/{film}"));
    let unknown = ask(lab, &["ls", "nobody"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(
        all(&unknown).contains("nothing is recorded of nobody"),
        "{}",
        all(&unknown)
    );
}

/// Ctrl-C leaves no piece of a film.
fn interrupted(lab: &Lab) {
    let pieces = || {
        let names = std::fs::read_dir(lab.home())
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        names
            .filter(|name| name.to_string_lossy().starts_with(".pistream-"))
            .count()
    };
    let arguments = ["recordings", "export", "porch", "-o", "never.mp4", "-i", "hosts.yml"];
    let mut export = lab.pistream(&arguments).spawn().unwrap();
    let begun = Instant::now();
    while pieces() == 0 {
        assert!(begun.elapsed() < SOON, "no film was begun");
        std::thread::sleep(Duration::from_millis(5));
    }
    run(Command::new("kill").args(["-INT", &export.id().to_string()]));
    assert_eq!(export.wait().unwrap().code(), Some(130));
    assert_eq!(pieces(), 0);
    assert!(!lab.home().join("never.mp4").exists());
}

#[test]
fn the_oldest_recordings_go_before_the_disk_is_full_and_a_full_disk_stops_no_stream() {
    let lab = Lab::up(Image::Fat, &["hub", "porch", "garden"]);
    lab.root(
        "hub",
        &format!("mkdir -p {PATH} && mount -t tmpfs -o size=100m,mode=750 recordings {PATH}"),
    );
    let mut of_garden = fleet(&lab, &["porch", "garden"], "keep: 365d, at_most: 100%, keep_free: 20M");
    of_garden.cameras[1].2 += ", recording: {keep: 45d}";
    of_garden.deploy(&lab).must_exit(0);
    for camera in ["porch", "garden"] {
        streams_again(&lab, camera, Duration::from_secs(30));
    }

    // without one of today the clock might be wrong
    wait_for(SOON, "a film", || !files(&lab, "./*/*.mp4").is_empty());

    // by age: the camera's own
    let old = [("garden", 60), ("porch", 60), ("garden", 41)].map(|(stream, ago)| old_chunk(&lab, stream, ago, 1));
    let left = |made: &[String], of: &[&String]| {
        let there = files(&lab, "./*/*.mp4");
        made.iter().all(|name| there.contains(name) == of.contains(&name))
    };
    restart_keeper(&lab);
    wait_for(SOON, "garden's oldest to go", || left(&old, &[&old[1], &old[2]]));
    assert!(
        lab.root("hub", "journalctl -u pistream-recordings")
            .contains("older than `keep`")
    );

    // by what is free: the oldest of all cameras, no more than needed (100 MB, 20 free: 2 + 70 + what is being recorded)
    let more = [("porch", 40), ("garden", 39), ("porch", 38), ("garden", 37)];
    let more = more.map(|(stream, ago)| old_chunk(&lab, stream, ago, 17));
    let made = [&old[..], &more[..]].concat();
    restart_keeper(&lab);
    lab.root("hub", &format!("head -c 15M /dev/zero >{PATH}/others"));
    wait_for(SOON, "the oldest to go", || {
        left(&made, &[&more[1], &more[2], &more[3]])
    });

    // by their share
    of_garden.server = of_garden.server.replace("at_most: 100%", "at_most: 45M");
    of_garden.deploy(&lab).must_exit(0);
    wait_for(SOON, "the oldest to go", || left(&made, &[&more[2], &more[3]]));

    // what was recorded just now is not given up for others
    let fresh = || {
        let films = files(&lab, "./*/*.mp4").into_iter();
        films.filter(|name| !made.contains(name)).collect::<Vec<String>>()
    };
    wait_for(SOON, "films of today", || !fresh().is_empty());
    let of_today = fresh();

    // a disk that somebody else fills: of the 2 MB that recording leaves free one is left
    let before = lives(&lab, "hub");
    let fill = format!("head -c $(($(df --output=avail -B1 {PATH} | tail -1) - 1000000)) /dev/zero >>{PATH}/others");
    lab.root("hub", &fill);
    wait_for(SOON, "everything that may go to go", || left(&made, &[]));
    lab.root("hub", &fill);
    let full = || {
        let status = lab.root("hub", "systemctl show -P StatusText pistream-recordings");
        status.contains("the disk is full")
    };
    wait_for(SOON, "recording to stop", full);
    for camera in ["porch", "garden"] {
        streams_again(&lab, camera, Duration::from_secs(30));
    }
    let report = verify(&lab);
    assert!(report.text().contains("the disk is full"), "{}", report.text());
    report.must_name("porch", "recording");
    let received = bytes_received(&lab, "porch").unwrap();
    let kept = fresh();
    assert!(of_today.iter().all(|film| kept.contains(film)), "{of_today:?} {kept:?}");

    lab.root("hub", &format!("rm {PATH}/others"));
    recorded_again(&lab);
    verify(&lab).must_hold();
    assert_eq!(lives(&lab, "hub"), before, "something was restarted");
    assert!(
        bytes_received(&lab, "porch").unwrap() > received,
        "the stream was interrupted"
    );

    // to the last byte, quicker than anybody can look
    // (what somebody removes meanwhile is filled, too)
    let fill =
        format!("head -c 1G /dev/zero >>{PATH}/others 2>/dev/null; [ $(df --output=avail {PATH} | tail -1) = 0 ]");
    wait_for(SOON, "a full disk", || lab.ssh("hub", &fill).status.success());
    wait_for(SOON, "recording to stop", full);
    for camera in ["porch", "garden"] {
        let again = streams_again(&lab, camera, Duration::from_secs(30));
        println!("full to the last byte: {camera} streams after {again:?}");
    }
    let report = verify(&lab);
    assert!(report.text().contains("the disk is full"), "{}", report.text());
    lab.root("hub", &format!("rm {PATH}/others"));
    let again = recorded_again(&lab);
    println!("recorded again after {again:?}");
    verify(&lab).must_hold();
    assert_eq!(lives(&lab, "hub"), before, "something was restarted");
}

/// Waits until both cameras' recordings grow.
fn recorded_again(lab: &Lab) -> Duration {
    let growing = || text(&lab.ssh("hub", &format!("stat -c '%n %s' {PATH}/*.flv")));
    let mut seen = growing();
    wait_for(SOON, "both to be recorded again", || {
        let now = growing();
        let grew = now != seen && now.contains("porch.") && now.contains("garden.");
        seen = now;
        grew
    })
}
