//! Conversations over a real server, both ssh roads, with real login shells and a real sudo.

use super::*;
use crate::transport::tests::sshd::{PASSWORD, Sshd, shells};

const BOTH: [Transport; 2] = [Transport::Russh, Transport::Openssh];

/// One conversation as deploy holds it, but with a stand-in for the agent.
async fn talk(sshd: &Sshd, ssh: &Ssh, keep: Keep, password: Option<&str>) -> (Result<Event, Error>, Vec<Event>, usize) {
    let clear = Credentials {
        ssh_config: Some(sshd.config(&sshd.known(), "")),
        ..Credentials::default()
    };
    let connection = transport::connect(ssh, &clear).await.unwrap();
    let running = connection
        .start(&script::command(Verb::Apply, keep, &Places::HOST))
        .await
        .unwrap();
    // about as long as a small program
    let agent = gzip((stand_in_agent() + &"#".repeat(64 * 1024)).as_bytes());
    let asked = AtomicUsize::new(0);
    let assets = |_: &str| {
        asked.fetch_add(1, Ordering::Relaxed);
        Ok(Cow::Owned(agent.clone()))
    };
    let password = password.map(|p| Clear::new(p.to_owned()));
    let mut events = Vec::new();
    let mut on_event = |event| {
        events.push(event);
        None
    };
    let talk = Talk::new(running, Some(b"\"hello\"\n".to_vec()), password.as_ref(), &assets);
    let end = tokio::time::timeout(Duration::from_secs(60), talk.run(&mut on_event))
        .await
        .expect("an end");
    (end, events, asked.into_inner())
}

#[tokio::test]
#[ignore = "needs sshd: run by tests/run"]
async fn every_login_shell_will_do() {
    let sshd = Sshd::start("");
    let shells = shells(sshd.dir.path());
    let names: Vec<&str> = shells.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["bash", "dash", "zsh", "fish", "ash"],
        "apt install zsh fish busybox"
    );
    for transport in BOTH {
        for (shell, _) in &shells {
            let ssh = sshd.ssh(&format!("free-{shell}"), transport);
            let (end, events, _) = talk(&sshd, &ssh, Keep::Temporary, None).await;
            assert_eq!(
                end.unwrap_or_else(|e| panic!("{shell} {transport:?}: {e}")),
                unchanged()
            );
            assert_eq!(events, [note("apply"), note("hello")], "{shell} {transport:?}");
        }
    }
}

#[tokio::test]
#[ignore = "needs sshd: run by tests/run"]
async fn an_agent_is_sent_once_and_found_by_both_roads() {
    let sshd = Sshd::start("");
    for (transport, expected) in [(Transport::Russh, 1), (Transport::Openssh, 0), (Transport::Russh, 0)] {
        let (end, events, sent) = talk(&sshd, &sshd.ssh("free", transport), Keep::Installed, None).await;
        assert_eq!(end.unwrap(), unchanged());
        assert_eq!(events, [note("apply"), note("hello")]);
        assert_eq!(sent, expected, "{transport:?}");
    }
}

#[tokio::test]
#[ignore = "needs sshd: run by tests/run"]
async fn sudo_is_answered_or_its_refusal_told() {
    let sshd = Sshd::start("");
    for transport in BOTH {
        let user = |name| sshd.ssh(name, transport);
        let (end, events, _) = talk(&sshd, &user("pi"), Keep::Temporary, Some(PASSWORD)).await;
        assert_eq!(end.unwrap(), unchanged());
        assert_eq!(events, [note("apply"), note("hello")]);
        let (end, ..) = talk(&sshd, &user("pi"), Keep::Temporary, Some("wrong")).await;
        assert!(matches!(end, Err(Error::SudoPasswordWrong)), "{transport:?} {end:?}");
        let (end, ..) = talk(&sshd, &user("pi"), Keep::Temporary, None).await;
        assert!(matches!(end, Err(Error::SudoPasswordMissing)), "{transport:?} {end:?}");
        let (end, ..) = talk(&sshd, &user("plain"), Keep::Temporary, Some(PASSWORD)).await;
        assert!(
            matches!(end, Err(Error::SudoNotAllowed { .. })),
            "{transport:?} {end:?}"
        );
        let (end, ..) = talk(&sshd, &user("closed"), Keep::Temporary, None).await;
        assert!(matches!(end, Err(Error::Shell { .. })), "{transport:?} {end:?}");
    }
}

#[tokio::test]
#[ignore = "needs sshd: run by tests/run"]
async fn a_place_without_room_or_right_is_named() {
    for (options, what) in [
        ("size=4k,nr_inodes=5,mode=755", "full"),
        ("ro", "read-only"),
        ("noexec,mode=755", "noexec"),
    ] {
        let sshd = Sshd::start_with_place(options);
        for transport in BOTH {
            let (end, ..) = talk(&sshd, &sshd.ssh("free", transport), Keep::Installed, None).await;
            let told = match &end {
                Err(Error::DiskFull { .. }) => "full",
                Err(Error::ReadOnly { .. }) => "read-only",
                Err(Error::NoExec { .. }) => "noexec",
                _ => "nothing of it",
            };
            assert_eq!(told, what, "{transport:?} {end:?}");
        }
    }
}
