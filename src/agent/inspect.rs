//! `inspect`: what the server's streams really are, seen from the server itself, for `pistream verify`; or, at a glance and
//! without any of the following but the statistics, for `pistream status`.
//!
//! One request on stdin, one list of facts on stdout. Nothing is judged here (the deployer knows what was asked for), and
//! nothing on the host changes, but for refused attempts to publish.
//!
//! ```text
//! statistics ──────────────────────────────────────► statistics     publishers, bytes, restreams: two moments; the journal
//!                                                                    on restreams that are down
//!    per stream:  ffmpeg plays it        frames, picture, size, rate
//!                 recording, HLS, DASH   looked at until they advance
//!    once:        an outsider tries to publish and to play, impostors try the TLS side, callers the page
//! ```

mod decode;
mod ffmpeg;
mod front;
mod glance;
mod growth;
mod impostor;
mod outsider;
mod packets;
mod pictures;
mod playlist;
mod restream;
pub(crate) mod statistics;
mod web;
mod width;

use crate::{events, identity, posix, request};
use ffmpeg::Ffmpeg;
use pistream_agent::{Event, Facts, Fault, InspectRequest, RestreamFacts, StreamFacts, StreamRequest};
use statistics::{Looks, Statistics};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Two looks at the statistics lie at least so far apart.
const APART: Duration = Duration::from_secs(2);

/// A request for three hundred streams has about 60 kB.
const LONGEST_REQUEST: u64 = 4 << 20;

