//! What became of each restream target, in words that tell its owner what to do.

use super::Verdict;
use crate::model::{Camera, Destination, Restream};
use pistream_agent::{RestreamFacts, StreamFacts};

pub(super) fn restream(camera: &Camera, stream: &StreamFacts) -> Verdict {
    if camera.restream.is_empty() {
        return Verdict::Skipped("no target in the inventory".into());
    }
    if camera.restream.len() != stream.restreams.len() {
        return Verdict::Broken("was not looked at".into());
    }
    let targets = || camera.restream.iter().zip(&stream.restreams);
    let told: Vec<String> = targets()
        .map(|(target, facts)| format!("{}: {}", whom(target), state(facts)))
        .collect();
    let told = told.join("; ");
    match targets().all(|(_, facts)| facts.connected) {
        true => Verdict::Holds(told),
        false => Verdict::Broken(told),
    }
}

/// The target by its host, which says enough and never the key.
fn whom(target: &Restream) -> &str {
    match &target.to {
        Destination::Url(url) => &url.host,
        Destination::Server(name) => name.as_str(),
    }
}

/// What nginx's words mean. They are those of its stream proxy, whose messages have stayed the same since 1.9.
fn state(facts: &RestreamFacts) -> String {
    let said = match &facts.last {
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
        let mut camera = fleet(1).cameras.remove(0);
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
        let verdict = |facts: Vec<RestreamFacts>| {
            let stream = StreamFacts {
                restreams: facts,
                ..StreamFacts::default()
            };
            restream(&camera, &stream)
        };
        assert_eq!(
            verdict(vec![connected(true), connected(true)]),
            Verdict::Holds("live.example.net: ok; attic: ok".into())
        );
        let Verdict::Broken(why) = verdict(vec![connected(false), connected(true)]) else {
            panic!("holds")
        };
        assert!(
            why.starts_with("live.example.net: not reached") && why.ends_with("; attic: ok"),
            "{why}"
        );
        assert!(matches!(verdict(vec![connected(true)]), Verdict::Broken(_)));
    }
}
