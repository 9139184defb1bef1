//! A viewer's certificate: what it shows, what it does not, and `pistream watch`, which needs nothing else.

use crate::authority::{Authority, SERVER, self_signed};
use crate::fleet::{Fleet, deploy, streams_again, verify};
use crate::hosts::{Image, Lab, Running, all, run, wait_for};
use crate::identity::{SOON, certs};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// anna may watch porch; the machine at which she sits, with her pass and nothing else, is a directory.
pub fn with_anna() -> (Lab, PathBuf) {
    let lab = Lab::up(Image::Fat, &["hub", "porch", "garden"]);
    Fleet::new(&lab, "russh", &["porch", "garden"]).write(&lab);
    let inventory = fs::read_to_string(lab.home().join("hosts.yml")).unwrap();
    fs::write(lab.home().join("password"), "wicker basket\n").unwrap();
    lab.write_inventory(&format!(
        "{inventory}viewers: {{anna: {{password: {{file: password}}, cameras: [porch]}}}}\n"
    ));
    deploy(&lab, &[]).must_exit(0);
    for camera in ["porch", "garden"] {
        streams_again(&lab, camera, SOON);
    }
    let machine = lab.home().join("machine");
    fs::create_dir(&machine).unwrap();
    (lab, machine)
}

pub fn issue(lab: &Lab, directory: &str) -> Output {
    let mut issue = lab.pistream(&["certs", "issue", "--viewer", "anna", "-o", directory]);
    issue.output().unwrap()
}

/// `pistream watch` at anna's machine.
fn watch(machine: &Path, arguments: &[&str]) -> Command {
    let mut watch = Command::new(env!("CARGO_BIN_EXE_pistream"));
    watch.arg("watch").args(arguments).current_dir(machine);
    watch.env("SDL_VIDEODRIVER", "dummy").stdin(Stdio::null());
    watch
}

/// The tunnel, and the address at which it is.
pub fn tunnel(machine: &Path, arguments: &[&str]) -> (Running, String) {
    let mut tunnel = watch(machine, &[arguments, &["--player", "none"]].concat());
    let mut tunnel = Running(tunnel.stdout(Stdio::piped()).spawn().unwrap());
    let mut url = String::new();
    BufReader::new(tunnel.0.stdout.as_mut().unwrap())
        .read_line(&mut url)
        .unwrap();
    assert!(url.starts_with("rtmp://127.0.0.1:"), "{url}");
    (tunnel, url.trim_end().to_owned())
}

fn ffmpeg(arguments: &str) -> Command {
    let mut ffmpeg = Command::new("timeout");
    ffmpeg.args(["30", "ffmpeg", "-v", "error", "-nostdin"]);
    ffmpeg.args(arguments.split(' ')).stdin(Stdio::null());
    ffmpeg
}

/// Ten frames decoded.
fn plays(url: &str) -> Output {
    ffmpeg(&format!("-i {url} -frames:v 10 -f null -")).output().unwrap()
}

/// Exit code 1 and one fault.
fn refused(machine: &Path, arguments: &[&str], words: &str) {
    let refused = watch(machine, arguments).output().unwrap();
    let told = all(&refused);
    assert_eq!(
        (refused.status.code(), told.matches('×').count()),
        (Some(1), 1),
        "{told}"
    );
    assert!(told.replace("\n  │ ", " ").contains(words), "{told}");
}

/// Another server, stream or port in her pass, as she may write there.
fn forge(machine: &Path, to: &str, change: impl Fn(&str) -> String) {
    run(Command::new("cp").args(["-rp", "anna", to]).current_dir(machine));
    let places = machine.join(to).join("pass.json");
    let text = fs::read_to_string(&places).unwrap();
    let changed = change(&text);
    assert_ne!(changed, text);
    fs::write(&places, changed).unwrap();
}

