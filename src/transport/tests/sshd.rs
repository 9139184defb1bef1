//! A real OpenSSH server on loopback with accounts of its own: the machine's account files are covered by private
//! copies in a mount namespace that ends with the server. Needs root, `sshd`, `sudo` and `unshare`.

use crate::model::{Ssh, Transport};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The password of every account, for login and for sudo.
pub(crate) const PASSWORD: &str = "s3cret $x";

/// In the private namespace: the copies over the originals, and an empty place for agents.
const ENTER: &str = "set -e; mount --make-rprivate /; for f in passwd shadow group sudoers; do \
                     mount --bind \"$0/etc/$f\" /etc/$f; done; mount -t tmpfs -o \"$1\" none /usr/local/lib; \
                     mkdir -p /run/sshd; mount -t tmpfs -o mode=755 none /run/sshd; exec /usr/sbin/sshd -D -e -f \"$0/sshd_config\"";

pub(crate) struct Sshd {
    child: Child,
    pub(crate) port: u16,
    pub(crate) dir: TempDir,
}

impl Sshd {
    /// With a host key, a user key that opens every account, and these further lines of configuration.
    pub(crate) fn start(configuration: &str) -> Sshd {
        Sshd::start_as(configuration, "mode=755")
    }

    /// With these options for the file system under /usr/local/lib.
    pub(crate) fn start_with_place(options: &str) -> Sshd {
        Sshd::start_as("", options)
    }

