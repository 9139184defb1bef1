//! Both ssh roads against a real OpenSSH server. What needs one is marked so; the local road is tested everywhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod crowd;
mod host_keys;
mod logins;
pub(crate) mod sshd;

use super::*;
use crate::model::samples::ssh;
use sshd::Sshd;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const BOTH: [Transport; 2] = [Transport::Russh, Transport::Openssh];

/// A program that can be run at once. Written by another process: a descriptor open for writing here could be in a child of
/// another test when it is run ("Text file busy").
pub(crate) fn executable(path: &Path, script: &str) {
    let mut writer = Command::new("sh");
    writer.args(["-c", "cat >\"$0\" && chmod 755 \"$0\""]).arg(path);
    let mut writer = writer.stdin(Stdio::piped()).spawn().unwrap();
    writer.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(writer.wait().unwrap().success());
}

fn with_config(ssh_config: PathBuf) -> Credentials {
    Credentials {
        ssh_config: Some(ssh_config),
        ..Credentials::default()
    }
}

/// Runs a command and returns what it wrote, and how it ended.
async fn run(connection: &Connection, command: &str, input: &[u8]) -> (String, String, Result<Exit, Error>) {
    let mut running = connection.start(command).await.unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut stdin = std::mem::replace(&mut running.stdin, Box::pin(tokio::io::sink()));
    let write = async {
        // a command need not read what it is given
        let _ = stdin.write_all(input).await;
        let _ = stdin.shutdown().await;
        drop(stdin);
    };
    let (mut stdout, mut stderr) = (running.stdout, running.stderr);
    let read = async { tokio::try_join!(stdout.read_to_end(&mut out), stderr.read_to_end(&mut err)) };
    let all = async {
        tokio::pin!(read);
        tokio::select! {
            biased;
            done = &mut read => done,
            () = write => read.await,
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all)
        .await
        .expect("no deadlock")
        .unwrap();
    let exit = tokio::time::timeout(Duration::from_secs(60), running.exit)
        .await
        .expect("an end");
    (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap(), exit)
}

async fn whoami(ssh: &Ssh, clear: &Credentials) -> Result<String, Error> {
    let connection = connect(ssh, clear).await?;
    let (out, _, exit) = run(&connection, "whoami", b"").await;
    assert_eq!(exit, Ok(Exit::Status(0)));
    Ok(out.trim().to_owned())
}

async fn refused(ssh: &Ssh, clear: &Credentials) -> Error {
    connect(ssh, clear)
        .await
        .err()
        .unwrap_or_else(|| panic!("{:?} let us in", ssh.transport))
}

async fn behaves(connection: &Connection, road: &str) {
    let all = run(connection, "cat; echo err >&2; exit 7", b"in").await;
    assert_eq!(all, ("in".into(), "err\n".into(), Ok(Exit::Status(7))), "{road}");
    assert_eq!(
        run(connection, "no-such-command-here 2>/dev/null", b"").await.2,
        Ok(Exit::Status(127)),
        "{road}"
    );
    assert_eq!(run(connection, "kill -9 $$", b"").await.2, Ok(Exit::Signal), "{road}");
    // more than any buffer on the way holds, both ways at once
    let much = "0123456789abcde\n".repeat(512 * 1024);
    let (out, _, exit) = run(connection, "cat", much.as_bytes()).await;
    assert!(
        out == much && exit == Ok(Exit::Status(0)),
        "{road}: {} of {} bytes, {exit:?}",
        out.len(),
        much.len()
    );
    // a command that does not read
    assert_eq!(
        run(connection, "exec <&-; echo done", much.as_bytes()).await.0,
        "done\n",
        "{road}"
    );
}

#[tokio::test]
async fn the_local_road_runs_commands() {
    let ssh = Ssh {
        transport: Transport::Local,
        ..ssh("-ignored-")
    };
    let connection = connect(&ssh, &Credentials::default()).await.unwrap();
    assert_eq!(connection.road(), "local");
    behaves(&connection, "local").await;
}

#[tokio::test]
async fn what_ssh_would_take_for_an_option_is_refused() {
    let plain = ssh("pi");
    for ssh in [
        Ssh {
            host: "-oProxyCommand=touch /tmp/x".into(),
            ..plain.clone()
        },
        Ssh {
            host: "a b".into(),
            ..plain.clone()
        },
        Ssh {
            user: Some("-x".into()),
            ..plain.clone()
        },
        Ssh {
            user: Some("$(id)".into()),
            ..plain.clone()
        },
        Ssh {
            jump: Some("ok,-x".into()),
            ..plain.clone()
        },
        Ssh {
            host: String::new(),
            ..plain.clone()
        },
    ] {
        let error = refused(&ssh, &Credentials::default()).await;
        assert!(matches!(error, Error::BadAddress { .. }), "{error:?}");
    }
}

#[tokio::test]
#[ignore = "needs sshd: run by tests/run"]
async fn commands_run_over_both_roads() {
    let sshd = Sshd::start("");
    let clear = with_config(sshd.config(&sshd.known(), ""));
    for transport in BOTH {
        let connection = connect(&sshd.ssh("pi", transport), &clear).await.unwrap();
        behaves(&connection, connection.road()).await;
        assert_eq!(run(&connection, "echo $LOGNAME", b"").await.0, "pi\n");
    }
}

#[tokio::test]
#[ignore = "needs sshd: run by tests/run"]
async fn a_lost_connection_is_told() {
    let sshd = Sshd::start("");
    let clear = with_config(sshd.config(&sshd.known(), ""));
    for transport in BOTH {
        let connection = connect(&sshd.ssh("free", transport), &clear).await.unwrap();
        // the parent of the login shell's parent holds the connection
        let (_, _, exit) = run(&connection, "sudo kill -9 $(ps -o ppid= -p $PPID) $PPID; sleep 60", b"").await;
        assert_eq!(
            exit,
            Err(Error::Lost {
                host: "127.0.0.1".into()
            }),
            "{transport:?}"
        );
    }
}

#[tokio::test]
#[ignore = "needs sshd: run by tests/run"]
async fn openssh_leaves_no_process_and_no_file() {
    let sshd = Sshd::start("");
    let clear = with_config(sshd.config(&sshd.known(), ""));
    let Road::Openssh(road) = connect(&sshd.ssh("pi", Transport::Openssh), &clear).await.unwrap().road else {
        panic!("another road")
    };
    let control = road.control_path().to_owned();
    assert!(control.exists());
    assert_eq!(
        fs::metadata(&control)
            .map(|m| std::os::unix::fs::PermissionsExt::mode(&m.permissions()) & 0o777)
            .unwrap(),
        0o700
    );
    let masters = || {
        let text = control.to_str().unwrap().to_owned();
        let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        entries
            .filter_map(|e| fs::read(e.path().join("cmdline")).ok())
            .any(move |line| String::from_utf8_lossy(&line).contains(&text))
    };
    assert!(masters());
    drop(road);
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while masters() && std::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!masters() && !control.exists());
}

