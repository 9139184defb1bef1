//! The status socket: every connection gets a greeting and the latest status, then is closed.

use crate::events;
use pistream_agent::{Event, Status};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// An answer fits into the socket's buffer, so a client that does not read costs at most this, once.
const PATIENCE: Duration = Duration::from_secs(1);

/// The latest status, written by the supervisor, read by the listener.
#[derive(Debug, Clone, Default)]
pub(super) struct Board(Arc<Mutex<Status>>);

impl Board {
    pub(super) fn post(&self, status: Status) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }

    fn latest(&self) -> Status {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum ListenError {
    #[error("{0}: another supervisor listens there already")]
    Taken(PathBuf),
    #[error("{0}: stands where the status socket should be and is none; it is left alone")]
    Foreign(PathBuf),
    #[error("{path}: cannot listen for status requests: {source}")]
    Bind { path: PathBuf, source: io::Error },
}

/// The bound socket; its file goes when this is dropped.
#[derive(Debug)]
pub(super) struct Listener {
    path: PathBuf,
}

impl Listener {
    /// Binds the socket (mode 0660), replacing one that nobody answers any more, and serves `board` from a thread.
    ///
    /// # Errors
    /// [`ListenError`]: somebody else's socket or file is never taken away.
    pub(super) fn start(path: &Path, board: Board) -> Result<Listener, ListenError> {
        let failed = |source| ListenError::Bind {
            path: path.to_owned(),
            source,
        };
        match fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => return Err(ListenError::Foreign(path.to_owned())),
            Ok(_) if UnixStream::connect(path).is_ok() => return Err(ListenError::Taken(path.to_owned())),
            Ok(_) => fs::remove_file(path).map_err(failed)?,
            Err(_) => {}
        }
        // SAFETY: umask cannot fail; no other thread makes files now (none has been started that does).
        let before = unsafe { libc::umask(0o117) };
        let bound = UnixListener::bind(path);
        // SAFETY: as above.
        unsafe { libc::umask(before) };
        let socket = bound.map_err(failed)?;
        let listener = Listener { path: path.to_owned() };
        thread::Builder::new()
            .name("status".to_owned())
            .stack_size(128 << 10)
            .spawn(move || serve(&socket, &board))
            .map_err(failed)?;
        Ok(listener)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn serve(socket: &UnixListener, board: &Board) {
    for connection in socket.incoming() {
        match connection {
            Ok(connection) => {
                let _ = answer(connection, board);
            }
            // out of descriptors, say: do not spin on it
            Err(_) => thread::sleep(PATIENCE),
        }
    }
}

fn answer(mut connection: UnixStream, board: &Board) -> io::Result<()> {
    connection.set_write_timeout(Some(PATIENCE))?;
    let status = Event::Status {
        status: Box::new(board.latest()),
    };
    let answer = events::line(&events::greeting())? + &events::line(&status)?;
    connection.write_all(answer.as_bytes())
}
