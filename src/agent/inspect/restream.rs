//! Why a restream target gets nothing: what nginx's proxy in front of it said last, from the server's journal. Reads; judges
//! nothing.

use crate::command;
use std::collections::BTreeMap;
use std::time::Duration;

/// A push that ended is tried again after 5 s, a black hole is given up after 10 s, a target that goes mute after 30 s.
const SINCE: &str = "-60s";

/// Tens of thousands of lines are read within a second.
const PATIENCE: Duration = Duration::from_secs(10);

/// The last words by socket ("restream-porch-1.sock"); empty where there is no journal.
pub(super) fn last_words(unit: &str) -> BTreeMap<String, String> {
    let arguments = ["-q", "-o", "cat", "--no-pager", "--since", SINCE, "-u", unit];
    let log = command::run("journalctl", &arguments, PATIENCE);
    parse(&log.unwrap_or_default())
}

/// `2026/01/31 14:00:00 [info] 7#7: *12 client unix: connected to unix:porch.sock`, then about `7#7: *12` whatever happened.
fn parse(log: &str) -> BTreeMap<String, String> {
    let mut sockets: BTreeMap<&str, &str> = BTreeMap::new();
    let mut last = BTreeMap::new();
    for line in log.lines() {
        let Some((connection, words)) = connection(line) else {
            continue;
        };
        if let Some(socket) = words.strip_prefix("client unix: connected to unix:") {
            sockets.insert(connection, socket);
        } else if let Some(socket) = sockets.get(connection) {
            let end = [", client: ", ", bytes "]
                .iter()
                .filter_map(|mark| words.find(mark))
                .min();
            let words = &words[..end.unwrap_or(words.len())];
            // how an attempt ended says more than that the next one has begun
            if !(words.starts_with("proxy ") && last.contains_key(*socket)) {
                last.insert((*socket).to_owned(), words.to_owned());
            }
        }
    }
    last
}

/// The worker's and the connection's number, and what is said of it.
fn connection(line: &str) -> Option<(&str, &str)> {
    let colon = line.find(": *")?;
    let begin = line[..colon].rfind(' ')? + 1;
    line[begin..]
        .match_indices(' ')
        .nth(1)
        .map(|(at, _)| (&line[begin..begin + at], &line[begin + at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of nginx 1.22.1, shortened.
    const LOG: &str = "\
2026/11/25 18:46:23 [info] 7#7: *12 client unix: connected to unix:restream-porch-1.sock
2026/11/25 18:46:23 [info] 7#7: *13 client unix: connected to unix:restream-porch-2.sock
2026/11/25 18:46:23 [info] 7#7: *1 client 10.0.0.1:50000 connected to 0.0.0.0:1936
2026/11/25 18:46:23 [info] 7#7: *12 proxy 10.0.0.1:51680 connected to 10.0.0.9:443
2026/11/25 18:46:23 [error] 7#7: *13 connect() failed (111: Connection refused) while connecting to upstream, client: \
unix:, server: unix:restream-porch-2.sock, upstream: \"10.0.0.9:1\", bytes from/to client:0/0
2026/11/25 18:46:23 [info] 7#7: *12 upstream disconnected, bytes from/to client:3362/3365, bytes from/to upstream:3365/3362
2026/11/25 18:46:24 [notice] 6#6: signal 1 (SIGHUP) received, reconfiguring
2026/11/25 18:46:26 [info] 8#8: *13 client unix: connected to unix:restream-porch-1.sock
2026/11/25 18:46:26 [info] 8#8: *13 proxy 10.0.0.1:51682 connected to 10.0.0.9:443
";

    #[test]
    fn each_targets_last_words() {
        let words = parse(LOG);
        assert_eq!(words.len(), 2);
        assert_eq!(words["restream-porch-1.sock"], "upstream disconnected");
        assert_eq!(
            words["restream-porch-2.sock"],
            "connect() failed (111: Connection refused) while connecting to upstream"
        );
    }
}
