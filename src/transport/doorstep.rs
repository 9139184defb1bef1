//! How many logins of ours are under way at one server: sshd does not take any number.
//!
//! Hosts behind one jump host all go through its door, each with a connection of its own. While ten connections have not logged in
//! yet, sshd drops three of ten new ones at random (sshd_config(5), MaxStartups 10:30:100), so a few go in at a time. One session for
//! all would need no queue, but there one host that nobody listens to holds up all others: the library delivers to the channels
//! of a session in turn. Knows no SSH library; connects nowhere.

use super::Error;
use super::effective::Settings;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Logins under way at one server at a time: sshd's ten, less some for who else comes.
const AT_A_TIME: usize = 6;

/// By where they are ([`Settings::place`]), for as long as the process lives: a fleet has a few hundred.
static DOORSTEPS: LazyLock<Mutex<HashMap<String, Arc<Doorstep>>>> = LazyLock::new(Mutex::default);

struct Doorstep {
    places: Arc<Semaphore>,
    closed: Mutex<Option<Closed>>,
}

/// Nobody answered there.
#[derive(Clone)]
struct Closed {
    since: Instant,
    /// What the user calls the server.
    alias: String,
    error: Error,
}

/// A place at the door of one server. To be given up once logged in, or turned away.
pub(super) struct Place {
    doorstep: Arc<Doorstep>,
    alias: String,
    // none where nobody counts: the semaphore is never closed
    _permit: Option<OwnedSemaphorePermit>,
}

/// Waits for a place at the door of this server, not of its jump hosts.
///
/// # Errors
/// What somebody else found meanwhile, if nobody answers there: hundreds need not find out one after the other.
pub(super) async fn enter(settings: &Settings) -> Result<Place, Error> {
    enter_at(settings.place(), settings).await
}

async fn enter_at(place: String, settings: &Settings) -> Result<Place, Error> {
    let doorstep = doorstep(place);
    let came = Instant::now();
    let permit = Arc::clone(&doorstep.places).acquire_owned().await.ok();
    let closed = lock(&doorstep.closed).clone();
    match closed.filter(|closed| closed.since >= came && closed.alias == settings.alias) {
        Some(closed) => Err(closed.error),
        None => Ok(Place {
            doorstep,
            alias: settings.alias.clone(),
            _permit: permit,
        }),
    }
}

/// Waits for a place at every door on the way to this server and at its own, for who passes them in one go. Always from the
/// outside inwards, so that no two wait for each other.
///
/// # Errors
/// As [`enter`].
pub(super) async fn enter_all(settings: &Settings) -> Result<Vec<Place>, Error> {
    let mut places = match (&settings.jump, &settings.proxy_command) {
        (Some(jump), _) => Box::pin(enter_all(jump)).await?,
        // whatever it goes through, hosts that name the same command go through the same
        (None, Some(command)) => vec![enter_at(format!("by {command}"), settings).await?],
        (None, None) => Vec::new(),
    };
    places.push(enter(settings).await?);
    Ok(places)
}

impl Place {
    /// Tells those who wait that nobody answers here, if that is what went wrong. A server that answered and turned us away may
    /// take the next.
    pub(super) fn close(&self, error: &Error) {
        if !error.nobody_there() {
            return;
        }
        *lock(&self.doorstep.closed) = Some(Closed {
            since: Instant::now(),
            alias: self.alias.clone(),
            error: error.clone(),
        });
    }
}

fn doorstep(place: String) -> Arc<Doorstep> {
    let new = || {
        Arc::new(Doorstep {
            places: Arc::new(Semaphore::new(AT_A_TIME)),
            closed: Mutex::new(None),
        })
    };
    Arc::clone(lock(&DOORSTEPS).entry(place).or_insert_with(new))
}

/// Nothing panics while it holds one of these; what is in there is whole in any case.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
