//! Where things are on a host. One value for real hosts, another below a directory for the demo: the templates are the
//! same.

use crate::assets::BUILD_ID;
use crate::plan::{
    CAMERA_UNIT, CERTIFICATE_UNIT, DOOR_UNIT, FRONT_UNIT, JOURNALD, RECORDINGS_UNIT, RECOVER_PATH_UNIT, RECOVER_UNIT,
    SERVER_UNIT, TMP_UNIT,
};
use pistream_agent::{AGENT_DIR, CAMERA_CONFIG, RECOVER_REQUEST, STATE_DIR, STATUS_SOCKET};
use serde::Serialize;
use std::path::Path;

/// Absolute paths; directories without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paths {
    pub nginx: String,
    pub ffmpeg: String,
    pub ffprobe: String,
    pub agent: String,
    pub etc: String,
    pub www: String,
    /// Of the server's core; its door and front have their own.
    pub nginx_conf: String,
    pub door_conf: String,
    pub front_conf: String,
    /// From where the door lets in.
    pub may_connect_conf: String,
    /// What is pushed; holds stream keys.
    pub restream_conf: String,
    /// Where it goes.
    pub targets_conf: String,
    /// Tells nginx of the host's name servers.
    pub resolver_script: String,
    /// Gets the viewers' certificate by ACME.
    pub certificate_script: String,
    /// Where it is kept, with its key and the account: pistream's user's alone.
    pub acme: String,
    /// Viewers' passwords, as hashes.
    pub passwords: String,
    /// What viewers' sessions show.
    pub sessions_conf: String,
    /// A list of cameras per viewer.
    pub lists: String,
    /// The certificate of the fleet's authority.
    pub authority: String,
    /// What the authority revoked.
    pub revoked: String,
    /// The host's own key and certificate.
    pub identity: String,
    pub reload_script: String,
    /// Puts out of the core who may no longer be in.
    pub expel_script: String,
    pub camera_toml: String,
    pub recordings_toml: String,
    pub server_unit: String,
    pub door_unit: String,
    pub front_unit: String,
    pub recordings_unit: String,
    pub certificate_unit: String,
    pub camera_unit: String,
    /// What root does for a camera: the unit that waits for a request, and the one that it starts.
    pub recover_path_unit: String,
    pub recover_unit: String,
    /// Where the supervisor writes its request, beside its socket.
    pub recover_request: String,
    /// Settings of the host's journal.
    pub journald_conf: String,
    /// The host's place for temporary files, where it is to be in memory.
    pub tmp_mount: String,
    /// The core's directory for what lives no longer than it runs: segments, temporary files. In memory.
    pub run: String,
    /// The same of the door and the front.
    pub door_run: String,
    pub front_run: String,
    /// Where the core is told to stop and resume recording, and to drop a client: a Unix socket in `run`, which nobody else
    /// may enter.
    pub control_socket: String,
    /// Where the front is asked who may do what: a Unix socket in `front_run`, likewise.
    pub questions_socket: String,
    /// The lists of recordings for the page. In memory.
    pub recordings_index: String,
    pub status_socket: String,
    /// Whom nginx's worker becomes when its master runs as root.
    pub worker_user: Option<String>,
}

impl Paths {
    /// The camera's settings with less to send, by rung from 1: beside `camera_toml`.
    pub fn camera_rung(&self, rung: usize) -> String {
        let stem = self.camera_toml.strip_suffix(".toml").unwrap_or(&self.camera_toml);
        format!("{stem}-{rung}.toml")
    }

