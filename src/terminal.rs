//! The one terminal: what moves on it, and the questions for secrets, never both at a time.
//!
//! Whoever draws adds its lines here; whoever asks makes them stand aside. Knows nothing of what is drawn or asked for.

use crate::secrets::Clear;
use indicatif::MultiProgress;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, MutexGuard, Once, PoisonError};
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};

/// What a shell says of a program that Ctrl-C ended: 128 and the signal's number.
const INTERRUPTED: i32 = 130;

/// Answers to one question before it is given up, as with ssh.
const ATTEMPTS: usize = 3;

static LINES: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Held while a question is open.
static QUESTION: Mutex<()> = Mutex::new(());

/// Goes when Ctrl-C ends pistream.
static UNFINISHED: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Why a question brought nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    NoTerminal,
    /// Nothing was typed.
    Empty,
    /// Whatever was typed was wrong.
    Wrong,
}

/// The lines that move.
pub fn lines() -> &'static MultiProgress {
    &LINES
}

/// A file that is worth nothing before its command is done. Of use where a question was asked: from then on Ctrl-C ends pistream
/// here, whatever else waits for it.
pub fn unfinished(path: PathBuf) {
    *UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner) = Some(path);
}

/// Asks for a secret, which does not show while it is typed. Ctrl-C ends pistream. Blocks, and with it whoever draws.
///
/// # Errors
/// [`Unanswered::NoTerminal`], [`Unanswered::Empty`].
pub fn ask(question: &str) -> Result<Clear, Unanswered> {
    ask_for(question, Some)
}

/// As [`ask`], until `open` can do something with what was typed, three times at most.
///
/// # Errors
/// [`Unanswered`].
pub fn ask_for<T>(question: &str, open: impl Fn(Clear) -> Option<T>) -> Result<T, Unanswered> {
    end_by_interrupts();
    let _open = question_lock();
    LINES.suspend(|| {
        for _ in 0..ATTEMPTS {
            match open(typed(question)?) {
                Some(opened) => return Ok(opened),
                None => drop(writeln!(std::io::stderr(), "That is not it.")),
            }
        }
        Err(Unanswered::Wrong)
    })
}

fn typed(question: &str) -> Result<Clear, Unanswered> {
    match rpassword::prompt_password(question) {
        Ok(typed) if typed.is_empty() => Err(Unanswered::Empty),
        Ok(typed) => Ok(Clear::new(typed)),
        // the terminal is as it was by now
        Err(e) if e.kind() == ErrorKind::Interrupted => end(),
        // Ctrl-D
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => Err(Unanswered::Empty),
        Err(_) => Err(Unanswered::NoTerminal),
    }
}

/// While it asks, the crate takes Ctrl-C for a character, and raises the signal before it has put the terminal back: the signal
/// must not end us there and then. From the first question on it is caught, and ends pistream when no question is open.
fn end_by_interrupts() {
    static CAUGHT: Once = Once::new();
    CAUGHT.call_once(|| {
        // every command that asks runs in a runtime
        let Ok(runtime) = Handle::try_current() else { return };
        let Ok(mut interrupts) = signal(SignalKind::interrupt()) else {
            return;
        };
        runtime.spawn(async move {
            interrupts.recv().await;
            // not in an async thread: the question may stay open
            tokio::task::spawn_blocking(end_between_questions);
        });
    });
}

fn end_between_questions() {
    let _none_open = question_lock();
    end()
}

fn end() -> ! {
    if let Some(path) = &*UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner) {
        // gone already, or to stay: there is no time left to tell
        let _ = std::fs::remove_file(path);
    }
    std::process::exit(INTERRUPTED);
}

fn question_lock() -> MutexGuard<'static, ()> {
    QUESTION.lock().unwrap_or_else(PoisonError::into_inner)
}
