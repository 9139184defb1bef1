//! What became of each restream target, in words that tell its owner what to do: whether it is reached, and of a server of
//! the same inventory whether the stream is live there.

use super::{Link, Verdict, picture, server};
use crate::model::{Camera, Destination, Fleet, Name, Restream};
use crate::verify::Evidence;
use pistream_agent::{RestreamFacts, StreamFacts};

pub(super) fn restream(fleet: &Fleet, camera: &Camera, stream: &StreamFacts, evidence: &Evidence) -> Verdict {
    if camera.restream.is_empty() {
        return Verdict::Skipped("no target in the inventory".into());
    }
    if camera.restream.len() != stream.restreams.len() {
        return Verdict::Broken("was not looked at".into());
    }
    let told = camera.restream.iter().zip(&stream.restreams).map(|(target, facts)| {
        let state = match (&target.to, facts.connected) {
            (_, false) => Err(state(facts)),
            (Destination::Url(_), true) => Ok(state(facts)),
            (Destination::Server(backup), true) => arrives(fleet, camera, backup, evidence),
        };
        let (Ok(words) | Err(words)) = &state;
        (state.is_ok(), format!("{}: {words}", whom(target)))
    });
    let told: Vec<(bool, String)> = told.collect();
    let words: Vec<&str> = told.iter().map(|(_, words)| words.as_str()).collect();
    match told.iter().all(|(holds, _)| *holds) {
        true => Verdict::Holds(words.join("; ")),
        false => Verdict::Broken(words.join("; ")),
    }
}

/// Whether the stream is live on another server of the fleet that gets it, is kept there if that one keeps recordings, and
/// can be seen there by those who may.
///
/// # Errors
/// The first link that is broken there.
fn arrives(fleet: &Fleet, camera: &Camera, backup: &Name, evidence: &Evidence) -> Result<String, String> {
    let facts = match evidence.facts.get(backup) {
        Some(Ok(facts)) => facts,
        Some(Err(why)) => return Err(format!("passed on, but what arrives is not known: {why}")),
        None => return Err("passed on, but it was not asked".into()),
    };
    let backup = fleet.server(backup);
    let links = match server::stream(camera, facts) {
        Err(broken) => vec![(Link::Ingest, broken)],
        Ok(stream) => vec![
            (Link::Ingest, server::ingest(stream, true)),
            (Link::Decode, picture::decode(stream.decoded.as_ref())),
            (Link::Recording, server::recording(backup, stream)),
            (Link::Web, server::web(fleet, backup, facts, evidence.now)),
        ],
    };
    let mut words = Vec::new();
    for (link, verdict) in links {
        match verdict {
            Verdict::Broken(why) => return Err(format!("passed on, but there {}: {why}", link.word())),
            Verdict::Holds(told) if matches!(link, Link::Ingest | Link::Decode) => words.push(told),
            Verdict::Holds(_) if link == Link::Recording => words.push("recorded".into()),
            _ => {}
        }
    }
    Ok(format!("ok, there {}", words.join(", ")))
}

/// Each target, how it is in words, and whether it is connected.
pub fn restream_states<'a>(camera: &'a Camera, stream: &StreamFacts) -> Vec<(&'a str, String, bool)> {
    let targets = camera.restream.iter().zip(&stream.restreams);
    targets
        .map(|(target, facts)| (whom(target), state(facts), facts.connected))
        .collect()
}

/// The target by its host, which says enough and never the key.
fn whom(target: &Restream) -> &str {
    match &target.to {
        Destination::Url(url) => &url.host,
        Destination::Server(name) => name.as_str(),
    }
}

/// How the way to the target is; where it is not connected, what nginx's words about that mean. They are those of its stream
/// proxy, whose messages have stayed the same since 1.9.
fn state(facts: &RestreamFacts) -> String {
    let said = match &facts.last {
        // whatever was said before
        _ if facts.connected => return "ok".into(),
        None => return "not reached, and the server's journal does not say why".into(),
        // "... while connecting to upstream"
        Some(said) => said.split(" while ").next().unwrap_or_default(),
    };
    if let Some(why) = said.strip_prefix("upstream SSL certificate ") {
        return format!("certificate refused: {why}");
    }
    match said {
        "upstream disconnected" | "client disconnected" => {
            "publish refused: it ended the connection (its key or application, or somebody else streams there)".into()
        }
        _ if said.starts_with("recv() failed") => format!("publish refused: {}", cause(said)),
        _ if said.starts_with("proxy ") => "not reached: it answers, but takes no stream".into(),
        _ if said.starts_with("upstream timed out") => "not reached: it does not answer".into(),
        _ => format!("not reached: {}", cause(said)),
    }
}

