//! Calls at the viewers' HTTPS side as a careful browser would: through `openssl s_client`, which speaks the TLS that the
//! agent does not have. What opens the door travels on its stdin, never in its arguments.

use super::ffmpeg::wait;
use super::outsider::PATIENCE;
use crate::posix;
use pistream_agent::{Caller, CallerFacts, Front};
use std::io::{Read, Write};
use std::net::IpAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const OPENSSL: &str = "openssl";

/// An answer to HEAD is shorter. Bytes.
const LARGEST_ANSWER: u64 = 16 << 10;

pub(super) fn call(front: &Front, timeout: Duration) -> Vec<CallerFacts> {
    let deadline = Instant::now() + timeout;
    let callers = front.callers.iter();
    callers
        .map(|caller| {
            let (status, detail) = match answer(front, caller, deadline.min(Instant::now() + PATIENCE)) {
                Ok(status) => (Some(status), String::new()),
                Err(why) => (None, why),
            };
            CallerFacts {
                with: caller.with.clone(),
                status,
                detail,
            }
        })
        .collect()
}

/// HTTP's status, or why there is none.
fn answer(front: &Front, caller: &Caller, deadline: Instant) -> Result<u16, String> {
    let mut command = Command::new(OPENSSL);
    command.args(["s_client", "-quiet", "-verify_return_error", "-partial_chain"]);
    command.args([
        "-no-CApath",
        "-no-CAstore",
        "-CAfile",
        &front.trust,
        "-connect",
        &caller.to,
    ]);
    match front.name.parse::<IpAddr>() {
        Ok(_) => command.args(["-noservername", "-verify_ip", &front.name]),
        Err(_) => command.args(["-servername", &front.name, "-verify_hostname", &front.name]),
    };
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    posix::die_with_parent(&mut command);
    let mut child = command.spawn().map_err(|e| format!("start {OPENSSL}: {e}"))?;
    let (to, from, words) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let authorization = caller.authorization.iter().map(|a| format!("Authorization: {a}\r\n"));
    let authorization: String = authorization.collect();
    let request = format!("HEAD /cameras.json HTTP/1.0\r\n{authorization}\r\n");
    // whoever does not listen says why on stderr
    let _ = to.map(|mut to| to.write_all(request.as_bytes()));
    // neither fills its pipe: the answer is a header, and the words are few
    let ended = wait(&mut child, deadline, || false);
    if let Some(status) = from.map(text).as_deref().and_then(status) {
        return Ok(status);
    }
    let words = words.map(text).unwrap_or_default();
    Err(match ended {
        None => "no answer".to_owned(),
        Some(_) => reason(&words).to_owned(),
    })
}

fn text(from: impl Read) -> String {
    let mut bytes = Vec::new();
    // what came before an error counts
    let _ = from.take(LARGEST_ANSWER).read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// 401 of "HTTP/1.1 401 Unauthorized".
fn status(answer: &str) -> Option<u16> {
    answer.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()
}

/// The line that tells what was wrong: with the certificate, else with the connection.
fn reason(words: &str) -> &str {
    let lines = || words.lines().map(str::trim);
    let verified = lines()
        .find_map(|line| line.split_once("verify error:"))
        .map(|(_, why)| why);
    let verified = verified.map(|why| why.split_once(':').map_or(why, |(_, why)| why));
    let other = || lines().find(|line| line.contains("errno=") || line.contains("error:"));
    verified.or_else(other).unwrap_or("no answer")
}

#[cfg(test)]
mod tests {
    use super::{reason, status};

    #[test]
    fn the_first_line_of_an_answer() {
        assert_eq!(status("HTTP/1.1 401 Unauthorized\r\nServer: nginx\r\n"), Some(401));
        assert_eq!(status(""), None);
        assert_eq!(status("HTTP/1.1"), None);
    }

    // as OpenSSL 3.0 says it
    #[test]
    fn what_openssl_complains_of() {
        let expired = "depth=0 CN = hub\nverify error:num=10:certificate has expired\nnotAfter=Jan  1 00:00:00 2026 GMT\n\
                       80ABF:error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed";
        assert_eq!(reason(expired), "certificate has expired");
        let dead = "40E7:error:8000006F:system library:BIO_connect:Connection refused\nconnect:errno=111";
        assert!(reason(dead).contains("Connection refused"));
        assert_eq!(reason(""), "no answer");
    }
}
