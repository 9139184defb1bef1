//! Whatever stands in an inventory, reading it ends in a fleet of harmless values or in faults with a place.

use proptest::prelude::*;

use super::*;

/// An inventory with `value` in one place; every place where a value can stand.
const PLACES: [&str; 36] = [
    "servers: {VALUE: {ssh: a@10.0.0.1}}",
    "servers: {hub: {ssh: VALUE}}",
    "servers: {hub: {ssh: {host: VALUE}}}",
    "servers: {hub: {ssh: {host: 10.0.0.1, user: VALUE}}}",
    "servers: {hub: {ssh: {host: 10.0.0.1, port: VALUE}}}",
    "servers: {hub: {ssh: {host: 10.0.0.1, jump: VALUE}}}",
    "servers: {hub: {ssh: {host: 10.0.0.1, identity: VALUE}}}",
    "servers: {hub: {ssh: {host: 10.0.0.1, password: {env: VALUE}}}}",
    "servers: {hub: {ssh: hub, address: VALUE}}",
    "servers: {hub: {ssh: 10.0.0.1, rtmp_port: VALUE}}",
    "servers: {hub: {ssh: 10.0.0.1, tls: VALUE, rtmps_port: VALUE}}",
    "servers: {hub: {ssh: 10.0.0.1, publish: [VALUE], play: VALUE}}",
    "servers: {hub: {ssh: 10.0.0.1, nginx: {install: source, source: VALUE, source_sha256: VALUE}}}",
    "servers: {hub: {ssh: 10.0.0.1, recording: {path: VALUE}}}",
    "servers: {hub: {ssh: 10.0.0.1, recording: {format: VALUE, keep: VALUE, at_most: VALUE, keep_free: VALUE, keep_at_least: VALUE}}}",
    "servers: {hub: {ssh: 10.0.0.1}}\ncameras: {porch: {ssh: 10.0.0.2, recording: {keep: VALUE, at_most: VALUE}}}",
    "servers: {hub: {ssh: 10.0.0.1, hls: {fragment: VALUE}}}",
    "servers: {hub: {ssh: 10.0.0.1}}\ncameras: {VALUE: {ssh: 10.0.0.2}}",
    "servers: {hub: {ssh: 10.0.0.1}}\ncameras: {porch: {ssh: 10.0.0.2, stream: VALUE}}",
    "servers: {hub: {ssh: 10.0.0.1}}\ncameras: {porch: {ssh: 10.0.0.2, server: VALUE}}",
    "servers: {hub: {ssh: 10.0.0.1}}\ncameras: {porch: {ssh: cam, address: VALUE}}",
    "servers: {hub: {ssh: 10.0.0.1}}\ncameras: {porch: {ssh: 10.0.0.2, source: {file: VALUE}}}",
    "servers: {hub: {ssh: 10.0.0.1}}\ncameras: {porch: {ssh: 10.0.0.2, source: {v4l2: VALUE}}}",
    "servers: {hub: {ssh: 10.0.0.1}}\ncameras: {porch: {ssh: 10.0.0.2, size: VALUE}}",
    "servers: {hub: {ssh: 10.0.0.1}}\ncameras: {porch: {ssh: 10.0.0.2, bitrate: VALUE, force_bitrate: true}}",
    "servers: {hub: {ssh: 10.0.0.1}}\ncameras: {porch: {ssh: 10.0.0.2, adapt: {lowest: VALUE, fps: VALUE, size: VALUE}}}",
    "servers: {hub: {ssh: 10.0.0.1}}\ncameras: {porch: {ssh: 10.0.0.2, size: 640x480, adapt: {size: VALUE}}}",
    "servers: {hub: {ssh: 10.0.0.1}}\nsites: {VALUE: {uplink: 1M}}\ncameras: {porch: {ssh: 10.0.0.2, site: VALUE}}",
    "servers: {hub: {ssh: 10.0.0.1}}\nsites: {farm: {uplink: VALUE}}\ncameras: {porch: {ssh: 10.0.0.2, site: farm}}",
    "servers: {hub: {ssh: 10.0.0.1}}\ncameras: {porch: {ssh: 10.0.0.2, level: VALUE, fps: VALUE}}",
    "servers: {hub: {ssh: 10.0.0.1}}\ncameras: {porch: {ssh: 10.0.0.2, stall_after: VALUE}}",
    "servers: {hub: {ssh: 10.0.0.1}}\ncameras: {porch: {ssh: 10.0.0.2, controls: {VALUE: VALUE}}}",
    "servers: {hub: {ssh: 10.0.0.1}}\ncameras: {porch: {ssh: 10.0.0.2, restream: [VALUE]}}",
    "servers: {hub: {ssh: 10.0.0.1}}\ncameras: {porch: {ssh: 10.0.0.2, restream: [{url: rtmp://a/b, key: {env: VALUE}}]}}",
    "servers: {hub: {ssh: 10.0.0.1}, attic: {ssh: 10.0.0.3}}\ncameras: {porch: {ssh: 10.0.0.2, server: hub, restream: [{server: VALUE}]}}",
    "servers: {hub: {ssh: 10.0.0.1}}\ncameras: {porch: {ssh: 10.0.0.2, restream: [{url: rtmps://a/b, ca: VALUE}]}}",
];