/// "Connection refused" of "connect() failed (111: Connection refused)"; else all of it.
fn cause(said: &str) -> &str {
    let in_brackets = said
        .split_once("() failed (")
        .and_then(|(_, rest)| rest.split_once(": "));
    in_brackets
        .and_then(|(_, cause)| cause.strip_suffix(')'))
        .unwrap_or(said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Target;
    use crate::model::samples::{fleet, name};
    use pistream_agent::{CallerFacts, Decoded, Facts, Growth, Ingest};

    fn said(last: &str) -> String {
        state(&RestreamFacts {
            connected: false,
            last: Some(last.into()),
        })
    }

    #[test]
    fn nginxs_words_are_told_in_ours() {
        for (nginx, ours) in [
            (
                "connect() failed (111: Connection refused) while connecting to upstream",
                "not reached: Connection refused",
            ),
            (
                "upstream timed out (110: Connection timed out) while connecting to upstream",
                "not reached: it does not answer",
            ),
            (
                "twitch.example could not be resolved (3: Host not found)",
                "not reached: twitch.example could not be resolved (3: Host not found)",
            ),
            (
                "upstream SSL certificate does not match \"a.example\" while SSL handshaking to upstream",
                "certificate refused: does not match \"a.example\"",
            ),
            (
                "upstream SSL certificate verify error: (18:self-signed certificate) while SSL handshaking to upstream",
                "certificate refused: verify error: (18:self-signed certificate)",
            ),
            (
                "proxy 10.0.0.1:5 connected to 10.0.0.2:443",
                "not reached: it answers, but takes no stream",
            ),
        ] {
            assert_eq!(said(nginx), ours);
        }
        assert!(said("upstream disconnected").starts_with("publish refused: it ended"));
        assert_eq!(
            said("recv() failed (104: Connection reset by peer) while proxying and reading from upstream"),
            "publish refused: Connection reset by peer"
        );
    }

    #[test]
    fn every_target_is_named_and_one_that_is_dead_breaks_the_link() {
        let mut fleet = fleet(1);
        let mut camera = fleet.cameras.remove(0);
        let mut attic = fleet.servers[0].clone();
        attic.name = name("attic");
        fleet.servers.push(attic);
        let target = |to| Restream { to, key: None };
        let url = Target {
            tls: true,
            host: "live.example.net".into(),
            port: 443,
            app: "app".into(),
            ca: None,
        };
        camera.restream = vec![
            target(Destination::Url(url)),
            target(Destination::Server(name("attic"))),
        ];
        let connected = |connected| RestreamFacts { connected, last: None };
        let arrived = |change: &dyn Fn(&mut StreamFacts)| {
            let grown = Growth {
                advanced: true,
                ..Growth::default()
            };
            let mut stream = StreamFacts {
                name: "cam1".into(),
                ingest: Some(Ingest {
                    publishing: true,
                    bytes: 31_250,
                    milliseconds: 1000,
                    ..Ingest::default()
                }),
                decoded: Some(Decoded {
                    frames: 75,
                    codec: "h264".into(),
                    ..Decoded::default()
                }),
                recording: Some(grown),
                ..StreamFacts::default()
            };
            change(&mut stream);
            Facts {
                streams: vec![stream],
                callers: vec![CallerFacts {
                    with: "an address that may play".into(),
                    status: Some(200),
                    ..CallerFacts::default()
                }],
                ..Facts::default()
            }
        };
        let verdict = |facts: Vec<RestreamFacts>, there: Result<Facts, String>| {
            let stream = StreamFacts {
                restreams: facts,
                ..StreamFacts::default()
            };
            let evidence = Evidence {
                facts: [(name("attic"), there)].into(),
                ..Evidence::default()
            };
            restream(&fleet, &camera, &stream, &evidence)
        };
        let all_well = || Ok(arrived(&|_| {}));
        assert_eq!(
            verdict(vec![connected(true), connected(true)], all_well()),
            Verdict::Holds(
                "live.example.net: ok; attic: ok, there 250 kbit/s by its certificate, 75 frames of h264, recorded"
                    .into()
            )
        );
        let broken = |facts, there| match verdict(facts, there) {
            Verdict::Broken(why) => why,
            other => panic!("{other:?}"),
        };
        let why = broken(vec![connected(false), connected(true)], all_well());
        assert!(
            why.starts_with("live.example.net: not reached") && why.contains("; attic: ok, there"),
            "{why}"
        );
        broken(vec![connected(true)], all_well());
        // it is connected: what becomes of the stream there is another matter
        let there = |there| broken(vec![connected(true), connected(true)], there);
        let spoilt = |change: &dyn Fn(&mut StreamFacts)| there(Ok(arrived(change)));
        assert!(there(Err("no route".into())).ends_with("attic: passed on, but what arrives is not known: no route"));
        assert!(spoilt(&|s| s.ingest = None).contains("attic: passed on, but there ingest: "));
        assert!(spoilt(&|s| s.decoded = None).contains("there decode: nothing was decoded"));
        assert!(spoilt(&|s| s.recording = None).contains("there recording: was not looked at"));
        let mut unseen = arrived(&|_| {});
        unseen.callers.clear();
        assert!(there(Ok(unseen)).contains("there web: an address that may play: was not tried"));
    }
}
