mod ipv6;
mod pipelines;

use super::*;
use crate::model::Control;
use crate::model::samples::{fleet, name};
use crate::model::{Destination, Restream, Secret, Target, Viewer};
use std::path::PathBuf;

fn plan(fleet: &Fleet, host: &str) -> Plan {
    let templates = Templates::load(None).expect("templates");
    let host = Host::all(fleet).find(|h| h.name().as_str() == host).expect("host");
    let identities = Identities::placeholders();
    for_host(
        fleet,
        host,
        &Paths::host(),
        &templates,
        &Secrets::placeholders(),
        &identities,
    )
    .expect("a plan")
}

#[test]
fn viewers_get_what_they_may_see_and_their_passwords_are_secret() {
    let mut fleet = fleet(2);
    let viewer = |text: &str, cameras: &[&str]| Viewer {
        name: name(text),
        password: Secret::Env(text.to_uppercase()),
        cameras: cameras.iter().map(|camera| name(camera)).collect(),
    };
    fleet.servers[0].play = vec![];
    fleet.cameras[1].stream = name("back-door");
    fleet.viewers = vec![viewer("anna", &["cam1", "cam2"]), viewer("bert", &["cam2"])];
    let of_hub = plan(&fleet, "hub");
    let conf = content(&of_hub, "front.conf");
    let sees = |line: &str| conf.contains(&format!("\"on {line}\" 1;"));
    assert!(sees("anna cam1") && sees("anna back-door") && sees("bert back-door") && !sees("bert cam1"));
    let web = conf.split("# viewers:").nth(1).expect("the viewers' part");
    let web = web.split("listen unix:").next().expect("its end");
    assert!(!web.contains("deny all;"), "viewers may come from anywhere:\n{web}");
    let list = |viewer: &str| content(&of_hub, &format!("/{viewer}.json")).to_owned();
    assert!(list("anna").contains("[\"cam1\",\"back-door\"]") && list("bert").contains("[\"back-door\"]"));
    for path in ["viewers.htpasswd", "sessions.conf"] {
        let file = of_hub.files.iter().find(|f| f.path.ends_with(path)).expect("file");
        assert!(file.secret && file.mode == 0o600, "{file:?}");
    }
    // by address besides, where the inventory says so; and no login where nobody has one
    fleet.servers[0].play = crate::model::samples::fleet(0).servers[0].play.clone();
    assert!(
        content(&plan(&fleet, "hub"), "front.conf")
            .matches("allow 10.0.0.0/24;")
            .count()
            == 1
    );
    fleet.viewers = vec![];
    let conf = plan(&fleet, "hub");
    assert!(!content(&conf, "front.conf").contains("auth_basic"));
}

fn content<'a>(plan: &'a Plan, suffix: &str) -> &'a str {
    &plan
        .files
        .iter()
        .find(|f| f.path.ends_with(suffix))
        .expect("file")
        .content
}

#[test]
fn the_v4l2_pipeline_sets_the_bitrate_in_the_driver_and_copies() {
    let plan = plan(&fleet(1), "cam1");
    let config: pistream_agent::CameraConfig = toml::from_str(content(&plan, "camera.toml")).expect("TOML");
    let pipeline = &config.pipelines[0];
    assert_eq!(pipeline.controls["video_bitrate"], 250_000.into());
    assert_eq!(pipeline.controls["repeat_sequence_header"], 1.into());
    assert_eq!(pipeline.controls["h264_i_frame_period"], 30.into());
    let bounds = pipeline.adapt.expect("bounds");
    assert_eq!((bounds.lowest, bounds.highest, bounds.step), (50_000, 250_000, 25_000));
    let line = pipeline.arguments.join(" ");
    let before_input = line.split(" -i ").next().expect("input");
    assert!(
        before_input.contains("-framerate 15") && before_input.contains("-use_wallclock_as_timestamps 1"),
        "{line}"
    );
    assert!(
        line.ends_with(
            "-c:v copy -an -f flv -rw_timeout 5000000 -tls_verify 1 -ca_file /etc/pistream/ca.pem \
             -cert_file /etc/pistream/identity.pem -key_file /etc/pistream/identity.pem \
             rtmps://10.0.0.254:1936/live/cam1"
        ),
        "{line}"
    );
}

