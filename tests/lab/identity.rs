//! Who is who on the wire: what an impostor gets (nothing), and what a camera's own certificate is good for (its own stream).

use crate::authority::{Authority, CAMERA, SERVER, self_signed};
use crate::changes::session;
use crate::fleet::{ASK_STATISTICS, Fleet, bytes_received, deploy, status, streams_again, verify};
use crate::hasty;
use crate::hosts::{Image, Lab, all, run, text, wait_for};
use pistream_agent::Cause;
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

pub const IDENTITY: &str = "/etc/pistream/identity.pem";
pub const SOON: Duration = Duration::from_secs(40);

/// A fleet that streams by TLS.
pub fn streaming(hosts: &[&str]) -> (Lab, Fleet) {
    let lab = Lab::up(Image::Fat, hosts);
    let fleet = Fleet::new(&lab, "russh", &hosts[1..]);
    fleet.deploy(&lab).must_exit(0);
    for camera in &hosts[1..] {
        streams_again(&lab, camera, SOON);
    }
    (lab, fleet)
}

/// Puts a file onto a host, for root alone.
pub fn put(lab: &Lab, host: &str, path: &str, content: &str) {
    assert!(!content.contains('\''));
    lab.root(host, &format!("umask 077; rm -f {path}; printf %s '{content}' >{path}"));
}

#[test]
fn an_impostor_server_hears_no_word_of_a_camera() {
    let (lab, _) = streaming(&["hub", "porch"]);
    let (hub, here) = (lab.ip("hub"), format!("10.77.{}.1", lab.id()));
    let fleet = Authority::of_fleet(&lab);
    let stranger = Authority::unknown();
    let impostors = [
        ("signed by itself", self_signed("hub", &[&here, "hub"], SERVER)),
        (
            "of another authority",
            stranger.identity("hub", &[&here, "hub"], SERVER),
        ),
        (
            "of the fleet, for another address",
            fleet.identity("hub", &[&hub, "hub"], SERVER),
        ),
        (
            "of the fleet, a camera's",
            fleet.identity(&here, &["porch.camera.invalid"], CAMERA),
        ),
    ];
    // the same server with the right certificate is believed: so the others would have been heard, had they been
    let honest = (
        "of the fleet, for this address",
        fleet.identity("hub", &[&here], SERVER),
    );
    let conf = "/etc/pistream/camera.toml";
    lab.root("porch", &format!("sed -i 's#rtmps://{hub}:#rtmps://{here}:#g' {conf}"));
    for (who, identity) in impostors.iter().chain([&honest]) {
        let file = lab.home().join("impostor.pem");
        fs::write(&file, identity).unwrap();
        let heard = lab.home().join("heard");
        let mut server = Command::new("openssl")
            .args(["s_server", "-quiet", "-accept", &format!("{here}:1936"), "-cert"])
            .arg(&file)
            .arg("-key")
            .arg(&file)
            .args(["-verify", "1"])
            .current_dir(lab.home())
            .stdin(std::process::Stdio::piped())
            .stdout(fs::File::create(&heard).unwrap())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        lab.root("porch", "systemctl restart pistream-camera");
        let bytes = || fs::metadata(&heard).unwrap().len();
        if *who == honest.0 {
            wait_for(SOON, "the honest server to be spoken to", || bytes() > 0);
        } else {
            wait_for(SOON, &format!("the camera to refuse a server {who}"), || {
                bytes() > 0 || status(&lab, "porch").is_some_and(|s| s.restarts.contains_key(&Cause::Certificate))
            });
            assert_eq!(bytes(), 0, "a server whose certificate is {who} heard the camera");
        }
        server.kill().unwrap();
        server.wait().unwrap();
    }
}

/// Publishes for two seconds from porch, with the identity in this file (none: without a certificate).
fn publish(lab: &Lab, identity: Option<&str>, stream: &str) -> std::process::Output {
    let own = identity.map_or_else(String::new, |file| format!("-cert_file {file} -key_file {file}"));
    let url = format!("rtmps://{}:1936/live/{stream}", lab.ip("hub"));
    let picture = "-re -f lavfi -i testsrc2=size=320x240:rate=15 -t 2 -c:v libx264 -preset ultrafast";
    lab.ssh(
        "porch",
        &format!("timeout 20 ffmpeg -v error -nostdin {picture} -f flv -tls_verify 1 -ca_file /etc/pistream/ca.pem {own} {url}"),
    )
}

fn recordings(lab: &Lab) -> BTreeSet<String> {
    let list = lab.root("hub", "cd /var/lib/pistream/recordings && find . -type f");
    list.lines().map(str::to_owned).collect()
}

