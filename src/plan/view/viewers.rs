//! Who may see what of a server: by certificate, by login, and what the page is told.

use crate::ca::Subject;
use crate::logins::{self, Logins};
use crate::model::{Fleet, Name, Server, Viewer};
use crate::plan::{Paths, loopback};
use crate::secrets::{Clear, Secrets};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

#[derive(Serialize)]
pub(super) struct Player {
    /// As the certificate has it.
    name: String,
    /// By which the RTMP side knows the viewer.
    address: String,
    streams: Vec<String>,
}

/// Who may see a camera of this server, where certificates can tell who it is.
pub(super) fn players(fleet: &Fleet, server: &Server, revoked: &BTreeMap<Name, u32>) -> Vec<Player> {
    let addresses = loopback::VIEWERS.addresses(fleet.viewers.iter().map(|viewer| &viewer.name), revoked);
    let players = fleet.viewers.iter().filter(|_| server.tls).filter_map(|viewer| {
        Some(Player {
            name: viewer.name.to_string(),
            address: addresses.get(&viewer.name)?.to_string(),
            streams: seen(fleet, server, viewer),
        })
    });
    players.filter(|player| !player.streams.is_empty()).collect()
}

/// By which names viewers ask for the server: those that its certificate would be good for, as nginx has a request's, and what the
/// machine calls itself.
pub(super) fn known_as(fleet: &Fleet, server: &Server) -> BTreeSet<String> {
    let names = Subject::of_server(fleet, server).names.into_iter();
    let names = names.filter(|name| name.parse::<IpAddr>().is_err());
    names
        .map(|name| name.trim_end_matches('.').to_ascii_lowercase())
        .chain(["localhost".to_owned()])
        .collect()
}

/// A viewer who may see cameras of this server.
#[derive(Serialize)]
pub(in crate::plan) struct Login {
    pub(in crate::plan) name: String,
    /// What the password is compared with.
    #[serde(skip)]
    pub(in crate::plan) hash: Clear,
    /// What a session of theirs shows.
    session: String,
    pub(in crate::plan) streams: Vec<String>,
}

pub(super) fn viewers(
    fleet: &Fleet,
    server: &Server,
    secrets: &Secrets,
    logins: &Logins,
) -> Result<Vec<Login>, logins::Error> {
    let mut viewers = Vec::new();
    for viewer in &fleet.viewers {
        let streams = seen(fleet, server, viewer);
        if streams.is_empty() {
            continue;
        }
        let password = secrets.text(&viewer.password);
        viewers.push(Login {
            name: viewer.name.to_string(),
            hash: logins.hash(&server.name, viewer, &password)?,
            session: logins.session(&server.name, viewer, &password).expose().to_owned(),
            streams,
        });
    }
    Ok(viewers)
}

/// The streams of this server that a viewer may see.
fn seen(fleet: &Fleet, server: &Server, viewer: &Viewer) -> Vec<String> {
    let shown = fleet.shown_by(server);
    let seen = shown.filter(|camera| viewer.cameras.contains(&camera.name));
    seen.map(|camera| camera.stream.to_string()).collect()
}

/// What the viewers' page must know: which streams there are for whom.
pub(in crate::plan) fn page(server: &Server, streams: &[String]) -> String {
    let text = serde_json::json!({ "cameras": streams, "hls": server.hls.is_some(), "dash": server.dash.is_some(),
        "recordings": server.recording.is_some() });
    format!("{text}\n")
}

/// A line per viewer, as nginx's `auth_basic_user_file` has it.
pub(in crate::plan) fn passwords(viewers: &[Login], paths: &Paths) -> String {
    let mut text = format!(
        "# {}: written by pistream; the next deploy replaces it\n",
        paths.passwords
    );
    for viewer in viewers {
        text += &format!("{}:{}\n", viewer.name, viewer.hash.expose());
    }
    text
}
