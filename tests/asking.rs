//! The question for a key's passphrase, on a terminal: script(1) makes one. Needs no host: nobody listens where this fleet is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

const INVENTORY: &str = "defaults: {ssh: {port: PORT, user: pi, identity: id, transport: russh}}
servers: {hub: {ssh: 127.0.0.1, address: 127.0.0.1}}
cameras: {attic: {ssh: 127.0.0.2}, barn: {ssh: 127.0.0.3}, porch: {ssh: 127.0.0.4}}
";

/// Longest wait for whatever is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

const QUESTION: &str = "Passphrase for ";

/// A shell on a terminal of its own, and all that it has shown.
struct Terminal {
    script: Child,
    keyboard: ChildStdin,
    shown: Arc<Mutex<Vec<u8>>>,
    place: tempfile::TempDir,
}

impl Terminal {
    /// Where a deploy of four hosts begins, all with one encrypted key, and on a port where nobody listens.
    fn deploying() -> Terminal {
        Terminal::deploying_to("9")
    }

    fn deploying_to(port: &str) -> Terminal {
        let place = tempfile::tempdir().unwrap();
        let key = [
            "-q",
            "-t",
            "ed25519",
            "-a",
            "4",
            "-N",
            "open sesame",
            "-C",
            "test",
            "-f",
            "id",
        ];
        let made = Command::new("ssh-keygen").args(key).current_dir(place.path()).status();
        assert!(made.expect("ssh-keygen").success());
        fs::write(place.path().join("hosts.yml"), INVENTORY.replace("PORT", port)).unwrap();
        let pistream = env!("CARGO_BIN_EXE_pistream");
        // Ctrl-C goes to the shell, too, and not every shell outlives it of itself
        let command = format!(
            "trap : INT; tty >tty; stty -a >before; '{pistream}' deploy; echo \"ended with $?\"; stty -a >after"
        );
        let mut script = Command::new("script")
            .args(["-qfc", &command, "/dev/null"])
            .current_dir(place.path())
            .env("HOME", place.path())
            .env("PISTREAM_SSH_CONFIG", "/dev/null")
            .env("TERM", "xterm")
            .env("SHELL", "/bin/sh")
            .env_remove("SSH_AUTH_SOCK")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script, of util-linux");
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (mut screen, into) = (script.stdout.take().unwrap(), Arc::clone(&shown));
        std::thread::spawn(move || {
            let mut some = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut some) {
                into.lock().unwrap().extend_from_slice(&some[..count]);
            }
        });
        Terminal {
            keyboard: script.stdin.take().unwrap(),
            script,
            shown,
            place,
        }
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    fn wait_for(&self, what: &str, come: impl Fn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !come() {
            assert!(Instant::now() < deadline, "no {what}:\n{}", self.shown());
            sleep(Duration::from_millis(20));
        }
    }

    /// Waits until it asks for the `nth` time, and what is typed does not show.
    fn wait_for_question(&self, nth: usize) {
        self.wait_for("question", || {
            let tty = fs::read_to_string(self.place.path().join("tty")).unwrap_or_default();
            let echo = || !settings(&stty(tty.trim())).contains(&"echo".to_owned());
            self.shown().matches(QUESTION).count() == nth && echo()
        });
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// All that was shown, and the terminal's settings before and after.
    fn end(mut self) -> (String, [Vec<String>; 2]) {
        self.wait_for("end", || self.shown().contains("ended with "));
        self.script.wait().unwrap();
        let read = |name: &str| settings(&fs::read_to_string(self.place.path().join(name)).unwrap());
        (self.shown(), [read("before"), read("after")])
    }
}

fn stty(tty: &str) -> String {
    let told = Command::new("stty").args(["-a", "-F", tty]).output().unwrap();
    String::from_utf8_lossy(&told.stdout).into_owned()
}

/// The words of `stty -a`: "echo", "-isig" …
fn settings(told: &str) -> Vec<String> {
    told.split_whitespace()
        .map(|word| word.trim_end_matches(';').to_owned())
        .collect()
}

#[test]
fn a_passphrase_is_asked_for_once_for_all_hosts_on_a_terminal_that_is_still() {
    let mut terminal = Terminal::deploying();
    terminal.wait_for_question(1);
    // a spinner turns eight times a second, and no host is given up meanwhile
    let before = terminal.shown();
    sleep(Duration::from_secs(1));
    assert_eq!(terminal.shown(), before);
    terminal.press("open sesam\n");
    terminal.wait_for_question(2);
    assert!(terminal.shown().contains("That is not it."), "{}", terminal.shown());
    terminal.press("open sesame\n");
    let (shown, [before, after]) = terminal.end();
    assert_eq!(shown.matches(QUESTION).count(), 2, "{shown}");
    assert_eq!(shown.matches("refused the connection on port 9").count(), 4, "{shown}");
    assert!(shown.contains("ended with 1") && !shown.contains("sesam"), "{shown}");
    assert_eq!(before, after);
}

#[test]
fn a_passphrase_is_asked_for_three_times() {
    let mut terminal = Terminal::deploying();
    for nth in 1..=3 {
        terminal.wait_for_question(nth);
        terminal.press("wrong\n");
    }
    let (shown, _) = terminal.end();
    assert_eq!(shown.matches(QUESTION).count(), 3, "{shown}");
}

#[test]
fn control_c_at_the_question_ends_it_and_leaves_the_terminal_as_it_was() {
    let mut terminal = Terminal::deploying();
    terminal.wait_for_question(1);
    terminal.press("open\x03");
    let (shown, [before, after]) = terminal.end();
    assert!(shown.contains("ended with 130"), "{shown}");
    assert_eq!(before, after);
    assert!(
        after.contains(&"echo".to_owned()) && after.contains(&"isig".to_owned()),
        "{after:?}"
    );
}

/// Once asked, Ctrl-C still ends whatever comes after.
#[test]
fn control_c_after_the_question_ends_it_too() {
    // accepts, and never says a word
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut terminal = Terminal::deploying_to(&mute.local_addr().unwrap().port().to_string());
    terminal.wait_for_question(1);
    terminal.press("open sesame\n");
    let _held = mute.accept().unwrap();
    terminal.press("\x03");
    let (shown, [before, after]) = terminal.end();
    assert!(shown.contains("ended with 130"), "{shown}");
    assert_eq!(before, after);
}