    fn start_as(configuration: &str, options: &str) -> Sshd {
        let dir = tempfile::Builder::new().prefix("pistream-sshd-").tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        key(&dir.path().join("host_key"), "ed25519", "");
        key(&dir.path().join("id"), "ed25519", "");
        fs::copy(dir.path().join("id.pub"), dir.path().join("authorized_keys")).unwrap();
        accounts(dir.path());
        // a port that was free a moment ago may be taken now: try again
        for _ in 0..10 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let path = dir.path().display();
            let text = format!(
                "Port {port}\nListenAddress 127.0.0.1\nHostKey {path}/host_key\nPidFile none\nStrictModes no\n\
                 AuthorizedKeysFile {path}/authorized_keys\nPrintMotd no\n{configuration}\n"
            );
            fs::write(dir.path().join("sshd_config"), text).unwrap();
            let log = fs::File::create(dir.path().join("log")).unwrap();
            // should the tests be killed, the kernel ends the server
            let mut child = Command::new("setpriv")
                .args(["--pdeathsig", "KILL", "--", "unshare", "-m", "sh", "-c", ENTER])
                .arg(dir.path())
                .arg(options)
                .stdin(Stdio::null())
                .stderr(log)
                .spawn()
                .unwrap();
            if answers(port, &mut child) {
                return Sshd { child, port, dir };
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!(
            "sshd does not start: {}",
            fs::read_to_string(dir.path().join("log")).unwrap()
        );
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// `[127.0.0.1]:port` with the server's key: one line of known_hosts.
    pub(crate) fn known(&self) -> String {
        self.known_as(&format!("[127.0.0.1]:{}", self.port), "host_key")
    }

    pub(crate) fn known_as(&self, name: &str, key: &str) -> String {
        format!(
            "{name} {}",
            fs::read_to_string(self.path(&format!("{key}.pub"))).unwrap()
        )
    }

    /// An ssh configuration: only what stands here, and these known hosts.
    pub(crate) fn config(&self, known_hosts: &str, lines: &str) -> PathBuf {
        fs::write(self.path("known_hosts"), known_hosts).unwrap();
        let path = self.dir.path().display();
        let text = format!(
            "{lines}\nHost *\nUserKnownHostsFile {path}/known_hosts\nGlobalKnownHostsFile /dev/null\n\
             IdentityAgent none\nIdentityFile {path}/id\nIdentitiesOnly yes\nControlPath none\n"
        );
        fs::write(self.path("ssh_config"), text).unwrap();
        self.path("ssh_config")
    }

    pub(crate) fn ssh(&self, user: &str, transport: Transport) -> Ssh {
        Ssh {
            host: "127.0.0.1".into(),
            user: Some(user.into()),
            port: Some(self.port),
            identity: None,
            jump: None,
            transport,
            password: None,
            sudo_password: None,
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn answers(port: u16, child: &mut Child) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        // until sshd listens, it may be somebody else who answers, or this connection itself: on loopback, one to a port that
        // nobody listens at may get that very port as its own
        if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) {
            stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
            let mut line = String::new();
            let _ = BufReader::new(stream).read_line(&mut line);
            if line.starts_with("SSH-2.0-OpenSSH") {
                return true;
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

pub(crate) fn key(file: &Path, kind: &str, passphrase: &str) {
    let mut command = Command::new("ssh-keygen");
    command
        .args(["-q", "-t", kind, "-N", passphrase, "-C", "test", "-f"])
        .arg(file);
    assert!(command.status().unwrap().success());
}

/// The login shells that this machine has, by name.
pub(crate) fn shells(dir: &Path) -> Vec<(String, PathBuf)> {
    let known = [
        ("bash", "/bin/bash".into()),
        ("dash", "/bin/dash".into()),
        ("zsh", "/bin/zsh".into()),
        ("fish", "/usr/bin/fish".into()),
        // busybox goes by the name it is called by
        ("ash", dir.join("ash")),
    ];
    known
        .into_iter()
        .filter(|(_, path)| path.exists())
        .map(|(name, path)| (name.to_owned(), path))
        .collect()
}

/// Accounts `pi` (sudo with password), `free` (sudo without), `plain` (no sudo), `closed` (no shell), and one per login
/// shell, with sudo and without password: `free-bash` …
fn accounts(dir: &Path) {
    std::os::unix::fs::symlink("/bin/busybox", dir.join("ash")).unwrap();
    let etc = dir.join("etc");
    fs::create_dir(&etc).unwrap();
    let hash = Command::new("openssl")
        .args(["passwd", "-6", PASSWORD])
        .output()
        .unwrap()
        .stdout;
    let hash = String::from_utf8(hash).unwrap();
    let mut users: Vec<(String, PathBuf)> = ["pi", "free", "plain"]
        .iter()
        .map(|n| ((*n).to_owned(), PathBuf::from("/bin/sh")))
        .collect();
    users.push(("closed".into(), "/usr/sbin/nologin".into()));
    users.extend(
        shells(dir)
            .into_iter()
            .map(|(name, shell)| (format!("free-{name}"), shell)),
    );
    let read = |name: &str| fs::read_to_string(Path::new("/etc").join(name)).unwrap();
    let (mut passwd, mut shadow) = (read("passwd"), read("shadow"));
    for (number, (user, shell)) in users.iter().enumerate() {
        let (id, home) = (54_000 + number, dir.join("home").join(user));
        fs::create_dir_all(&home).unwrap();
        std::os::unix::fs::chown(&home, Some(id as u32), Some(65_534)).unwrap();
        passwd += &format!("{user}:x:{id}:65534::{}:{}\n", home.display(), shell.display());
        shadow += &format!("{user}:{}:19000:0:99999:7:::\n", hash.trim());
    }
    fs::write(
        dir.join("home/free-bash/.bashrc"),
        "echo Welcome to this host; printf 'no newline'\n",
    )
    .unwrap();
    fs::write(etc.join("passwd"), passwd).unwrap();
    fs::write(etc.join("group"), read("group")).unwrap();
    let sudoers = "root ALL=(ALL:ALL) ALL\npi ALL=(ALL:ALL) ALL\nDefaults use_pty\nDefaults !lecture\n";
    let free: String = users
        .iter()
        .map(|(u, _)| u)
        .filter(|u| u.starts_with("free"))
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    for (name, text, mode) in [
        ("shadow", shadow, 0o600),
        (
            "sudoers",
            format!("{sudoers}{free} ALL=(ALL:ALL) NOPASSWD: ALL\n"),
            0o440,
        ),
    ] {
        fs::write(etc.join(name), text).unwrap();
        fs::set_permissions(etc.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
}

/// An ssh-agent of its own.
pub(crate) struct Agent {
    child: Child,
    pub(crate) socket: PathBuf,
    _dir: TempDir,
}

impl Agent {
    pub(crate) fn start() -> Agent {
        let dir = tempfile::Builder::new().prefix("pistream-agent-").tempdir().unwrap();
        let socket = dir.path().join("socket");
        let child = Command::new("ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while !socket.exists() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        Agent {
            child,
            socket,
            _dir: dir,
        }
    }

    pub(crate) fn add(&self, file: &Path, passphrase: &str) {
        let ask = self.socket.with_file_name("ask");
        super::executable(&ask, &format!("#!/bin/sh\necho '{passphrase}'\n"));
        let mut command = Command::new("ssh-add");
        command.arg("-q").arg(file).stdin(Stdio::null());
        command
            .env("SSH_AUTH_SOCK", &self.socket)
            .env("SSH_ASKPASS", &ask)
            .env("SSH_ASKPASS_REQUIRE", "force");
        assert!(command.status().unwrap().success());
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