#[test]
fn a_viewer_watches_her_camera_by_her_certificate_and_no_other_until_she_is_revoked() {
    let (lab, machine) = with_anna();
    let hub = lab.ip("hub");
    let issued = issue(&lab, "machine/anna");
    assert!(issued.status.success(), "{}", all(&issued));
    let mode = |path: &str| fs::metadata(machine.join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("anna"), mode("anna/identity.pem")), (0o700, 0o600));
    crate::scan::finds_nothing(&lab, &machine.join("anna"));

    let (porch, url) = tunnel(&machine, &["porch", "--viewer", "anna"]);
    let seen = plays(&url);
    assert!(seen.status.success(), "{}", all(&seen));
    // two players at once, and what they see is moving
    let hashes = ffmpeg(&format!("-i {url} -frames:v 30 -f framemd5 -"))
        .output()
        .unwrap();
    let hashes = String::from_utf8_lossy(&hashes.stdout).into_owned();
    let frames: BTreeSet<&str> = hashes.lines().filter_map(|l| l.rsplit(", ").next()).collect();
    assert!(frames.len() >= 20, "{hashes}");

    // a player is started, and its end is the end
    let mut ffplay = watch(&machine, &["porch", "--viewer", "anna", "--player", "ffplay"])
        .spawn()
        .unwrap();
    let mut player = None;
    wait_for(SOON, "the player", || {
        player = child_of(ffplay.id());
        player.is_some() && listeners(&lab) >= 1
    });
    run(Command::new("kill").arg(player.unwrap().to_string()));
    wait_for(SOON, "the end after the player's", || {
        ffplay.try_wait().unwrap().is_some()
    });

    mpv_shows_pictures(&machine);

    // another camera: not by asking, not by a pass that says so, not by any other player
    let asked = watch(&machine, &["garden", "--viewer", "anna"]).output().unwrap();
    assert_eq!(asked.status.code(), Some(2), "{}", all(&asked));
    assert!(all(&asked).contains("anna may not watch garden"), "{}", all(&asked));
    forge(&machine, "forged", |text| text.replace("porch", "garden"));
    let (garden, forged) = tunnel(&machine, &["garden", "--viewer", "forged"]);
    assert!(!plays(&forged).status.success(), "anna watches garden");
    drop(garden);
    let by_certificate = |what: &str| {
        let own = "-tls_verify 1 -ca_file anna/ca.pem -cert_file anna/identity.pem -key_file anna/identity.pem";
        ffmpeg(&what.replace("TLS", own))
            .current_dir(&machine)
            .output()
            .unwrap()
    };
    let play = |stream: &str| {
        by_certificate(&format!(
            "TLS -i rtmps://{hub}:1936/live/{stream} -frames:v 10 -f null -"
        ))
    };
    let own = play("porch");
    assert!(own.status.success(), "{}", all(&own));
    for stream in ["garden", "PORCH", "garden?name=porch", "porch&name=garden"] {
        assert!(!play(stream).status.success(), "anna watches {stream}");
    }
    lab.root("porch", "systemctl stop pistream-camera");
    for stream in ["porch", "anna"] {
        let publish =
            format!("-re -f lavfi -i testsrc2=size=320x240:rate=15 -t 2 -f flv TLS rtmps://{hub}:1936/live/{stream}");
        assert!(!by_certificate(&publish).status.success(), "anna streams as {stream}");
    }
    lab.root("porch", "systemctl start pistream-camera");
    streams_again(&lab, "porch", SOON);

    // an impostor hears nothing
    let here = format!("10.77.{}.1", lab.id());
    forge(&machine, "elsewhere", |text| text.replace(&hub, &here));
    let impostors = [
        self_signed("hub", &[&here], SERVER),
        Authority::unknown().identity("hub", &[&here], SERVER),
        Authority::of_fleet(&lab).identity("hub", &[&hub], SERVER),
    ];
    for identity in impostors {
        let heard = impostor(&lab, &here, &identity, || {
            refused(
                &machine,
                &["porch", "--viewer", "elsewhere", "--player", "none"],
                "is not the server it should be",
            );
        });
        assert_eq!(heard, 0, "the impostor heard something");
    }

    // by another authority it is one, too
    run(Command::new("cp")
        .args(["-rp", "anna", "strange"])
        .current_dir(&machine));
    fs::write(machine.join("strange/ca.pem"), Authority::unknown().pem()).unwrap();
    refused(
        &machine,
        &["porch", "--viewer", "strange", "--player", "none"],
        "is not the server it should be",
    );

    // revoked while she watches
    let mut watching = ffmpeg(&format!("-i {url} -f null -")).spawn().unwrap();
    wait_for(SOON, "her to watch", || listeners(&lab) >= 1);
    let start = Instant::now();
    let mut revoke = lab.pistream(&["certs", "revoke", "anna"]);
    let mut revoke = revoke.stdout(Stdio::null()).spawn().unwrap();
    wait_for(Duration::from_secs(20), "the end of the picture", || {
        watching.try_wait().unwrap().is_some()
    });
    let cut = start.elapsed();
    println!("revoked: cut off {cut:.1?} after the command began");
    assert!(cut < Duration::from_secs(5), "{cut:?}");
    assert!(revoke.wait().unwrap().success());
    streams_again(&lab, "porch", SOON);
    assert!(!plays(&url).status.success(), "revoked, anna watches on");
    drop(porch);
    let again = ["porch", "--viewer", "anna", "--player", "none"];
    refused(&machine, &again, "does not let anna in");
    assert!(certs(&lab, &["list"]).contains("revoked"));
    assert!(!issue(&lab, "machine/second").status.success());

    // let in again, with another key, and no deploy
    certs(&lab, &["renew", "anna"]);
    fs::remove_dir(machine.join("second")).unwrap();
    let issued = issue(&lab, "machine/second");
    assert!(issued.status.success(), "{}", all(&issued));
    let (porch, url) = tunnel(&machine, &["porch", "--viewer", "second"]);
    assert!(plays(&url).status.success());
    drop(porch);
    refused(&machine, &again, "does not let anna in");

    // she goes, and a camera gets her name: her pass is not taken for its certificate
    let inventory = fs::read_to_string(lab.home().join("hosts.yml")).unwrap();
    let (inventory, _) = inventory.split_once("viewers:").unwrap();
    lab.write_inventory(&inventory.replace("  garden: {", "  anna: {"));
    let deployed = deploy(&lab, &[]).must_exit(0);
    assert!(
        deployed.text().contains("anna: what another had"),
        "{}",
        deployed.text()
    );
    let second = ["porch", "--viewer", "second", "--player", "none"];
    refused(&machine, &second, "does not let anna in");
    // which has one of its own
    verify(&lab).must_hold();
    assert_eq!(deploy(&lab, &[]).must_exit(0).result("hub").0, "unchanged");
}

