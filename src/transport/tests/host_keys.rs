//! Knowing the host, over both roads.

use super::sshd::{Sshd, key};
use super::*;

#[tokio::test]
#[ignore = "needs sshd: run by tests/run"]
async fn host_keys_are_checked() {
    let sshd = Sshd::start("");
    key(&sshd.path("other_key"), "ed25519", "");
    let (host, name) = ("127.0.0.1".to_owned(), format!("[127.0.0.1]:{}", sshd.port));
    let said = std::process::Command::new("ssh-keygen")
        .arg("-lf")
        .arg(sshd.path("host_key.pub"))
        .output()
        .unwrap();
    let fingerprint = String::from_utf8(said.stdout)
        .unwrap()
        .split(' ')
        .nth(1)
        .map(str::to_owned);
    let file = sshd.path("known_hosts");
    for transport in BOTH {
        let ssh = sshd.ssh("pi", transport);
        let nonsense = format!("{name} ssh-ed25519 AAAA\n");
        for unknown in [String::new(), sshd.known_as("127.0.0.2", "host_key"), nonsense] {
            let error = refused(&ssh, &with_config(sshd.config(&unknown, ""))).await;
            let expected = Error::HostKeyUnknown {
                host: host.clone(),
                port: sshd.port,
                alias: None,
                fingerprint: fingerprint.clone(),
                known_hosts: file.clone(),
            };
            assert_eq!(error, expected, "{transport:?} {unknown:?}");
        }
        let changed = format!("# one\n{}", sshd.known_as(&name, "other_key"));
        let error = refused(&ssh, &with_config(sshd.config(&changed, ""))).await;
        let (host, fingerprint) = (host.clone(), fingerprint.clone());
        let expected = Error::HostKeyChanged {
            host: host.clone(),
            fingerprint,
            file: file.clone(),
            line: 2,
        };
        assert_eq!(error, expected, "{transport:?}");
        let revoked = format!("{}@revoked {}", sshd.known(), sshd.known_as("*", "host_key"));
        let error = refused(&ssh, &with_config(sshd.config(&revoked, ""))).await;
        assert_eq!(error, Error::HostKeyRevoked { host }, "{transport:?}");
        // even a user who told ssh to accept anything is asked
        let careless = with_config(sshd.config("", "StrictHostKeyChecking no"));
        assert!(
            matches!(refused(&ssh, &careless).await, Error::HostKeyUnknown { .. }),
            "{transport:?}"
        );
        let hashed = with_config(sshd.config(&sshd.known(), ""));
        hash(&file);
        assert_eq!(whoami(&ssh, &hashed).await.as_deref(), Ok("pi"), "{transport:?}");
    }
}

#[tokio::test]
#[ignore = "needs sshd: run by tests/run"]
async fn the_command_that_the_help_names_accepts_the_key() {
    let sshd = Sshd::start("");
    for (asked, lines) in BOTH
        .into_iter()
        .flat_map(|road| [(road, ""), (road, "HostKeyAlias porch")])
    {
        let clear = with_config(sshd.config("", lines));
        let help = refused(&sshd.ssh("pi", asked), &clear).await.help().unwrap();
        let command = help.rsplit('`').nth(1).unwrap();
        assert!(command.starts_with("ssh-keyscan "), "{help}");
        let status = std::process::Command::new("sh")
            .args(["-c", command])
            .stderr(std::process::Stdio::null())
            .status();
        assert!(status.unwrap().success());
        for transport in BOTH {
            assert_eq!(
                whoami(&sshd.ssh("pi", transport), &clear).await.as_deref(),
                Ok("pi"),
                "{transport:?} {lines}"
            );
        }
    }
}

#[derive(Debug, PartialEq)]
enum Verdict {
    Known,
    Unknown,
    Changed,
    Revoked,
}

/// Who may pass for whom is OpenSSH's to say: both roads judge alike, ssh itself being the measure.
#[tokio::test]
#[ignore = "needs sshd: run by tests/run"]
async fn russh_accepts_what_ssh_accepts_and_nothing_else() {
    let sshd = Sshd::start("");
    key(&sshd.path("other_key"), "ed25519", "");
    key(&sshd.path("rsa_key"), "rsa", "");
    let (address, with_port) = ("127.0.0.1", format!("[127.0.0.1]:{}", sshd.port));
    let own = |name: &str| sshd.known_as(name, "host_key");
    let other = |name: &str| sshd.known_as(name, "other_key");
    let rsa = |name: &str| sshd.known_as(name, "rsa_key");
    let (plain, alias, upper) = ("", "HostKeyAlias porch", "HostKeyAlias Porch");
    for (lines, known, expected) in [
        // one address hides several machines: who has an alias is known by nothing else
        (alias, own(address), Verdict::Unknown),
        (alias, own(&with_port), Verdict::Unknown),
        (alias, own(&format!("[porch]:{}", sshd.port)), Verdict::Unknown),
        (alias, other("porch") + &own(address), Verdict::Changed),
        (alias, rsa("porch") + &own(address), Verdict::Changed),
        (
            alias,
            format!("@cert-authority {}{}", other("porch"), own(address)),
            Verdict::Unknown,
        ),
        (alias, own("porch"), Verdict::Known),
        (alias, other(address) + &own("porch"), Verdict::Known),
        (alias, own("Porch"), Verdict::Known),
        (upper, own("porch"), Verdict::Known),
        (upper, own(address), Verdict::Unknown),
        // the name without the port vouches where nothing is known with it, and does not contradict
        (plain, own(address), Verdict::Known),
        (plain, other(address), Verdict::Unknown),
        (plain, other(address) + &own(&with_port), Verdict::Known),
        (plain, other(&with_port) + &own(address), Verdict::Changed),
        (plain, rsa(&with_port) + &own(address), Verdict::Changed),
        (
            plain,
            format!("{}@revoked {}", own(address), own(address)),
            Verdict::Revoked,
        ),
        (
            plain,
            format!("{}@revoked {}", own(&with_port), own(address)),
            Verdict::Known,
        ),
        // a key of another kind is no new host
        (plain, rsa(&with_port), Verdict::Changed),
    ] {
        for (transport, hashed) in BOTH.into_iter().flat_map(|road| [(road, false), (road, true)]) {
            let clear = with_config(sshd.config(&known, lines));
            if hashed {
                hash(&sshd.path("known_hosts"));
            }
            let verdict = match connect(&sshd.ssh("pi", transport), &clear).await.map(drop) {
                Ok(()) => Verdict::Known,
                Err(Error::HostKeyUnknown { .. }) => Verdict::Unknown,
                Err(Error::HostKeyChanged { .. }) => Verdict::Changed,
                Err(Error::HostKeyRevoked { .. }) => Verdict::Revoked,
                Err(error) => panic!("{transport:?} {lines:?} {known} {error:?}"),
            };
            assert_eq!(verdict, expected, "{transport:?} hashed: {hashed}, {lines:?}, {known}");
        }
    }
}

/// As a distribution's ssh would have written the names.
fn hash(known_hosts: &Path) {
    let status = std::process::Command::new("ssh-keygen")
        .args(["-q", "-H", "-f"])
        .arg(known_hosts)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status();
    assert!(status.unwrap().success());
}