#[tokio::test]
#[ignore = "needs sshd: run by tests/run"]
async fn nobody_there() {
    let sshd = Sshd::start("");
    let clear = with_config(sshd.config("", ""));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    // accepts, and never says a word
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for transport in BOTH {
        let ssh = Ssh {
            port: Some(port),
            ..sshd.ssh("pi", transport)
        };
        assert_eq!(
            refused(&ssh, &clear).await,
            Error::Refused {
                host: "127.0.0.1".into(),
                port
            },
            "{transport:?}"
        );
        let ssh = Ssh {
            host: "no-such-host.invalid".into(),
            ..sshd.ssh("pi", transport)
        };
        let expected = Error::NameNotFound {
            host: "no-such-host.invalid".into(),
        };
        assert_eq!(refused(&ssh, &clear).await, expected, "{transport:?}");
        let port = mute.local_addr().unwrap().port();
        let ssh = Ssh {
            port: Some(port),
            ..sshd.ssh("pi", transport)
        };
        let begun = std::time::Instant::now();
        assert_eq!(
            refused(&ssh, &clear).await,
            Error::TimedOut {
                host: "127.0.0.1".into(),
                port
            },
            "{transport:?}"
        );
        assert!(begun.elapsed() < LOGIN_TIMEOUT, "{transport:?}");
    }
}

#[tokio::test]
#[ignore = "needs sshd: run by tests/run"]
async fn a_jump_host_leads_on() {
    let (bastion, inner) = (Sshd::start(""), Sshd::start(""));
    fs::copy(bastion.path("authorized_keys"), inner.path("authorized_keys")).unwrap();
    let known = format!("{}{}", bastion.known(), inner.known());
    let through = |transport, port: u16| Ssh {
        jump: Some(format!("plain@127.0.0.1:{port}")),
        ..inner.ssh("pi", transport)
    };
    for transport in BOTH {
        let clear = with_config(bastion.config(&known, ""));
        let ssh = through(transport, bastion.port);
        let connection = connect(&ssh, &clear).await.unwrap();
        assert_eq!(run(&connection, "whoami", b"").await.0, "pi\n", "{transport:?}");
        let client = run(&connection, "echo $SSH_CLIENT", b"").await.0;
        assert!(
            client.starts_with("127.0.0.1 ") || client.starts_with("::1 "),
            "{client}"
        );
        // whatever is wrong with the jump host is said of the jump host
        let clear = with_config(bastion.config(&inner.known(), ""));
        let error = refused(&ssh, &clear).await;
        assert!(
            matches!(&error, Error::HostKeyUnknown { port, .. } if *port == bastion.port),
            "{transport:?} {error:?}"
        );
        let error = refused(&through(transport, 1), &clear).await;
        assert_eq!(
            error,
            Error::Refused {
                host: "127.0.0.1".into(),
                port: 1
            },
            "{transport:?}"
        );
        let clear = with_config(bastion.config(&known, ""));
        let error = refused(&Ssh { port: Some(1), ..ssh }, &clear).await;
        assert!(
            matches!(&error, Error::Unreachable { cause, .. } if cause.contains("jump host")),
            "{transport:?} {error:?}"
        );
    }
}