#[test]
fn a_name_is_bound_to_its_cameras_certificate() {
    let mut fleet = fleet(2);
    // the certificate names the camera, whatever it streams as
    fleet.cameras[1].stream = name("back-door");
    let plan = plan(&fleet, "hub");
    let (door, front) = (content(&plan, "door.conf"), content(&plan, "front.conf"));
    let line = door
        .lines()
        .find(|l| l.contains("\"CN=cam2\""))
        .expect("a line for cam2");
    let address = line.trim().trim_start_matches("\"CN=cam2\" ").trim_end_matches(';');
    for (conf, wanted) in [
        (front, &format!("\"back-door {address}\" 1;") as &str),
        (front, "10.0.0.0/24 1;"),
        (front, "127.64.0.0/10 0;"),
        (door, "ssl_verify_client      on;"),
        (content(&plan, "may-connect.conf"), "\nallow all;\n"),
    ] {
        assert!(conf.contains(wanted), "{wanted} in\n{conf}");
    }
    assert!(!front.contains("\"back-door 10."), "{front}");
    let identity = plan.identity.expect("an identity");
    assert_eq!(
        (identity.path.as_str(), identity.certificate),
        ("/etc/pistream/identity.pem", None)
    );
}

#[test]
fn a_camera_without_tls_is_bound_to_its_address_and_no_network_borrows_a_certificates_name() {
    let mut fleet = fleet(3);
    for camera in &mut fleet.cameras[1..] {
        camera.tls = false;
    }
    // whose address nobody knows
    fleet.cameras[2].address = None;
    fleet.servers[0].publish = fleet.servers[0].play.clone();
    let camera = plan(&fleet, "cam2");
    assert!(
        camera.identity.is_none() && content(&camera, "camera.toml").contains("\"rtmp://10.0.0.254:1935/live/cam2\"")
    );
    let before = fleet.clone();
    fleet.servers[0].tls = false;
    let without = plan(&fleet, "hub");
    assert!(
        content(&without, "front.conf").contains("\"1 cam2\" 1;"),
        "as `publish` says"
    );
    let plan = plan(&before, "hub");
    let (door, front) = (content(&plan, "door.conf"), content(&plan, "front.conf"));
    for wanted in ["\"cam2 10.0.0.2\" 1;", "\"1 cam3\" 1;", "127.64.0.0/10 0;"] {
        assert!(front.contains(wanted), "{wanted} in\n{front}");
    }
    for unwanted in ["\"1 cam1\"", "\"1 cam2\"", "cam1 10."] {
        assert!(!front.contains(unwanted), "{unwanted} in\n{front}");
    }
    assert!(door.contains("\"CN=cam1\" 127.") && !door.contains("CN=cam2"), "{door}");
    let from = content(&plan, "may-connect.conf");
    for wanted in ["allow 10.0.0.1;\n", "allow 10.0.0.0/24;\n", "allow 127.0.0.1;\n"] {
        assert!(from.contains(wanted), "{wanted} in\n{from}");
    }
    assert!(!from.contains("all;"), "{from}");
}

#[test]
fn a_viewers_certificate_plays_the_cameras_of_its_list_and_publishes_nothing() {
    let mut fleet = fleet(2);
    let viewer = |who: &str, cameras: &[&str]| Viewer {
        name: name(who),
        password: Secret::Env("PASSWORD".into()),
        cameras: cameras.iter().map(|camera| name(camera)).collect(),
    };
    fleet.viewers = vec![viewer("anna", &["cam2"]), viewer("bert", &["cam1", "cam2"])];
    fleet.cameras[1].stream = name("back-door");
    let plan = plan(&fleet, "hub");
    let conf = content(&plan, "front.conf");
    let address = |who: &str| {
        let line = format!("\"CN={who}\" ");
        let found = content(&plan, "door.conf")
            .lines()
            .find_map(|l| l.trim().strip_prefix(&line)?.strip_suffix(';'));
        found.unwrap_or_else(|| panic!("no line for {who}"))
    };
    let (anna, bert) = (address("anna"), address("bert"));
    assert_ne!(anna, bert);
    for wanted in [
        format!("\"back-door {anna}\" 1;"),
        format!("\"cam1 {bert}\" 1;"),
        format!("\"back-door {bert}\" 1;"),
        "127.128.0.0/10 0;".to_owned(),
    ] {
        assert!(conf.contains(&wanted), "{wanted} in\n{conf}");
    }
    assert!(!conf.contains(&format!("\"cam1 {anna}\"")), "{conf}");
}

