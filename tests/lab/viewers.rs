//! Who sees what: viewers from an allowed address or with a login do, everybody else is refused, and nobody streams under
//! another's name.

use crate::fleet::{Fleet, deploy, streams_again, verify};
use crate::hosts::{Image, Lab, all, wait_for};
use crate::web::{As, Web};
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// Frames to see before a picture counts as seen.
const FRAMES: &str = "10";

/// Plays until so many frames were seen; an authority makes it careful.
pub fn watch(url: &str, frames: &str, authority: Option<&Path>) -> Output {
    let mut player = Command::new("timeout");
    player.args(["30", "ffmpeg", "-v", "error", "-nostdin"]);
    if let Some(authority) = authority {
        player.args(["-tls_verify", "1", "-ca_file"]).arg(authority);
    }
    player.args(["-i", url, "-frames:v", frames, "-f", "null", "-"]);
    player.stdin(Stdio::null()).output().unwrap()
}

#[test]
fn viewers_of_the_inventory_see_the_streams_and_strangers_do_not() {
    let lab = Lab::up(Image::Fat, &["hub", "porch", "garden"]);
    Fleet::new(&lab, "russh", &["porch", "garden"])
        .deploy(&lab)
        .must_exit(0);
    let (hub, web) = (lab.ip("hub"), Web::of(&lab));
    let authority = lab.home().join(".pistream/ca.pem");
    for camera in ["porch", "garden"] {
        streams_again(&lab, camera, Duration::from_secs(30));
        let roads = [
            format!("rtmp://{hub}:1935/live/{camera}"),
            format!("{}/hls/{camera}/index.m3u8", web.address),
            format!("{}/dash/{camera}/index.mpd", web.address),
        ];
        for url in &roads {
            let authority = url.starts_with("https").then_some(authority.as_path());
            // the first segments of HLS and DASH take a moment
            wait_for(Duration::from_secs(40), url, || {
                watch(url, FRAMES, authority).status.success()
            });
            // a camera may publish, not play
            let stranger = lab.ssh(
                "porch",
                &format!("timeout 20 ffmpeg -v error -nostdin -i {url} -frames:v 1 -f null -"),
            );
            assert!(!stranger.status.success(), "porch plays {url}");
        }
    }
    nobody_is_answered_without_tls(&lab, &web, &hub);
}

fn nobody_is_answered_without_tls(lab: &Lab, web: &Web, hub: &str) {
    let plain = web.try_get(&format!("http://{hub}:8080/"), As::Nobody);
    assert!(plain.err().is_some_and(|why| why.contains("Failed to connect")));
    let plain = web.try_get(&format!("http://{hub}:8443/"), As::Nobody).unwrap();
    assert_eq!(plain.status, 400);
    // but the server itself, and no page whose name was made to lead there
    let answer = |host: &str| {
        let request = format!("GET /cameras.json HTTP/1.1\\r\\nHost: {host}\\r\\nConnection: close\\r\\n\\r\\n");
        let ask = format!("exec 3<>/dev/tcp/127.0.0.1/8080; printf '{request}' >&3; cat <&3");
        lab.root("hub", &ask)
    };
    for own in ["127.0.0.1:8080", "[::1]:8080", "localhost:8080", "HUB:8080", hub] {
        let answer = answer(own);
        assert!(
            answer.starts_with("HTTP/1.1 200 ") && answer.contains("porch"),
            "{own}: {answer}"
        );
    }
    for strange in [
        "evil.example.net:8080",
        "hub.evil.example.net",
        "127.0.0.1.evil.example.net",
        "1evil",
    ] {
        let answer = answer(strange);
        assert!(
            answer.starts_with("HTTP/1.1 421 ") && !answer.contains("porch"),
            "{strange}: {answer}"
        );
    }
}

