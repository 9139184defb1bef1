//! What happened: progress while it happens, a recap at the end, JSON for machines, the exit code.
//!
//! The only module that draws, on the lines of `terminal`. Work sends [`Message`]s; bars appear on a terminal, plain lines
//! elsewhere, JSON lines when asked for. Decides nothing but the exit code.

mod result;
mod status_line;

pub use result::{HostResult, describe, with_help};
pub use status_line::StatusLine;

use crate::exit;
use crate::{table, terminal};
use indicatif::{ProgressBar, ProgressStyle};
use pistream_agent::{Action, Event, Item};
use serde_json::json;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// How to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A line per host that moves; for a terminal.
    Bars,
    /// A line per event; for files and CI.
    Plain,
    /// A JSON object per event.
    Json,
}

impl Style {
    pub fn choose(json: bool) -> Style {
        match (json, std::io::stderr().is_terminal()) {
            (true, _) => Style::Json,
            (false, true) => Style::Bars,
            (false, false) => Style::Plain,
        }
    }
}

/// What the work tells the report; `host` counts as the names given to [`Report::new`].
#[derive(Debug)]
pub enum Message {
    Started { host: usize },
    Road { host: usize, road: String },
    Event { host: usize, event: Event },
    Finished { host: usize, result: HostResult },
}

/// Takes messages, shows them, and sums up.
pub struct Report {
    names: Vec<String>,
    style: Style,
    verbose: bool,
    results: Vec<Option<HostResult>>,
    rows: Vec<Option<ProgressBar>>,
    started: Instant,
}

impl Report {
    pub fn new(names: Vec<String>, style: Style, verbose: bool) -> Report {
        let count = names.len();
        Report {
            names,
            style,
            verbose,
            results: vec![None; count],
            rows: vec![None; count],
            started: Instant::now(),
        }
    }

    pub fn take(&mut self, message: Message) {
        match message {
            Message::Started { host } => {
                if self.style == Style::Bars {
                    self.rows[host] = Some(self.bar(host));
                }
            }
            Message::Road { host, road } => {
                if self.verbose {
                    self.say(host, &format!("by {road}"), json!({ "road": road }));
                }
            }
            Message::Event { host, event } => self.event(host, &event),
            Message::Finished { host, result } => {
                if let Some(bar) = self.rows[host].take() {
                    bar.finish_and_clear();
                }
                let (word, _) = result.word();
                let detail = result.detail();
                let text = if detail.is_empty() {
                    word.to_owned()
                } else {
                    format!("{word}: {detail}")
                };
                self.say(host, &text, json!({ "result": word, "detail": detail }));
                self.results[host] = Some(result);
            }
        }
    }

    fn bar(&self, host: usize) -> ProgressBar {
        let width = self.names.iter().map(String::len).max().unwrap_or_default();
        let bar = terminal::lines().add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {wide_msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(format!("{:width$}", self.names[host]));
        bar.set_message("connecting");
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }

    fn event(&mut self, host: usize, event: &Event) {
        let as_json = || serde_json::to_value(event).unwrap_or_default();
        match event {
            Event::Waiting { what, seconds } => {
                let text = format!("waiting for {what} ({seconds} s)");
                self.moment(host, &text);
                if self.verbose || self.style != Style::Bars {
                    self.say(host, &text, as_json());
                }
            }
            Event::Working { what } => {
                self.moment(host, what);
                if self.verbose || self.style != Style::Bars {
                    self.say(host, what, as_json());
                }
            }
            Event::Certify { .. } => self.moment(host, "asking for a certificate"),
            Event::Tarball { .. } => self.moment(host, "asking for a tarball"),
            Event::Change { item, action, diff } => {
                let text = format!("{} {}", action_word(*action), item_text(item));
                self.moment(host, &text);
                self.say(host, &text, as_json());
                if let (Some(diff), true) = (diff, self.style != Style::Json) {
                    self.line(&table::diff(diff));
                }
            }
            Event::Note { text } => self.say(host, &format!("note: {text}"), as_json()),
            Event::Hello { build, arch, .. } if self.verbose => {
                self.say(host, &format!("agent {build} ({arch})"), as_json());
            }
            _ => {}
        }
    }

    fn moment(&self, host: usize, text: &str) {
        if let Some(bar) = &self.rows[host] {
            bar.set_message(text.to_owned());
        }
    }

    fn say(&self, host: usize, text: &str, fields: serde_json::Value) {
        let name = &self.names[host];
        if self.style == Style::Json {
            let mut object = json!({ "host": name });
            if let (Some(object), serde_json::Value::Object(fields)) = (object.as_object_mut(), fields) {
                object.extend(fields);
            }
            self.line(&object.to_string());
        } else {
            let width = self.names.iter().map(String::len).max().unwrap_or_default();
            let indent = format!("\n{:width$}  ", "");
            self.line(&format!("{name:width$}  {}", text.trim_end().replace('\n', &indent)));
        }
    }

    /// A line above the bars, or on standard output where there are none.
    fn line(&self, text: &str) {
        if self.style == Style::Bars {
            // a terminal that cannot be written to leaves nobody to tell
            let _ = terminal::lines().println(text);
        } else {
            // whoever reads may have gone (`| head`); the work goes on all the same
            let _ = writeln!(std::io::stdout(), "{text}");
        }
    }

    /// Prints the recap and returns the exit code: the worst of all hosts'.
    pub fn recap(self) -> exit::Code {
        let silent = HostResult::Unreachable("no result: a fault of pistream itself".into());
        let results: Vec<(&String, &HostResult)> = self
            .names
            .iter()
            .zip(self.results.iter().map(|r| r.as_ref().unwrap_or(&silent)))
            .collect();
        let count = |wanted: &str| results.iter().filter(|(_, r)| r.word().0 == wanted).count();
        let words = [
            "unchanged",
            "changed",
            "pending",
            "failed",
            "unreachable",
            "not deployed",
        ];
        let seconds = self.started.elapsed().as_secs_f64();
        match self.style {
            Style::Json => {
                let counts: serde_json::Map<String, serde_json::Value> =
                    words.iter().map(|w| ((*w).to_owned(), json!(count(w)))).collect();
                self.line(&json!({ "recap": counts, "seconds": seconds }).to_string());
            }
            Style::Bars | Style::Plain => {
                let summary: Vec<String> = words
                    .iter()
                    .filter(|w| count(w) > 0)
                    .map(|w| format!("{} {w}", count(w)))
                    .collect();
                let hosts = if results.len() == 1 { "host" } else { "hosts" };
                let recap = format!("{} {hosts} in {seconds:.1} s: {}", results.len(), summary.join(", "));
                let _ = writeln!(std::io::stdout(), "{recap}");
            }
        }
        results
            .iter()
            .map(|(_, r)| r.exit_code())
            .max()
            .unwrap_or(exit::Code::Done)
    }
}

fn action_word(action: Action) -> &'static str {
    match action {
        Action::Install => "install",
        Action::Build => "build",
        Action::Create => "create",
        Action::Update => "update",
        Action::Remove => "remove",
        Action::Enable => "enable",
        Action::Disable => "disable",
        Action::Start => "start",
        Action::Stop => "stop",
        Action::Reload => "reload",
        Action::Restart => "restart",
    }
}

fn item_text(item: &Item) -> String {
    match item {
        Item::Package(name) => format!("package {name}"),
        Item::User(name) => format!("user {name}"),
        Item::Directory(path) | Item::File(path) => path.clone(),
        Item::Unit(name) => name.clone(),
    }
}