#[test]
fn plain_http_answers_to_the_names_that_the_inventory_has() {
    let mut fleet = fleet(0);
    let server = &mut fleet.servers[0];
    server.address = "Hub.example.net".into();
    server.names = vec![
        "10.0.0.7".into(),
        "hub.EXAMPLE.net".into(),
        "localhost".into(),
        "fd00::7".into(),
    ];
    let hub = plan(&fleet, "hub");
    let conf = content(&hub, "front.conf");
    let (_, known) = conf.split_once("$misdirected {").expect("the map");
    let known = known.split_once('}').expect("its end").0;
    // nginx refuses a word that stands there twice
    let words: Vec<&str> = known.lines().filter_map(|l| l.trim().strip_prefix("\" ")).collect();
    assert_eq!(words, ["hub\" 0;", "hub.example.net\" 0;", "localhost\" 0;"]);
}

#[test]
fn without_tls_a_name_is_bound_to_its_cameras_address() {
    let mut fleet = fleet(2);
    fleet.servers[0].tls = false;
    let camera = plan(&fleet, "cam1");
    assert!(
        camera.identity.is_none() && content(&camera, "camera.toml").contains("\"rtmp://10.0.0.254:1935/live/cam1\"")
    );
    let plan = plan(&fleet, "hub");
    assert!(plan.identity.is_some(), "for viewers");
    assert!(plan.packages.iter().all(|p| p.name != "libnginx-mod-stream"));
    assert!(plan.units.iter().all(|unit| unit.name != DOOR_UNIT));
    let conf = content(&plan, "front.conf");
    for wanted in ["\"cam1 10.0.0.1\" 1;", "\"cam2 10.0.0.2\" 1;", "10.0.0.0/24 1;"] {
        assert!(conf.contains(wanted), "{wanted} in\n{conf}");
    }
    assert!(!conf.contains("\"cam2 10.0.0.1\""), "{conf}");
}

#[test]
fn restream_keys_stand_in_a_secret_file_of_their_own_and_a_proxy_leads_to_each_target() {
    let mut fleet = fleet(2);
    fleet.servers[0].tls = false;
    let target = |tls, ca: Option<&str>| Restream {
        to: Destination::Url(Target {
            tls,
            host: "live.example.net".into(),
            port: Target::default_port(tls),
            app: "app".into(),
            ca: ca.map(str::to_owned),
        }),
        key: Some(Secret::File(PathBuf::from("key"))),
    };
    fleet.cameras[1].restream = vec![target(false, None), target(true, Some("-----BEGIN CERTIFICATE-----"))];
    let without = plan(&fleet, "hub");
    assert!(without.packages.iter().any(|p| p.name == "libnginx-mod-stream"));
    assert!(without.packages.iter().all(|p| p.name != "ca-certificates"));
    fleet.cameras[1].restream.push(target(true, None));
    let plan = plan(&fleet, "hub");
    assert!(plan.packages.iter().any(|p| p.name == "ca-certificates"));

    assert!(content(&plan, "nginx.conf").contains("include restream.conf;"));
    assert!(content(&plan, "door.conf").contains("include targets.conf;"));
    let keys = plan
        .files
        .iter()
        .find(|f| f.path.ends_with("restream.conf"))
        .expect("file");
    assert!(keys.secret && keys.mode == 0o600, "{keys:?}");
    assert!(
        keys.content.contains(
            "push unix:/run/pistream-door/restream-cam2-2.sock name=cam2 app=app tcUrl=rtmps://live.example.net/app playPath=secret-file-key;"
        ),
        "{}",
        keys.content
    );
    let targets = content(&plan, "targets.conf");
    assert!(!targets.contains("secret"), "{targets}");
    let [open, own, system] = targets.split("server {").skip(1).collect::<Vec<_>>()[..] else {
        panic!("{targets}")
    };
    assert!(
        targets.contains("default live.example.net:443;") && !open.contains("proxy_ssl"),
        "{targets}"
    );
    for (server, trusted) in [
        (own, "restream-cam2-2.pem"),
        (system, "/etc/ssl/certs/ca-certificates.crt"),
    ] {
        assert!(
            server.contains(&format!("proxy_ssl_trusted_certificate {trusted};")),
            "{server}"
        );
        assert!(server.contains("proxy_ssl_verify              on;") && !server.contains("proxy_ssl_certificate "));
    }
    assert_eq!(content(&plan, "restream-cam2-2.pem"), "-----BEGIN CERTIFICATE-----");
    let reloads = |unit: &str| &plan.units.iter().find(|u| u.name == unit).expect("unit").reload_on;
    assert!(reloads(SERVER_UNIT).contains(&"/etc/pistream/restream.conf".to_owned()));
    let reloads = reloads(DOOR_UNIT);
    assert!(
        reloads.iter().any(|path| path.ends_with("/restream-cam2-2.pem")),
        "{reloads:?}"
    );
}

