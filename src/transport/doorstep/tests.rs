//! Who waits for whom, without a server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::effective;
use super::*;
use crate::model::{Ssh, samples::ssh};
use std::path::Path;
use std::time::Duration;

async fn settings(host: &str, jump: Option<&str>) -> Settings {
    let ssh = Ssh {
        jump: jump.map(str::to_owned),
        ..ssh(host)
    };
    effective::settings(&ssh, Some(Path::new("/dev/null"))).await.unwrap()
}

async fn waits<T>(future: impl Future<Output = T>) -> bool {
    tokio::time::timeout(Duration::from_millis(50), future).await.is_err()
}

/// As many as go in at a time.
async fn crowd(gate: &Settings) -> Vec<Place> {
    let mut inside = Vec::new();
    for _ in 0..AT_A_TIME {
        inside.push(enter(gate).await.unwrap());
    }
    inside
}

#[tokio::test]
async fn a_few_go_in_and_the_next_when_one_is_through() {
    let gate = settings("gate-a.invalid", None).await;
    let mut inside = crowd(&gate).await;
    assert!(waits(enter(&gate)).await);
    // another server has a door of its own, also behind this one
    let (other, behind) = (
        settings("gate-b.invalid", None).await,
        settings("camera.invalid", Some("gate-a.invalid")).await,
    );
    assert!(!waits(enter(&other)).await);
    assert!(!waits(enter(&behind)).await);
    // who passes both doors in one go needs a place at both
    assert!(waits(enter_all(&behind)).await);
    drop(inside.pop());
    assert_eq!(enter_all(&behind).await.unwrap().len(), 2);
}

#[tokio::test]
async fn who_waits_is_told_that_nobody_answers_and_who_comes_later_finds_out_himself() {
    let gate = settings("gate-c.invalid", None).await;
    let inside = crowd(&gate).await;
    let error = Error::TimedOut {
        host: "gate-c.invalid".into(),
        port: 22,
    };
    let waiting = enter(&gate);
    tokio::pin!(waiting);
    assert!(waits(&mut waiting).await);
    inside[0].close(&error);
    drop(inside);
    assert_eq!(waiting.await.err(), Some(error));
    assert!(enter(&gate).await.is_ok());
}

#[tokio::test]
async fn hosts_behind_one_proxy_command_share_its_door() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("config");
    std::fs::write(&config, "ProxyCommand ssh -W %h:%p gate-d.invalid\n").unwrap();
    let one = effective::settings(&ssh("a.invalid"), Some(&config)).await.unwrap();
    let two = effective::settings(&ssh("b.invalid"), Some(&config)).await.unwrap();
    assert_ne!(one.place(), two.place());
    assert!(one.jump.is_none());
    let mut inside = Vec::new();
    for _ in 0..AT_A_TIME {
        inside.push(enter_all(&one).await.unwrap());
    }
    assert!(waits(enter_all(&two)).await);
}
