//! Key files: reading them, and opening encrypted ones by a passphrase asked for on the terminal, once per file.

use super::super::Error;
use crate::secrets::Clear;
use crate::terminal::{self, Unanswered};
use ::russh::keys::ssh_key::{self, PrivateKey, PublicKey};
use ::russh::keys::{self, load_public_key};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};
use tokio::sync::Mutex;

/// One key file.
pub(super) enum Identity {
    Open(Arc<PrivateKey>),
    /// Encrypted: its public half, if that can be told without the passphrase.
    Encrypted(Option<PublicKey>),
}

/// Reads a key file. `None` if there is none: the default list names files that need not exist.
pub(super) fn read(file: &Path) -> Result<Option<Identity>, Error> {
    let unreadable = |cause: String| Error::IdentityUnreadable {
        file: file.to_owned(),
        cause,
    };
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(unreadable(e.to_string())),
    };
    // a public key alone stands for the private one that an agent holds
    if let Ok(public) = PublicKey::from_openssh(&text) {
        return Ok(Some(Identity::Encrypted(Some(public))));
    }
    match keys::decode_secret_key(&text, None) {
        Ok(key) => Ok(Some(Identity::Open(Arc::new(key)))),
        Err(keys::Error::KeyIsEncrypted | keys::Error::SshKey(ssh_key::Error::Encrypted)) => {
            Ok(Some(Identity::Encrypted(public_half(file, &text))))
        }
        Err(_) if text.contains("ENCRYPTED") => Ok(Some(Identity::Encrypted(public_half(file, &text)))),
        Err(e) => Err(unreadable(e.to_string())),
    }
}

/// OpenSSH's own format keeps the public half in clear; for others it stands in a file beside.
fn public_half(file: &Path, text: &str) -> Option<PublicKey> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".pub");
    let inside = PrivateKey::from_openssh(text).ok().map(|key| key.public_key().clone());
    inside.or_else(|| load_public_key(PathBuf::from(beside)).ok())
}

type Opened = HashMap<PathBuf, Result<Arc<PrivateKey>, Error>>;

/// Hundreds of hosts may share one key: it is asked for once, and the answer kept until the program ends.
static OPENED: LazyLock<RwLock<Opened>> = LazyLock::new(RwLock::default);

/// Held by the one host that asks, for all others.
static ASKING: Mutex<()> = Mutex::const_new(());

/// The encrypted key, or why it could not be opened; `None` before it was asked for.
pub(super) fn opened(file: &Path) -> Option<Result<Arc<PrivateKey>, Error>> {
    let opened = OPENED.read().unwrap_or_else(PoisonError::into_inner);
    opened.get(file).cloned()
}

/// Asks on the terminal for the passphrase of an encrypted key file, unless somebody has. Whoever types may take all day: no
/// connection must wait for it.
pub(super) async fn unlock(file: &Path) -> Result<Arc<PrivateKey>, Error> {
    let _turn = ASKING.lock().await;
    if let Some(known) = opened(file) {
        return known;
    }
    let asked = file.to_owned();
    let answer = tokio::task::spawn_blocking(move || ask(&asked))
        .await
        .unwrap_or_else(|_| Err(Error::PassphraseNeeded { file: file.to_owned() }));
    remember(file, answer.clone());
    answer
}

pub(super) fn remember(file: &Path, answer: Result<Arc<PrivateKey>, Error>) {
    let mut opened = OPENED.write().unwrap_or_else(PoisonError::into_inner);
    opened.insert(file.to_owned(), answer);
}

fn ask(file: &Path) -> Result<Arc<PrivateKey>, Error> {
    let question = format!("Passphrase for {}: ", file.display());
    terminal::ask_for(&question, |passphrase| open(file, &passphrase)).map_err(|unanswered| match unanswered {
        Unanswered::NoTerminal | Unanswered::Empty => Error::PassphraseNeeded { file: file.to_owned() },
        Unanswered::Wrong => Error::PassphraseWrong { file: file.to_owned() },
    })
}

pub(super) fn open(file: &Path, passphrase: &Clear) -> Option<Arc<PrivateKey>> {
    keys::load_secret_key(file, Some(passphrase.expose()))
        .ok()
        .map(Arc::new)
}