#[test]
fn viewers_with_logins_see_their_cameras_and_no_others() {
    let lab = Lab::up(Image::Fat, &["hub", "porch", "garden"]);
    let mut fleet = Fleet::new(&lab, "russh", &["porch", "garden"]);
    // from anywhere: nobody is let in by his address
    fleet.server = "recording: {interval: 10s}, hls: {fragment: 1s, playlist: 5s}".into();
    // one stream's name is the beginning of the other's
    fleet.cameras[1].2 += ", stream: porch-2";
    fleet.sections =
        "viewers:\n  anna: {password: {file: anna}}\n  bert: {password: {file: bert}, cameras: porch}\n".into();
    let password = |name: &str, text: &str| fs::write(lab.home().join(name), text).unwrap();
    password("anna", "correct horse");
    password("bert", "battery staple");
    fleet.deploy(&lab).must_exit(0);
    let again = deploy(&lab, &[]).must_exit(0);
    assert_eq!(again.result("hub").0, "unchanged", "{}", again.text());
    for stream in ["porch", "porch-2"] {
        streams_again(&lab, stream, Duration::from_secs(30));
    }

    let (hub, web) = (lab.ip("hub"), Web::of(&lab));
    let authority = lab.home().join(".pistream/ca.pem");
    let (anna, bert) = (As::Login("anna", "correct horse"), As::Login("bert", "battery staple"));
    nobody_is_answered_without_tls(&lab, &web, &hub);
    let first = web.get("/", As::Nobody);
    assert_eq!(first.status, 401, "{}", first.headers);
    for header in [
        "Strict-Transport-Security: max-age=31536000",
        "Server: nginx\n",
        "X-Content-Type-Options: nosniff",
        "Content-Security-Policy: default-src 'none';",
    ] {
        assert!(first.headers.contains(header), "{header} in\n{}", first.headers);
    }
    let page = web.get("/", anna);
    let session = page.cookie().unwrap();
    let anna_again = As::Cookie(&session);
    let other = web.get("/cameras.json", bert);
    assert!(other.body.contains("[\"porch\"]"), "{}", other.body);
    let berts = other.cookie().unwrap();
    let bert_again = As::Cookie(&berts);
    assert!(
        web.get("/cameras.json", anna_again)
            .body
            .contains("[\"porch\",\"porch-2\"]")
    );

    // every way to pictures of either camera
    let film = |stream: &str| {
        let list = web.get(&format!("/archive/{stream}.json"), anna_again).body;
        let list: serde_json::Value = serde_json::from_str(&list).unwrap_or_default();
        list["chunks"][0]["file"]
            .as_str()
            .map(|file| format!("/recordings/{file}"))
    };
    let ways = |stream: &str| {
        wait_for(Duration::from_secs(60), &format!("a film of {stream}"), || {
            film(stream).is_some()
        });
        let hls = format!("/hls/{stream}/index.m3u8");
        wait_for(Duration::from_secs(60), &hls, || web.status(&hls, anna_again) == 200);
        [
            hls,
            format!("/dash/{stream}/index.mpd"),
            format!("/archive/{stream}.json"),
            film(stream).unwrap(),
        ]
    };
    for way in ways("porch") {
        assert_eq!(
            (web.status(&way, anna_again), web.status(&way, bert_again)),
            (200, 200),
            "{way}"
        );
    }
    for way in ways("porch-2") {
        assert_eq!(
            (web.status(&way, anna_again), web.status(&way, bert_again)),
            (200, 403),
            "{way}"
        );
        for nobody in [As::Nobody, As::Cookie("pistream=anna"), As::Cookie("pistream=")] {
            assert_eq!(web.status(&way, nobody), 401, "{way}");
        }
    }
    // nothing is listed, and of what bert may not see he does not learn whether it is there
    for (path, status) in [
        ("/hls/", 404),
        ("/hls/porch/", 404),
        ("/recordings/porch/", 404),
        ("/archive/", 404),
        ("/viewers/anna.json", 404),
        ("/hls/porch/nothing.ts", 404),
        ("/hls/porch-2/nothing.ts", 403),
        ("/hls/nowhere/index.m3u8", 403),
        ("/hls/porch/../porch-2/index.m3u8", 403),
        ("/hls/porch/%2e%2e/porch-2/index.m3u8", 403),
        ("/hls/PORCH-2/index.m3u8", 404),
    ] {
        assert_eq!(web.status(path, bert_again), status, "{path}");
    }
    // players that know a login from the address, for longer than wrong logins are borne
    for (path, frames) in [("hls/porch/index.m3u8", "240"), ("dash/porch/index.mpd", "120")] {
        let url = format!("https://bert:battery%20staple@{hub}:8443/{path}");
        let played = watch(&url, frames, Some(&authority));
        assert!(played.status.success(), "{path}: {}", all(&played));
    }
    // the files that stand for passwords are nobody else's, and a difference shows none of them
    let modes = lab.root(
        "hub",
        "cd /etc/pistream && stat -c '%a %U' viewers.htpasswd sessions.conf",
    );
    assert_eq!(modes, "600 pistream\n600 pistream");
    password("anna", "wrong horse");
    let shown = deploy(&lab, &["--check", "--diff"]).must_exit(4);
    for secret in ["horse", "$6$", session.trim_start_matches("pistream=")] {
        assert!(!shown.text().contains(secret), "{}", shown.text());
    }
    // another password ends the sessions of the old one, and nobody else's
    deploy(&lab, &[]).must_exit(0);
    assert_eq!(web.status("/", anna_again), 401);
    assert_eq!(web.status("/", bert_again), 200);
    assert_eq!(web.status("/", As::Login("anna", "wrong horse")), 200);
    // guessing is slowed down, sessions are not
    let guess = |n: usize| web.status("/", As::Login("anna", &format!("guess {n}")));
    // all at once: one after the other they might be slow enough by themselves
    let guesses: Vec<u16> = std::thread::scope(|scope| {
        let guess = &guess;
        let guessing: Vec<_> = (0..20).map(|n| scope.spawn(move || guess(n))).collect();
        guessing.into_iter().map(|guess| guess.join().unwrap()).collect()
    });
    let answered = |status: u16| guesses.iter().filter(|answer| **answer == status).count();
    assert!(
        answered(401) >= 10 && answered(429) >= 3 && answered(401) + answered(429) == 20,
        "{guesses:?}"
    );
    assert_eq!(web.status("/", bert_again), 200);
    verify(&lab).must_hold();
    crate::https::is_got_renewed_and_judged(&lab, fleet);
}

