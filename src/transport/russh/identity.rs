//! Key files: reading them, and opening encrypted ones by a passphrase asked for on the terminal, once per file.

use super::super::Error;
use ::russh::keys::ssh_key::{self, PrivateKey, PublicKey};
use ::russh::keys::{self, load_public_key};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
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
static OPENED: LazyLock<Mutex<Opened>> = LazyLock::new(Mutex::default);

/// Opens an encrypted key file by asking on the terminal.
pub(super) async fn unlock(file: &Path) -> Result<Arc<PrivateKey>, Error> {
    let mut opened = OPENED.lock().await;
    if let Some(known) = opened.get(file) {
        return known.clone();
    }
    let asked = file.to_owned();
    let answer = tokio::task::spawn_blocking(move || ask(&asked))
        .await
        .unwrap_or_else(|_| Err(Error::PassphraseNeeded { file: file.to_owned() }));
    opened.insert(file.to_owned(), answer.clone());
    answer
}

fn ask(file: &Path) -> Result<Arc<PrivateKey>, Error> {
    let needed = || Error::PassphraseNeeded { file: file.to_owned() };
    let passphrase =
        rpassword::prompt_password(format!("Passphrase for {}: ", file.display())).map_err(|_| needed())?;
    match keys::load_secret_key(file, Some(&passphrase)) {
        Ok(key) => Ok(Arc::new(key)),
        Err(_) => Err(Error::PassphraseWrong { file: file.to_owned() }),
    }
}
