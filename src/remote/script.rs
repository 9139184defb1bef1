//! The one shell line that starts an agent, and the words it says before the agent speaks. Nothing that a user wrote
//! ever enters it: it depends on the verb, on where the agent is kept, and on the build.

use super::{Keep, Verb};
use crate::assets::BUILD_ID;
use crate::told::harmless;
use pistream_agent::{AGENT_DIR, Event};
use serde_json::Value;

/// What sudo is told to ask with, so that the question can be told from anything else on stderr.
pub(super) const PROMPT: &str = "[pistream asks sudo for the password]";

const ROOT: &str = include_str!("shell/root.sh");
const INSTALLED: &str = include_str!("shell/installed.sh");
const TEMPORARY: &str = include_str!("shell/temporary.sh");

/// Where things lie on a host.
pub(super) struct Places<'a> {
    pub(super) agents: &'a str,
    /// Tried in this order for a temporary agent.
    pub(super) temporary: &'a str,
}

impl Places<'static> {
    pub(super) const HOST: Places<'static> = Places {
        agents: AGENT_DIR,
        temporary: "/tmp /var/tmp /dev/shm",
    };
}

/// The line for the login shell.
pub(super) fn command(verb: Verb, keep: Keep, places: &Places<'_>) -> String {
    let run = match keep {
        Keep::Installed => INSTALLED,
        Keep::Temporary => TEMPORARY,
    };
    let fill = |script: &str| {
        one_line(script)
            .replace("@DIR@", places.agents)
            .replace("@TEMPORARY@", places.temporary)
            .replace("@PROMPT@", PROMPT)
            .replace("@BUILD@", BUILD_ID)
            .replace("@VERB@", verb.word())
    };
    format!("sh -c '{}' '{}'", fill(ROOT), fill(run))
}

fn one_line(script: &str) -> String {
    script
        .lines()
        .filter(|l| !l.starts_with('#'))
        .collect::<Vec<_>>()
        .join(" ")
}

/// One line of the far side's stdout.
pub(super) enum Line {
    /// The shell line runs: whatever comes now is from it.
    Shell,
    /// There is no agent; this is the machine.
    Need {
        system: String,
        machine: String,
    },
    /// The shell line gave up.
    Fault(String),
    Event(Event),
    /// Login messages and the like.
    Noise,
}

impl Line {
    pub(super) fn read(line: &str) -> Line {
        if line == "pistream-shell" {
            return Line::Shell;
        }
        if let Some(fault) = line.strip_prefix("pistream-fault ") {
            return Line::Fault(fault.to_owned());
        }
        if let Some((system, machine)) = line.strip_prefix("pistream-need ").and_then(|l| l.split_once(' ')) {
            return Line::Need {
                system: system.to_owned(),
                machine: machine.to_owned(),
            };
        }
        if !line.starts_with('{') {
            return Line::Noise;
        }
        event(line).map_or(Line::Noise, Line::Event)
    }
}

fn event(line: &str) -> serde_json::Result<Event> {
    // in a line without disturbing characters they can only stand as escapes: `\u001b`, and `\b`, `\f`, `\r` as well
    if !line.contains('\\') {
        return serde_json::from_str(line);
    }
    let mut value = serde_json::from_str(line)?;
    soothe(&mut value);
    serde_json::from_value(value)
}

/// Makes every text in it harmless.
fn soothe(value: &mut Value) {
    match value {
        Value::String(text) => *text = harmless(text),
        Value::Array(values) => values.iter_mut().for_each(soothe),
        Value::Object(values) => {
            for (name, mut value) in std::mem::take(values) {
                soothe(&mut value);
                values.insert(harmless(&name), value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_need_no_quoting() {
        for script in [ROOT, INSTALLED, TEMPORARY] {
            let line = one_line(script);
            assert!(!line.contains(['\'', '\\']), "{line}");
        }
    }

    #[test]
    fn every_placeholder_is_filled() {
        for keep in [Keep::Installed, Keep::Temporary] {
            let line = command(Verb::Apply, keep, &Places::HOST);
            assert!(!line.contains('@'), "{line}");
            assert!(
                line.contains(&format!(" {};", Verb::Apply.word())) || line.ends_with(" apply'"),
                "{line}"
            );
        }
    }

    #[test]
    fn what_a_host_says_disturbs_no_terminal() {
        let said = r#"{"event":"note","text":"a camera called \u001b[31m\u202ered\nand \\u001b"}"#;
        let Line::Event(Event::Note { text }) = Line::read(said) else {
            panic!("no note");
        };
        assert_eq!(text, "a camera called \u{fffd}[31m\u{fffd}red\nand \\u001b");
        let said = r#"{"event":"note","text":"gone\r\b\fback\t\"in\""}"#;
        let Line::Event(Event::Note { text }) = Line::read(said) else {
            panic!("no note");
        };
        assert_eq!(text, "gone\u{fffd}\u{fffd}\u{fffd}back\t\"in\"");
    }

    #[test]
    fn the_line_is_the_same_for_every_host() {
        let again = || command(Verb::Status, Keep::Installed, &Places::HOST);
        assert_eq!(again(), again());
        assert!(again().contains(&format!("{AGENT_DIR}/agent-{BUILD_ID}")));
    }
}
