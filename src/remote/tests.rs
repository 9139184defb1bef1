//! Conversations over the local road, with a stand-in for the agent (a shell script that follows the contract) and,
//! where the machine must not be root or must be another one, stand-ins for `id`, `sudo` and `uname` found first in PATH.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod over_ssh;

use super::*;
use crate::assets::BUILD_ID;
use crate::model::samples::ssh;
use crate::model::{Ssh, Transport};
use crate::transport::Credentials;
use crate::transport::tests::executable;
use pistream_agent::Outcome;
use std::borrow::Cow;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tempfile::TempDir;

const HELLO: &str = r#"echo '{"event":"hello","protocol":1,"build":"b","arch":"a"}'"#;
const UNCHANGED: &str = r#"echo '{"event":"finished","outcome":{"outcome":"unchanged"}}'"#;

/// Greets, tells the verb and the request back in notes, and ends.
fn stand_in_agent() -> String {
    format!(
        "#!/bin/sh\n{HELLO}\nIFS= read -r request\n\
         echo \"{{\\\"event\\\":\\\"note\\\",\\\"text\\\":\\\"$1\\\"}}\"\n\
         echo \"{{\\\"event\\\":\\\"note\\\",\\\"text\\\":$request}}\"\n{UNCHANGED}\n"
    )
}

/// A host of its own in a directory: where agents go, and the stand-ins.
struct Host {
    dir: TempDir,
    asked: AtomicUsize,
    agent: Vec<u8>,
    /// Run before the shell line, as a login shell's rc file is.
    login: String,
}

impl Host {
    fn new() -> Host {
        let dir = tempfile::Builder::new().prefix("pistream-test-").tempdir().unwrap();
        for name in ["bin", "agents", "tmp"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        let agent = gzip(stand_in_agent().as_bytes());
        let host = Host {
            dir,
            asked: AtomicUsize::new(0),
            agent,
            login: String::new(),
        };
        host.stand_in("id", "echo 0");
        host
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn stand_in(&self, name: &str, script: &str) {
        executable(&self.path("bin").join(name), &format!("#!/bin/sh\n{script}\n"));
    }

    fn install(&self, script: &str) {
        executable(&self.path("agents").join(format!("agent-{BUILD_ID}")), script);
    }

    /// The user is not root and sudo asks for `password`, as sudo 1.9 does.
    fn with_sudo(&self, password: &str) {
        self.stand_in("id", "echo 1000");
        self.stand_in(
            "sudo",
            &format!(
                "test \"$1 $2\" = '-S -p' || exit 9\nprompt=$3\nshift 4\nfor try in 1 2 3; do\n\
                 printf %s \"$prompt\" >&2\nIFS= read -r given || {{ echo 'sudo: no password was provided' >&2; exit 1; }}\n\
                 test \"$given\" = '{password}' && exec \"$@\"\necho 'Sorry, try again.' >&2\ndone\n\
                 echo 'sudo: 3 incorrect password attempts' >&2; exit 1"
            ),
        );
    }

    async fn converse(&self, keep: Keep, request: &str, password: Option<&str>) -> (Result<Event, Error>, Vec<Event>) {
        let (agents, temporary) = (self.path("agents"), self.path("tmp"));
        let places = Places {
            agents: agents.to_str().unwrap(),
            temporary: temporary.to_str().unwrap(),
        };
        let line = script::command(Verb::Apply, keep, &places);
        let command = format!(
            "PATH={}:$PATH; export PATH; {} {line}",
            self.path("bin").display(),
            self.login
        );
        self.run(&command, request, password).await
    }

    async fn run(&self, command: &str, request: &str, password: Option<&str>) -> (Result<Event, Error>, Vec<Event>) {
        let ssh = Ssh {
            transport: Transport::Local,
            ..ssh("localhost")
        };
        let connection = transport::connect(&ssh, &Credentials::default()).await.unwrap();
        let running = connection.start(command).await.unwrap();
        let clear = password.map(|p| Clear::new(p.to_owned()));
        let assets = |machine: &str| {
            self.asked.fetch_add(1, Ordering::Relaxed);
            match machine {
                "riscv64" => assets::gzipped_agent(machine),
                _ => Ok(Cow::Owned(self.agent.clone())),
            }
        };
        let mut request = serde_json::to_vec(request).unwrap();
        request.push(b'\n');
        let mut events = Vec::new();
        let mut on_event = |event| {
            let answer = matches!(event, Event::Certify { .. }).then(|| Answer::Refused { why: "no".into() });
            events.push(event);
            answer
        };
        let talk = Talk::new(running, Some(request), clear.as_ref(), &assets);
        let end = tokio::time::timeout(Duration::from_secs(60), talk.run(&mut on_event))
            .await
            .expect("no deadlock");
        (end, events)
    }

    fn names(&self, name: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(name)).unwrap();
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut child = Command::new("gzip")
        .arg("-c")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), bytes).unwrap();
    child.wait_with_output().unwrap().stdout
}

