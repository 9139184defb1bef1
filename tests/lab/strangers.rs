//! Who is who: host keys, the user's own ssh settings, sudo with a password.

use crate::fleet::{Fleet, deploy, verify};
use crate::hosts::{BOTH_ROADS, Image, Lab, run, text};
use std::fs;
use std::process::Command;

#[test]
fn an_unknown_host_key_is_refused_with_its_fingerprint() {
    let lab = Lab::up(Image::Fat, &["hub", "porch"]);
    let fingerprint = fingerprint(&lab, "porch");
    let known = lab.home().join(".ssh/known_hosts");
    let all_but_porch: String = lines(&known).filter(|l| !l.starts_with(&lab.ip("porch"))).collect();
    fs::write(&known, all_but_porch).unwrap();
    for transport in BOTH_ROADS {
        let refused = Fleet::new(&lab, transport, &["porch"]).deploy(&lab).must_exit(1);
        let (word, detail) = refused.result("porch");
        assert_eq!(word, "unreachable", "{}", refused.text());
        assert!(
            detail.contains(&fingerprint),
            "{transport}: {fingerprint} is missing in: {detail}"
        );
        assert!(
            !lines(&known).any(|l| l.starts_with(&lab.ip("porch"))),
            "{transport} accepted the key"
        );
    }
    assert!(!lab.disk("porch").join("etc/pistream").exists());
}

#[test]
fn a_changed_host_key_is_refused() {
    let lab = Lab::up(Image::Fat, &["hub", "porch"]);
    let known = lab.home().join(".ssh/known_hosts");
    let (hub, porch) = (lab.ip("hub"), lab.ip("porch"));
    let hub_key = lines(&known).find(|l| l.starts_with(&hub)).unwrap();
    let confused: String = lines(&known).filter(|l| !l.starts_with(&porch)).collect();
    fs::write(&known, confused + &hub_key.replacen(&hub, &porch, 1)).unwrap();
    for transport in BOTH_ROADS {
        let refused = Fleet::new(&lab, transport, &["porch"]).deploy(&lab).must_exit(1);
        let (word, detail) = refused.result("porch");
        assert_eq!(word, "unreachable", "{}", refused.text());
        assert!(detail.contains("changed"), "{transport}: {detail}");
    }
    assert!(!lab.disk("porch").join("etc/pistream").exists());
}

#[test]
fn aliases_identities_and_jump_hosts_of_the_users_ssh_configuration_count() {
    let lab = Lab::up(Image::Fat, &["hub", "porch"]);
    let (hub, porch, key) = (lab.ip("hub"), lab.ip("porch"), lab.key());
    // porch lets nobody in but its neighbour
    lab.root(
        "porch",
        &format!("printf 'Match Address *,!{hub}\\n  AllowUsers root\\n' >/etc/ssh/sshd_config.d/jump.conf"),
    );
    lab.root("porch", "systemctl reload ssh");
    let config = format!(
        "Host the-server\n  HostName {hub}\nHost the-camera\n  HostName {porch}\n  ProxyJump the-server\n\
         Host the-*\n  User pi\n  IdentityFile {}\n  IdentitiesOnly yes\n",
        key.display()
    );
    fs::write(lab.home().join(".ssh/config"), config).unwrap();
    for (transport, bitrate) in [("openssh", "250k"), ("russh", "500k"), ("auto", "250k")] {
        lab.write_inventory(&format!(
            "defaults: {{ssh: {{transport: {transport}}}}}\n\
             servers: {{hub: {{ssh: {{host: the-server}}, address: {hub}, play: [10.77.{}.1]}}}}\n\
             cameras: {{porch: {{ssh: {{host: the-camera}}, address: {porch}, source: test, size: 320x240, bitrate: {bitrate}}}}}\n",
            lab.id()
        ));
        let deployed = deploy(&lab, &[]).must_exit(0);
        assert_eq!(deployed.result("porch").0, "changed", "{}", deployed.text());
    }
    verify(&lab).must_hold();
}

#[test]
fn a_sudo_password_opens_the_way_and_shows_nowhere() {
    const PASSWORD: &str = "correct horse";
    for transport in BOTH_ROADS {
        let lab = Lab::up(Image::Fat, &["hub", "porch"]);
        let fleet = Fleet::new(&lab, transport, &["porch"]);
        fleet.write(&lab);
        let inventory = lab.home().join("hosts.yml");
        let text = fs::read_to_string(&inventory).unwrap();
        fs::write(
            &inventory,
            text.replace("user: pi", "user: admin, sudo_password: {env: HOST_PASSWORD}"),
        )
        .unwrap();

        let wrong = with_password(&lab, "wrong horse").output().unwrap();
        assert_eq!(wrong.status.code(), Some(1), "{}", crate::hosts::all(&wrong));
        assert!(
            crate::hosts::all(&wrong).contains("sudo"),
            "{}",
            crate::hosts::all(&wrong)
        );

        let mut deployer = with_password(&lab, PASSWORD);
        let log = fs::File::create(lab.home().join("log")).unwrap();
        deployer.stdout(log.try_clone().unwrap()).stderr(log);
        let mut deployer = deployer.spawn().unwrap();
        let mut looks = 0;
        let status = loop {
            // the hosts' processes are this machine's too
            assert_eq!(command_lines_with(PASSWORD), "", "the password shows");
            looks += 1;
            if let Some(status) = deployer.try_wait().unwrap() {
                break status;
            }
        };
        let log = fs::read_to_string(lab.home().join("log")).unwrap();
        assert!(status.success(), "{log}");
        assert!(looks > 10, "looked only {looks} times");
        assert!(!log.contains(PASSWORD), "{log}");
        for host in ["hub", "porch"] {
            lab.root(host, "journalctl --sync");
            let found = lab.root(
                host,
                "journalctl -q | grep -F 'correct horse' | grep -vF 'grep -F' || true",
            );
            assert_eq!(found, "", "the password is in {host}'s journal");
        }
    }
}

fn with_password(lab: &Lab, password: &str) -> Command {
    let mut deployer = lab.pistream(&["deploy", "-v"]);
    deployer.env("HOST_PASSWORD", password);
    deployer
}

/// Command lines, of all processes of this machine and its hosts, that contain the text.
fn command_lines_with(secret: &str) -> String {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    // our own questions about it do not count
    lines
        .filter(|line| line.contains(secret) && !line.contains("grep -F"))
        .collect()
}

fn fingerprint(lab: &Lab, host: &str) -> String {
    let key = lab.disk(host).join("etc/ssh/ssh_host_ed25519_key.pub");
    let shown = text(&run(Command::new("ssh-keygen").arg("-lf").arg(key)));
    shown.split(' ').nth(1).unwrap().to_owned()
}

/// The file's lines, each with its end.
fn lines(path: &std::path::Path) -> impl Iterator<Item = String> {
    fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| format!("{line}\n"))
        .collect::<Vec<_>>()
        .into_iter()
}
