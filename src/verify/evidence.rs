//! What verify and status ask the server's agent, and what all agents answered.

use super::front::front;
use super::{is_outside, own_address};
use crate::ca;
use crate::model::{Camera, Fleet, Https, Name, Server};
use crate::plan::{CERTIFICATE_UNIT, DOOR_UNIT, Paths, RECORDINGS_UNIT, nginx_units, of_viewers, restream_socket};
use crate::secrets::Secrets;
use pistream_agent::{Door, Facts, Glance, InspectRequest, Outsider, Status, StreamRequest};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Everything the agents told; an `Err` says why one told nothing.
#[derive(Debug, Default)]
pub struct Evidence {
    /// By camera.
    pub statuses: BTreeMap<Name, Result<Status, String>>,
    /// By server.
    pub facts: BTreeMap<Name, Result<Facts, String>>,
    /// When they were asked, by the deployer's clock. Seconds since 1970.
    pub now: u64,
}

/// Seconds of video to decode: enough to see motion, two keyframes and a steady bitrate.
const SECONDS_DECODED: u32 = 5;

/// What to ask of the agent on `server` about `cameras`: its own, and those whose streams it gets as a backup.
///
/// # Errors
/// No impostor's certificate can be made.
pub fn inspect_request(
    fleet: &Fleet,
    server: &Server,
    cameras: &[&Camera],
    paths: &Paths,
    secrets: &Secrets,
    timeout: u64,
) -> Result<InspectRequest, ca::Error> {
    let is_own = |camera: &Camera| camera.server == server.name;
    let own: Vec<&Camera> = cameras.iter().copied().filter(|c| is_own(c)).collect();
    Ok(InspectRequest {
        outsider: outsider(server, &own),
        door: door(server, cameras, paths)?,
        front: front(fleet, server, paths, secrets),
        timeout,
        ..plain_request(server, cameras, paths)
    })
}

/// The same at a glance: nothing is proven.
pub fn glance_request(fleet: &Fleet, server: &Server, cameras: &[&Camera], paths: &Paths) -> InspectRequest {
    let mut units = nginx_units(fleet, server);
    units.extend(server.recording.as_ref().map(|_| RECORDINGS_UNIT));
    let by_acme = matches!(server.https, Some(Https::Acme { .. }));
    units.extend(by_acme.then_some(CERTIFICATE_UNIT));
    let of_viewers = server.https.as_ref().and_then(|https| of_viewers(https, paths));
    InspectRequest {
        glance: Some(Glance {
            units: units.into_iter().map(str::to_owned).collect(),
            own: server.has_certificate().then(|| paths.identity.clone()),
            web: of_viewers.map(|[certificate, _]| certificate),
            web_port: match server.https {
                Some(_) => server.https_port,
                None => server.http_port,
            },
            recordings: recordings(server),
        }),
        ..plain_request(server, cameras, paths)
    }
}

/// What both begin with: where things are, and which streams there shall be.
fn plain_request(server: &Server, cameras: &[&Camera], paths: &Paths) -> InspectRequest {
    InspectRequest {
        glance: None,
        ffmpeg: paths.ffmpeg.clone(),
        rtmp: format!("rtmp://127.0.0.1:{}/live", server.rtmp_port),
        outsider: None,
        door: None,
        front: None,
        stat: format!("http://127.0.0.1:{}/stat", server.status_port),
        http: format!("http://127.0.0.1:{}", server.http_port),
        unit: DOOR_UNIT.to_owned(),
        timeout: 0,
        streams: streams(server, cameras),
    }
}

/// Frames per second that the camera sends where the network carries least.
fn slowest(camera: &Camera) -> u32 {
    let rungs = camera.rungs();
    rungs.iter().map(|rung| rung.fps).fold(camera.fps, u32::min)
}

fn recordings(server: &Server) -> Option<String> {
    let recording = server.recording.as_ref()?;
    Some(recording.path.to_string_lossy().into_owned())
}

fn streams(server: &Server, cameras: &[&Camera]) -> Vec<StreamRequest> {
    let passed_on_from_here = |camera: &Camera| match camera.server == server.name {
        true => camera.restream.len(),
        false => 0,
    };
    let request = |camera: &&Camera| StreamRequest {
        name: camera.stream.to_string(),
        frames: slowest(camera) * SECONDS_DECODED,
        recordings: recordings(server),
        hls: server
            .hls
            .as_ref()
            .map(|_| format!("/hls/{}/index.m3u8", camera.stream)),
        dash: server
            .dash
            .as_ref()
            .map(|_| format!("/dash/{}/index.mpd", camera.stream)),
        restreams: (0..passed_on_from_here(camera))
            .map(|at| restream_socket(camera, at))
            .collect(),
    };
    cameras.iter().map(request).collect()
}

/// The TLS side through loopback, which `publish` never keeps out.
fn door(server: &Server, cameras: &[&Camera], paths: &Paths) -> Result<Option<Door>, ca::Error> {
    let Some(camera) = cameras.iter().find(|camera| server.tls && camera.tls) else {
        return Ok(None);
    };
    Ok(Some(Door {
        rtmps: format!("rtmps://127.0.0.1:{}/live", server.rtmps_port),
        own: paths.identity.clone(),
        impostor: ca::impostor(&camera.name)?,
    }))
}

/// A program on the server that connects to one of the server's own addresses comes from that address: an outsider,
/// unless the inventory lets it in. Needs no host besides, and goes through the very rules that keep strangers out.
fn outsider(server: &Server, cameras: &[&Camera]) -> Option<Outsider> {
    let address = own_address(server)?;
    let (may_not_publish, may_not_play) = is_outside(server, address, cameras);
    (may_not_publish || may_not_play).then(|| Outsider {
        rtmp: format!("rtmp://{}/live", SocketAddr::new(address, server.rtmp_port)),
        may_not_publish,
        may_not_play,
    })
}