/// The real mpv, as it is on a machine without a display: her own mpv.conf has it paint thirty pictures into files. It ends
/// with the last one, and so do watch and its port.
fn mpv_shows_pictures(machine: &Path) {
    let home = machine.join("mpv");
    fs::create_dir(&home).unwrap();
    let conf = format!("vo=image\nvo-image-outdir={}\nframes=30\n", home.display());
    fs::write(home.join("mpv.conf"), conf).unwrap();
    let mut mpv = watch(machine, &["porch", "--viewer", "anna", "--player", "mpv"]);
    mpv.env("MPV_HOME", &home).stdout(Stdio::null()).stderr(Stdio::null());
    let mut mpv = mpv.spawn().unwrap();
    let mut port = None;
    wait_for(SOON, "mpv", || {
        port = child_of(mpv.id()).and_then(port_told);
        port.is_some()
    });
    wait_for(SOON, "mpv's end", || mpv.try_wait().unwrap().is_some());
    assert!(mpv.wait().unwrap().success());
    assert!(
        TcpStream::connect(("127.0.0.1", port.unwrap())).is_err(),
        "a port is left"
    );
    assert!(distinct_pictures(&home, "jpg") >= 20, "mpv's pictures do not move");
}

/// How many of the pictures in a directory differ.
pub fn distinct_pictures(directory: &Path, kind: &str) -> usize {
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let pictures = files.filter(|file| file.extension().is_some_and(|e| e == kind));
    pictures
        .map(|file| fs::read(file).unwrap())
        .collect::<BTreeSet<Vec<u8>>>()
        .len()
}

/// The port on loopback that a player was told, once it is one.
pub fn port_told(player: u32) -> Option<u16> {
    let arguments = fs::read_to_string(format!("/proc/{player}/cmdline")).ok()?;
    let (_, address) = arguments.split_once("rtmp://127.0.0.1:")?;
    address.split('/').next()?.parse().ok()
}

/// How many bytes a server with this identity hears while `during` lasts.
fn impostor(lab: &Lab, address: &str, identity: &str, during: impl Fn()) -> u64 {
    let file = lab.home().join("impostor.pem");
    fs::write(&file, identity).unwrap();
    let heard = lab.home().join("heard");
    let mut server = Command::new("openssl");
    server
        .args([
            "s_server",
            "-quiet",
            "-accept",
            &format!("{address}:1936"),
            "-verify",
            "1",
            "-cert",
        ])
        .arg(&file)
        .arg("-key")
        .arg(&file);
    server
        .current_dir(lab.home())
        .stdin(Stdio::piped())
        .stderr(Stdio::null());
    let server = Running(server.stdout(fs::File::create(&heard).unwrap()).spawn().unwrap());
    wait_for(SOON, "the impostor to listen", || {
        TcpStream::connect((address, 1936)).is_ok()
    });
    during();
    drop(server);
    fs::metadata(&heard).unwrap().len()
}

/// Who plays porch by a viewer's certificate.
fn listeners(lab: &Lab) -> usize {
    lab.root("hub", "ss -Htn state established src 127.128.0.0/10 | wc -l")
        .parse()
        .unwrap()
}

pub fn child_of(parent: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    children.split_whitespace().next()?.parse().ok()
}
