//! What one host shall be: packages, files, services.
//!
//! Pure: no host, no clock, no network, no environment. Dry run, CI rendering, `--diff` and the real deploy all read the
//! same value from here.

mod camera;
mod certificate;
mod loopback;
mod nginx;
mod parts;
mod paths;
mod roles;
mod server;
mod view;

pub use certificate::of_viewers;
pub use paths::Paths;
pub use pistream_agent::USER;
pub use roles::NGINX_UNITS;

use crate::ca::Identities;
use crate::logins;
use crate::model::{Camera, Fleet, Name, Server};
use crate::secrets::Secrets;
use crate::templates::{self, Templates};
use pistream_agent::Plan;

/// The server's core, its front and its door (`roles`).
pub const SERVER_UNIT: &str = "pistream-server.service";
pub const FRONT_UNIT: &str = "pistream-front.service";
pub const DOOR_UNIT: &str = "pistream-door.service";
pub const RECORDINGS_UNIT: &str = "pistream-recordings.service";
/// Gets the viewers' certificate and renews it, where it comes by ACME.
pub const CERTIFICATE_UNIT: &str = "pistream-certificate.service";
pub const CAMERA_UNIT: &str = "pistream-camera.service";
/// Waits for the camera's requests to root, and starts [`RECOVER_UNIT`].
pub const RECOVER_PATH_UNIT: &str = "pistream-recover.path";
pub const RECOVER_UNIT: &str = "pistream-recover.service";

const TMP_UNIT: &str = "tmp.mount";

/// Where settings of the host's journal are looked for, and whose they are.
const JOURNALD: &str = "/etc/systemd/journald.conf.d";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Render(#[from] templates::Error),
    #[error(transparent)]
    Login(#[from] logins::Error),
    #[error("{host}: its `source:` and `encoder:` do not go together; write `encoder: auto`")]
    CannotStream { host: String },
}

/// Certificates of the authorities that a Debian system trusts (package ca-certificates).
const SYSTEM_CA: &str = "/etc/ssl/certs/ca-certificates.crt";
/// Files beside door.conf: the certificate of the fleet's authority; the host's own key and certificate.
const FLEET_CA: &str = "ca.pem";
const IDENTITY: &str = "identity.pem";

/// Between nginx-rtmp and the proxy that leads to the camera's restream target at this place of its list: a Unix socket
/// below the door's run directory.
pub fn restream_socket(camera: &Camera, at: usize) -> String {
    format!("restream-{}-{}.sock", camera.stream, at + 1)
}

/// One host of the fleet.
#[derive(Debug, Clone, Copy)]
pub enum Host<'a> {
    Server(&'a Server),
    Camera(&'a Camera),
}

impl<'a> Host<'a> {
    /// All hosts: servers first, each in the order of the inventory.
    pub fn all(fleet: &'a Fleet) -> impl Iterator<Item = Host<'a>> {
        fleet
            .servers
            .iter()
            .map(Host::Server)
            .chain(fleet.cameras.iter().map(Host::Camera))
    }

    pub fn name(self) -> &'a Name {
        match self {
            Host::Server(server) => &server.name,
            Host::Camera(camera) => &camera.name,
        }
    }

    pub fn ssh(self) -> &'a crate::model::Ssh {
        match self {
            Host::Server(server) => &server.ssh,
            Host::Camera(camera) => &camera.ssh,
        }
    }
}

/// The plan for one host.
///
/// # Errors
/// A template that does not render, or a camera whose source and encoder do not go together.
pub fn for_host(
    fleet: &Fleet,
    host: Host<'_>,
    paths: &Paths,
    templates: &Templates,
    secrets: &Secrets,
    identities: &Identities,
) -> Result<Plan, Error> {
    match host {
        Host::Server(server) => server::for_server(fleet, server, paths, templates, secrets, identities),
        Host::Camera(camera) => camera::for_camera(fleet, camera, paths, templates, identities),
    }
}

#[cfg(test)]
mod tests;
