//! What certificates and the clock have to do with a stream that broke: ffmpeg says that it was refused, not why.

use crate::identity::date;
use pistream_agent::Cause;
use std::time::SystemTime;

/// The cause and its words, with what the camera's own certificate (`until`: seconds since 1970) and its clock tell.
pub(super) fn explain(cause: Cause, message: String, until: Option<u64>) -> (Cause, String) {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |d| d.as_secs());
    judge(cause, message, until, now)
}

fn judge(cause: Cause, message: String, until: Option<u64>, now: u64) -> (Cause, String) {
    let Some(until) = until.filter(|_| matches!(cause, Cause::Certificate | Cause::ServerRefused)) else {
        return (cause, message);
    };
    let why = if now >= until {
        format!("this camera's certificate ended on {}: deploy", date(until))
    } else if cause == Cause::Certificate {
        "the server's certificate is another fleet's, is for another address, or has ended".to_owned()
    } else if message.contains("Cannot read RTMP handshake response") {
        "does the server know this camera's certificate, and is it not revoked?".to_owned()
    } else {
        return (cause, message);
    };
    (
        Cause::Certificate,
        format!("{message}; {why} (this camera's clock says {})", date(now)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNTIL: u64 = 1_800_000_000;
    const SHUT: &str = "rtmps: Cannot read RTMP handshake response";

    fn told(cause: Cause, message: &str, now: u64) -> (Cause, String) {
        judge(cause, message.to_owned(), Some(UNTIL), now)
    }

    #[test]
    fn an_expired_certificate_is_the_cause_of_a_refusal() {
        let (cause, words) = told(Cause::ServerRefused, SHUT, UNTIL);
        assert_eq!(cause, Cause::Certificate);
        assert!(words.contains("ended on 2027-01-15"), "{words}");
    }

    #[test]
    fn a_server_that_shuts_the_door_without_a_word_may_not_know_the_certificate() {
        let (cause, words) = told(Cause::ServerRefused, SHUT, UNTIL - 86_400);
        assert_eq!(cause, Cause::Certificate);
        assert!(words.contains("revoked") && words.contains("2027-01-14"), "{words}");
    }

    #[test]
    fn what_is_no_matter_of_certificates_stays_as_it_is() {
        let taken = "rtmps: Server error: Already publishing";
        assert_eq!(
            told(Cause::ServerRefused, taken, 0),
            (Cause::ServerRefused, taken.to_owned())
        );
        assert_eq!(told(Cause::Network, SHUT, UNTIL), (Cause::Network, SHUT.to_owned()));
        let plain = judge(Cause::ServerRefused, SHUT.to_owned(), None, UNTIL);
        assert_eq!(plain, (Cause::ServerRefused, SHUT.to_owned()));
    }
}