fn note(text: &str) -> Event {
    Event::Note { text: text.into() }
}

fn unchanged() -> Event {
    Event::Finished {
        outcome: Outcome::Unchanged,
    }
}

#[tokio::test]
async fn an_agent_that_is_there_is_run_and_answers_whoever_needs_it_to_stay() {
    let host = Host::new();
    host.install(&stand_in_agent());
    for keep in [Keep::Installed, Keep::Temporary] {
        let (end, events) = host.converse(keep, "hello", None).await;
        assert_eq!(end.unwrap(), unchanged());
        assert_eq!(events, [note("apply"), note("hello")]);
        assert_eq!(host.asked.load(Ordering::Relaxed), 0, "nothing was sent");
    }
}

#[tokio::test]
async fn a_missing_agent_is_sent_once_in_the_same_conversation() {
    let host = Host::new();
    for round in 1..=2 {
        let (end, events) = host.converse(Keep::Installed, "hello", None).await;
        assert_eq!(end.unwrap(), unchanged(), "round {round}");
        assert_eq!(events, [note("apply"), note("hello")]);
        assert_eq!(host.asked.load(Ordering::Relaxed), 1, "round {round}");
    }
    let agent = host.path("agents").join(format!("agent-{BUILD_ID}"));
    assert_eq!(fs::metadata(&agent).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(fs::read_to_string(&agent).unwrap(), stand_in_agent());
    assert_eq!(host.names("agents").len(), 1, "nothing else was left");
}

#[tokio::test]
async fn a_temporary_agent_leaves_nothing() {
    let host = Host::new();
    let (end, events) = host.converse(Keep::Temporary, "hello", None).await;
    assert_eq!(end.unwrap(), unchanged());
    assert_eq!(events[1], note("hello"));
    assert!(host.names("tmp").is_empty() && host.names("agents").is_empty());
}

#[tokio::test]
async fn a_temporary_agent_that_cannot_run_leaves_nothing() {
    let mut host = Host::new();
    host.agent = gzip(b"\x7fELF of another machine");
    let (end, _) = host.converse(Keep::Temporary, "hello", None).await;
    assert!(matches!(end, Err(Error::Died { .. })), "{end:?}");
    assert!(host.names("tmp").is_empty());
}

#[tokio::test]
async fn login_messages_are_skipped() {
    let mut host = Host::new();
    host.login = "echo Welcome; echo '{\"event\":\"note\",\"text\":\"fake\"}'; printf 'no newline at the end';".into();
    let (end, events) = host.converse(Keep::Installed, "hello", None).await;
    assert_eq!(end.unwrap(), unchanged());
    assert_eq!(events, [note("apply"), note("hello")]);
}

#[tokio::test]
async fn an_agent_that_talks_much_before_it_listens_meets_no_deadlock() {
    let host = Host::new();
    let lines = 40_000;
    host.install(&format!(
        "#!/bin/sh\n{HELLO}\ni=0; while [ $i -lt {lines} ]; do i=$((i+1)); \
         echo '{{\"event\":\"note\",\"text\":\"............................................................\"}}'; done\n\
         IFS= read -r request; echo \"{{\\\"event\\\":\\\"note\\\",\\\"text\\\":\\\"${{#request}}\\\"}}\"\n{UNCHANGED}\n"
    ));
    let request = "x".repeat(3_000_000);
    let (end, events) = host.converse(Keep::Installed, &request, None).await;
    assert_eq!(end.unwrap(), unchanged());
    assert_eq!(events.len(), lines + 1);
    assert_eq!(events[lines], note(&(request.len() + 2).to_string()));
}

#[tokio::test]
async fn an_agent_that_asks_is_answered_in_the_same_conversation() {
    let host = Host::new();
    let asks = "IFS= read -r request; echo '{\"event\":\"certify\",\"request\":\"R\"}'";
    let told = "IFS= read -r answer; test \"$answer\" = '{\"answer\":\"refused\",\"why\":\"no\"}' || exit 9";
    host.install(&format!("#!/bin/sh\n{HELLO}\n{asks}\n{told}\n{UNCHANGED}\n"));
    let (end, events) = host.converse(Keep::Installed, "hello", None).await;
    assert_eq!(end.unwrap(), unchanged());
    assert_eq!(events, [Event::Certify { request: "R".into() }]);
}

#[tokio::test]
async fn sudo_gets_the_password_and_the_agent_never_does() {
    let host = Host::new();
    host.with_sudo("s3cret $x \" *");
    let (end, events) = host.converse(Keep::Installed, "hello", Some("s3cret $x \" *")).await;
    assert_eq!(end.unwrap(), unchanged());
    assert_eq!(events, [note("apply"), note("hello")]);
}

#[tokio::test]
async fn sudo_refuses_a_wrong_password() {
    let host = Host::new();
    host.with_sudo("right");
    let (end, _) = host.converse(Keep::Installed, "hello", Some("wrong")).await;
    assert!(matches!(end, Err(Error::SudoPasswordWrong)), "{end:?}");
    assert!(host.names("agents").is_empty());
}

#[tokio::test]
async fn sudo_asks_and_nobody_knows_the_password() {
    let host = Host::new();
    host.with_sudo("right");
    let (end, _) = host.converse(Keep::Installed, "hello", None).await;
    assert!(matches!(end, Err(Error::SudoPasswordMissing)), "{end:?}");
}

#[tokio::test]
async fn sudo_knows_nothing_of_this_user() {
    let host = Host::new();
    host.stand_in("id", "echo 1000");
    host.stand_in(
        "sudo",
        "echo 'pi is not in the sudoers file.  This incident will be reported.' >&2; exit 1",
    );
    let (end, _) = host.converse(Keep::Installed, "hello", Some("p")).await;
    assert!(
        matches!(&end, Err(Error::SudoNotAllowed { cause }) if cause.contains("pi")),
        "{end:?}"
    );
}

#[tokio::test]
async fn a_host_without_sudo_says_so() {
    let mut host = Host::new();
    // a PATH with nothing but what the stand-in directory has
    host.stand_in("id", "echo 1000");
    std::os::unix::fs::symlink("/bin/sh", host.path("bin/sh")).unwrap();
    host.login = format!("PATH={};", host.path("bin").display());
    let (end, _) = host.converse(Keep::Installed, "hello", None).await;
    assert!(matches!(end, Err(Error::SudoMissing)), "{end:?}");
}

#[tokio::test]
async fn a_host_without_gzip_says_so() {
    let mut host = Host::new();
    std::os::unix::fs::symlink("/bin/sh", host.path("bin/sh")).unwrap();
    host.login = format!("PATH={};", host.path("bin").display());
    let (end, _) = host.converse(Keep::Installed, "hello", None).await;
    assert!(
        matches!(&end, Err(Error::ToolMissing { tool }) if tool == "gzip"),
        "{end:?}"
    );
}

#[tokio::test]
async fn an_architecture_nobody_built_for_is_named() {
    let host = Host::new();
    host.stand_in("uname", "test \"$1\" = -m && echo riscv64 || echo Linux");
    let (end, _) = host.converse(Keep::Installed, "hello", None).await;
    let Err(Error::Agent(e)) = end else { panic!("{end:?}") };
    assert_eq!(
        e,
        assets::Error::UnknownArchitecture {
            machine: "riscv64".into()
        }
    );
    host.stand_in("uname", "test \"$1\" = -m && echo arm64 || echo Darwin");
    let (end, _) = host.converse(Keep::Installed, "hello", None).await;
    assert!(
        matches!(&end, Err(Error::NotLinux { system }) if system == "Darwin"),
        "{end:?}"
    );
}

#[tokio::test]
async fn a_damaged_upload_is_not_installed() {
    let mut host = Host::new();
    host.agent.truncate(host.agent.len() / 2);
    let (end, _) = host.converse(Keep::Installed, "hello", None).await;
    assert!(
        matches!(&end, Err(Error::Install { cause, .. }) if cause.contains("gzip")),
        "{end:?}"
    );
    assert!(host.names("agents").is_empty());
}

#[tokio::test]
async fn a_place_that_takes_nothing_is_named() {
    let host = Host::new();
    fs::remove_dir(host.path("agents")).unwrap();
    fs::write(host.path("agents"), "a file").unwrap();
    let (end, _) = host.converse(Keep::Installed, "hello", None).await;
    assert!(
        matches!(&end, Err(Error::Install { place, .. }) if place.ends_with("agents")),
        "{end:?}"
    );
}

#[tokio::test]
async fn an_agent_of_another_protocol_is_refused() {
    let host = Host::new();
    host.install(&format!("#!/bin/sh\n{}\nread x\n", HELLO.replace(":1,", ":99,")));
    let (end, _) = host.converse(Keep::Installed, "hello", None).await;
    assert!(matches!(end, Err(Error::Protocol { theirs: 99, .. })), "{end:?}");
}

#[tokio::test]
async fn an_agent_that_dies_leaves_its_last_words() {
    let host = Host::new();
    host.install(&format!(
        "#!/bin/sh\n{HELLO}\nread x\necho 'thread main panicked' >&2\nexit 101\n"
    ));
    let (end, _) = host.converse(Keep::Installed, "hello", None).await;
    let Err(Error::Died { ending, said }) = end else {
        panic!("{end:?}")
    };
    assert_eq!(
        (ending.as_str(), said.as_str()),
        ("exit status 101", "thread main panicked")
    );
    host.install(&format!("#!/bin/sh\n{HELLO}\nread x\nkill -9 $$\n"));
    let (end, _) = host.converse(Keep::Installed, "hello", None).await;
    assert!(matches!(&end, Err(Error::Died { .. })), "{end:?}");
}

#[tokio::test]
async fn an_account_without_a_shell_is_told_apart() {
    let host = Host::new();
    let (end, _) = host
        .run("echo 'This account is currently not available.'; exit 1", "x", None)
        .await;
    assert!(
        matches!(&end, Err(Error::Shell { said }) if said.contains("not available")),
        "{end:?}"
    );
}

#[tokio::test]
#[ignore = "needs busybox: run by tests/run"]
async fn busybox_is_shell_enough() {
    let mut host = Host::new();
    for applet in [
        "sh", "head", "gzip", "mv", "chmod", "mkdir", "uname", "sync", "find", "mktemp", "rm",
    ] {
        std::os::unix::fs::symlink("/bin/busybox", host.path("bin").join(applet)).unwrap();
    }
    host.agent = gzip(stand_in_agent().replace("#!/bin/sh", "#!/bin/busybox sh").as_bytes());
    host.login = format!("PATH={};", host.path("bin").display());
    for keep in [Keep::Temporary, Keep::Installed, Keep::Installed] {
        let (end, events) = host.converse(keep, "hello", None).await;
        assert_eq!(end.unwrap(), unchanged(), "{keep:?}");
        assert_eq!(events, [note("apply"), note("hello")]);
    }
    assert_eq!(host.names("agents").len(), 1);
}
