//! nginx-rtmp told to stop and to resume recording a stream, over a Unix socket that only pistream's user can reach.
//!
//! Of a stream that nobody publishes, or that is as it should be, nginx answers 204 and does nothing. `stop` must not be said
//! of a stream whose last write failed (`recorder` says why).

use crate::nginx;
use std::io;

#[derive(Debug, thiserror::Error)]
pub(super) enum ControlError {
    #[error("nginx's control socket {path}: {source}")]
    Ask { path: String, source: io::Error },
    #[error("nginx's control socket {path} answers {answer:?} instead of 200 or 204")]
    Answer { path: String, answer: String },
}

/// Where nginx listens.
pub(super) struct Control {
    path: String,
}

impl Control {
    pub(super) fn new(path: &str) -> Control {
        Control { path: path.to_owned() }
    }

    /// Ends the recording of this stream. True if there was one.
    pub(super) fn stop(&self, stream: &str) -> Result<bool, ControlError> {
        self.say("stop", stream)
    }

    /// Begins a recording of this stream at its next key frame. True if it was published and not recorded.
    pub(super) fn start(&self, stream: &str) -> Result<bool, ControlError> {
        self.say("start", stream)
    }

    fn say(&self, word: &str, stream: &str) -> Result<bool, ControlError> {
        // a stream's name is a-z, 0-9 and `-`: it needs no escape
        let target = format!("/control/record/{word}?app=live&name={stream}");
        let answer = nginx::ask(&self.path, &target).map_err(|source| ControlError::Ask {
            path: self.path.clone(),
            source,
        })?;
        match nginx::status(&answer) {
            Some(200) => Ok(true),
            Some(204) => Ok(false),
            _ => Err(ControlError::Answer {
                path: self.path.clone(),
                answer: answer.lines().next().unwrap_or_default().chars().take(80).collect(),
            }),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixListener;

    #[test]
    fn the_answer_tells_whether_anything_happened() {
        let path = std::env::temp_dir().join(format!("pistream-control-{}", std::process::id()));
        let listener = UnixListener::bind(&path).unwrap();
        let answers = ["200 OK", "204 No Content", "404 Not Found"];
        let server = std::thread::spawn(move || {
            answers.map(|answer| {
                let (mut socket, _) = listener.accept().unwrap();
                let mut asked = [0; 256];
                let length = socket.read(&mut asked).unwrap();
                socket
                    .write_all(format!("HTTP/1.1 {answer}\r\n\r\n").as_bytes())
                    .unwrap();
                String::from_utf8_lossy(&asked[..length]).into_owned()
            })
        });
        let control = Control::new(path.to_str().unwrap());
        assert!(control.start("porch").unwrap());
        assert!(!control.stop("porch").unwrap());
        let wrong = control.stop("porch").unwrap_err().to_string();
        assert!(wrong.contains("404 Not Found"), "{wrong}");
        let asked = server.join().unwrap();
        assert_eq!(
            asked[0],
            "GET /control/record/start?app=live&name=porch HTTP/1.0\r\n\r\n"
        );
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(control.stop("porch"), Err(ControlError::Ask { .. })));
    }
}
