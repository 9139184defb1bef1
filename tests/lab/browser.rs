//! A headless Chromium, driven over the DevTools protocol on its own pipe (descriptors 3 and 4): no port is opened, no
//! crate is needed. Knows nothing of pistream.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Chromium's answers come within this time, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(60);

/// One page. Ends with its value.
pub struct Browser {
    chromium: Child,
    pipe: ChildStdin,
    heard: Receiver<Value>,
    said: u64,
    session: Option<String>,
    complaints: Vec<String>,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts Chromium and goes to this address.
    pub fn open(url: &str) -> Browser {
        Browser::start(Command::new("sh"), "", url)
    }

    /// The same in this network namespace; of certificates that no authority it knows has signed it takes the one with this
    /// public key (SHA-256 of its SubjectPublicKeyInfo, base64), and no other. Chromium aborts its requests when an address
    /// of its machine comes or goes, which in a namespace of its own none does.
    pub fn trusting(space: &str, key: &str, url: &str) -> Browser {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", space, "sh"]);
        Browser::start(command, key, url)
    }

    fn start(mut shell: Command, key: &str, url: &str) -> Browser {
        let profile = tempfile::tempdir().unwrap();
        shell
            .args(["-c", "exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null", "sh", "chromium"])
            .args([
                "--headless=new",
                "--no-sandbox",
                "--remote-debugging-pipe",
                "--disable-gpu",
                "--mute-audio",
            ])
            .args([
                "--no-first-run",
                "--disable-background-networking",
                "--window-size=1000,700",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("--ignore-certificate-errors-spki-list={key}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut chromium = shell.spawn().unwrap();
        let (pipe, answers) = (chromium.stdin.take().unwrap(), chromium.stdout.take().unwrap());
        let (tell, heard) = channel();
        std::thread::spawn(move || {
            let mut answers = BufReader::new(answers);
            let mut message = Vec::new();
            while answers.read_until(0, &mut message).is_ok_and(|n| n > 0) {
                message.pop();
                if let Ok(value) = serde_json::from_slice(&message)
                    && tell.send(value).is_err()
                {
                    return;
                }
                message.clear();
            }
        });
        let mut browser = Browser {
            chromium,
            pipe,
            heard,
            said: 0,
            session: None,
            complaints: Vec::new(),
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", attach);
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        // what the page's own policy forbids it is remembered, to be asked for
        let remember =
            "addEventListener('securitypolicyviolation', (e) => (window.violations ??= []).push(e.violatedDirective))";
        browser.call("Page.addScriptToEvaluateOnNewDocument", json!({ "source": remember }));
        browser.go(url);
        browser
    }

    pub fn go(&mut self, url: &str) {
        self.call("Page.navigate", json!({ "url": url }));
    }

    /// Another tab is opened before this one: nobody sees the page.
    pub fn hide(&mut self) {
        let session = self.session.take();
        self.call("Target.createTarget", json!({ "url": "about:blank" }));
        self.session = session;
    }

    /// Its tab is chosen again.
    pub fn reveal(&mut self) {
        self.call("Page.bringToFront", json!({}));
    }

    /// One command, and its result.
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        self.said += 1;
        let mut message = json!({ "id": self.said, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        let text = format!("{message}\0");
        self.pipe.write_all(text.as_bytes()).unwrap();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let answer = self
                .heard
                .recv_timeout(left)
                .unwrap_or_else(|e| panic!("{method}: {e}"));
            self.complaints.extend(complaint(&answer));
            if answer["id"] == self.said {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
        }
    }

    /// What its console shows of errors and warnings, uncaught exceptions and refused requests among them.
    pub fn complaints(&mut self) -> &[String] {
        // whatever came before this answer has been heard with it
        self.call("Runtime.evaluate", json!({ "expression": "0" }));
        &self.complaints
    }

    /// The value of an expression in the page, promises awaited, as if a person had clicked. Null where it throws.
    pub fn ask(&mut self, expression: &str) -> Value {
        let asked =
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true });
        self.call("Runtime.evaluate", asked)["result"]["value"].clone()
    }

    pub fn number(&mut self, expression: &str) -> f64 {
        self.ask(expression).as_f64().unwrap_or(f64::NAN)
    }

    pub fn text(&mut self, expression: &str) -> String {
        self.ask(expression).as_str().unwrap_or_default().to_owned()
    }

    pub fn holds(&mut self, expression: &str) -> bool {
        self.ask(expression) == true
    }

    /// What the page shows, as a JPEG in base64.
    pub fn picture(&mut self) -> String {
        let asked = json!({ "format": "jpeg", "quality": 75 });
        self.call("Page.captureScreenshot", asked)["data"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

/// An error or warning, if that is what this event tells.
fn complaint(event: &Value) -> Option<String> {
    let (told, params) = (event["method"].as_str()?, &event["params"]);
    let bad = match told {
        "Runtime.exceptionThrown" => true,
        "Runtime.consoleAPICalled" => matches!(params["type"].as_str(), Some("error" | "warning" | "assert")),
        "Log.entryAdded" => matches!(params["entry"]["level"].as_str(), Some("error" | "warning")),
        _ => false,
    };
    bad.then(|| params.to_string())
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.chromium.kill();
        let _ = self.chromium.wait();
    }
}
