//! A server: who may publish and play, what is recorded and passed on.

use super::restream::{Target, restreams};
use super::viewers::{Login, Player, known_as, players, viewers};
use crate::ca::Identities;
use crate::logins;
use crate::model::{
    Amount, Camera, Fleet, Https, Latency, Name, Network, Nginx, Recording, RecordingFormat, Segments, Server,
};
use crate::plan::roles::has_door;
use crate::plan::{Paths, certificate, loopback};
use crate::secrets::Secrets;
use serde::Serialize;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

#[derive(Serialize)]
pub(in crate::plan) struct ServerContext<'a> {
    paths: &'a Paths,
    server: ServerView,
    /// Whose certificate leads in, and as which address.
    certificates: Vec<Certificate>,
    /// Every stream that may come in.
    cameras: Vec<Publisher>,
    /// The viewers whom this server lets in by their certificates.
    players: Vec<Player>,
    /// Where their addresses are, and those of the certificates.
    players_network: &'static str,
    certificates_network: &'static str,
    restreams: Vec<Target>,
    /// Whether the server has a door.
    door: bool,
    viewers: Vec<Login>,
    /// Viewers are asked for a login; also where none of them may see a camera of this server.
    logins: bool,
}

impl ServerContext<'_> {
    pub(in crate::plan) fn viewers(&self) -> &[Login] {
        &self.viewers
    }
}

#[derive(Serialize)]
struct ServerView {
    name: String,
    tls: bool,
    /// By which names plain HTTP is asked of it.
    known_as: BTreeSet<String>,
    /// Somebody comes by IPv6. A kernel without it would let no nginx start that listens there.
    ipv6: bool,
    /// nginx has RTMP and streams as modules beside it, not within.
    dynamic_modules: bool,
    rtmps_port: u16,
    rtmp_port: u16,
    https: Option<HttpsView>,
    https_port: u16,
    http_port: u16,
    status_port: u16,
    /// Networks that are trusted with the name of any camera that has no certificate; with TLS, nor an address.
    publish: Vec<String>,
    /// From where the TLS side takes connections; empty: from anywhere.
    may_connect: Vec<String>,
    play: Vec<String>,
    /// From where RTMP is played: the same, and this machine.
    may_play: BTreeSet<String>,
    recording: Option<RecordingView>,
    hls: Option<SegmentsView>,
    dash: Option<SegmentsView>,
}

/// As nginx looks for them: from the root, or beside its configuration.
#[derive(Serialize)]
struct HttpsView {
    certificate: String,
    key: String,
    /// Where the server gets both itself.
    acme: Option<AcmeView>,
}

#[derive(Serialize)]
struct AcmeView {
    /// What certbot calls it.
    lineage: String,
    name: String,
    directory: String,
    email: Option<String>,
}

impl HttpsView {
    fn of(https: &Https, paths: &Paths) -> HttpsView {
        let files = certificate::of_viewers(https, paths);
        let [certificate, key] = files.unwrap_or_else(|| ["identity.pem", "identity.pem"].map(str::to_owned));
        HttpsView {
            certificate,
            key,
            acme: match https {
                Https::Acme { name, directory, email } => Some(AcmeView {
                    lineage: certificate::lineage(name, directory),
                    name: name.clone(),
                    directory: directory.clone(),
                    email: email.clone(),
                }),
                _ => None,
            },
        }
    }
}

#[derive(Serialize)]
struct RecordingView {
    path: String,
    /// Seconds.
    interval: u64,
    format: &'static str,
    /// Seconds.
    keep: u64,
    at_most: AmountView,
    keep_free: AmountView,
    /// Seconds.
    keep_at_least: u64,
}

/// `{ unit = amount }` of recordings.toml.
#[derive(Serialize)]
struct AmountView {
    unit: &'static str,
    amount: u64,
}

impl From<Amount> for AmountView {
    fn from(amount: Amount) -> AmountView {
        let (unit, amount) = match amount {
            Amount::Bytes(bytes) => ("bytes", bytes),
            Amount::Percent(percent) => ("percent", percent.into()),
        };
        AmountView { unit, amount }
    }
}

impl From<&Recording> for RecordingView {
    fn from(recording: &Recording) -> RecordingView {
        RecordingView {
            path: recording.path.to_string_lossy().into_owned(),
            interval: recording.interval.as_secs(),
            format: match recording.format {
                RecordingFormat::Mp4 => "mp4",
                RecordingFormat::Flv => "flv",
            },
            keep: recording.keep.as_secs(),
            at_most: recording.at_most.into(),
            keep_free: recording.keep_free.into(),
            keep_at_least: recording.keep_at_least.as_secs(),
        }
    }
}

/// Milliseconds, as nginx wants them.
#[derive(Serialize)]
struct SegmentsView {
    /// After so long the next keyframe begins another segment; of DASH, after twice as long, any picture does.
    cut_after: u128,
    /// As many segments as `cut_after` goes into this are in the playlist.
    playlist: u128,
}

impl SegmentsView {
    /// Cut at keyframes: after nine tenths of a segment, since keyframes that are meant to come as often as segments end may
    /// come a little early, and the segment would be twice as long.
    fn hls(segments: &Segments, latency: Latency) -> SegmentsView {
        SegmentsView {
            cut_after: latency.cap(segments.fragment).as_millis() * 9 / 10,
            playlist: segments.playlist.as_millis(),
        }
    }

