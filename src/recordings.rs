//! `pistream recordings`: what is recorded, where pictures are missing, one film of a time range.
//!
//! The servers' agents are asked; nothing on any host changes. A film comes through the same conversation, straight into
//! the user's file: it lies nowhere else in between.

mod export;
mod lists;
mod times;

use crate::ask::{listen, unexpected};
use crate::model::{Fleet, Name, Server};
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

/// Whose recordings are asked for.
struct Asked {
    name: String,
    stream: String,
    /// Where they are; none of a camera that the inventory names no longer: anywhere.
    server: Option<Name>,
}

impl Asked {
    fn is_at(&self, server: &Server) -> bool {
        self.server.as_ref().is_none_or(|name| *name == server.name)
    }
}

/// The cameras of these names, or all. A name that the inventory does not have may be a former camera's.
fn cameras(fleet: &Fleet, names: &[String]) -> miette::Result<Vec<Asked>> {
    let known = |name: &str| Host::all(fleet).any(|host| host.name().as_str() == name);
    let (former, named): (Vec<&String>, Vec<&String>) = names.iter().partition(|name| {
        Name::new(name).is_some() && !known(name) && !["cameras", "servers"].contains(&name.as_str())
    });
    let named: Vec<String> = named.into_iter().cloned().collect();
    let hosts = match former.is_empty() || !named.is_empty() {
        true => select::select(fleet, &named).into_diagnostic()?,
        false => Vec::new(),
    };
    let of_fleet = hosts.into_iter().filter_map(|host| match host {
        Host::Camera(camera) => Some(Asked {
            name: camera.name.to_string(),
            stream: camera.stream.to_string(),
            server: Some(camera.server.clone()),
        }),
        Host::Server(_) => None,
    });
    let former = former.into_iter().map(|name| Asked {
        name: name.clone(),
        stream: name.clone(),
        server: None,
    });
    let asked: Vec<Asked> = of_fleet.chain(former).collect();
    if asked.is_empty() {
        miette::bail!("no camera is named: the inventory has none, or a server was named");
    }
    Ok(asked)
}

/// The words for a name of which no server knows anything: more likely a typo than a former camera.
fn unknown(fleet: &Fleet, name: &str) -> String {
    match select::select(fleet, &[name.to_owned()]) {
        Err(error) => format!("nothing is recorded of {name}, and {error}"),
        Ok(_) => format!("nothing is recorded of {name}"),
    }
}

/// What to ask this server's agent; `None` where nothing is recorded, or none of these cameras is.
fn request(server: &Server, asked: &[Asked], (from, to): (u64, u64), want: Want) -> Option<RecordingsRequest> {
    let recording = server.recording.as_ref()?;
    let of_server = || asked.iter().filter(|a| a.is_at(server));
    // no stream at all would mean every one
    of_server().next()?;
    Some(RecordingsRequest {
        path: recording.path.to_string_lossy().into_owned(),
        ffmpeg: Paths::host().ffmpeg,
        streams: of_server().map(|asked| asked.stream.clone()).collect(),
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
