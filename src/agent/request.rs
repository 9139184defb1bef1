//! What the deployer says on stdin: the request, one line of JSON, then a line for each time it was asked something.

use pistream_agent::{Answer, Fault};
use serde::de::DeserializeOwned;
use std::io::{self, BufRead, Read};
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0}")]
    Read(io::Error),
    #[error("it is not what this agent understands: {0}")]
    Parse(String),
}

impl Error {
    pub(crate) fn fault(&self) -> Fault {
        let advice = matches!(self, Error::Parse(_)).then_some("deployer and agent must be of one build: deploy again");
        Fault {
            attempted: "read the request".to_owned(),
            cause: self.to_string(),
            advice: advice.map(str::to_owned),
        }
    }

    /// 1 it could not be read, 2 it makes no sense.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Error::Read(_) => ExitCode::FAILURE,
            Error::Parse(_) => ExitCode::from(crate::EXIT_USAGE),
        }
    }
}

/// The request: the first line on stdin, of at most `longest` bytes. The deployer may keep the pipe open.
pub(crate) fn read<T: DeserializeOwned>(longest: u64) -> Result<T, Error> {
    parse(&line(longest).map_err(Error::Read)?)
}

/// serde_json's own message quotes the offending value, which may be a secret.
fn parse<T: DeserializeOwned>(line: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(line).map_err(|error| {
        let words = error.to_string();
        let missing = words.strip_prefix("missing field").and_then(|w| w.split(" at ").next());
        let what = missing.map_or_else(
            || format!("{:?} error", error.classify()),
            |w| format!("missing field{w}"),
        );
        Error::Parse(format!("{what} at line {} column {}", error.line(), error.column()))
    })
}

fn line(longest: u64) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    io::stdin().lock().take(longest).read_until(b'\n', &mut line)?;
    Ok(line)
}

/// The answer to what was asked for in words like "get a certificate for this host": the next line on stdin. Waits for the
/// deployer, but not for one that is gone without a word: the lock on this host is held meanwhile.
pub(crate) fn answer(attempted: &str, longest: u64, patience: Duration) -> Result<Answer, Fault> {
    let fault = |cause: String, advice: &str| Fault {
        attempted: attempted.to_owned(),
        cause,
        advice: Some(advice.to_owned()),
    };
    let (sender, heard) = mpsc::channel();
    // it ends with the line or with the process
    std::thread::spawn(move || sender.send(line(longest)));
    let line = match heard.recv_timeout(patience) {
        Ok(Ok(line)) if line.is_empty() => Err("the deployer went away".to_owned()),
        Ok(Ok(line)) => Ok(line),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("the deployer did not answer within {} s", patience.as_secs())),
    };
    let line = line.map_err(|cause| fault(cause, "deploy again"))?;
    match parse(&line) {
        Ok(Answer::Refused { why }) => Err(fault(why, "see what the deployer says")),
        Ok(answer) => Ok(answer),
        Err(_) => Err(unfit(attempted)),
    }
}

/// An answer to another question than was asked, or none at all.
pub(crate) fn unfit(attempted: &str) -> Fault {
    Fault {
        attempted: attempted.to_owned(),
        cause: "the deployer's answer is none".to_owned(),
        advice: Some("deployer and agent must be of one build: deploy again".to_owned()),
    }
}