#[test]
fn nobody_publishes_but_a_camera_under_its_own_name() {
    let (lab, _) = streaming(&["hub", "porch", "garden"]);
    lab.root("porch", "systemctl stop pistream-camera");
    lab.root("garden", "systemctl stop pistream-camera");
    for camera in ["porch", "garden"] {
        wait_for(SOON, "the end of the streams", || {
            bytes_received(&lab, camera).is_none()
        });
    }
    let fleet = Authority::of_fleet(&lab);
    let stranger = Authority::unknown();
    for (file, identity) in [
        ("foreign", stranger.identity("porch", &["porch.camera.invalid"], CAMERA)),
        ("itself", self_signed("porch", &["porch.camera.invalid"], CAMERA)),
        ("expired", fleet.expired("porch", &["porch.camera.invalid"], CAMERA)),
        ("server", fleet.identity("porch", &[&lab.ip("hub")], SERVER)),
        ("unlisted", fleet.identity("cellar", &["cellar.camera.invalid"], CAMERA)),
    ] {
        put(&lab, "porch", &format!("/root/{file}.pem"), &identity);
    }
    wait_for(SOON, "what was recorded to be filed", || {
        recordings(&lab).iter().all(|name| !name.ends_with(".flv"))
    });
    let before = recordings(&lab);
    let refused = |identity: Option<&str>, stream: &str| {
        let tried = publish(&lab, identity, stream);
        assert!(
            crate::hosts::failed_by_itself(&tried),
            "{identity:?} streamed as {stream}: {}",
            all(&tried)
        );
    };
    refused(None, "porch");
    for file in ["foreign", "itself", "expired", "server", "unlisted"] {
        refused(Some(&format!("/root/{file}.pem")), "porch");
    }
    for stream in [
        "garden",
        "cellar",
        "PORCH",
        "porch&name=garden",
        "\"garden?name=porch\"",
    ] {
        refused(Some(IDENTITY), &stream.replace('&', "\\&"));
    }
    // without TLS there is no publishing at all, from whatever address
    let plain = format!(
        "timeout 20 ffmpeg -v error -nostdin -re -f lavfi -i testsrc2=size=320x240:rate=15 -t 2 -f flv rtmp://{}:1935/live/porch",
        lab.ip("hub")
    );
    let tried = lab.ssh("porch", &plain);
    assert!(crate::hosts::failed_by_itself(&tried), "{}", all(&tried));
    let stubs: Vec<String> = recordings(&lab).difference(&before).cloned().collect();
    let sizes = |name: &String| lab.root("hub", &format!("stat -c %s '/var/lib/pistream/recordings/{name}'"));
    let written: Vec<&String> = stubs
        .iter()
        .filter(|name| sizes(name).parse::<u64>().unwrap() > 13)
        .collect();
    assert_eq!(written, Vec::<&String>::new(), "recorded");

    // a camera plays nothing, its own stream neither
    lab.root("garden", "systemctl start pistream-camera");
    streams_again(&lab, "garden", SOON);
    let play = format!(
        "timeout 20 ffmpeg -v error -nostdin -tls_verify 1 -ca_file /etc/pistream/ca.pem -cert_file {IDENTITY} \
         -key_file {IDENTITY} -i rtmps://{}:1936/live/garden -frames:v 1 -f null -",
        lab.ip("hub")
    );
    for camera in ["porch", "garden"] {
        let tried = lab.ssh(camera, &play);
        assert!(
            crate::hosts::failed_by_itself(&tried),
            "{camera} plays: {}",
            all(&tried)
        );
    }

    let own = publish(&lab, Some(IDENTITY), "porch");
    assert!(own.status.success(), "porch may not stream as itself: {}", all(&own));
    assert!(
        recordings(&lab)
            .difference(&before)
            .any(|name| name.starts_with("./porch"))
    );
}

#[test]
fn nobodys_pictures_but_the_cameras_own_are_cut_into_segments() {
    let (lab, _) = streaming(&["hub", "porch", "garden"]);
    let manifest = "/run/pistream-server/dash/porch/index.mpd";
    // since when the stream is, and until when it was cut
    let since = || text(&lab.ssh("hub", &format!("grep -o 'availabilityStartTime=[^ ]*' {manifest}")));
    let last = || text(&lab.ssh("hub", &format!("grep -o '<S t=\"[0-9]*' {manifest} | tail -1")));
    let is_cut = || {
        let before = last();
        wait_for(SOON, "the next segment", || {
            ![String::new(), before.clone()].contains(&last())
        });
    };
    is_cut();
    // from where one may neither play nor publish, the server says no word
    let hello = format!(
        "exec 3<>/dev/tcp/{}/1935; {{ printf '\\003'; head -c 3072 /dev/zero; }} >&3; timeout 20 cat <&3 | wc -c",
        lab.ip("hub")
    );
    assert_eq!(lab.root("porch", &hello), "0");
    let before = (since(), session(&lab, "porch"));
    let of_garden = lab.disk("garden").join(IDENTITY.trim_start_matches('/'));
    for stream in ["porch", "cellar"] {
        hasty::by_address(&lab, stream);
        hasty::by_certificate(&lab, &of_garden, stream);
    }
    // the camera's own certificate, while it streams: its name is taken
    for _ in 0..3 {
        let taken = publish(&lab, Some(IDENTITY), "porch");
        assert!(!taken.status.success(), "{}", all(&taken));
    }
    is_cut();
    assert_eq!((since(), session(&lab, "porch")), before, "the stream was disturbed");
    let found = lab.root(
        "hub",
        "cd /run/pistream-server; ls hls dash; ls dash/* | grep '^70[0-9]\\{5\\}' | head -3",
    );
    assert_eq!(found, "dash:\ngarden\nporch\n\nhls:\ngarden\nporch");
}

