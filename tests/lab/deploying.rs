//! From bare hosts to pictures, and again: the main job over both roads.

use crate::fleet::{Deployed, Fleet, bytes_received, deploy, fares, lives, status, streams_again, verify};
use crate::hosts::{Image, Lab, wait_for};
use std::fs;
use std::time::Duration;

const TEMPLATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");
const HOSTS: [&str; 3] = ["hub", "porch", "garden"];

#[test]
fn bare_hosts_stream_after_one_deploy_by_openssh_and_a_second_changes_nothing() {
    bare_hosts_stream("openssh");
}

#[test]
fn bare_hosts_stream_after_one_deploy_by_russh_and_a_second_changes_nothing() {
    bare_hosts_stream("russh");
}

fn bare_hosts_stream(transport: &'static str) {
    let lab = Lab::up(Image::Bare, &HOSTS);
    let mut fleet = Fleet::new(&lab, transport, &["porch", "garden"]);
    // somebody's own nginx, which no package brought, on one of the two roads
    let own_nginx = transport == "russh";
    if own_nginx {
        lab.root(
            "hub",
            "printf '[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n' \
             >/etc/systemd/system/nginx.service && systemctl enable -q --now nginx",
        );
    }
    let first = fleet.deploy(&lab).must_exit(0);
    let nginx = lab.root("hub", "systemctl is-active nginx; systemctl is-enabled nginx; true");
    assert_eq!(nginx == "active\nenabled", own_nginx, "{nginx}");
    assert_eq!(nginx == "inactive\ndisabled", !own_nginx, "{nginx}");
    assert!(
        first.changes("hub").contains(&"install nginx".to_owned()),
        "{}",
        first.text()
    );
    verify(&lab).must_hold();

    let before = HOSTS.map(|host| lives(&lab, host));
    let sessions = HOSTS.map(|host| count_sessions(&lab, host));
    let second = deploy(&lab, &[]).must_exit(0);
    for (index, host) in HOSTS.into_iter().enumerate() {
        assert_eq!(second.result(host).0, "unchanged", "{}", second.text());
        assert_eq!(lives(&lab, host), before[index], "{host} was restarted");
        assert_eq!(
            count_sessions(&lab, host) - sessions[index],
            1,
            "{host}: more than one exec"
        );
    }

    fleet.set_bitrate("porch", "500k");
    let third = fleet.deploy(&lab).must_exit(0);
    assert!(
        third
            .changes("porch")
            .contains(&"restart pistream-camera.service".to_owned()),
        "{}",
        third.text()
    );
    for (index, host) in HOSTS.into_iter().enumerate() {
        assert_eq!(
            lives(&lab, host) != before[index],
            host == "porch",
            "{host}\n{}",
            third.text()
        );
    }
    verify(&lab).must_hold();
}

/// How many commands pi has run over ssh so far. The first question turns counting on.
fn count_sessions(lab: &Lab, host: &str) -> u32 {
    let ask = "test -e /etc/ssh/sshd_config.d/count.conf || {
            echo 'LogLevel VERBOSE' >/etc/ssh/sshd_config.d/count.conf; systemctl reload ssh; }
        journalctl --sync; journalctl -q -o cat -t sshd | grep -c 'Starting session: .* for pi ' || true";
    lab.root(host, ask).parse().unwrap()
}

#[test]
fn a_template_nginx_refuses_is_refused_and_the_stream_never_stops() {
    let lab = Lab::up(Image::Fat, &["hub", "porch"]);
    let fleet = Fleet::new(&lab, "russh", &["porch"]);
    fleet.deploy(&lab).must_exit(0);
    streams_again(&lab, "porch", Duration::from_secs(30));
    let (before, lived) = (status(&lab, "porch").unwrap(), lives(&lab, "hub"));
    let received = bytes_received(&lab, "porch").unwrap();

    let templates = lab.home().join("templates");
    fs::create_dir(&templates).unwrap();
    let good = fs::read_to_string(format!("{TEMPLATES}/nginx.conf.j2")).unwrap();
    fs::write(templates.join("nginx.conf.j2"), good + "\nno_such_directive on;\n").unwrap();
    let refused = deploy(&lab, &["--templates", "templates"]).must_exit(1);
    let (word, detail) = refused.result("hub");
    assert_eq!(word, "failed", "{}", refused.text());
    assert!(
        detail.contains("no_such_directive") && detail.contains("nginx configuration"),
        "{detail}"
    );

    let after = status(&lab, "porch").unwrap();
    assert_eq!(
        (after.ffmpeg_pid, &after.restarts),
        (before.ffmpeg_pid, &before.restarts)
    );
    assert!(after.frames > before.frames);
    assert_eq!(lives(&lab, "hub"), lived);
    assert!(bytes_received(&lab, "porch").unwrap() > received);
    assert!(
        !lab.root("hub", "cat /etc/pistream/nginx.conf")
            .contains("no_such_directive")
    );
    deploy(&lab, &[]).must_exit(0);
    assert_eq!(lives(&lab, "hub"), lived);
}

