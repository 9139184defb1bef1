//! Every link from camera to viewer broken once, on purpose: verify must name exactly that one.

use crate::fleet::{Fleet, status, streams_again, verify};
use crate::hosts::{Image, Lab, wait_for};
use std::time::Duration;

const CORE: &str = "/etc/pistream/nginx.conf";
const FRONT: &str = "/etc/pistream/front.conf";

/// A fleet that streams, with a backup server as restream target.
fn streaming() -> Lab {
    let lab = Lab::up(Image::Fat, &["hub", "porch", "backup"]);
    lab.root(
        "backup",
        "mkdir -p /run/backup && cat >/run/backup/nginx.conf <<'E'
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
events {}
rtmp { server { listen 1935; application backup { live on; } } }
E",
    );
    start_backup(&lab);
    let mut fleet = Fleet::new(&lab, "russh", &["porch"]);
    fleet.cameras[0].2 += &format!(", restream: [\"rtmp://{}/backup\"]", lab.ip("backup"));
    fleet.deploy(&lab).must_exit(0);
    streams_again(&lab, "porch", Duration::from_secs(30));
    lab
}

fn start_backup(lab: &Lab) {
    lab.root(
        "backup",
        "systemd-run -q --unit backup nginx -g 'daemon off;' -c /run/backup/nginx.conf",
    );
}

/// nginx's configuration edited on the host, behind pistream's back; undone by `heal`.
fn edit(lab: &Lab, conf: &str, sed: &str) {
    lab.root(
        "hub",
        &format!("cp -a {conf} /root/good.conf && sed -i -E '{sed}' {conf} && ! cmp -s {conf} /root/good.conf"),
    );
    lab.root("hub", "systemctl restart pistream-server");
    streams_again(lab, "porch", Duration::from_secs(30));
}

fn heal(lab: &Lab, conf: &str) {
    lab.root(
        "hub",
        &format!("cp -a /root/good.conf {conf} && systemctl restart pistream-server"),
    );
    streams_again(lab, "porch", Duration::from_secs(30));
}

/// The camera's configuration edited on the host, behind pistream's back; undone by `restore`. Returns when it streams,
/// wherever to.
fn configure(lab: &Lab, sed: &str) {
    let conf = "/etc/pistream/camera.toml";
    lab.root(
        "porch",
        &format!("cp -a {conf} /root/camera.toml && sed -i '{sed}' {conf} && ! cmp -s {conf} /root/camera.toml"),
    );
    lab.root("porch", "systemctl restart pistream-camera");
    wait_for(Duration::from_secs(30), "the camera to stream", || {
        status(lab, "porch").is_some_and(|s| s.frames > 30)
    });
}

fn restore(lab: &Lab) {
    lab.root(
        "porch",
        "cp -a /root/camera.toml /etc/pistream/camera.toml && systemctl restart pistream-camera",
    );
    streams_again(lab, "porch", Duration::from_secs(30));
}

#[test]
fn verify_names_the_link_that_is_broken() {
    let lab = streaming();
    verify(&lab).must_hold();

    lab.root("porch", "systemctl stop pistream-camera");
    verify(&lab).must_name("porch", "agent");
    lab.root("porch", "systemctl start pistream-camera");
    streams_again(&lab, "porch", Duration::from_secs(30));

    // streaming happily, to somewhere else
    let elsewhere = format!(
        "s#rtmps://{}:1936/live#rtmp://{}:1935/backup#",
        lab.ip("hub"),
        lab.ip("backup")
    );
    configure(&lab, &elsewhere);
    verify(&lab).must_name("porch", "ingest");
    restore(&lab);

    // four times the bitrate that the inventory asks for
    configure(&lab, "s/\"250000\"/\"1000000\"/g");
    streams_again(&lab, "porch", Duration::from_secs(30));
    verify(&lab).must_name("porch", "bitrate");
    restore(&lab);

    lab.root("backup", "systemctl stop backup");
    verify(&lab).must_name("porch", "restream");
    start_backup(&lab);

    // neither the door nor the front keeps strangers out
    let door = |from: &str, to: &str| {
        let sed = format!("sed -i '/listen 1935;/,$s/{from} all;/{to} all;/' /etc/pistream/door.conf");
        lab.root("hub", &sed);
    };
    door("deny", "allow");
    edit(&lab, FRONT, "/by_address \\{/,/\\}/s/default 0;/default 1;/");
    verify(&lab).must_name("porch", "outsiders");
    door("allow", "deny");
    heal(&lab, FRONT);

    // nobody may look, the server itself neither
    edit(&lab, FRONT, "s#127.0.0.1/32 1;#127.0.0.1/32 0;#");
    verify(&lab).must_name("porch", "decode");
    heal(&lab, FRONT);

    edit(&lab, CORE, "s/^( *)hls on;/\\1hls off;/");
    verify(&lab).must_name("porch", "hls");
    heal(&lab, CORE);

    edit(&lab, CORE, "s/^( *)dash on;/\\1dash off;/");
    verify(&lab).must_name("porch", "dash");
    heal(&lab, CORE);

    lab.root(
        "hub",
        "chown root: /var/lib/pistream/recordings; chmod 700 /var/lib/pistream/recordings",
    );
    lab.root("hub", "systemctl restart pistream-server");
    streams_again(&lab, "porch", Duration::from_secs(30));
    verify(&lab).must_name("porch", "recording");
    lab.root("hub", "chown pistream: /var/lib/pistream/recordings");
    heal_server(&lab);

    lab.root("hub", "systemctl stop pistream-server");
    verify(&lab).must_name("porch", "encoder");
    lab.root("hub", "systemctl start pistream-server");
    streams_again(&lab, "porch", Duration::from_secs(60));
    verify(&lab).must_hold();
}

fn heal_server(lab: &Lab) {
    lab.root("hub", "systemctl restart pistream-server");
    streams_again(lab, "porch", Duration::from_secs(30));
}

#[test]
fn verify_names_the_picture_that_is_frozen_or_black_and_the_size_that_is_wrong() {
    let lab = Lab::up(Image::Fat, &["hub", "porch"]);
    let mut fleet = Fleet::new(&lab, "russh", &["porch"]);
    let file = |picture: &str| {
        let make = format!(
            "ffmpeg -v error -nostdin -y -f lavfi -i {picture} -t 20 -c:v libx264 -g 15 -b:v 250k /srv/film.mp4"
        );
        lab.root("porch", &make);
        lab.root("porch", "systemctl restart pistream-camera 2>/dev/null || true");
    };
    fleet.cameras[0].2 =
        "source: {file: /srv/film.mp4}, encoder: libx264, size: 320x240, fps: 15, keyframe_interval: 1s".into();

    file("testsrc2=size=320x240:rate=15");
    fleet.deploy(&lab).must_exit(0);
    streams_again(&lab, "porch", Duration::from_secs(30));
    verify(&lab).must_hold();

    // a still, with the noise left out: every frame the same
    file("smptebars=size=320x240:rate=15");
    streams_again(&lab, "porch", Duration::from_secs(30));
    verify(&lab).must_name("porch", "picture");

    file("color=black:size=320x240:rate=15");
    streams_again(&lab, "porch", Duration::from_secs(30));
    verify(&lab).must_name("porch", "picture");

    // streamed in another size than the inventory says
    file("testsrc2=size=320x240:rate=15");
    lab.root(
        "porch",
        "sed -i 's/320:240/160:120/' /etc/pistream/camera.toml && systemctl restart pistream-camera",
    );
    streams_again(&lab, "porch", Duration::from_secs(30));
    verify(&lab).must_name("porch", "format");
}