    /// On a host that pistream deploys to.
    pub fn host() -> Paths {
        Paths {
            nginx: "/usr/sbin/nginx".into(),
            ffmpeg: "/usr/bin/ffmpeg".into(),
            ffprobe: "/usr/bin/ffprobe".into(),
            agent: format!("{AGENT_DIR}/agent-{BUILD_ID}"),
            etc: "/etc/pistream".into(),
            www: "/etc/pistream/www".into(),
            nginx_conf: "/etc/pistream/nginx.conf".into(),
            door_conf: "/etc/pistream/door.conf".into(),
            front_conf: "/etc/pistream/front.conf".into(),
            may_connect_conf: "/etc/pistream/may-connect.conf".into(),
            restream_conf: "/etc/pistream/restream.conf".into(),
            targets_conf: "/etc/pistream/targets.conf".into(),
            resolver_script: "/etc/pistream/resolver.sh".into(),
            certificate_script: "/etc/pistream/certificate.sh".into(),
            acme: format!("{STATE_DIR}/acme"),
            passwords: "/etc/pistream/viewers.htpasswd".into(),
            sessions_conf: "/etc/pistream/sessions.conf".into(),
            lists: "/etc/pistream/viewers".into(),
            authority: "/etc/pistream/ca.pem".into(),
            revoked: "/etc/pistream/crl.pem".into(),
            identity: "/etc/pistream/identity.pem".into(),
            reload_script: "/etc/pistream/reload-nginx.sh".into(),
            expel_script: "/etc/pistream/expel.sh".into(),
            camera_toml: CAMERA_CONFIG.into(),
            recordings_toml: "/etc/pistream/recordings.toml".into(),
            server_unit: format!("/etc/systemd/system/{SERVER_UNIT}"),
            door_unit: format!("/etc/systemd/system/{DOOR_UNIT}"),
            front_unit: format!("/etc/systemd/system/{FRONT_UNIT}"),
            recordings_unit: format!("/etc/systemd/system/{RECORDINGS_UNIT}"),
            certificate_unit: format!("/etc/systemd/system/{CERTIFICATE_UNIT}"),
            camera_unit: format!("/etc/systemd/system/{CAMERA_UNIT}"),
            recover_path_unit: format!("/etc/systemd/system/{RECOVER_PATH_UNIT}"),
            recover_unit: format!("/etc/systemd/system/{RECOVER_UNIT}"),
            recover_request: Path::new(STATUS_SOCKET)
                .with_file_name(RECOVER_REQUEST)
                .to_string_lossy()
                .into_owned(),
            journald_conf: format!("{JOURNALD}/pistream.conf"),
            tmp_mount: format!("/etc/systemd/system/{TMP_UNIT}"),
            run: "/run/pistream-server".into(),
            door_run: "/run/pistream-door".into(),
            front_run: "/run/pistream-front".into(),
            control_socket: "/run/pistream-server/control.sock".into(),
            questions_socket: "/run/pistream-front/questions.sock".into(),
            recordings_index: "/run/pistream-recordings".into(),
            status_socket: STATUS_SOCKET.into(),
            worker_user: None,
        }
    }

    /// Below a directory on this machine, for the demo. The agent is the program at `agent`.
    pub fn below(directory: &Path, agent: &Path, root: bool) -> Paths {
        let at = |part: &str| directory.join(part).to_string_lossy().into_owned();
        Paths {
            agent: agent.to_string_lossy().into_owned(),
            etc: at("etc"),
            www: at("etc/www"),
            nginx_conf: at("etc/nginx.conf"),
            door_conf: at("etc/door.conf"),
            front_conf: at("etc/front.conf"),
            may_connect_conf: at("etc/may-connect.conf"),
            restream_conf: at("etc/restream.conf"),
            targets_conf: at("etc/targets.conf"),
            resolver_script: at("etc/resolver.sh"),
            certificate_script: at("etc/certificate.sh"),
            acme: at("acme"),
            passwords: at("etc/viewers.htpasswd"),
            sessions_conf: at("etc/sessions.conf"),
            lists: at("etc/viewers"),
            authority: at("etc/ca.pem"),
            revoked: at("etc/crl.pem"),
            identity: at("etc/identity.pem"),
            reload_script: at("etc/reload-nginx.sh"),
            expel_script: at("etc/expel.sh"),
            camera_toml: at("etc/camera.toml"),
            recordings_toml: at("etc/recordings.toml"),
            server_unit: at(SERVER_UNIT),
            door_unit: at(DOOR_UNIT),
            front_unit: at(FRONT_UNIT),
            recordings_unit: at(RECORDINGS_UNIT),
            certificate_unit: at(CERTIFICATE_UNIT),
            camera_unit: at(CAMERA_UNIT),
            recover_path_unit: at(RECOVER_PATH_UNIT),
            recover_unit: at(RECOVER_UNIT),
            recover_request: at(RECOVER_REQUEST),
            run: at("run"),
            door_run: at("door"),
            front_run: at("front"),
            control_socket: at("run/control.sock"),
            questions_socket: at("front/questions.sock"),
            recordings_index: at("archive"),
            status_socket: at("status.sock"),
            // nginx's worker would become nobody, who cannot write here
            worker_user: root.then(|| "root".to_owned()),
            ..Paths::host()
        }
    }
}
