//! What one host shall be: packages, files, services.
//!
//! Pure: no host, no clock, no network, no environment. Dry run, CI rendering, `--diff` and the real deploy all read the
//! same value from here.

mod loopback;
mod paths;
mod view;

pub use paths::Paths;

use crate::ca::Identities;
use crate::model::{Camera, Fleet, Name, SdCard, Server};
use crate::secrets::Secrets;
use crate::templates::{self, Templates};
use pistream_agent::{Check, Directory, File, Identity, Package, Plan, Unit, User};

/// The system user under which nginx and the camera's agent run.
pub const USER: &str = "pistream";
pub const SERVER_UNIT: &str = "pistream-server.service";
pub const RECORDINGS_UNIT: &str = "pistream-recordings.service";
pub const CAMERA_UNIT: &str = "pistream-camera.service";

/// Where settings of the host's journal are looked for, and whose they are.
const JOURNALD: &str = "/etc/systemd/journald.conf.d";
const JOURNALD_UNIT: &str = "systemd-journald.service";

/// The viewers' page: travels unchanged.
const PAGE: [(&str, &str); 6] = [
    ("index.html", include_str!("../assets/index.html")),
    ("page.js", include_str!("../assets/page.js")),
    ("archive.js", include_str!("../assets/archive.js")),
    ("icon.svg", include_str!("../assets/icon.svg")),
    ("player.js", include_str!("../assets/player.js")),
    ("style.css", include_str!("../assets/style.css")),
];

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Render(#[from] templates::Error),
    #[error("{host}: its `source:` and `encoder:` do not go together; write `encoder: auto`")]
    CannotStream { host: String },
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
        Host::Server(server) => for_server(fleet, server, paths, templates, secrets, identities),
        Host::Camera(camera) => for_camera(fleet, camera, paths, templates, identities),
    }
}

fn for_server(
    fleet: &Fleet,
    server: &Server,
    paths: &Paths,
    templates: &Templates,
    secrets: &Secrets,
    identities: &Identities,
) -> Result<Plan, Error> {
    let context = view::server(fleet, server, paths, secrets);
    let mut files = vec![
        owned(
            &paths.nginx_conf,
            0o640,
            "root",
            templates.render("nginx.conf.j2", &context)?,
        ),
        system(&paths.reload_script, templates.render("reload-nginx.sh.j2", &context)?),
        system(
            &paths.server_unit,
            templates.render("pistream-server.service.j2", &context)?,
        ),
        system(&format!("{}/cameras.json", paths.www), view::page(fleet, server)),
    ];
    files.extend(PAGE.map(|(name, text)| system(&format!("{}/{name}", paths.www), text.to_owned())));
    let mut settings = vec![paths.nginx_conf.clone()];
    if view::restreams(fleet, server, secrets).next().is_some() {
        let text = templates.render("restream.conf.j2", &context)?;
        files.push(File {
            secret: true,
            ..owned(&paths.restream_conf, 0o600, USER, text)
        });
        settings.push(paths.restream_conf.clone());
    }
    let mut packages = vec![
        Package {
            name: "nginx".into(),
            keep_off: vec!["nginx.service".into()],
        },
        package("libnginx-mod-rtmp"),
        // verify decodes what viewers get, on the server itself
        package("ffmpeg"),
    ];
    if server.tls {
        packages.push(package("libnginx-mod-stream"));
        files.push(system(&paths.authority, identities.authority.clone()));
        files.push(system(&paths.revoked, identities.revoked.clone()));
        settings.extend([&paths.authority, &paths.revoked, &paths.identity].map(Clone::clone));
    }
    let mut directories = vec![
        directory(&paths.etc, "root", 0o755),
        directory(&paths.www, "root", 0o755),
    ];
    let mut checks = vec![
        check(
            "nginx configuration",
            &settings,
            &[
                &paths.nginx,
                "-t",
                "-q",
                "-e",
                "stderr",
                "-p",
                "{dir}/",
                "-c",
                "{dir}/nginx.conf",
            ],
        ),
        unit_check(&paths.server_unit, SERVER_UNIT),
    ];
    let mut units = vec![Unit {
        name: SERVER_UNIT.into(),
        restart_on: vec![paths.server_unit.clone()],
        reload_on: settings,
    }];
    if let Some(recording) = &server.recording {
        directories.push(Directory {
            keep: true,
            ..directory(&recording.path.to_string_lossy(), USER, 0o750)
        });
        let config = templates.render("recordings.toml.j2", &context)?;
        let unit = templates.render("pistream-recordings.service.j2", &context)?;
        files.push(owned(&paths.recordings_toml, 0o640, "root", config));
        files.push(system(&paths.recordings_unit, unit));
        checks.push(check(
            "recordings configuration",
            std::slice::from_ref(&paths.recordings_toml),
            &[&paths.agent, "keep", "--config", "{dir}/recordings.toml", "--check"],
        ));
        checks.push(unit_check(&paths.recordings_unit, RECORDINGS_UNIT));
        units.push(Unit {
            name: RECORDINGS_UNIT.into(),
            restart_on: vec![paths.recordings_unit.clone(), paths.recordings_toml.clone()],
            reload_on: vec![],
        });
    }
    Ok(Plan {
        host: server.name.to_string(),
        packages,
        users: vec![User {
            name: USER.into(),
            groups: vec![],
            groups_if_there: vec![],
        }],
        directories,
        files,
        checks,
        units,
        identity: server.tls.then(|| identity(&server.name, paths, identities)),
    })
}