#[test]
fn a_backup_in_the_fleet_knows_the_sender_by_its_certificate_and_keeps_what_it_gets() {
    let mut fleet = fleet(2);
    let attic = name("attic");
    fleet.servers.push(Server {
        name: attic.clone(),
        address: "10.0.0.253".into(),
        ..fleet.servers[0].clone()
    });
    fleet.cameras[0].restream = vec![Restream {
        to: Destination::Server(attic.clone()),
        key: None,
    }];
    fleet.cameras[1].server = attic;
    let (hub, attic) = (plan(&fleet, "hub"), plan(&fleet, "attic"));
    let targets = content(&hub, "targets.conf");
    for wanted in [
        "default 10.0.0.253:1936;",
        "proxy_ssl_name                attic;",
        "proxy_ssl_trusted_certificate ca.pem;",
        "proxy_ssl_certificate         identity.pem;",
    ] {
        assert!(targets.contains(wanted), "{wanted} in\n{targets}");
    }
    let (conf, front) = (content(&attic, "door.conf"), content(&attic, "front.conf"));
    let sender = conf
        .lines()
        .find_map(|l| l.trim().strip_prefix("\"CN=hub\" "))
        .expect("the sender");
    assert!(
        front.contains(&format!("\"cam1 {}\" 1;", sender.trim_end_matches(';'))),
        "{front}"
    );
    assert!(!conf.contains("\"CN=cam1\"") && conf.contains("\"CN=cam2\""), "{conf}");
    assert!(content(&attic, "cameras.json").contains(r#""cameras":["cam2","cam1"]"#));
    assert!(content(&attic, "recordings.toml").contains("name = \"cam1\""));
    assert!(!content(&hub, "door.conf").contains("CN=hub"));
}

#[test]
fn a_certificate_of_the_users_own_is_read_as_the_server_will_before_nginx_is_asked() {
    let mut fleet = fleet(1);
    let first = |fleet: &Fleet| plan(fleet, "hub").checks.remove(0);
    assert_eq!(first(&fleet).name, "nginx configuration (nginx.conf)");
    let own = ["/etc/web/fullchain.pem", "/etc/web/privkey.pem"];
    fleet.servers[0].https = Some(crate::model::Https::Files {
        certificate: own[0].into(),
        key: own[1].into(),
    });
    let check = first(&fleet);
    assert!(check.command.contains(&"User=pistream".to_owned()), "{check:?}");
    assert!(check.command.ends_with(&own.map(str::to_owned)), "{check:?}");
    assert!(check.files.iter().any(|path| path.ends_with("front.conf")), "{check:?}");
}

#[test]
fn what_gets_the_viewers_certificate_comes_before_what_shows_it() {
    let mut fleet = fleet(1);
    fleet.servers[0].https = Some(crate::model::Https::Acme {
        name: "hub.example.net".into(),
        directory: "https://acme.example.net/directory".into(),
        email: Some("admin@example.net".into()),
    });
    let hub = plan(&fleet, "hub");
    assert_eq!(hub.units[0].name, CERTIFICATE_UNIT);
    let unit = content(&hub, CERTIFICATE_UNIT);
    let arguments =
        "https://acme.example.net/directory hub.example.net hub.example.net-3b800b4b0d5c74a1 admin@example.net\n";
    for when in ["once", "keep"] {
        assert!(unit.contains(&format!("certificate.sh {when} {arguments}")), "{unit}");
    }
    let shown = "/var/lib/pistream/acme/live/hub.example.net-3b800b4b0d5c74a1/fullchain.pem;";
    assert!(content(&hub, "front.conf").contains(shown));
}

#[test]
fn only_a_port_below_1024_needs_a_capability() {
    let mut fleet = fleet(1);
    let unit = |fleet: &crate::model::Fleet, unit: &str| content(&plan(fleet, "hub"), unit).to_owned();
    fleet.servers[0].http_port = 80;
    let text = unit(&fleet, FRONT_UNIT);
    assert!(text.contains("\nAmbientCapabilities=CAP_NET_BIND_SERVICE\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE\n"));
    for other in [SERVER_UNIT, DOOR_UNIT] {
        assert!(unit(&fleet, other).contains("\nCapabilityBoundingSet=\n"), "{other}");
    }
    fleet.servers[0].http_port = 8080;
    assert!(unit(&fleet, FRONT_UNIT).contains("\nCapabilityBoundingSet=\n"));
}

/// What must not be reloaded when these change, since it holds the streams.
#[test]
fn the_core_knows_no_camera_and_no_viewer() {
    let core = |fleet: &Fleet| {
        let plan = plan(fleet, "hub");
        let unit = plan.units.iter().find(|u| u.name == SERVER_UNIT).expect("unit").clone();
        let of_core = unit.reload_on.iter().chain(&unit.restart_on);
        let texts: Vec<String> = of_core.map(|path| content(&plan, path).to_owned()).collect();
        (unit, texts)
    };
    let few = fleet(1);
    let mut many = fleet(3);
    many.cameras[1].tls = false;
    many.servers[0].play = vec![];
    many.servers[0].publish = few.servers[0].play.clone();
    many.viewers = vec![Viewer {
        name: name("anna"),
        password: Secret::Env("PASSWORD".into()),
        cameras: [name("cam2")].into(),
    }];
    assert_eq!(core(&few), core(&many));
}

#[test]
fn who_came_by_a_revoked_certificate_is_nobody_for_the_front() {
    let fleet = fleet(2);
    let mut identities = Identities::placeholders();
    let confs = |identities: &Identities| {
        let templates = Templates::load(None).expect("templates");
        let host = Host::Server(&fleet.servers[0]);
        let plan = for_host(
            &fleet,
            host,
            &Paths::host(),
            &templates,
            &Secrets::placeholders(),
            identities,
        );
        let plan = plan.expect("a plan");
        ["door.conf", "front.conf"].map(|file| content(&plan, file).to_owned())
    };
    let address = |conf: &str, before: &str| {
        let found = conf.lines().find_map(|l| l.trim().strip_prefix(before));
        found.expect("a line").trim_end_matches(';').to_owned()
    };
    let [door, front] = confs(&identities);
    let [porch, garden] = ["cam1", "cam2"].map(|camera| address(&door, &format!("\"CN={camera}\" ")));
    assert!(front.contains(&format!("\"cam1 {porch}\" 1;")), "{front}");
    identities.revocations = [(name("cam1"), 1)].into();
    let [door, front] = confs(&identities);
    assert!(!front.contains(&porch) && !door.contains(&porch), "{front}\n{door}");
    assert!(front.contains(&format!("\"cam2 {garden}\" 1;")), "{front}");
}

#[test]
fn a_bitrate_that_is_to_stay_has_no_bounds_and_a_menus_entry_is_text() {
    let mut fleet = fleet(1);
    fleet.cameras[0].adapt = None;
    let entry = "Cloudy \"5\" \\ [x]";
    fleet.cameras[0]
        .controls
        .insert("white_balance".into(), Control::Entry(entry.into()));
    let plan = plan(&fleet, "cam1");
    let config: pistream_agent::CameraConfig = toml::from_str(content(&plan, "camera.toml")).expect("TOML");
    let pipeline = &config.pipelines[0];
    assert_eq!(pipeline.adapt, None);
    assert_eq!(
        pipeline.controls["white_balance"],
        pistream_agent::ControlValue::Entry(entry.into())
    );
}

#[test]
fn what_a_camera_becomes_on_a_narrow_uplink_lies_beside_its_settings_and_is_checked_with_them() {
    let mut fleet = fleet(1);
    let camera = &mut fleet.cameras[0];
    camera.source = crate::model::Source::TestPattern;
    camera.adapt = camera.adapt.map(|adapt| crate::model::Adapt { fps: Some(5), ..adapt });
    let plan = plan(&fleet, "cam1");
    let config = |file: &str| -> pistream_agent::CameraConfig { toml::from_str(content(&plan, file)).expect("TOML") };
    let names = config("/camera.toml").rungs;
    assert_eq!(names, ["camera-1.toml", "camera-2.toml", "camera-3.toml"]);
    let expected = [("125000", "rate=15"), ("50000", "rate=15"), ("25000", "rate=5")];
    for (name, (bitrate, rate)) in names.iter().zip(expected) {
        let rung = config(name);
        assert!(rung.rungs.is_empty() && rung.bitrate.to_string() == bitrate);
        let arguments = rung.pipelines[0].arguments.join(" ");
        assert!(
            arguments.contains(&format!("-b:v {bitrate} ")) && arguments.contains(rate),
            "{arguments}"
        );
        let path = format!("/etc/pistream/{name}");
        assert!(plan.checks[0].files.contains(&path), "not checked");
        assert!(
            plan.units.iter().any(|unit| unit.restart_on.contains(&path)),
            "no restart"
        );
    }
}

#[test]
fn hls_is_cut_at_keyframes_and_dash_at_any_picture_of_half_the_length() {
    let mut fleet = fleet(2);
    let lengths = |fleet: &Fleet| {
        let of_hub = plan(fleet, "hub");
        let line = |line: &&str| line.contains("_fragment ") || line.contains("_playlist_length ");
        let lines = content(&of_hub, "nginx.conf").lines().map(str::trim).filter(line);
        lines.collect::<Vec<&str>>().join(" ")
    };
    assert_eq!(
        lengths(&fleet),
        "hls_fragment 1800ms; hls_playlist_length 20000ms; dash_fragment 490ms; dash_playlist_length 10000ms;"
    );
    // one camera in a hurry, and nginx cuts for all
    fleet.cameras[1].latency = crate::model::Latency::Low;
    assert_eq!(
        lengths(&fleet),
        "hls_fragment 450ms; hls_playlist_length 20000ms; dash_fragment 122ms; dash_playlist_length 10000ms;"
    );
}

#[test]
fn root_has_something_to_do_for_a_camera_only_where_the_inventory_says_so() {
    let mut fleet = fleet(1);
    let of_root = |plan: &Plan| {
        let files = plan.files.iter().filter(|file| file.path.contains("pistream-recover."));
        (
            files.count(),
            plan.units.iter().any(|unit| unit.name == RECOVER_PATH_UNIT),
        )
    };
    let config =
        |plan: &Plan| -> pistream_agent::CameraConfig { toml::from_str(content(plan, "camera.toml")).expect("TOML") };
    let off = plan(&fleet, "cam1");
    assert_eq!(of_root(&off), (0, false));
    let allowed = |plan: &Plan| (config(plan).reset, config(plan).reboots_per_day);
    assert_eq!(allowed(&off), (false, 0));
    fleet.cameras[0].recover.reboots_per_day = 3;
    let on = plan(&fleet, "cam1");
    assert_eq!(of_root(&on), (2, true));
    assert_eq!(allowed(&on), (false, 3));
    assert!(content(&on, "pistream-recover.path").contains("\nPathExists=/run/pistream/recover\n"));
    // the service waits for nobody at boot: its path unit starts it
    assert!(!content(&on, "pistream-recover.service").contains("[Install]"));
}
