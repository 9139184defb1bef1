//! Where streams are passed on to: what nginx-rtmp pushes, and what nginx's proxies do with it.

use crate::model::{Camera, Destination, Fleet, Server, host_and_port};
use crate::plan::{FLEET_CA, IDENTITY, SYSTEM_CA, restream_socket};
use crate::secrets::Secrets;
use serde::Serialize;

#[derive(Serialize)]
pub(in crate::plan) struct Target {
    /// By which nginx-rtmp knows what to push.
    stream: String,
    /// Between nginx-rtmp and the proxy, below the server's run directory.
    socket: String,
    app: String,
    /// The stream key, or the stream's name.
    play_path: String,
    /// What the target is told that it was called by.
    tc_url: String,
    /// `host:port`
    address: String,
    tls: Option<Tls>,
}

#[derive(Serialize)]
struct Tls {
    /// Whom the target's certificate must be for.
    name: String,
    /// Who may have signed it: a file beside nginx.conf, or the system's.
    trusted: String,
    /// The file with the certificate that the target knows this server by, if it does.
    own: Option<&'static str>,
}

/// A file of certificates that the inventory gives for a target.
pub(in crate::plan) struct Trusted {
    /// Beside nginx.conf.
    pub(in crate::plan) name: String,
    pub(in crate::plan) text: String,
}

/// Every restream target of every camera of this server, keys included.
pub(in crate::plan) fn restreams(fleet: &Fleet, server: &Server, secrets: &Secrets) -> Vec<Target> {
    let of_camera = |camera: &Camera| -> Vec<Target> {
        let targets = camera.restream.iter().enumerate().filter_map(|(at, target)| {
            let play_path = match &target.key {
                Some(key) => secrets.text(key).expose().to_owned(),
                None => camera.stream.to_string(),
            };
            let (app, tc_url, address, tls) = match &target.to {
                Destination::Url(url) => {
                    let trusted = || match &url.ca {
                        Some(_) => trusted_file(camera, at),
                        None => SYSTEM_CA.to_owned(),
                    };
                    let tls = url.tls.then(|| Tls {
                        name: url.host.clone(),
                        trusted: trusted(),
                        own: None,
                    });
                    (url.app.clone(), url.to_string(), url.address(), tls)
                }
                Destination::Server(name) => {
                    let server = fleet.server(name)?;
                    let address = host_and_port(&server.address, server.rtmps_port);
                    let tls = Tls {
                        name: server.name.to_string(),
                        trusted: FLEET_CA.to_owned(),
                        own: Some(IDENTITY),
                    };
                    ("live".to_owned(), format!("rtmps://{address}/live"), address, Some(tls))
                }
            };
            Some(Target {
                stream: camera.stream.to_string(),
                socket: restream_socket(camera, at),
                app,
                play_path,
                tc_url,
                address,
                tls,
            })
        });
        targets.collect()
    };
    fleet.cameras_of(server).flat_map(of_camera).collect()
}

/// The certificates that the inventory gives for this server's targets.
pub(in crate::plan) fn trusted(fleet: &Fleet, server: &Server) -> Vec<Trusted> {
    let of_camera = |camera: &Camera| -> Vec<Trusted> {
        let targets = camera.restream.iter().enumerate().filter_map(|(at, target)| {
            let Destination::Url(url) = &target.to else { return None };
            Some(Trusted {
                name: trusted_file(camera, at),
                text: url.ca.clone()?,
            })
        });
        targets.collect()
    };
    fleet.cameras_of(server).flat_map(of_camera).collect()
}

/// Whether some target's certificate must be signed by somebody the server's system trusts.
pub(in crate::plan) fn trusts_system(fleet: &Fleet, server: &Server) -> bool {
    let mut targets = fleet.cameras_of(server).flat_map(|c| &c.restream);
    targets.any(|t| matches!(&t.to, Destination::Url(url) if url.tls && url.ca.is_none()))
}

fn trusted_file(camera: &Camera, at: usize) -> String {
    format!("restream-{}-{}.pem", camera.stream, at + 1)
}