pub fn certs(lab: &Lab, arguments: &[&str]) -> String {
    let output = lab.pistream(&[&["certs"], arguments].concat()).output().unwrap();
    assert!(output.status.success(), "{}", all(&output));
    text(&output)
}

#[test]
fn a_revoked_camera_is_cut_off_within_five_seconds_and_stays_out_until_it_is_renewed() {
    let (lab, _) = streaming(&["hub", "porch", "garden"]);
    lab.root("porch", &format!("cp -p {IDENTITY} /root/stolen.pem"));
    let of_garden = session(&lab, "garden");
    let start = Instant::now();
    let mut revoke = lab
        .pistream(&["certs", "revoke", "porch", "-i", "hosts.yml"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    wait_for(Duration::from_secs(20), "the end of the stream", || {
        bytes_received(&lab, "porch").is_none()
    });
    let (cut, login) = (start.elapsed(), lab.login("hub"));
    println!("revoked: cut off {cut:.1?} after the command began");
    assert!(cut < Duration::from_secs(5) + login * 2, "{cut:?}, a login {login:?}");
    assert!(revoke.wait().unwrap().success());
    assert_eq!(session(&lab, "garden"), of_garden, "somebody else was cut off");
    wait_for(SOON, "the camera to learn of it", || {
        status(&lab, "porch").is_some_and(|s| s.restarts.contains_key(&Cause::Certificate))
    });

    // a deploy does not let it in again, and finds nothing to do
    let again = deploy(&lab, &[]).must_exit(0);
    for host in ["hub", "porch", "garden"] {
        assert_eq!(again.result(host).0, "unchanged", "{}", again.text());
    }
    let tried = publish(&lab, Some("/root/stolen.pem"), "porch");
    assert!(crate::hosts::failed_by_itself(&tried), "{}", all(&tried));
    assert!(bytes_received(&lab, "porch").is_none());
    assert!(certs(&lab, &["list", "-i", "hosts.yml"]).contains("revoked"));

    certs(&lab, &["renew", "porch", "-i", "hosts.yml"]);
    let renewed = deploy(&lab, &[]).must_exit(0);
    assert_eq!(
        (renewed.result("hub").0, renewed.result("porch").0),
        ("unchanged", "changed"),
        "{}",
        renewed.text()
    );
    streams_again(&lab, "porch", SOON);
    lab.root("porch", "systemctl stop pistream-camera");
    let tried = publish(&lab, Some("/root/stolen.pem"), "porch");
    assert!(crate::hosts::failed_by_itself(&tried), "{}", all(&tried));
    assert!(!certs(&lab, &["list", "-i", "hosts.yml"]).contains("revoked"));

    // where the core does not say who is in, nobody stays
    let freeze = "kill -STOP $(pgrep -P $(cat /run/pistream-server/nginx.pid))";
    lab.root("hub", freeze);
    certs(&lab, &["revoke", "garden", "-i", "hosts.yml"]);
    wait_for(SOON, "the core to answer again", || {
        text(&lab.ssh("hub", ASK_STATISTICS)).contains("<name>live</name>")
    });
    assert!(bytes_received(&lab, "garden").is_none());
}

#[test]
fn an_expired_certificate_is_named_and_the_next_deploy_replaces_it() {
    let (lab, _) = streaming(&["hub", "porch"]);
    let expired = Authority::of_fleet(&lab).expired("porch", &["porch.camera.invalid"], CAMERA);
    put(&lab, "porch", IDENTITY, &expired);
    lab.root(
        "porch",
        &format!("chown pistream: {IDENTITY}; systemctl restart pistream-camera"),
    );
    wait_for(SOON, "the camera to say why", || {
        status(&lab, "porch").is_some_and(|s| s.last_error.is_some_and(|e| e.contains("certificate ended on")))
    });
    verify(&lab).must_name("porch", "certificate");
    let healed = deploy(&lab, &[]).must_exit(0);
    assert_eq!(
        healed.changes("porch"),
        [
            format!("update {IDENTITY}"),
            "restart pistream-camera.service".to_owned()
        ]
    );
    streams_again(&lab, "porch", SOON);
    verify(&lab).must_hold();
}

#[test]
fn three_hundred_cameras_are_one_configuration_that_nginx_takes() {
    let place = tempfile::tempdir().unwrap();
    let mut inventory = "servers: {hub: {ssh: admin@203.0.113.7}}\ncameras:\n".to_owned();
    for camera in 0..300 {
        let (high, low) = (camera / 200, camera % 200 + 1);
        inventory += &format!("  camera-{camera}: {{ssh: pi@10.0.{high}.{low}}}\n");
    }
    fs::write(place.path().join("hosts.yml"), inventory).unwrap();
    let mut render = Command::new(env!("CARGO_BIN_EXE_pistream"));
    run(render.args(["render", "-o", "out"]).current_dir(place.path()));
    crate::hostile::ask_nginx(&place.path().join("out/hub/etc/pistream"));
}