#[tokio::test]
#[ignore = "needs sshd: run by tests/run"]
async fn the_users_ssh_configuration_is_honoured() {
    let (bastion, inner) = (Sshd::start(""), Sshd::start(""));
    let alias = format!(
        "Host porch\n HostName 127.0.0.1\n Port {}\n User free\n IdentityFile {}\n HostKeyAlias porch-key\n ProxyJump gate\n\
         Host gate\n HostName 127.0.0.1\n Port {}\n User plain\n",
        inner.port,
        inner.path("id").display(),
        bastion.port
    );
    let known = format!("{}{}", bastion.known(), inner.known_as("porch-key", "host_key"));
    let clear = with_config(bastion.config(&known, &alias));
    let ssh = |transport| Ssh {
        host: "porch".into(),
        user: None,
        port: None,
        ..inner.ssh("", transport)
    };
    for transport in [Transport::Russh, Transport::Openssh, Transport::Auto] {
        assert_eq!(
            whoami(&ssh(transport), &clear).await.as_deref(),
            Ok("free"),
            "{transport:?}"
        );
        let overruled = Ssh {
            user: Some("pi".into()),
            ..ssh(transport)
        };
        assert_eq!(whoami(&overruled, &clear).await.as_deref(), Ok("pi"), "{transport:?}");
    }
    assert_eq!(connect(&ssh(Transport::Auto), &clear).await.unwrap().road(), "russh");
    let error = refused(
        &ssh(Transport::Auto),
        &with_config(bastion.config(&known, &format!("{alias}Bogus yes\n"))),
    )
    .await;
    assert!(matches!(error, Error::SshConfiguration { .. }), "{error:?}");
}

#[tokio::test]
#[ignore = "needs sshd: run by tests/run"]
async fn auto_takes_openssh_for_what_only_openssh_can_do() {
    let sshd = Sshd::start("");
    let proxy = format!(
        "Host porch\n HostName nowhere.invalid\n HostKeyAlias porch-key\n ProxyCommand bash -c 'exec 3<>/dev/tcp/127.0.0.1/{}; \
         cat <&3 & cat >&3; kill $!'\n",
        sshd.port
    );
    let clear = with_config(sshd.config(&sshd.known_as("porch-key", "host_key"), &proxy));
    let ssh = Ssh {
        host: "porch".into(),
        port: None,
        ..sshd.ssh("pi", Transport::Auto)
    };
    let connection = connect(&ssh, &clear).await.unwrap();
    assert_eq!(connection.road(), "openssh (ProxyCommand is set)");
    assert_eq!(run(&connection, "whoami", b"").await.0, "pi\n");
}

/// Prints what the README's claim rests on: connect, log in and run one command on ten hosts at once.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs sshd; a measurement: run by hand"]
async fn measure_ten_connections() {
    let sshd = Sshd::start("");
    let config = sshd.config(&sshd.known(), "");
    for round in 1..=3 {
        for transport in BOTH {
            let begun = std::time::Instant::now();
            let one = |_| {
                let (ssh, clear) = (sshd.ssh("pi", transport), with_config(config.clone()));
                tokio::spawn(async move { whoami(&ssh, &clear).await.unwrap() })
            };
            for task in (0..10).map(one).collect::<Vec<_>>() {
                assert_eq!(task.await.unwrap(), "pi");
            }
            println!("round {round}: {transport:?} {} ms", begun.elapsed().as_millis());
        }
        let begun = std::time::Instant::now();
        let one = |_| tokio::spawn(ssh_process(config.clone(), sshd.port));
        for task in (0..10).map(one).collect::<Vec<_>>() {
            assert!(task.await.unwrap());
        }
        println!("round {round}: ssh processes {} ms", begun.elapsed().as_millis());
    }
}

async fn ssh_process(config: PathBuf, port: u16) -> bool {
    let mut command = tokio::process::Command::new("ssh");
    command
        .arg("-F")
        .arg(&config)
        .args(["-p", &port.to_string(), "-l", "pi", "127.0.0.1", "whoami"]);
    command
        .stdin(std::process::Stdio::null())
        .output()
        .await
        .unwrap()
        .stdout
        == b"pi\n"
}
