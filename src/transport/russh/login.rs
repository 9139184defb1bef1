//! Proving who the user is: key files, the agent's keys, the password, keyboard-interactive with the password.

use super::super::Error;
use super::super::effective::Settings;
use super::doorkeeper::Doorkeeper;
use super::identity::{self, Identity};
use crate::secrets::Clear;
use ::russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse};
use ::russh::keys::agent::client::AgentClient;
use ::russh::keys::ssh_key::public::KeyData;
use ::russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey};
use ::russh::{MethodKind, MethodSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::UnixStream;

/// A server asks a handful of questions, never so many.
const MAX_QUESTIONS: usize = 10;

type Agent = AgentClient<UnixStream>;

/// Logs in, in the order key files, agent, password, keyboard-interactive. Asks nobody: [`Error::PassphraseNeeded`] names a key
/// file that nobody was asked for, if nothing else opens.
pub(super) async fn login(
    handle: &mut Handle<Doorkeeper>,
    settings: &Settings,
    password: Option<&Clear>,
) -> Result<(), Error> {
    let login = Login {
        handle,
        settings,
        tried: Vec::new(),
        offered: Vec::new(),
        open: None,
        sealed: None,
        locked: None,
    };
    login.run(password).await
}

/// See [`super::locked`].
pub(super) async fn locked(settings: &Settings) -> Option<PathBuf> {
    let (_, held) = agent(settings).await;
    let locked = |file: &&PathBuf| matches!(identity::read(file), Ok(Some(key)) if is_locked(&key, &held));
    settings.identities.iter().find(locked).cloned()
}

/// Asks for the passphrases of the key files that come first on the way to this host: that they are needed is known without
/// knocking at a door, and sshd holds it against an address that it knocked and offered nothing (PerSourcePenalties).
pub(super) async fn unlock_first(settings: &Settings, password: Option<&Clear>) {
    if let Some(jump) = &settings.jump {
        Box::pin(unlock_first(jump, None)).await;
    }
    // with a password at hand nobody need be asked for a passphrase
    if password.is_some() {
        return;
    }
    let (_, held) = agent(settings).await;
    for file in &settings.identities {
        let Ok(Some(key)) = identity::read(file) else { continue };
        if !is_locked(&key, &held) || identity::unlock(file).await.is_ok() {
            return;
        }
    }
}

fn is_locked(key: &Identity, held: &[PublicKey]) -> bool {
    match key {
        Identity::Open(_) => false,
        Identity::Encrypted(None) => true,
        Identity::Encrypted(Some(public)) => !held.iter().any(|k| k.key_data() == public.key_data()),
    }
}

/// The agent and what it holds. One that does not answer holds nothing, as with ssh.
async fn agent(settings: &Settings) -> (Option<Agent>, Vec<PublicKey>) {
    let Some(socket) = &settings.agent else {
        return (None, Vec::new());
    };
    let Ok(mut agent) = AgentClient::connect_uds(socket).await else {
        return (None, Vec::new());
    };
    let identities = agent.request_identities().await.unwrap_or_default();
    let keys = identities
        .iter()
        .map(|identity| identity.public_key().into_owned())
        .collect();
    (Some(agent), keys)
}

struct Login<'a> {
    handle: &'a mut Handle<Doorkeeper>,
    settings: &'a Settings,
    /// Keys refused so far, as a person would name them.
    tried: Vec<String>,
    offered: Vec<KeyData>,
    /// What the server still accepts; `None` before it has said so.
    open: Option<MethodSet>,
    /// The first encrypted key that nobody was asked for.
    sealed: Option<Error>,
    /// Why an encrypted key that somebody was asked for could not be offered.
    locked: Option<Error>,
}

