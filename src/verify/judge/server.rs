//! What the server's agent saw: bytes that come in, strangers that stay out.

use super::Verdict;
use crate::model::{Camera, Fleet, Https, Server};
use crate::plan::{FRONT_UNIT, Paths, of_viewers};
use crate::told::days_left;
use crate::verify::front::{calls, known_as};
use pistream_agent::{Facts, Growth, OutsiderFacts, StreamFacts};

/// What the server told of the camera's stream.
///
/// # Errors
/// Nothing: the verdict that this is.
pub(super) fn stream<'a>(camera: &Camera, facts: &'a Facts) -> Result<&'a StreamFacts, Verdict> {
    let found = facts.streams.iter().find(|s| s.name == camera.stream.as_str());
    found.ok_or_else(|| Verdict::Broken("the server told nothing of this stream".into()))
}

/// What must get longer or newer, where it is wanted.
pub(super) fn grows(wanted: bool, name: &str, growth: Option<&Growth>) -> Verdict {
    match (wanted, growth) {
        (false, _) => Verdict::Skipped(format!("{name} is off in the inventory")),
        (true, Some(growth)) if growth.advanced => Verdict::Holds(growth.detail.clone()),
        (true, Some(growth)) => Verdict::Broken(format!("{}: {}", growth.what, growth.detail)),
        (true, None) => Verdict::Broken("was not looked at".into()),
    }
}

pub(super) fn recording(server: Option<&Server>, stream: &StreamFacts) -> Verdict {
    let wanted = server.is_some_and(|s| s.recording.is_some());
    grows(wanted, "recording", stream.recording.as_ref())
}

/// With TLS the server's statistics see the camera come from the loopback address that its certificate gave it.
pub(super) fn ingest(stream: &StreamFacts, tls: bool) -> Verdict {
    let Some(ingest) = &stream.ingest else {
        return Verdict::Broken("the server's statistics were not read".into());
    };
    if let Some(error) = &ingest.error {
        return Verdict::Broken(error.clone());
    }
    if !ingest.publishing {
        return Verdict::Broken("nobody publishes it on the server".into());
    }
    if ingest.bytes == 0 {
        let seconds = ingest.milliseconds as f64 / 1000.0;
        return Verdict::Broken(format!(
            "{} publishes, but no byte came in {seconds:.1} s",
            ingest.address
        ));
    }
    let rate = ingest.bytes as f64 * 8.0 / ingest.milliseconds.max(1) as f64;
    Verdict::Holds(match tls {
        true => format!("{rate:.0} kbit/s by its certificate"),
        false => format!("{rate:.0} kbit/s from {}", ingest.address),
    })
}

/// The page answers under the right certificate, and those alone who may see it.
pub(super) fn web(fleet: &Fleet, server: Option<&Server>, facts: &Facts, now: u64) -> Verdict {
    let Some((server, https)) = server.and_then(|s| s.https.as_ref().map(|https| (s, https))) else {
        return Verdict::Skipped("https is off in the inventory".into());
    };
    let mut words = Vec::new();
    for call in calls(fleet, server) {
        let Some(got) = facts.callers.iter().find(|caller| caller.with == call.with) else {
            return Verdict::Broken(format!("{}: was not tried", call.with));
        };
        match (got.status, call.lets_in()) {
            (None, _) => return Verdict::Broken(unanswered(server, https, &got.detail)),
            (Some(status), true) if status == call.must_get => words.push(format!("{} accepted", call.with)),
            (Some(status), false) if status == call.must_get => words.push(format!("{} refused", call.with)),
            (Some(status), true) => return Verdict::Broken(format!("{} REFUSED (status {status})", call.with)),
            (Some(200), false) => return Verdict::Broken(format!("{} ACCEPTED", call.with)),
            (Some(status), false) => return Verdict::Broken(format!("{}: status {status}", call.with)),
        }
    }
    if let Some(until) = facts.web_certificate_until {
        words.push(format!("certificate for {} days", days_left(until, now)));
    }
    Verdict::Holds(words.join(", "))
}

/// In openssl's words, but for what says that the certificate does not lead to the one in the user's file: then it is another.
fn unanswered(server: &Server, https: &Https, detail: &str) -> String {
    let leads_nowhere = [
        "issuer certificate",
        "self-signed certificate",
        "self signed certificate",
    ];
    match of_viewers(https, &Paths::host()) {
        Some([certificate, _]) if leads_nowhere.iter().any(|words| detail.contains(words)) => format!(
            "the server shows another certificate than {certificate}: `systemctl reload {FRONT_UNIT}` there takes a new one"
        ),
        _ => format!(
            "no answer under a certificate that is good for {}: {detail}",
            known_as(server)
        ),
    }
}

pub(super) fn outsiders(facts: &Facts) -> Verdict {
    let none = OutsiderFacts {
        detail: "every address of the server may publish and play: nobody is outside".into(),
        ..OutsiderFacts::default()
    };
    let outsider = facts.outsider.as_ref().unwrap_or(&none);
    let say = |what: &str, refused: Option<bool>| {
        refused.map(|r| (r, format!("{what} {}", if r { "refused" } else { "ALLOWED" })))
    };
    let by_address = [
        say("publishing", outsider.publish_refused),
        say("playing", outsider.play_refused),
    ];
    let by_certificate = facts.impostors.iter().map(|i| say(&i.with, i.refused));
    let tried: Vec<(bool, String)> = by_address.into_iter().chain(by_certificate).flatten().collect();
    if let Some(undecided) = facts.impostors.iter().find(|i| i.refused.is_none()) {
        return Verdict::Broken(format!("{}: {}", undecided.with, undecided.detail));
    }
    let words = tried
        .iter()
        .map(|(_, words)| words.as_str())
        .collect::<Vec<&str>>()
        .join(", ");
    match tried.iter().all(|(refused, _)| *refused) {
        true if tried.is_empty() => Verdict::Skipped(outsider.detail.clone()),
        true => Verdict::Holds(words),
        false => Verdict::Broken(format!("{words}: {}", outsider.detail)),
    }
}
