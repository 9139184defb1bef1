//! Who is sent to call at the viewers' HTTPS side, and what each must get: from the inventory alone.

use super::{may_play, own_address};
use crate::model::{Fleet, Https, Server, Viewer};
use crate::plan::{Paths, of_viewers};
use crate::secrets::Secrets;
use base64ct::{Base64, Encoding};
use pistream_agent::{Caller, Front};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Somebody who calls.
pub(super) struct Call<'a> {
    pub(super) with: String,
    /// An address of the server: who calls there comes from there.
    to: IpAddr,
    viewer: Option<&'a Viewer>,
    /// HTTP's status.
    pub(super) must_get: u16,
}

impl Call<'_> {
    pub(super) fn lets_in(&self) -> bool {
        self.must_get == 200
    }
}

/// Through loopback, which may always watch, unless logins are asked for; through the server's own address, where `play`
/// keeps that out; and with the login of a viewer.
pub(super) fn calls<'a>(fleet: &'a Fleet, server: &Server) -> Vec<Call<'a>> {
    if server.https.is_none() {
        return Vec::new();
    }
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let logins = !fleet.viewers.is_empty();
    let call = |with: &str, to, viewer, must_get| Call {
        with: with.to_owned(),
        to,
        viewer,
        must_get,
    };
    let mut calls = vec![match logins {
        true => call("no login", loopback, None, 401),
        false => call("an address that may play", loopback, None, 200),
    }];
    let sees = |viewer: &&Viewer| fleet.shown_by(server).any(|c| viewer.cameras.contains(&c.name));
    if let Some(viewer) = fleet.viewers.iter().find(sees) {
        let with = format!("the login of {}", viewer.name);
        calls.push(call(&with, loopback, Some(viewer), 200));
    }
    // with logins and without `play` no address is outside
    let by_address = !logins || !server.play.is_empty();
    let own = own_address(server).filter(|own| by_address && !may_play(server, *own));
    calls.extend(own.map(|own| call("an address that may not play", own, None, 403)));
    calls
}

/// What the certificate must be good for. Who has one of an authority that everybody knows has it for a name: the first one
/// by which the server is reached.
pub(super) fn known_as(server: &Server) -> &str {
    let mut known = std::iter::once(&server.address).chain(&server.names);
    let name = match server.https {
        Some(Https::Files { .. }) => known.find(|name| name.parse::<IpAddr>().is_err()),
        Some(Https::Acme { ref name, .. }) => Some(name),
        _ => None,
    };
    name.unwrap_or(&server.address)
}

/// The same as the server's agent is asked it.
pub(super) fn front(fleet: &Fleet, server: &Server, paths: &Paths, secrets: &Secrets) -> Option<Front> {
    let (trust, is_shown) = match of_viewers(server.https.as_ref()?, paths) {
        None => (paths.authority.clone(), false),
        // whose authority it is, is not for pistream to know: it must be this very certificate
        Some([certificate, _]) => (certificate, true),
    };
    let authorization = |viewer: &Viewer| {
        let login = format!("{}:{}", viewer.name, secrets.text(&viewer.password).expose());
        format!("Basic {}", Base64::encode_string(login.as_bytes()))
    };
    let callers = calls(fleet, server).into_iter().map(|call| Caller {
        with: call.with,
        to: SocketAddr::new(call.to, server.https_port).to_string(),
        authorization: call.viewer.map(authorization),
    });
    Some(Front {
        name: known_as(server).to_owned(),
        trust,
        is_shown,
        callers: callers.collect(),
    })
}
