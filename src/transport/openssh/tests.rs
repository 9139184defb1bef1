//! How long a master stays, with a real OpenSSH server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::model::Transport;
use crate::transport::effective;
use crate::transport::tests::sshd::Sshd;
use std::time::{Duration, Instant};

/// Long enough for a master to be found by the one it is for.
const IDLE: NonZeroUsize = NonZeroUsize::new(6).unwrap();

async fn connected(sshd: &Sshd) -> Openssh {
    let clear = Credentials {
        ssh_config: Some(sshd.config(&sshd.known(), "")),
        ..Credentials::default()
    };
    let ssh = sshd.ssh("pi", Transport::Openssh);
    let settings = effective::settings(&ssh, clear.ssh_config.as_deref()).await.unwrap();
    Openssh::connect_idling(&ssh, &settings, &clear, IDLE).await.unwrap()
}

#[tokio::test]
#[ignore = "needs sshd: run by tests/run"]
async fn a_master_stays_while_somebody_waits_and_not_for_a_killed_deployer() {
    let sshd = Sshd::start("");
    let (waiting, killed) = (connected(&sshd).await, connected(&sshd).await);
    // what is left of a connection when pistream is killed: its sockets are closed, its master is told nothing
    let Openssh {
        _presence,
        session,
        control,
        ..
    } = killed;
    drop(_presence);
    let master = session.control_socket().to_owned();
    let deadline = Instant::now() + Duration::from_secs(30);
    // the master takes its socket away; to ask whether it listens would be to talk to it
    while master.exists() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!master.exists(), "the master of a killed deployer has stayed");
    drop((session, control));
    // that one was idle for as long as this one has waited, and this one was there before
    let running = waiting
        .start("exit 7")
        .await
        .expect("the master that somebody waits with");
    assert_eq!(running.wait().await, Ok(Exit::Status(7)));
}
