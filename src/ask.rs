//! One question to the agent of one host, and its answer. What is asked and what the answer means is for the commands.

use crate::model::Ssh;
use crate::remote::{self, Keep, Verb};
use crate::report::{describe, with_help};
use crate::transport::{self, Credentials};
use pistream_agent::Event;
use serde::Serialize;
use tokio::sync::Semaphore;

/// Hosts worked on at a time, unless the user says otherwise: by the commands that ask only, and by a deploy.
pub const HOSTS_AT_A_TIME: u16 = 32;

/// For all questions of this process: each host costs a connection, a login and a share of what comes back.
static PLACES: Semaphore = Semaphore::const_new(HOSTS_AT_A_TIME as usize);

/// The last event of a conversation that leaves nothing on the host.
///
/// # Errors
/// Why there was none, in words, with what to do about it.
pub async fn ask<R: Serialize + Sync>(
    ssh: &Ssh,
    credentials: &Credentials,
    verb: Verb,
    request: Option<&R>,
) -> Result<Event, String> {
    listen(ssh, credentials, verb, request, &mut |_| {}).await
}

/// As [`ask`], with every event before the last.
///
/// # Errors
/// As [`ask`].
pub async fn listen<R: Serialize + Sync>(
    ssh: &Ssh,
    credentials: &Credentials,
    verb: Verb,
    request: Option<&R>,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Event, String> {
    // nobody closes it
    let _place = PLACES.acquire().await;
    let connection = transport::connect(ssh, credentials)
        .await
        .map_err(|e| with_help(&e, e.help()))?;
    let sudo = credentials.sudo_password.as_ref();
    let mut hear = |event| {
        on_event(event);
        None
    };
    let answer = remote::converse(&connection, verb, Keep::Temporary, request, sudo, &mut hear).await;
    answer.map_err(|e| with_help(&e, e.help()))
}

/// The words for an answer that is no answer; a fault says itself what it is.
pub fn unexpected(event: Event) -> String {
    match event {
        Event::Failed { fault } => describe(&fault),
        other => format!("the agent answered with an unexpected message: {other:?}"),
    }
}
