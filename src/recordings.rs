//! `pistream recordings`: what is recorded, where pictures are missing, one film of a time range.
//!
//! The servers' agents are asked; nothing on any host changes. A film comes through the same conversation, straight into
//! the user's file: it lies nowhere else in between.

mod export;
mod lists;
mod times;

use crate::ask::{listen, unexpected};
use crate::model::{Camera, Fleet, Server};
use crate::plan::{Host, Paths};
use crate::remote::Verb;
use crate::secrets::Secrets;
use crate::transport::Credentials;
use crate::{cli, exit, inventory, select};
use miette::IntoDiagnostic;
use pistream_agent::{Event, Recordings, RecordingsRequest, Want};

/// Runs the command.
///
/// # Errors
/// A wrong command line, inventory or secret; no host was asked then.
pub async fn run(options: cli::Recordings) -> miette::Result<exit::Code> {
    match options.command {
        cli::RecordingsCommand::Ls(options) => lists::run(options, Want::Chunks).await,
        cli::RecordingsCommand::Gaps(options) => lists::run(options, Want::Gaps).await,
        cli::RecordingsCommand::Export(options) => export::run(options).await,
    }
}

/// The fleet, its secrets, and the cameras chosen.
fn load(inventory: &cli::Inventory) -> miette::Result<(Fleet, Secrets)> {
    let fleet = inventory::load_and_warn(&inventory.inventory)?;
    let secrets = Secrets::resolve(&fleet).into_diagnostic()?;
    Ok((fleet, secrets))
}

fn cameras<'a>(fleet: &'a Fleet, names: &[String]) -> miette::Result<Vec<&'a Camera>> {
    let hosts = select::select(fleet, names).into_diagnostic()?;
    let cameras: Vec<&Camera> = hosts
        .into_iter()
        .filter_map(|host| match host {
            Host::Camera(camera) => Some(camera),
            Host::Server(_) => None,
        })
        .collect();
    if cameras.is_empty() {
        miette::bail!("no camera is named: the inventory has none, or a server was named");
    }
    Ok(cameras)
}

/// What to ask this server's agent; `None` where nothing is recorded.
fn request(server: &Server, cameras: &[&Camera], (from, to): (u64, u64), want: Want) -> Option<RecordingsRequest> {
    let recording = server.recording.as_ref()?;
    let streams = cameras.iter().filter(|c| c.server == server.name);
    Some(RecordingsRequest {
        path: recording.path.to_string_lossy().into_owned(),
        ffmpeg: Paths::host().ffmpeg,
        streams: streams.map(|c| c.stream.to_string()).collect(),
        from,
        to,
        want,
    })
}

/// Asks; everything but the last event goes to `on_event`.
async fn answer(
    server: &Server,
    credentials: &Credentials,
    request: &RecordingsRequest,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Recordings, String> {
    match listen(&server.ssh, credentials, Verb::Recordings, Some(request), on_event).await? {
        Event::Recordings { recordings } => Ok(*recordings),
        other => Err(unexpected(other)),
    }
}