/// Anything at all, anything like a value, and values that are nearly right.
fn value() -> impl Strategy<Value = String> {
    let near = prop::sample::select(vec![
        "porch",
        "10.0.0.7",
        "fd00::7",
        "[fd00::7]:22",
        "pi@cam.local:22",
        "rtmp://a.example/live",
        "/srv/video",
        "/dev/video0",
        "250k",
        "2.5M",
        "640x480",
        "4.0",
        "10s",
        "80%",
        "500G",
        "10.0.0.0/8",
        "99999999999999999999",
        "-1",
        "1e308",
        "0x10",
        "off",
        "~",
    ]);
    let hostile = prop::sample::select(vec![
        ";", "}", "{", "$", "`", "\\", "\"", "'", "\n", "\r", "\0", "%", "#", " ", "/", "..", "@", ":", "[", "]", "*",
        "&", "|", "<", ">", "\u{85}", "\u{2028}", "\u{202e}", "é", "-", "--", "=", ",", "\t", "\u{7f}", "$(id)",
    ]);
    prop_oneof![
        any::<String>(),
        ".{0,300}",
        (near.clone(), hostile.clone(), near).prop_map(|(a, b, c)| format!("{a}{b}{c}")),
        prop::collection::vec(hostile, 0..6).prop_map(|parts| parts.concat()),
    ]
}

fn harmless(text: &str, extra: &str) -> bool {
    !text.is_empty() && !text.starts_with('-') && text.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
}

fn harmless_path(path: &Path) -> bool {
    let text = path.to_str().unwrap();
    text.starts_with('/') && harmless(text, "/._@+-") && !text.split('/').any(|part| part == "..")
}

fn check_ssh(ssh: &crate::model::Ssh) {
    assert!(harmless(&ssh.host, "._:-"), "{ssh:?}");
    assert!(ssh.user.as_deref().is_none_or(|user| harmless(user, "._-")), "{ssh:?}");
    assert!(
        ssh.jump
            .as_deref()
            .is_none_or(|jump| harmless(jump.trim_start_matches('['), "@._:[]-")),
        "{ssh:?}"
    );
    for secret in [&ssh.password, &ssh.sudo_password].into_iter().flatten() {
        assert!(matches!(secret, Secret::Env(name) if harmless(name, "_")), "{secret:?}");
    }
}

fn check(fleet: &Fleet) {
    for server in &fleet.servers {
        check_ssh(&server.ssh);
        assert!(harmless(server.name.as_str(), "-"));
        assert!(harmless(&server.address, ".:-"), "{server:?}");
        assert!(
            server
                .recording
                .as_ref()
                .is_none_or(|recording| harmless_path(&recording.path)),
            "{server:?}"
        );
    }
    for camera in &fleet.cameras {
        check_ssh(&camera.ssh);
        assert!(harmless(camera.name.as_str(), "-") && harmless(camera.stream.as_str(), "-"));
        assert!(fleet.server_of(camera).is_some());
        use crate::model::{Destination, Source};
        if let Source::File(path) | Source::V4l2(path) | Source::Usb(Some(path)) = &camera.source {
            assert!(harmless_path(path), "{path:?}");
        }
        assert!(
            camera.controls.keys().all(|control| harmless(control, "_")),
            "{camera:?}"
        );
        let bitrates: Vec<_> = camera.rungs().iter().map(|rung| rung.bitrate).collect();
        assert!(bitrates.is_sorted_by(|one, next| one >= next) && camera.lowest() <= camera.bitrate);
        for target in &camera.restream {
            let Destination::Url(url) = &target.to else { continue };
            assert!(harmless(&url.to_string(), "/._:[]-"), "{target:?}");
        }
    }
}

fn try_one(text: &str) {
    match read(text, Path::new("hosts.yml")) {
        Ok((fleet, _)) => check(&fleet),
        Err(faults) => {
            assert!(faults.iter().count() > 0);
            for fault in faults.iter() {
                assert!(fault.line() >= 1 && fault.column() >= 1);
                assert!(!fault.to_string().contains(|c: char| c.is_control()), "{fault}");
            }
            // showing it must not fail either
            assert!(!format!("{:?}", miette::Report::new(faults)).is_empty());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_value_anywhere_is_harmless_or_a_fault(place in prop::sample::select(PLACES.to_vec()), value in value()) {
        // JSON's strings are YAML's: whatever the value, it arrives as it is
        let quoted = serde_json::to_string(&value).unwrap();
        try_one(&place.replace("VALUE", &quoted));
    }

    #[test]
    fn any_value_without_quotes_too(place in prop::sample::select(PLACES.to_vec()), value in value()) {
        try_one(&place.replace("VALUE", &value));
    }

    #[test]
    fn any_text_at_all(text in any::<String>()) {
        try_one(&text);
    }
}