/// Publishes for five seconds by plain RTMP; `server` as in a URL.
pub fn publish(lab: &Lab, from: &str, server: &str, stream: &str) -> Output {
    let url = format!("rtmp://{server}:1935/live/{stream}");
    let picture = "-re -f lavfi -i testsrc2=size=320x240:rate=15 -t 5 -c:v libx264 -preset ultrafast";
    lab.ssh(
        from,
        &format!("timeout 20 ffmpeg -v error -nostdin {picture} -f flv {url}"),
    )
}

#[test]
fn where_some_have_no_tls_nobody_streams_under_the_name_of_another() {
    let lab = Lab::up(Image::Fat, &["hub", "attic", "porch", "garden", "cellar"]);
    let ssh = |host: &str| lab.address_for(host, "russh");
    let play = format!("play: [10.77.{}.1], hls: {{fragment: 1s, playlist: 5s}}", lab.id());
    // all of them: a network opens the port, and lends nobody the name of a camera whose address is known
    let publish_from = format!("publish: [10.77.{}.0/24]", lab.id());
    lab.write_inventory(&format!(
        "defaults: {{camera: {{source: test, size: 320x240, fps: 15, keyframe_interval: 1s}}}}\n\
         servers:\n  hub: {{ssh: {}, {publish_from}, {play}}}\n  attic: {{ssh: {}, tls: off, {play}}}\n\
         cameras:\n  porch: {{ssh: {}, server: hub}}\n  garden: {{ssh: {}, server: hub, tls: off}}\n  \
         cellar: {{ssh: {}, server: attic}}\n",
        ssh("hub"),
        ssh("attic"),
        ssh("porch"),
        ssh("garden"),
        ssh("cellar"),
    ));
    deploy(&lab, &[]).must_exit(0);
    for camera in ["garden", "cellar"] {
        assert!(!lab.disk(camera).join("etc/pistream/identity.pem").exists(), "{camera}");
    }
    crate::fleet::verify(&lab).must_hold();

    for camera in ["porch", "garden", "cellar"] {
        lab.root(camera, "systemctl stop pistream-camera");
    }
    // the one with a certificate neither, from its own address: without it that is nobody's
    for (from, server, stream) in [
        ("garden", "hub", "porch"),
        ("porch", "hub", "garden"),
        ("porch", "hub", "porch"),
        ("cellar", "hub", "garden"),
        ("garden", "attic", "cellar"),
    ] {
        let tried = publish(&lab, from, &lab.ip(server), stream);
        assert!(!tried.status.success(), "{from} streamed as {stream}: {}", all(&tried));
    }
    for (from, server) in [("garden", "hub"), ("cellar", "attic")] {
        let own = publish(&lab, from, &lab.ip(server), from);
        assert!(own.status.success(), "{from} may not stream as itself: {}", all(&own));
    }
    // who came is in nginx's journal by the address that it came from
    let came = format!("client {}:", lab.ip("porch"));
    let journal = lab.root("hub", "journalctl -q --no-pager -u pistream-door");
    assert!(journal.contains(&came), "{journal}");
    crate::ipv6::carries_everything(&lab);
}