#[derive(Debug, thiserror::Error)]
enum InspectError {
    #[error(transparent)]
    Request(#[from] request::Error),
    #[error(transparent)]
    Ffmpeg(#[from] ffmpeg::FfmpegError),
}

impl InspectError {
    fn fault(&self) -> Fault {
        match self {
            InspectError::Request(error) => error.fault(),
            InspectError::Ffmpeg(error) => Fault {
                attempted: "run ffmpeg".to_owned(),
                cause: error.to_string(),
                advice: Some("install ffmpeg on the server, or deploy again".to_owned()),
            },
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            InspectError::Request(error) => error.exit_code(),
            InspectError::Ffmpeg(_) => ExitCode::FAILURE,
        }
    }
}

/// The whole conversation: hello, then facts or a failure.
///
/// Exit codes: 0 facts were told, 1 they could not be gathered, 2 the request makes no sense.
pub(crate) fn run() -> ExitCode {
    events::hello();
    let request = request::read(LONGEST_REQUEST).map_err(InspectError::from);
    let outcome = request.and_then(|request: InspectRequest| match &request.glance {
        Some(glance) => Ok(glance::look(&request, glance)),
        None => inspect(&request),
    });
    match outcome {
        Ok(facts) => {
            events::emit(&Event::Facts { facts: Box::new(facts) });
            ExitCode::SUCCESS
        }
        Err(error) => {
            events::emit(&Event::Failed { fault: error.fault() });
            error.exit_code()
        }
    }
}

fn inspect(request: &InspectRequest) -> Result<Facts, InspectError> {
    let ffmpeg = Ffmpeg::find(&request.ffmpeg)?;
    let timeout = Duration::from_secs(request.timeout.max(1));
    let deadline = Instant::now() + timeout;
    let mut looks = Looks::begin(&request.stat, application(&request.rtmp), APART);
    let streams: Vec<Mutex<StreamFacts>> = request.streams.iter().map(|s| Mutex::new(named(&s.name))).collect();
    let next = AtomicUsize::new(0);
    let played = playable(request, looks.first());
    let ffmpeg = &ffmpeg;
    let (outsider, impostors, callers) = std::thread::scope(|scope| {
        // few, and soon decided: ahead of the decoders, whose start takes all the processors there are for seconds
        let impostors = scope.spawn(move || {
            let door = request.door.as_ref();
            door.map(|door| impostor::attempt(ffmpeg, door, timeout))
                .unwrap_or_default()
        });
        let callers = scope.spawn(move || {
            let front = request.front.as_ref();
            front.map(|front| front::call(front, timeout)).unwrap_or_default()
        });
        let outsider = scope.spawn(move || {
            request.outsider.as_ref().map(|outsider| {
                let facts = outsider::attempt(ffmpeg, outsider, played, timeout);
                outsider::tidy(request.streams.iter().filter_map(|s| s.recordings.as_deref()));
                facts
            })
        });
        // whatever is started from here on gives them and nginx precedence
        posix::yield_to_others();
        for _ in 0..width::decoders(request.streams.len()) {
            scope.spawn(|| {
                while let Some(stream) = request.streams.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let url = format!("{}/{}", request.rtmp, stream.name);
                    let decoded = decode::decode(ffmpeg, &url, stream.frames, timeout);
                    fill(&streams, &stream.name, |facts| facts.decoded = Some(decoded));
                }
            });
        }
        for stream in &request.streams {
            let streams = &streams;
            scope.spawn(move || {
                let grown = growth::watch(stream, &request.http, deadline);
                fill(streams, &stream.name, |facts| {
                    (facts.recording, facts.hls, facts.dash) = (grown.recording, grown.hls, grown.dash);
                });
            });
        }
        (
            outsider.join().unwrap_or_default(),
            impostors.join().unwrap_or_default(),
            callers.join().unwrap_or_default(),
        )
    });
    let wanted = restreams(request);
    looks.finish(&wanted, deadline);
    let words = words_of_dead(request, &looks, &wanted);
    let streams = streams.into_iter().zip(&request.streams).map(|(facts, asked)| {
        let mut facts = facts.into_inner().unwrap_or_else(PoisonError::into_inner);
        seen(&mut facts, asked, &looks, &words);
        facts
    });
    Ok(Facts {
        streams: streams.collect(),
        outsider,
        impostors,
        callers,
        certificate_until: request
            .door
            .as_ref()
            .and_then(|door| identity::expiry(Path::new(&door.own))),
        web_certificate_until: request
            .front
            .as_ref()
            .filter(|front| front.is_shown)
            .and_then(|front| identity::expiry(Path::new(&front.trust))),
        glance: None,
    })
}

/// Every restream that there shall be: its stream and its address.
fn restreams(request: &InspectRequest) -> Vec<(&str, &str)> {
    let mut wanted = Vec::new();
    for asked in &request.streams {
        wanted.extend(asked.restreams.iter().map(|to| (asked.name.as_str(), to.as_str())));
    }
    wanted
}

/// What nginx last said of the `wanted` restreams, if any of them is dead.
fn words_of_dead(request: &InspectRequest, looks: &Looks<'_>, wanted: &[(&str, &str)]) -> BTreeMap<String, String> {
    let dead = wanted.iter().any(|(name, address)| !looks.forwards(name, address));
    match dead {
        true => restream::last_words(&request.unit),
        false => BTreeMap::new(),
    }
}

/// What the statistics say of one stream.
fn seen(facts: &mut StreamFacts, asked: &StreamRequest, looks: &Looks<'_>, words: &BTreeMap<String, String>) {
    facts.ingest = Some(looks.ingest(&facts.name));
    facts.players = looks.players(&facts.name);
    let restream = |address: &String| RestreamFacts {
        connected: looks.forwards(&asked.name, address),
        last: words.get(address).cloned(),
    };
    facts.restreams = asked.restreams.iter().map(restream).collect();
}

fn named(name: &str) -> StreamFacts {
    StreamFacts {
        name: name.to_owned(),
        ..StreamFacts::default()
    }
}

fn fill(streams: &[Mutex<StreamFacts>], name: &str, set: impl FnOnce(&mut StreamFacts)) {
    for stream in streams {
        let mut facts = stream.lock().unwrap_or_else(PoisonError::into_inner);
        if facts.name == name {
            return set(&mut facts);
        }
    }
}

/// "live" of "rtmp://127.0.0.1:1935/live".
fn application(rtmp: &str) -> &str {
    rtmp.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// The stream the outsider tries to play: one that is there to be played, if any is.
fn playable<'a>(request: &'a InspectRequest, statistics: Option<&Statistics>) -> Option<&'a str> {
    let published = |name: &str| statistics.is_some_and(|s| s.stream(name).is_some_and(|s| s.publisher.is_some()));
    let names = || request.streams.iter().map(|s| s.name.as_str());
    names().find(|name| published(name)).or_else(|| names().next())
}
