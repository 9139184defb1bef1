//! `expel`: whoever is in the server's core and may no longer be, by the front's present word, is put out; the others notice
//! nothing.
//!
//! The core asks the front once, when somebody begins to publish or to play. Rules that change afterwards reach who is in
//! already by this alone: run after the front's reload, and after its start. Who can do what is decided in front.conf, not
//! here.

use crate::inspect::statistics::{Client, Statistics};
use crate::nginx;
use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// A front that was started just now answers within this.
const PATIENCE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(20);

/// nginx-rtmp's application with all streams.
const APPLICATION: &str = "live";

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("ask who is in at {socket}: {source}")]
    WhoIsIn { socket: String, source: io::Error },
    #[error("ask at {socket} who may be in: {source}")]
    WhoMay { socket: String, source: io::Error },
    #[error("put {who} out at {socket}: {why}")]
    PutOut { who: String, socket: String, why: String },
}

/// `core`: the socket with statistics and control. `front`: the one that answers questions.
///
/// Exit codes: 0 nobody is in who may not be, 1 that is not sure.
pub(crate) fn run(core: &str, front: &str) -> ExitCode {
    match expel(core, front) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pistream-agent expel: could not {error}");
            ExitCode::FAILURE
        }
    }
}

fn expel(core: &str, front: &str) -> Result<(), Error> {
    let answer = match nginx::ask(core, "/stat") {
        Ok(answer) => answer,
        // no core, and so nobody in it
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => return Ok(()),
        Err(source) => {
            return Err(Error::WhoIsIn {
                socket: core.to_owned(),
                source,
            });
        }
    };
    // some of it are clients' own words
    let answer = answer.replace(|c: char| c.is_control() && !c.is_whitespace(), "?");
    let Ok(statistics) = Statistics::parse(nginx::body(&answer), APPLICATION) else {
        // who is in cannot be told: all go, and whoever may comes again
        return put_out(core, "everybody", "");
    };
    let deadline = Instant::now() + PATIENCE;
    for stream in statistics.streams() {
        for (client, publishes) in stream.clients() {
            let Some(question) = question(stream.name(), client, publishes) else {
                continue;
            };
            if refused(front, &question, deadline)? {
                let who = format!(
                    "{} of {}",
                    if publishes { "the publisher" } else { "a player" },
                    stream.name()
                );
                put_out(core, &who, &format!("&clientid={}", client.id))?;
            }
        }
    }
    Ok(())
}

/// As nginx-rtmp asks it; `None` of a stream's own way to where it is passed on to, which is nobody from outside.
fn question(stream: &str, client: &Client, publishes: bool) -> Option<String> {
    if !publishes && client.address.starts_with("unix:") {
        return None;
    }
    let word = if publishes { "publish" } else { "play" };
    let name: String = stream.bytes().map(escaped).collect();
    Some(format!("/may-{word}?name={name}&addr={}", client.address))
}

fn escaped(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => char::from(byte).to_string(),
        _ => format!("%{byte:02x}"),
    }
}

/// As for nginx-rtmp, every answer but a good one is a refusal.
fn refused(front: &str, question: &str, deadline: Instant) -> Result<bool, Error> {
    loop {
        match nginx::ask(front, question) {
            Ok(answer) => return Ok(!matches!(nginx::status(&answer), Some(200..=299))),
            Err(_) if Instant::now() < deadline => std::thread::sleep(POLL),
            Err(source) => {
                return Err(Error::WhoMay {
                    socket: front.to_owned(),
                    source,
                });
            }
        }
    }
}

fn put_out(core: &str, who: &str, which: &str) -> Result<(), Error> {
    let failed = |why| Error::PutOut {
        who: who.to_owned(),
        socket: core.to_owned(),
        why,
    };
    let target = format!("/control/drop/client?app={APPLICATION}{which}");
    let answer = nginx::ask(core, &target).map_err(|source| failed(source.to_string()))?;
    match nginx::status(&answer) {
        Some(200) => println!("{who} may no longer be in, and was put out"),
        // gone by itself
        Some(204) => {}
        _ => return Err(failed(answer.lines().next().unwrap_or_default().to_owned())),
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// As nginx-rtmp 1.2.2 has it, shortened.
    const XML: &str = "<rtmp><server><application><name>live</name><live><stream><name>a&amp;b</name>\
        <client><id>7</id><address>127.120.248.197</address><flashver>FMLE/3.0</flashver><publishing/></client>\
        <client><id>8</id><address>10.0.0.9</address><flashver>ngx-local-relay</flashver></client>\
        <client><id>9</id><address>unix:/run/pistream-door/restream-a-1.sock</address><flashver>ngx-local-relay</flashver></client>\
        </stream></live></application></server></rtmp>";

    #[test]
    fn everybody_is_asked_for_but_the_streams_own_way_out() {
        let statistics = Statistics::parse(XML, APPLICATION).unwrap();
        let stream = &statistics.streams()[0];
        let asked = stream
            .clients()
            .map(|(client, publishes)| question(stream.name(), client, publishes));
        // whoever says that he is a relay is none by that
        assert_eq!(
            asked.collect::<Vec<_>>(),
            [
                Some("/may-publish?name=a%26b&addr=127.120.248.197".to_owned()),
                Some("/may-play?name=a%26b&addr=10.0.0.9".to_owned()),
                None
            ]
        );
    }
}
