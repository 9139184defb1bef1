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
        let status = std::process::Command::new("ssh-keygen")
            .args(["-q", "-H", "-f"])
            .arg(&file)
            .stderr(std::process::Stdio::null())
            .status();
        assert!(status.unwrap().success());
        assert_eq!(whoami(&ssh, &hashed).await.as_deref(), Ok("pi"), "{transport:?}");
    }
}

#[tokio::test]
#[ignore = "needs sshd: run by tests/run"]
async fn the_command_that_the_help_names_accepts_the_key() {
    let sshd = Sshd::start("");
    let ssh = sshd.ssh("pi", Transport::Russh);
    let clear = with_config(sshd.config("", ""));
    let help = refused(&ssh, &clear).await.help().unwrap();
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
            "{transport:?}"
        );
    }
}
