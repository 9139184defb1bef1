//! What concerns hosts of either kind: how to reach them, and that no two get in each other's way.

use std::net::IpAddr;

use super::Context;
use super::camera::Built;
use crate::inventory::Hosts;
use crate::inventory::fault::Finding;
use crate::inventory::keys::{CameraKeys, ServerKeys, SshKeys, ViewerKeys};
use crate::inventory::reader::{Given, Named, Read, Reader, value};
use crate::inventory::short::{OrShort, locate, locate_secret};
use crate::inventory::tree::Place;
use crate::model::{Name, Secret, Server, Ssh, Transport};

/// How to reach a host. `place` is its name's.
pub(super) fn ssh(
    name: &Name,
    place: &Place,
    given: Option<Given<OrShort<SshKeys>>>,
    context: &Context,
    reader: &mut Reader,
) -> Option<Ssh> {
    let keys = match given {
        Some(Given { value, .. }) => value?.0,
        None => SshKeys::default(),
    };
    let keys = keys.over(context.ssh.clone());
    let transport = value(&keys.transport)?;
    let host = match &keys.host {
        Some(given) => given.value.clone()?.0,
        None if transport == Transport::Local => "localhost".to_owned(),
        None => {
            let finding = Finding::new(place, format!("{name} has no `ssh:`"))
                .help(format!("Say how to reach it:\n\n{name}:\n  ssh: user@host"));
            reader.fault(finding);
            return None;
        }
    };
    let secret = |given: Option<Given<Secret>>| match given {
        None => Some(None),
        Some(Given { value, .. }) => Some(Some(locate_secret(value?, context.directory))),
    };
    Some(Ssh {
        host,
        user: flat(keys.user)?.map(|user| user.0),
        port: flat(keys.port)?.and_then(|port| u16::try_from(port.0).ok()),
        identity: flat(keys.identity)?.map(|path| locate(path.0, context.directory)),
        jump: flat(keys.jump)?.map(|jump| jump.0),
        transport,
        password: secret(keys.password)?,
        sudo_password: secret(keys.sudo_password)?,
    })
}

/// `None`: wrong. `Some(None)`: not written.
pub(super) fn flat<T>(given: Option<Given<T>>) -> Option<Option<T>> {
    match given {
        None => Some(None),
        Some(Given { value, .. }) => value.map(Some),
    }
}

/// A name stands for one host or viewer: it is what a certificate says.
pub(super) fn check_names(
    servers: &Named<ServerKeys>,
    cameras: &Named<CameraKeys>,
    viewers: &Named<ViewerKeys>,
    reader: &mut Reader,
) {
    fn places<'a, T>(
        kind: &'static str,
        named: &'a Named<T>,
    ) -> impl Iterator<Item = (&'static str, &'a Name, &'a Place)> {
        named.entries.iter().map(move |(name, place, _)| (kind, name, place))
    }
    let mut seen = std::collections::HashMap::new();
    let hosts = places("server", servers).chain(places("camera", cameras));
    for (kind, name, place) in hosts.chain(places("viewer", viewers)) {
        match seen.get(name) {
            None => {
                seen.insert(name, (kind, place));
            }
            Some((first, at)) => {
                let finding = Finding::new(place, format!("a {first} is called {name} too"))
                    .label(format!("the {first} is on line {}", at.line))
                    .help("Servers, cameras and viewers share one set of names: rename one of the two.");
                reader.fault(finding);
            }
        }
    }
}

/// A stream's name stands for one camera on a server.
pub(super) fn check_streams(cameras: &[(&Place, Option<Built>)], reader: &mut Reader) {
    let mut seen: std::collections::HashMap<(&Name, &Name), (&Built, usize)> = std::collections::HashMap::new();
    for (_, built) in cameras {
        let Some(built) = built else { continue };
        let camera = &built.camera;
        match seen.get(&(&camera.server, &camera.stream)) {
            None => {
                seen.insert((&camera.server, &camera.stream), (built, built.stream_place.line));
            }
            Some((first, line)) => {
                let message = format!(
                    "{} and {} both publish as `{}`",
                    first.camera.name, camera.name, camera.stream
                );
                let finding = Finding::new(&built.stream_place, message)
                    .label(format!("first on line {line}"))
                    .help("Give one of the two another `stream:`, or another server.");
                reader.fault(finding);
            }
        }
    }
}

/// A host is deployed to once: a second plan for it would remove what the first put there.
pub(super) fn check_hosts(
    servers: &[(&Place, Option<Server>)],
    cameras: &[(&Place, Option<Built>)],
    hosts: Hosts,
    reader: &mut Reader,
) {
    let servers = servers
        .iter()
        .filter_map(|(place, s)| s.as_ref().map(|s| (*place, &s.name, &s.ssh)));
    let cameras = cameras
        .iter()
        .filter_map(|(place, c)| c.as_ref().map(|c| (*place, &c.camera.name, &c.camera.ssh)));
    let mut seen = std::collections::HashMap::new();
    for (place, name, ssh) in servers.chain(cameras) {
        let target = match ssh.transport {
            Transport::Local if hosts == Hosts::Processes => continue,
            // however it is called
            Transport::Local => None,
            // 22 where none is given; an alias of the ssh configuration may mean another, and hides it from us
            _ => Some((one_spelling(&ssh.host), ssh.port.unwrap_or(22), &ssh.jump)),
        };
        let Some(first) = seen.get(&target) else {
            seen.insert(target, name);
            continue;
        };
        let finding = match target {
            Some(_) => Finding::new(place, format!("{first} and {name} are the same host: {}", ssh.host))
                .help("A host is a server or a camera, and named once."),
            None => Finding::new(place, format!("{first} and {name} are both this machine")).help(
                "A host is a server or a camera, and named once: what one of the two got would be removed for the other. \
                 Give one a machine of its own, reached by ssh; to try a whole fleet on one machine there is `pistream demo`.",
            ),
        };
        reader.fault(finding);
    }
}

/// An IPv6 address can be written in many ways.
fn one_spelling(host: &str) -> String {
    host.parse::<IpAddr>()
        .map_or_else(|_| host.to_owned(), |address| address.to_string())
}