impl Login<'_> {
    async fn run(mut self, password: Option<&Clear>) -> Result<(), Error> {
        let (mut agent, in_agent) = agent(self.settings).await;
        for file in &self.settings.identities {
            if self.accepts(MethodKind::PublicKey) && self.file(file, agent.as_mut(), &in_agent, password).await? {
                return Ok(());
            }
        }
        if let Some(agent) = agent.as_mut().filter(|_| !self.settings.identities_only) {
            for key in &in_agent {
                if self.accepts(MethodKind::PublicKey) && self.by_agent(agent, key).await? {
                    return Ok(());
                }
            }
        }
        let Some(password) = password else {
            let (host, user) = (self.settings.alias.clone(), self.settings.user.clone());
            return Err(self.sealed.or(self.locked).unwrap_or(Error::KeyRefused {
                host,
                user,
                tried: self.tried,
            }));
        };
        if self.accepts(MethodKind::Password) && self.password(password).await? {
            return Ok(());
        }
        if self.accepts(MethodKind::KeyboardInteractive) && self.keyboard_interactive(password).await? {
            return Ok(());
        }
        Err(Error::PasswordRefused {
            host: self.settings.alias.clone(),
            user: self.settings.user.clone(),
        })
    }

    /// Offers a key file: by itself, or where it is encrypted by the agent that holds it, or by its passphrase.
    async fn file(
        &mut self,
        file: &Path,
        agent: Option<&mut Agent>,
        in_agent: &[PublicKey],
        password: Option<&Clear>,
    ) -> Result<bool, Error> {
        let key = match identity::read(file) {
            Ok(None) => return Ok(false),
            Ok(Some(Identity::Open(key))) => key,
            Ok(Some(Identity::Encrypted(public))) => {
                let held = public.and_then(|p| in_agent.iter().find(|k| k.key_data() == p.key_data()));
                if let (Some(agent), Some(held)) = (agent, held) {
                    return self.by_agent(agent, held).await;
                }
                // with a password at hand nobody need be asked for a passphrase
                if password.is_some() {
                    return Ok(false);
                }
                match identity::opened(file) {
                    Some(Ok(key)) => key,
                    Some(Err(e)) => {
                        self.locked.get_or_insert(e);
                        return Ok(false);
                    }
                    None => {
                        self.sealed
                            .get_or_insert(Error::PassphraseNeeded { file: file.to_owned() });
                        return Ok(false);
                    }
                }
            }
            // what the inventory names must be right; of the default list the other files may do
            Err(e) if self.settings.identities.len() == 1 => return Err(e),
            Err(_) => return Ok(false),
        };
        self.by_key(file, key).await
    }

    async fn by_key(&mut self, file: &Path, key: Arc<PrivateKey>) -> Result<bool, Error> {
        let public = key.public_key().clone();
        if !self.first_offer(&public) {
            return Ok(false);
        }
        let hash = self.hash_for(&public).await;
        let key = PrivateKeyWithHashAlg::new(key, hash);
        let answer = self
            .handle
            .authenticate_publickey(self.settings.user.as_str(), key)
            .await;
        self.note(answer.map_err(|_| self.cut_off())?, Some(file.display().to_string()))
    }

    async fn by_agent(&mut self, agent: &mut Agent, key: &PublicKey) -> Result<bool, Error> {
        if !self.first_offer(key) {
            return Ok(false);
        }
        let hash = self.hash_for(key).await;
        let user = self.settings.user.as_str();
        let name = format!("{} {} (agent)", key.algorithm(), key.fingerprint(HashAlg::Sha256));
        match self
            .handle
            .authenticate_publickey_with(user, key.clone(), hash, agent)
            .await
        {
            Ok(answer) => self.note(answer, Some(name)),
            // the agent would not sign: the next key may do
            Err(_) => {
                self.tried.push(name);
                Ok(false)
            }
        }
    }

    async fn password(&mut self, password: &Clear) -> Result<bool, Error> {
        let answer = self
            .handle
            .authenticate_password(self.settings.user.as_str(), password.expose())
            .await;
        self.note(answer.map_err(|_| self.cut_off())?, None)
    }

    /// Answers every hidden question with the password; PAM asks that way.
    async fn keyboard_interactive(&mut self, password: &Clear) -> Result<bool, Error> {
        let user = self.settings.user.as_str();
        let mut answer = self
            .handle
            .authenticate_keyboard_interactive_start(user, None::<String>)
            .await;
        for _ in 0..MAX_QUESTIONS {
            match answer.map_err(|_| self.cut_off())? {
                KeyboardInteractiveAuthResponse::Success => return Ok(true),
                KeyboardInteractiveAuthResponse::Failure { .. } => return Ok(false),
                KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => {
                    let secret = |echo: bool| {
                        if echo {
                            String::new()
                        } else {
                            password.expose().to_owned()
                        }
                    };
                    let answers = prompts.iter().map(|p| secret(p.echo)).collect();
                    answer = self.handle.authenticate_keyboard_interactive_respond(answers).await;
                }
            }
        }
        Ok(false)
    }

    fn accepts(&self, method: MethodKind) -> bool {
        self.open.as_ref().is_none_or(|open| open.contains(&method))
    }

    /// A key counts against the server's limit of attempts: none is offered twice.
    fn first_offer(&mut self, key: &PublicKey) -> bool {
        let new = !self.offered.contains(key.key_data());
        if new {
            self.offered.push(key.key_data().clone());
        }
        new
    }

    /// SHA-1 signatures of RSA keys are refused everywhere by now; which hash to use, the server says.
    async fn hash_for(&self, key: &PublicKey) -> Option<HashAlg> {
        if !key.algorithm().is_rsa() {
            return None;
        }
        self.handle
            .best_supported_rsa_hash()
            .await
            .ok()
            .flatten()
            .unwrap_or(Some(HashAlg::Sha512))
    }

    fn note(&mut self, answer: AuthResult, key: Option<String>) -> Result<bool, Error> {
        let AuthResult::Failure {
            remaining_methods,
            partial_success,
        } = answer
        else {
            return Ok(true);
        };
        if !partial_success {
            self.tried.extend(key);
        }
        // no method at all is how the library tells that the server hung up
        if remaining_methods.is_empty() {
            self.open = Some(MethodSet::empty());
        } else {
            self.open = Some(remaining_methods);
        }
        Ok(false)
    }

    fn cut_off(&self) -> Error {
        let (host, user) = (self.settings.alias.clone(), self.settings.user.clone());
        match self.tried.is_empty() {
            true => Error::Lost { host },
            false => Error::KeyRefused {
                host,
                user,
                tried: self.tried.clone(),
            },
        }
    }
}