fn for_camera(
    fleet: &Fleet,
    camera: &Camera,
    paths: &Paths,
    templates: &Templates,
    identities: &Identities,
) -> Result<Plan, Error> {
    if !camera.source.goes_with(camera.encoder) {
        return Err(Error::CannotStream {
            host: camera.name.to_string(),
        });
    }
    let context = view::camera(fleet, camera, paths);
    let mut directories = vec![directory(&paths.etc, "root", 0o755)];
    let tls = fleet.server_of(camera).is_some_and(|server| server.tls);
    let mut files = vec![
        owned(
            &paths.camera_toml,
            0o640,
            "root",
            templates.render("camera.toml.j2", &context)?,
        ),
        system(
            &paths.camera_unit,
            templates.render("pistream-camera.service.j2", &context)?,
        ),
    ];
    let mut restart_on = vec![paths.camera_unit.clone(), paths.camera_toml.clone()];
    if tls {
        files.push(system(&paths.authority, identities.authority.clone()));
        restart_on.extend([&paths.authority, &paths.identity].map(Clone::clone));
    }
    if camera.sd_card == SdCard::Tmpfs {
        directories.push(directory(JOURNALD, "root", 0o755));
        files.push(system(
            &paths.journald_conf,
            templates.render("journald.conf.j2", &context)?,
        ));
    }
    Ok(Plan {
        host: camera.name.to_string(),
        packages: vec![package("ffmpeg")],
        users: vec![User {
            name: USER.into(),
            groups: vec!["video".into()],
            // whose the GPU's render node is, where there is one
            groups_if_there: vec!["render".into()],
        }],
        directories,
        files,
        checks: vec![
            check(
                "camera configuration",
                std::slice::from_ref(&paths.camera_toml),
                &[&paths.agent, "supervise", "--config", "{dir}/camera.toml", "--check"],
            ),
            unit_check(&paths.camera_unit, CAMERA_UNIT),
        ],
        units: vec![
            // named even without settings of ours: it is to be restarted when they go, too
            Unit {
                name: JOURNALD_UNIT.into(),
                restart_on: vec![paths.journald_conf.clone()],
                reload_on: vec![],
            },
            Unit {
                name: CAMERA_UNIT.into(),
                restart_on,
                reload_on: vec![],
            },
        ],
        identity: tls.then(|| identity(&camera.name, paths, identities)),
    })
}

fn identity(host: &Name, paths: &Paths, identities: &Identities) -> Identity {
    Identity {
        path: paths.identity.clone(),
        owner: USER.into(),
        certificate: identities.certificates.get(host).cloned(),
    }
}

fn package(name: &str) -> Package {
    Package {
        name: name.into(),
        keep_off: vec![],
    }
}

fn directory(path: &str, owner: &str, mode: u32) -> Directory {
    Directory {
        path: path.into(),
        mode,
        owner: owner.into(),
        group: owner.into(),
        keep: false,
    }
}

/// A file that pistream's own user may read and nobody else.
fn owned(path: &str, mode: u32, owner: &str, content: String) -> File {
    File {
        path: path.into(),
        mode,
        owner: owner.into(),
        group: USER.into(),
        content,
        secret: false,
    }
}

/// A file that everybody may read.
fn system(path: &str, content: String) -> File {
    File {
        path: path.into(),
        mode: 0o644,
        owner: "root".into(),
        group: "root".into(),
        content,
        secret: false,
    }
}

fn check(name: &str, files: &[String], command: &[&str]) -> Check {
    Check {
        name: name.into(),
        files: files.to_vec(),
        command: command.iter().map(|&w| w.to_owned()).collect(),
        optional: vec![],
    }
}

fn unit_check(path: &str, unit: &str) -> Check {
    // only this unit's faults count, not those of whatever else the host runs; systemd knows the option from 250 on, and
    // an older one counts them so by itself
    let own_faults = "--recursive-errors=no";
    let staged = format!("{{dir}}/{unit}");
    Check {
        optional: vec![own_faults.to_owned()],
        ..check(
            unit,
            &[path.to_owned()],
            &["systemd-analyze", "verify", "--man=no", own_faults, &staged],
        )
    }
}

#[cfg(test)]
mod tests;