    /// Cut at any picture: a segment is twice as long as what nginx is told. A fiftieth less, since the picture that is meant to
    /// begin the next one may come a little early, too.
    fn dash(segments: &Segments, latency: Latency) -> SegmentsView {
        SegmentsView {
            cut_after: latency.cap_anywhere(segments.fragment).as_millis() * 49 / 100,
            playlist: segments.playlist.as_millis() / 2,
        }
    }
}

#[derive(Serialize)]
struct Certificate {
    name: String,
    address: String,
}

#[derive(Serialize)]
struct Publisher {
    stream: String,
    /// Whether it is known by its certificate.
    tls: bool,
    /// By which the RTMP side knows it.
    address: Option<String>,
    /// Of its recordings, where the camera differs from the server. Seconds.
    keep: Option<u64>,
    at_most: Option<AmountView>,
}

pub(in crate::plan) fn server<'a>(
    fleet: &'a Fleet,
    server: &'a Server,
    paths: &'a Paths,
    secrets: &'a Secrets,
    identities: &Identities,
) -> Result<ServerContext<'a>, logins::Error> {
    // nginx knows one length for all cameras
    let low = fleet.cameras_of(server).any(|c| c.latency == Latency::Low);
    let latency = if low { Latency::Low } else { Latency::Normal };
    let texts = |networks: &[Network]| networks.iter().map(ToString::to_string).collect::<Vec<String>>();
    let publish = texts(&server.publish);
    let players = players(fleet, server, &identities.revocations);
    let mut may_connect = BTreeSet::new();
    if server.tls && !publish.is_empty() {
        // this machine, for verify, the cameras' own addresses, and networks besides
        may_connect.insert("127.0.0.1".to_owned());
        let cameras = fleet.cameras_of(server).filter(|c| fleet.by_tls(c));
        may_connect.extend(cameras.filter_map(|c| c.address).map(|a| a.to_string()));
        may_connect.extend(publish.iter().cloned());
    }
    if !may_connect.is_empty() && !players.is_empty() {
        may_connect.extend(texts(&server.play));
    }
    // a server that passes streams on to this one is known by its certificate as a camera is
    let senders: BTreeSet<&Name> = fleet.backups_of(server).map(|c| &c.server).collect();
    if !may_connect.is_empty() {
        let senders = fleet.servers.iter().filter(|s| senders.contains(&s.name));
        let addresses = senders.filter_map(|s| s.address.parse::<IpAddr>().ok());
        may_connect.extend(addresses.map(|a| a.to_string()));
    }
    let by_tls = fleet.cameras_of(server).filter(|c| fleet.by_tls(c)).map(|c| &c.name);
    let behind_tls = loopback::CAMERAS.addresses(by_tls.chain(senders), &identities.revocations);
    let publisher = |camera: &Camera, who: &Name| Publisher {
        stream: camera.stream.to_string(),
        tls: behind_tls.contains_key(who),
        address: match behind_tls.get(who) {
            Some(address) => Some(address.to_string()),
            None => camera.address.map(|a| a.to_string()),
        },
        keep: camera.recording.keep.map(|keep| keep.as_secs()),
        at_most: camera.recording.at_most.map(AmountView::from),
    };
    let own = fleet.cameras_of(server).map(|c| publisher(c, &c.name));
    let backups = fleet.backups_of(server).map(|c| publisher(c, &c.server));
    let cameras = own.chain(backups).collect();
    let certificate = |(name, address): (&&Name, &Ipv4Addr)| Certificate {
        name: name.to_string(),
        address: address.to_string(),
    };
    let certificates = behind_tls.iter().map(certificate).collect();
    Ok(ServerContext {
        paths,
        server: ServerView {
            name: server.name.to_string(),
            tls: server.tls,
            known_as: known_as(fleet, server),
            ipv6: fleet.has_ipv6(server),
            dynamic_modules: server.nginx == Nginx::Package,
            rtmps_port: server.rtmps_port,
            rtmp_port: server.rtmp_port,
            https: server.https.as_ref().map(|https| HttpsView::of(https, paths)),
            https_port: server.https_port,
            http_port: server.http_port,
            status_port: server.status_port,
            publish,
            may_connect: may_connect.into_iter().collect(),
            play: texts(&server.play),
            may_play: texts(&server.play)
                .into_iter()
                .chain(["127.0.0.1/32".to_owned()])
                .chain(fleet.has_ipv6(server).then(|| "::1/128".to_owned()))
                .collect(),
            recording: server.recording.as_ref().map(RecordingView::from),
            hls: server.hls.as_ref().map(|s| SegmentsView::hls(s, latency)),
            dash: server.dash.as_ref().map(|s| SegmentsView::dash(s, latency)),
        },
        certificates,
        cameras,
        players,
        players_network: loopback::VIEWERS.network,
        certificates_network: loopback::CAMERAS.network,
        door: has_door(fleet, server),
        restreams: restreams(fleet, server, secrets),
        viewers: viewers(fleet, server, secrets, &identities.logins)?,
        logins: !fleet.viewers.is_empty(),
    })
}
