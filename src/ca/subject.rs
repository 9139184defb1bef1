//! Whom a certificate is for, and what it says of him: from the model alone.

use crate::model::{Camera, Fleet, Name, Server, Viewer};
use std::net::IpAddr;

/// Whom a certificate is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub name: Name,
    /// Alternative names: of a server, all by which it is reached.
    pub names: Vec<String>,
    pub kind: Kind,
    /// Of a server that passes streams on to another of the fleet: to that one it proves itself as a camera does.
    pub sends: bool,
}

/// A server proves itself to cameras and viewers, these to their server; none can stand in for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Server,
    Camera,
    Viewer,
}

impl Kind {
    /// Of whoever was called `name` and got a certificate with these alternative names.
    pub(super) fn of(name: &Name, names: &[String]) -> Kind {
        match names {
            [only] if *only == Kind::of_cameras(name) => Kind::Camera,
            [only] if *only == Kind::of_viewers(name) => Kind::Viewer,
            // a server's own name is always among them
            _ => Kind::Server,
        }
    }

    // Without any, GnuTLS would compare a server's address with the common name. `.invalid` is nobody's (RFC 2606).
    fn of_cameras(name: &Name) -> String {
        format!("{name}.camera.invalid")
    }

    fn of_viewers(name: &Name) -> String {
        format!("{name}.viewer.invalid")
    }
}

impl Subject {
    pub fn of_server(fleet: &Fleet, server: &Server) -> Subject {
        let mut names = vec![server.address.clone(), server.name.to_string()];
        names.extend(server.names.iter().cloned());
        let host = &server.ssh.host;
        if host.parse::<IpAddr>().is_ok() || host.contains('.') {
            names.push(host.clone());
        }
        names.sort();
        names.dedup();
        Subject {
            name: server.name.clone(),
            names,
            kind: Kind::Server,
            sends: fleet.sends(server),
        }
    }

    pub fn of_camera(camera: &Camera) -> Subject {
        Subject {
            name: camera.name.clone(),
            names: vec![Kind::of_cameras(&camera.name)],
            kind: Kind::Camera,
            sends: false,
        }
    }

    pub fn of_viewer(viewer: &Viewer) -> Subject {
        Subject {
            name: viewer.name.clone(),
            names: vec![Kind::of_viewers(&viewer.name)],
            kind: Kind::Viewer,
            sends: false,
        }
    }
}

/// The hosts of a fleet that need a certificate: servers that speak TLS with cameras or viewers, and the cameras that do.
pub fn subjects(fleet: &Fleet) -> Vec<Subject> {
    let servers = fleet
        .servers
        .iter()
        .filter(|s| s.has_certificate())
        .map(|s| Subject::of_server(fleet, s));
    let cameras = fleet
        .cameras
        .iter()
        .filter(|camera| fleet.by_tls(camera))
        .map(Subject::of_camera);
    servers.chain(cameras).collect()
}

/// All that a certificate may be for: the hosts, and the viewers where some server can let them in by one.
pub fn bearers(fleet: &Fleet) -> Vec<Subject> {
    let mut all = subjects(fleet);
    if fleet.servers.iter().any(|server| server.tls) {
        all.extend(fleet.viewers.iter().map(Subject::of_viewer));
    }
    all
}
