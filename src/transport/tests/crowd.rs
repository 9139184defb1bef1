//! Many hosts behind one server, over both roads, with the limits that sshd has where nobody sets others.

use super::sshd::Sshd;
use super::*;

/// More than the ten that sshd lets in without dropping any.
const HOSTS: usize = 40;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs sshd: run by tests/run"]
async fn all_hosts_behind_one_jump_host_are_reached_at_once() {
    let (bastion, inner) = (Sshd::start(""), Sshd::start(""));
    fs::copy(bastion.path("authorized_keys"), inner.path("authorized_keys")).unwrap();
    let known = format!("{}{}", bastion.known(), inner.known());
    let config = bastion.config(&known, "Host host-*\n HostName 127.0.0.1");
    for transport in BOTH {
        let results = at_once(|number| {
            let ssh = Ssh {
                host: format!("host-{number}"),
                jump: Some(format!("plain@127.0.0.1:{}", bastion.port)),
                ..inner.ssh("pi", transport)
            };
            let clear = with_config(config.clone());
            async move { whoami(&ssh, &clear).await }
        });
        let results = results.await;
        let failed: Vec<_> = results.iter().filter(|r| r.as_deref() != Ok("pi")).collect();
        assert!(
            failed.is_empty(),
            "{transport:?}: {} of {HOSTS}: {:?}",
            failed.len(),
            failed[0]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs sshd: run by tests/run"]
async fn hosts_behind_a_jump_host_that_is_not_there_do_not_wait_for_each_other() {
    let inner = Sshd::start("");
    // accepts, and never says a word: found out by the time that passes
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = mute.local_addr().unwrap().port();
    let config = inner.config(&inner.known(), "");
    for transport in BOTH {
        let begun = std::time::Instant::now();
        let results = at_once(|_| {
            let ssh = Ssh {
                jump: Some(format!("plain@127.0.0.1:{port}")),
                ..inner.ssh("pi", transport)
            };
            let clear = with_config(config.clone());
            async move { connect(&ssh, &clear).await.map(drop) }
        });
        let host = || "127.0.0.1".to_owned();
        for result in results.await {
            assert_eq!(result, Err(Error::TimedOut { host: host(), port }), "{transport:?}");
        }
        // ssh tries twice to find out why, for ten seconds each; those in the queue would take seven times as long
        assert!(begun.elapsed() < LOGIN_TIMEOUT, "{transport:?}: {:?}", begun.elapsed());
    }
}

async fn at_once<T: Send + 'static, F: Future<Output = T> + Send + 'static>(one: impl Fn(usize) -> F) -> Vec<T> {
    let mut all = tokio::task::JoinSet::new();
    for number in 0..HOSTS {
        all.spawn(one(number));
    }
    all.join_all().await
}
