//! Texts as OpenSSH 9.2 wrote them to its log (`-E`), addresses and names changed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::model::{Ssh, Transport};
use crate::transport::effective;

async fn settings() -> Settings {
    let ssh = Ssh {
        host: "127.0.0.1".into(),
        user: Some("root".into()),
        port: Some(20222),
        identity: None,
        jump: None,
        transport: Transport::Openssh,
        password: None,
        sudo_password: None,
    };
    effective::settings(&ssh, Some(std::path::Path::new("/dev/null")))
        .await
        .unwrap()
}

async fn understood(text: &str) -> Error {
    understand(&text.replace('\n', "\r\n"), &settings().await)
}

#[tokio::test]
async fn a_name_nobody_knows() {
    let error = understood("ssh: Could not resolve hostname no-such-host.invalid: Name or service not known\n").await;
    assert_eq!(
        error,
        Error::NameNotFound {
            host: "no-such-host.invalid".into()
        }
    );
}

#[tokio::test]
async fn no_connection() {
    let host = || "127.0.0.1".to_owned();
    for (why, expected) in [
        (
            "Connection refused",
            Error::Refused {
                host: host(),
                port: 20222,
            },
        ),
        (
            "Connection timed out",
            Error::TimedOut {
                host: host(),
                port: 20222,
            },
        ),
        (
            "Operation timed out",
            Error::TimedOut {
                host: host(),
                port: 20222,
            },
        ),
        (
            "No route to host",
            Error::Unreachable {
                host: host(),
                cause: "No route to host".into(),
            },
        ),
        (
            "Network is unreachable",
            Error::Unreachable {
                host: host(),
                cause: "Network is unreachable".into(),
            },
        ),
    ] {
        // the openssh crate takes "ssh: " away at the beginning
        for before in ["ssh: ", ""] {
            let text = format!("{before}connect to host 127.0.0.1 port 20222: {why}\n");
            assert_eq!(understood(&text).await, expected);
        }
    }
    let text = "Connection timed out during banner exchange\nConnection to 127.0.0.1 port 20222 timed out\n";
    assert_eq!(
        understood(text).await,
        Error::TimedOut {
            host: host(),
            port: 20222
        }
    );
}

#[tokio::test]
async fn keys_refused() {
    let error = understood("root@127.0.0.1: Permission denied (publickey,keyboard-interactive).\n").await;
    let Error::KeyRefused { host, user, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!((host.as_str(), user.as_str()), ("127.0.0.1", "root"));
    let text = "Received disconnect from 127.0.0.1 port 20222:2: Too many authentication failures\n\
                Disconnected from 127.0.0.1 port 20222\n";
    assert!(matches!(understood(text).await, Error::KeyRefused { .. }));
}

#[tokio::test]
async fn an_unknown_host_key() {
    let text = "No ED25519 host key is known for [127.0.0.1]:20222 and you have requested strict checking.\n\
                Host key verification failed.\n";
    let error = understood(text).await;
    let Error::HostKeyUnknown { host, port, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!((host.as_str(), *port), ("127.0.0.1", 20222));
    assert!(error.help().unwrap().contains("ssh-keyscan -p 20222 127.0.0.1 >> "));
}

#[tokio::test]
async fn an_unknown_host_key_of_a_host_with_an_alias() {
    let text = "No ED25519 host key is known for porch and you have requested strict checking.\n";
    let mut settings = settings().await;
    settings.host_key_alias = Some("porch".into());
    let error = understand(text, &settings);
    let Error::HostKeyUnknown { host, port, alias, .. } = &error else {
        panic!("{error:?}")
    };
    // where to look is the address; what to write down is the alias
    assert_eq!(
        (host.as_str(), *port, alias.as_deref()),
        ("127.0.0.1", 20222, Some("porch"))
    );
    assert!(
        error
            .help()
            .unwrap()
            .contains("20222 127.0.0.1 | sed 's|^[^# ]* |porch |' >> ")
    );
}

#[tokio::test]
async fn a_changed_host_key() {
    let text = "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
Someone could be eavesdropping on you right now (man-in-the-middle attack)!
It is also possible that a host key has just been changed.
The fingerprint for the ED25519 key sent by the remote host is
SHA256:rGi3bptenKTsPPoGtR4qomvtnHzrBrFc/GPj96dl4GA.
Please contact your system administrator.
Add correct host key in /home/ada/.ssh/known_hosts to get rid of this message.
Offending ED25519 key in /home/ada/.ssh/known_hosts:2
  remove with:
  ssh-keygen -f \"/home/ada/.ssh/known_hosts\" -R \"[127.0.0.1]:20222\"
Host key for [127.0.0.1]:20222 has changed and you have requested strict checking.
Host key verification failed.
";
    let expected = Error::HostKeyChanged {
        host: "127.0.0.1".into(),
        fingerprint: Some("SHA256:rGi3bptenKTsPPoGtR4qomvtnHzrBrFc/GPj96dl4GA".into()),
        file: "/home/ada/.ssh/known_hosts".into(),
        line: 2,
    };
    assert_eq!(understood(text).await, expected);
}

#[tokio::test]
async fn a_revoked_host_key() {
    let text = "@       WARNING: REVOKED HOST KEY DETECTED!               @
The ED25519 host key for [127.0.0.1]:20222 is marked as revoked.
This could mean that a stolen key is being used to
impersonate this host.
ED25519 host key for [127.0.0.1]:20222 was revoked and you have requested strict checking.
Host key verification failed.
";
    assert_eq!(
        understood(text).await,
        Error::HostKeyRevoked {
            host: "127.0.0.1".into()
        }
    );
}

#[tokio::test]
async fn no_common_cipher() {
    let text = "Unable to negotiate with 127.0.0.1 port 20222: no matching cipher found. Their offer: aes128-ctr\n";
    assert!(matches!(understood(text).await, Error::Protocol { cause, .. } if cause.contains("aes128-ctr")));
}

#[tokio::test]
async fn words_never_seen_are_passed_on() {
    let expected = Error::Unreachable {
        host: "127.0.0.1".into(),
        cause: "the moon is full; go home".into(),
    };
    assert_eq!(understood("the moon is full\n\ngo home\n").await, expected);
    assert!(beyond_jump(
        "kex_exchange_identification: …\r\nConnection closed by UNKNOWN port 65535\r\n"
    ));
}
