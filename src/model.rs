//! The fleet as meant: every value here has been checked, so nothing after this module validates again.
//!
//! Knows no YAML, no template and no host. `inventory` is the only way in.

mod camera;
mod fraction;
mod host;
pub mod libcamera;
mod restream;
#[cfg(test)]
pub(crate) mod samples;
mod server;

pub use camera::{
    Adapt, Audio, Bitrate, Camera, Control, CsiCamera, Encoder, Latency, Profile, Recover, SdCard, Size, Source,
};
pub use fraction::Fraction;
pub use host::{Name, Network, Secret, Ssh, Transport};
pub use restream::{Destination, Restream, Target, host_and_port};
pub use server::{
    Amount, Https, Nginx, Origin, Recording, RecordingFormat, RecordingLimits, Segments, Server, Tarball,
};

use std::net::IpAddr;

/// One inventory, understood. Never empty: at least one server; every camera's server is one of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Fleet {
    /// In the order of the file.
    pub servers: Vec<Server>,
    /// In the order of the file.
    pub cameras: Vec<Camera>,
    /// In the order of the file. None: whoever comes from an address in `play` may see every camera.
    pub viewers: Vec<Viewer>,
    /// By which the key of the fleet's certificate authority is sealed, if the inventory says so.
    pub passphrase: Option<Secret>,
}

impl Fleet {
    /// The server a camera publishes to.
    pub fn server_of(&self, camera: &Camera) -> Option<&Server> {
        self.server(&camera.server)
    }

    /// The server of this name.
    pub fn server(&self, name: &Name) -> Option<&Server> {
        self.servers.iter().find(|server| server.name == *name)
    }

    /// Whether this camera comes by RTMPS, with a certificate of its own; else by plain RTMP, known by its address.
    pub fn by_tls(&self, camera: &Camera) -> bool {
        camera.tls && self.server_of(camera).is_some_and(|server| server.tls)
    }

    /// The cameras that publish to this server, in the order of the file.
    pub fn cameras_of<'a>(&'a self, server: &'a Server) -> impl Iterator<Item = &'a Camera> {
        self.cameras.iter().filter(|c| c.server == server.name)
    }

    /// Whether the inventory has anybody come to this server by IPv6: it is reached by such an address, or somebody from one may
    /// publish or play. Names tell nothing.
    pub fn has_ipv6(&self, server: &Server) -> bool {
        let reached = [&server.address, &server.ssh.host].into_iter().chain(&server.names);
        let networks = server.publish.iter().chain(&server.play).map(|network| network.address);
        let cameras = self.cameras_of(server).filter_map(|camera| camera.address);
        reached
            .filter_map(|name| name.parse().ok())
            .chain(networks)
            .chain(cameras)
            .any(|a: IpAddr| a.is_ipv6())
    }

    /// Whether this server passes any of its cameras' streams on.
    pub fn passes_on(&self, server: &Server) -> bool {
        self.cameras_of(server).any(|camera| !camera.restream.is_empty())
    }
}

/// Somebody who may watch, by a login of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// The login's name, too.
    pub name: Name,
    pub password: Secret,
    /// The cameras to be seen, by their names in the inventory and in its order.
    pub cameras: Vec<Name>,
}
