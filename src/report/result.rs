//! How a host ended, in a word, in detail, and as an exit code.

use crate::exit;
use crate::table::Colour;
use pistream_agent::{Event, Fault, Outcome};

/// How a host ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostResult {
    Unchanged,
    Changed(u32),
    Pending(u32),
    /// Something failed on the host; `state` says what the host is like now.
    Failed {
        fault: Fault,
        state: &'static str,
    },
    /// The host could not be worked on at all.
    Unreachable(String),
    /// The host was left as it was, because of another that failed.
    NotDeployed(String),
}

impl From<Event> for HostResult {
    fn from(last: Event) -> HostResult {
        match last {
            Event::Finished { outcome } => match outcome {
                Outcome::Unchanged => HostResult::Unchanged,
                Outcome::Changed { changes } => HostResult::Changed(changes),
                Outcome::Pending { changes } => HostResult::Pending(changes),
                Outcome::RolledBack { fault } => HostResult::Failed {
                    fault,
                    state: "rolled back",
                },
                Outcome::HalfDone { fault } => HostResult::Failed {
                    fault,
                    state: "half done",
                },
                Outcome::Refused { fault } => HostResult::Failed {
                    fault,
                    state: "nothing touched",
                },
            },
            Event::Failed { fault } => HostResult::Failed {
                fault,
                state: "nothing touched",
            },
            other => HostResult::Unreachable(format!("the agent ended with an unexpected message: {other:?}")),
        }
    }
}

impl HostResult {
    pub(super) fn word(&self) -> (&'static str, Colour) {
        match self {
            HostResult::Unchanged => ("unchanged", Colour::Good),
            HostResult::Changed(_) => ("changed", Colour::Notable),
            HostResult::Pending(_) => ("pending", Colour::Notable),
            HostResult::Failed { .. } => ("failed", Colour::Bad),
            HostResult::Unreachable(_) => ("unreachable", Colour::Bad),
            HostResult::NotDeployed(_) => ("not deployed", Colour::Bad),
        }
    }

    pub(super) fn detail(&self) -> String {
        let plural = |n: &u32| {
            if *n == 1 {
                "1 change".to_owned()
            } else {
                format!("{n} changes")
            }
        };
        match self {
            HostResult::Unchanged => String::new(),
            HostResult::Changed(n) | HostResult::Pending(n) => plural(n),
            HostResult::Failed { fault, state } => format!("{} ({state})", describe(fault)),
            HostResult::Unreachable(why) | HostResult::NotDeployed(why) => why.clone(),
        }
    }

    pub fn exit_code(&self) -> exit::Code {
        match self {
            HostResult::Unchanged | HostResult::Changed(_) => exit::Code::Done,
            HostResult::Pending(_) => exit::Code::Pending,
            HostResult::Failed { .. } | HostResult::Unreachable(_) | HostResult::NotDeployed(_) => {
                exit::Code::HostFailed
            }
        }
    }
}

/// A fault in one line, or more where the cause has more.
pub fn describe(fault: &Fault) -> String {
    let advice = fault.advice.as_ref().map(|a| format!("\n{a}")).unwrap_or_default();
    format!("{}: {}{advice}", fault.attempted, fault.cause.trim_end())
}

/// An error with what the user can do about it on a line of its own.
pub fn with_help(error: &impl std::fmt::Display, help: Option<String>) -> String {
    match help {
        Some(help) => format!("{error}\n{help}"),
        None => error.to_string(),
    }
}