#[test]
fn a_host_that_is_down_does_not_stop_the_others() {
    for transport in crate::hosts::BOTH_ROADS {
        let lab = Lab::up(Image::Fat, &HOSTS);
        lab.power_cut("porch");
        let deployed = Fleet::new(&lab, transport, &["porch", "garden"])
            .deploy(&lab)
            .must_exit(1);
        assert_eq!(deployed.result("porch").0, "unreachable", "{}", deployed.text());
        assert_eq!(deployed.result("hub").0, "changed", "{}", deployed.text());
        assert_eq!(deployed.result("garden").0, "changed", "{}", deployed.text());
        streams_again(&lab, "garden", Duration::from_secs(30));
        let (code, told) = fares(&lab);
        let [porch, garden] = [0, 1].map(|at| told["cameras"][at]["problem"].as_str().map(str::to_owned));
        assert!(porch.is_some_and(|why| why.starts_with("no answer: ")), "{told:#}");
        assert_eq!((code, garden), (Some(1), None), "{told:#}");
        lab.power_on("porch");
        let deployed = deploy(&lab, &[]).must_exit(0);
        assert_eq!(deployed.result("porch").0, "changed", "{}", deployed.text());
        streams_again(&lab, "porch", Duration::from_secs(30));
    }
}

#[test]
fn a_deployed_host_streams_again_after_a_power_cut() {
    let lab = Lab::up(Image::Fat, &["hub", "porch"]);
    Fleet::new(&lab, "russh", &["porch"]).deploy(&lab).must_exit(0);
    streams_again(&lab, "porch", Duration::from_secs(30));
    lab.power_cut("porch");
    lab.power_on("porch");
    // nginx holds the name of a publisher that went without a word for ten seconds
    streams_again(&lab, "porch", Duration::from_secs(40));
    lab.power_cut("hub");
    lab.power_on("hub");
    streams_again(&lab, "porch", Duration::from_secs(40));
    assert_eq!(deploy(&lab, &[]).must_exit(0).result("hub").0, "unchanged");
}

/// Gives a port of the server to somebody else, until its units `taken-PORT.*` are stopped.
fn take(lab: &Lab, port: u16) {
    let listen =
        format!("systemd-run -q --unit taken-{port} --socket-property=ListenStream=0.0.0.0:{port} /bin/sleep infinity");
    lab.root("hub", &listen);
}

#[test]
fn a_port_that_somebody_else_has_is_named_and_cameras_stay_with_the_server_there_is() {
    let lab = Lab::up(Image::Fat, &["hub", "porch"]);
    let mut fleet = Fleet::new(&lab, "russh", &["porch"]);
    let names = |refused: &Deployed, port: u16| {
        let (word, detail) = refused.result("hub");
        assert_eq!(word, "failed", "{}", refused.text());
        let named = format!(":{port} failed (98: Address already in use)");
        assert!(detail.contains(&named) && detail.contains("rolled back"), "{detail}");
        let (word, detail) = refused.result("porch");
        assert_eq!(word, "not deployed", "{}", refused.text());
        assert!(detail.contains("its server hub failed"), "{detail}");
    };

    // where there was nothing, there is nothing
    take(&lab, 1935);
    names(&fleet.deploy(&lab).must_exit(1), 1935);
    let left = "pgrep -lu pistream; systemctl list-units --plain --no-legend --state active,activating 'pistream-*';
        ls /etc/systemd/system | grep pistream || true";
    assert_eq!(lab.root("hub", left), "");
    assert!(!lab.disk("porch").join("etc/pistream").exists());
    lab.root("hub", "systemctl stop 'taken-1935.*'");
    deploy(&lab, &[]).must_exit(0);
    streams_again(&lab, "porch", Duration::from_secs(30));

    // a port for both sides: the camera keeps the one at which the server still is
    let (camera, core) = (lives(&lab, "porch"), lab.root("hub", CORE));
    take(&lab, 443);
    fleet.server += ", rtmps_port: 443";
    names(&fleet.deploy(&lab).must_exit(1), 443);
    assert_eq!((lives(&lab, "porch"), lab.root("hub", CORE)), (camera, core));
    streams_again(&lab, "porch", Duration::from_secs(30));
    let pending = deploy(&lab, &["--check"]).must_exit(4);
    assert_eq!(pending.result("porch").0, "pending", "{}", pending.text());
    lab.root("hub", "systemctl stop 'taken-443.*'");
    deploy(&lab, &[]).must_exit(0);
    streams_again(&lab, "porch", Duration::from_secs(30));

    // taken while the door was away: that is no server as it should be, and systemd goes on trying until it is
    lab.root("hub", "systemctl stop pistream-door");
    take(&lab, 443);
    lab.root("hub", "systemctl start --no-block pistream-door");
    names(&deploy(&lab, &[]).must_exit(1), 443);
    lab.root("hub", "systemctl stop 'taken-443.*'");
    streams_again(&lab, "porch", Duration::from_secs(30));

    // a disk for the recordings that is late: the core fails at once, and more often than systemd allows by itself
    let recordings = "/var/lib/pistream/recordings";
    lab.root(
        "hub",
        &format!(
            "systemctl stop pistream-server; mv {recordings} /srv/late; systemctl start --no-block pistream-server"
        ),
    );
    wait_for(Duration::from_secs(60), "many starts in vain", || {
        let restarts = lab.root("hub", "systemctl show -P NRestarts pistream-server");
        restarts.parse::<u32>().unwrap() > 7
    });
    lab.root("hub", &format!("mv /srv/late {recordings}"));
    streams_again(&lab, "porch", Duration::from_secs(30));
    assert_eq!(deploy(&lab, &[]).must_exit(0).result("hub").0, "unchanged");
}

const CORE: &str = "systemctl show -P MainPID pistream-server";
