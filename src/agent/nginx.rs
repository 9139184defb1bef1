//! One question to one of the server's nginx over a Unix socket, one answer. What either means is the asker's to know.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// nginx answers at once, or something is wrong with it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Statistics of three hundred streams have about 0.5 MB.
const LARGEST_ANSWER: u64 = 8 << 20;

/// The answer to `GET target`, with its head.
pub(crate) fn ask(socket: &str, target: &str) -> io::Result<String> {
    let mut socket = UnixStream::connect(Path::new(socket))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.write_all(format!("GET {target} HTTP/1.0\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    socket.take(LARGEST_ANSWER).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// 204 of "HTTP/1.1 204 No Content".
pub(crate) fn status(answer: &str) -> Option<u16> {
    answer.split(' ').nth(1)?.parse().ok()
}

/// What stands below the head.
pub(crate) fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}
