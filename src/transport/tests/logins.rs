//! Proving who the user is, over both roads.

use super::sshd::{Agent, PASSWORD, Sshd, key};
use super::*;

#[tokio::test]
#[ignore = "needs sshd: run by tests/run"]
async fn every_kind_of_key_opens() {
    let sshd = Sshd::start("");
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let file = sshd.path(&format!("id_{kind}"));
        key(&file, kind, "");
        fs::copy(file.with_extension("pub"), sshd.path("authorized_keys")).unwrap();
        let clear = with_config(sshd.config(&sshd.known(), ""));
        for transport in BOTH {
            let ssh = Ssh {
                identity: Some(file.clone()),
                ..sshd.ssh("pi", transport)
            };
            assert_eq!(whoami(&ssh, &clear).await.as_deref(), Ok("pi"), "{kind} {transport:?}");
        }
    }
}

#[tokio::test]
#[ignore = "needs sshd: run by tests/run"]
async fn an_encrypted_key_needs_the_agent() {
    let sshd = Sshd::start("");
    let (file, agent) = (sshd.path("id_locked"), Agent::start());
    key(&file, "ed25519", "open sesame");
    fs::copy(file.with_extension("pub"), sshd.path("authorized_keys")).unwrap();
    let config = format!("IdentityAgent {}", agent.socket.display());
    let clear = with_config(sshd.config(&sshd.known(), &config));
    for added in [false, true] {
        for transport in BOTH {
            let ssh = Ssh {
                identity: Some(file.clone()),
                ..sshd.ssh("pi", transport)
            };
            if added {
                assert_eq!(whoami(&ssh, &clear).await.as_deref(), Ok("pi"), "{transport:?}");
            } else {
                let expected = Error::PassphraseNeeded { file: file.clone() };
                assert_eq!(refused(&ssh, &clear).await, expected, "{transport:?}");
            }
        }
        if !added {
            agent.add(&file, "open sesame");
        }
    }
}

/// The question itself is tested in tests/asking.rs, on a terminal.
#[tokio::test]
#[ignore = "needs sshd: run by tests/run"]
async fn a_key_that_somebody_opened_lets_in() {
    let sshd = Sshd::start("");
    let [first, second] = ["id_first", "id_second"].map(|name| sshd.path(name));
    key(&first, "ed25519", "open sesame");
    key(&second, "ed25519", "open sesame");
    fs::copy(second.with_extension("pub"), sshd.path("authorized_keys")).unwrap();
    let lines = format!("IdentityFile {}\nIdentityFile {}", first.display(), second.display());
    let clear = with_config(sshd.config(&sshd.known(), &lines));
    let ssh = sshd.ssh("pi", Transport::Russh);
    let needed = |file: &Path| Error::PassphraseNeeded { file: file.to_owned() };
    // an open key, the last one in the list, is refused before anybody is asked
    assert_eq!(refused(&ssh, &clear).await, needed(&first));
    crate::transport::russh::as_if_typed(&first, "wrong");
    assert_eq!(refused(&ssh, &clear).await, needed(&second));
    crate::transport::russh::as_if_typed(&second, "open sesame");
    assert_eq!(whoami(&ssh, &clear).await.as_deref(), Ok("pi"));
}

#[tokio::test]
#[ignore = "needs sshd: run by tests/run"]
async fn the_agents_keys_open() {
    let sshd = Sshd::start("");
    let agent = Agent::start();
    // the right key is the second one in the agent, and its file is gone
    key(&sshd.path("id_other"), "rsa", "");
    agent.add(&sshd.path("id_other"), "");
    agent.add(&sshd.path("id"), "");
    fs::remove_file(sshd.path("id")).unwrap();
    fs::remove_file(sshd.path("id.pub")).unwrap();
    let config = format!("IdentityAgent {}\nIdentitiesOnly no", agent.socket.display());
    let clear = with_config(sshd.config(&sshd.known(), &config));
    for transport in BOTH {
        assert_eq!(
            whoami(&sshd.ssh("pi", transport), &clear).await.as_deref(),
            Ok("pi"),
            "{transport:?}"
        );
    }
}

#[tokio::test]
#[ignore = "needs sshd: run by tests/run"]
async fn a_refused_key_is_named() {
    let sshd = Sshd::start("");
    let (file, configured) = (sshd.path("id_wrong"), sshd.path("id"));
    key(&file, "ed25519", "");
    fs::write(sshd.path("authorized_keys"), "").unwrap();
    let tried: Vec<String> = [&file, &configured].iter().map(|f| f.display().to_string()).collect();
    let clear = with_config(sshd.config(&sshd.known(), ""));
    for transport in BOTH {
        let ssh = Ssh {
            identity: Some(file.clone()),
            ..sshd.ssh("pi", transport)
        };
        let (host, user, tried) = ("127.0.0.1".to_owned(), "pi".to_owned(), tried.clone());
        let expected = Error::KeyRefused { host, user, tried };
        assert_eq!(refused(&ssh, &clear).await, expected, "{transport:?}");
        let missing = Ssh {
            identity: Some("/no/such/key".into()),
            ..ssh
        };
        assert!(
            matches!(refused(&missing, &clear).await, Error::IdentityUnreadable { .. }),
            "{transport:?}"
        );
    }
}

#[tokio::test]
#[ignore = "needs sshd: run by tests/run"]
async fn a_password_opens_over_russh_alone() {
    for (configuration, road) in [
        (
            "UsePAM no\nPasswordAuthentication yes\nKbdInteractiveAuthentication no",
            "password",
        ),
        (
            "UsePAM yes\nPasswordAuthentication no\nKbdInteractiveAuthentication yes",
            "keyboard-interactive",
        ),
    ] {
        let sshd = Sshd::start(&format!("PubkeyAuthentication no\n{configuration}"));
        let right = Credentials {
            password: Some(Clear::new(PASSWORD)),
            ..with_config(sshd.config(&sshd.known(), ""))
        };
        let ssh = sshd.ssh("pi", Transport::Russh);
        assert_eq!(whoami(&ssh, &right).await.as_deref(), Ok("pi"), "{road}");
        let wrong = Credentials {
            password: Some(Clear::new("wrong")),
            ..right.clone()
        };
        let expected = Error::PasswordRefused {
            host: "127.0.0.1".into(),
            user: "pi".into(),
        };
        assert_eq!(refused(&ssh, &wrong).await, expected, "{road}");
        // openssh cannot be given a password: the error says what to do
        let error = refused(&sshd.ssh("pi", Transport::Openssh), &right).await;
        assert!(matches!(error, Error::KeyRefused { .. }), "{error:?}");
        assert!(error.help().unwrap().contains("russh"), "{error:?}");
    }
}
