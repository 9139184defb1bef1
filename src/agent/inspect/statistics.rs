//! nginx-rtmp's statistics (`rtmp_stat`): publishers, bytes and restreams, at several moments.
//!
//! How the module's XML shows a restream (`push`), seen on 1.2.2: the relay's own session is a client of the stream whose
//! `flashver` is `ngx-local-relay`, without `<publishing/>`, its address what is pushed to: the Unix socket that leads to the
//! target. It joins the stream only after the target answered `connect` and `createStream`, so a target that is down or mute
//! never shows; one that refuses the publish shows for an instant with every attempt, each time under a new id. So a
//! restream counts as connected when one id is there at two moments, its timestamp (that of the last frame handed to the
//! connection) has advanced between them and nothing was dropped. What a target that takes bytes makes of them, nobody here
//! can see; one that stops taking them shows by dropped frames once the buffers in between are full (at 250 kbit/s after
//! some two minutes).

use super::web;
use pistream_agent::Ingest;
use std::time::{Duration, Instant};

/// nginx-rtmp tries a lost restream again after five seconds (`push_reconnect`); so long a missing one is waited for.
const RECONNECT: Duration = Duration::from_secs(8);

/// One application at one moment.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Statistics {
    streams: Vec<Stream>,
}

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Stream {
    name: String,
    /// Received since the stream began.
    bytes_in: u64,
    pub(super) publisher: Option<Client>,
    restreams: Vec<Client>,
    /// Everybody else.
    players: Vec<Client>,
}

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Client {
    pub(crate) id: u64,
    pub(crate) address: String,
    /// Of the last frame, milliseconds.
    timestamp: u64,
    /// Frames that found the connection's buffers full.
    dropped: u64,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum StatisticsError {
    #[error(transparent)]
    Web(#[from] web::WebError),
    #[error("nginx-rtmp's statistics: {0}")]
    NotXml(#[from] roxmltree::Error),
    #[error("nginx-rtmp's statistics know no application {0}")]
    NoApplication(String),
}

impl Statistics {
    pub(super) fn stream(&self, name: &str) -> Option<&Stream> {
        self.streams.iter().find(|s| s.name == name)
    }

    pub(crate) fn streams(&self) -> &[Stream] {
        &self.streams
    }

    pub(crate) fn parse(xml: &str, application: &str) -> Result<Statistics, StatisticsError> {
        let document = roxmltree::Document::parse(xml)?;
        let found = document
            .descendants()
            .find(|n| n.has_tag_name("application") && text(*n, "name") == application)
            .ok_or_else(|| StatisticsError::NoApplication(application.to_owned()))?;
        let streams = found.descendants().filter(|n| n.has_tag_name("stream"));
        Ok(Statistics {
            streams: streams.map(Stream::read).collect(),
        })
    }
}

impl Stream {
    fn read(node: roxmltree::Node<'_, '_>) -> Stream {
        let clients = || node.children().filter(|n| n.has_tag_name("client"));
        let publishing = |n: &roxmltree::Node<'_, '_>| n.children().any(|c| c.has_tag_name("publishing"));
        let relays = |n: &roxmltree::Node<'_, '_>| text(*n, "flashver") == "ngx-local-relay";
        Stream {
            name: text(node, "name").to_owned(),
            bytes_in: number(node, "bytes_in"),
            publisher: clients().find(publishing).map(Client::read),
            restreams: clients().filter(relays).map(Client::read).collect(),
            players: clients()
                .filter(|n| !publishing(n) && !relays(n))
                .map(Client::read)
                .collect(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Everybody, and whether he publishes.
    pub(crate) fn clients(&self) -> impl Iterator<Item = (&Client, bool)> {
        let players = self.restreams.iter().chain(&self.players);
        self.publisher
            .iter()
            .map(|p| (p, true))
            .chain(players.map(|p| (p, false)))
    }

    /// Whether the restream to this socket was there `before` and has forwarded something since.
    fn forwards_since(&self, before: &Stream, socket: &str) -> bool {
        let forwarded =
            |b: &Client, now: &Client| b.id == now.id && b.timestamp < now.timestamp && b.dropped == now.dropped;
        let mut to_it = self.restreams.iter().filter(|now| now.leads_to(socket));
        to_it.any(|now| before.restreams.iter().any(|before| forwarded(before, now)))
    }
}

impl Client {
    /// Of "unix:/run/pistream-door/restream-porch-1.sock" the file's name counts.
    fn leads_to(&self, socket: &str) -> bool {
        self.address.rsplit(['/', ':']).next() == Some(socket)
    }

    fn read(node: roxmltree::Node<'_, '_>) -> Client {
        Client {
            id: number(node, "id"),
            address: text(node, "address").to_owned(),
            timestamp: number(node, "timestamp"),
            dropped: number(node, "dropped"),
        }
    }
}

fn text<'a>(node: roxmltree::Node<'a, '_>, name: &str) -> &'a str {
    node.children()
        .find(|n| n.has_tag_name(name))
        .and_then(|n| n.text())
        .unwrap_or_default()
}

fn number(node: roxmltree::Node<'_, '_>, name: &str) -> u64 {
    text(node, name).parse().unwrap_or(0)
}

/// The statistics as they were seen one time after another.
pub(super) struct Looks<'a> {
    url: &'a str,
    application: &'a str,
    /// Two looks lie at least so far apart.
    apart: Duration,
    first: (Instant, Result<Statistics, StatisticsError>),
    /// The last two; restreams are judged by them.
    last: [Option<(Instant, Result<Statistics, StatisticsError>)>; 2],
}

impl<'a> Looks<'a> {
    /// Takes the first look.
    pub(super) fn begin(url: &'a str, application: &'a str, apart: Duration) -> Self {
        Looks {
            url,
            application,
            apart,
            first: look(url, application),
            last: [None, None],
        }
    }

    pub(super) fn first(&self) -> Option<&Statistics> {
        self.first.1.as_ref().ok()
    }

    /// Takes the last look, and further ones while a restream that is `wanted` (stream, address) may still come up,
    /// until `deadline`.
    pub(super) fn finish(&mut self, wanted: &[(&str, &str)], deadline: Instant) {
        let patience = deadline.min(Instant::now() + RECONNECT);
        self.last[1] = Some(self.later(self.first.0));
        while !wanted.iter().all(|(name, address)| self.forwards(name, address)) {
            let Some(previous) = self.last[1].take() else { return };
            if previous.0 + self.apart > patience {
                self.last[1] = Some(previous);
                return;
            }
            let next = self.later(previous.0);
            self.last = [Some(previous), Some(next)];
        }
    }

    fn later(&self, before: Instant) -> (Instant, Result<Statistics, StatisticsError>) {
        std::thread::sleep((before + self.apart).saturating_duration_since(Instant::now()));
        look(self.url, self.application)
    }

    /// How many play a stream by RTMP.
    pub(super) fn players(&self, name: &str) -> u64 {
        let last = self.last[1].as_ref().and_then(|(_, last)| last.as_ref().ok());
        last.and_then(|last| last.stream(name))
            .map_or(0, |stream| stream.players.len() as u64)
    }

    /// What the first and the last look say of a stream's publisher.
    pub(super) fn ingest(&self, name: &str) -> Ingest {
        let Some((end, last)) = &self.last[1] else {
            return Ingest::default();
        };
        let (begin, first) = &self.first;
        let statistics = match last {
            Ok(statistics) => statistics,
            Err(error) => {
                return Ingest {
                    error: Some(error.to_string()),
                    ..Ingest::default()
                };
            }
        };
        let now = statistics.stream(name);
        let before = first.as_ref().ok().and_then(|s| s.stream(name));
        let publisher = now.and_then(|s| s.publisher.as_ref());
        Ingest {
            publishing: publisher.is_some(),
            address: publisher.map(|p| p.address.clone()).unwrap_or_default(),
            bytes: received(before, now),
            milliseconds: u64::try_from(end.duration_since(*begin).as_millis()).unwrap_or(u64::MAX),
            error: None,
        }
    }

    /// Whether the stream's restream to this address forwarded something between the last two looks.
    pub(super) fn forwards(&self, name: &str, address: &str) -> bool {
        let Some((_, Ok(last))) = &self.last[1] else {
            return false;
        };
        let before = self.last[0].as_ref().unwrap_or(&self.first);
        let (Ok(before), Some(now)) = (&before.1, last.stream(name)) else {
            return false;
        };
        before
            .stream(name)
            .is_some_and(|before| now.forwards_since(before, address))
    }
}

/// Bytes between two looks. A stream that began anew in between counts from its beginning.
fn received(before: Option<&Stream>, now: Option<&Stream>) -> u64 {
    let id = |s: &Stream| s.publisher.as_ref().map(|p| p.id);
    match (before, now) {
        (_, None) => 0,
        (Some(before), Some(now)) if id(before) == id(now) => now.bytes_in.saturating_sub(before.bytes_in),
        (_, Some(now)) => now.bytes_in,
    }
}

fn look(url: &str, application: &str) -> (Instant, Result<Statistics, StatisticsError>) {
    let statistics = web::text(url).map_err(StatisticsError::from);
    (
        Instant::now(),
        statistics.and_then(|xml| Statistics::parse(&xml, application)),
    )
}

#[cfg(test)]
#[path = "statistics_tests.rs"]
mod tests;
