//! Keeps the words of secret files out of what foreign programs say about them.

use pistream_agent::{Fault, Outcome, Plan};

/// Shorter words are not secrets, and hiding them would hide the message.
const SHORTEST: usize = 6;

/// The words that must not be shown, longest first.
pub(crate) struct Mask(Vec<String>);

impl Mask {
    /// Every word of every secret file, except the names that the plan itself tells openly (paths, units).
    pub(crate) fn of(plan: &Plan) -> Mask {
        let open: Vec<&str> = plan
            .files
            .iter()
            .map(|f| f.path.as_str())
            .chain(plan.directories.iter().map(|d| d.path.as_str()))
            .chain(plan.units.iter().map(|u| u.name.as_str()))
            .collect();
        let mut words: Vec<String> = plan
            .files
            .iter()
            .filter(|f| f.secret)
            .flat_map(|f| {
                f.content
                    .split(|c: char| c.is_whitespace() || "\"'`;{}()<>,=".contains(c))
            })
            .filter(|w| w.len() >= SHORTEST && !open.iter().any(|o| o.contains(w)))
            .map(str::to_owned)
            .collect();
        words.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        words.dedup();
        Mask(words)
    }

    pub(crate) fn text(&self, text: &str) -> String {
        self.0
            .iter()
            .fold(text.to_owned(), |text, word| text.replace(word.as_str(), "<secret>"))
    }

    pub(crate) fn fault(&self, fault: Fault) -> Fault {
        Fault {
            cause: self.text(&fault.cause),
            ..fault
        }
    }

    pub(crate) fn outcome(&self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::RolledBack { fault } => Outcome::RolledBack {
                fault: self.fault(fault),
            },
            Outcome::HalfDone { fault } => Outcome::HalfDone {
                fault: self.fault(fault),
            },
            Outcome::Refused { fault } => Outcome::Refused {
                fault: self.fault(fault),
            },
            fine => fine,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pistream_agent::File;

    #[test]
    fn a_tool_that_repeats_a_secret_is_silenced_but_not_its_line_number() {
        let file = File {
            path: "/etc/pistream/nginx.conf".into(),
            mode: 0o600,
            owner: "root".into(),
            group: "root".into(),
            content: "# /etc/pistream/nginx.conf\npush rtmp://live/app/k3y-of-mine;\n".into(),
            secret: true,
        };
        let mask = Mask::of(&Plan {
            files: vec![file],
            ..Plan::default()
        });
        let said = mask.text("unknown \"rtmp://live/app/k3y-of-mine\" in /etc/pistream/nginx.conf:2");
        assert_eq!(said, "unknown \"<secret>\" in /etc/pistream/nginx.conf:2");
    }
}
