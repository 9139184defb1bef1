//! A server: nginx with its configuration, the page, and what files its recordings.

use super::parts::{self, check, directory, identity, owned, package, system, unit_check};
use super::{Error, Paths, RECORDINGS_UNIT, SERVER_UNIT, USER, certificate, nginx, view};
use crate::ca::Identities;
use crate::model::{Fleet, Server};
use crate::secrets::Secrets;
use crate::templates::Templates;
use pistream_agent::{Directory, File, Plan, Unit, User};

/// The viewers' page: travels unchanged.
const PAGE: [(&str, &str); 9] = [
    ("index.html", include_str!("../../assets/index.html")),
    ("page.js", include_str!("../../assets/page.js")),
    ("archive.js", include_str!("../../assets/archive.js")),
    ("icon.svg", include_str!("../../assets/icon.svg")),
    ("pace.js", include_str!("../../assets/pace.js")),
    ("player.js", include_str!("../../assets/player.js")),
    ("segments.js", include_str!("../../assets/segments.js")),
    ("style.css", include_str!("../../assets/style.css")),
    ("wall.js", include_str!("../../assets/wall.js")),
];

pub(super) fn for_server(
    fleet: &Fleet,
    server: &Server,
    paths: &Paths,
    templates: &Templates,
    secrets: &Secrets,
    identities: &Identities,
) -> Result<Plan, Error> {
    let build = nginx::build(server);
    let paths = &match &build {
        Some(build) => Paths {
            nginx: build.program.clone(),
            ..paths.clone()
        },
        None => paths.clone(),
    };
    let context = view::server(fleet, server, paths, secrets, &identities.logins)?;
    let streams: Vec<String> = fleet.shown_by(server).map(|c| c.stream.to_string()).collect();
    let mut files = vec![
        parts::settings(&paths.nginx_conf, templates.render("nginx.conf.j2", &context)?),
        system(&paths.reload_script, templates.render("reload-nginx.sh.j2", &context)?),
        system(
            &paths.server_unit,
            templates.render("pistream-server.service.j2", &context)?,
        ),
        system(&format!("{}/cameras.json", paths.www), view::page(server, &streams)),
    ];
    files.extend(PAGE.map(|(name, text)| system(&format!("{}/{name}", paths.www), text.to_owned())));
    let mut settings = vec![paths.nginx_conf.clone()];
    let restreams = fleet.cameras_of(server).any(|camera| !camera.restream.is_empty());
    if restreams {
        let text = templates.render("restream.conf.j2", &context)?;
        files.push(File {
            secret: true,
            ..owned(&paths.restream_conf, 0o600, USER, text)
        });
        let text = templates.render("targets.conf.j2", &context)?;
        files.push(parts::settings(&paths.targets_conf, text));
        let text = templates.render("resolver.sh.j2", &context)?;
        files.push(system(&paths.resolver_script, text));
        settings.extend([&paths.restream_conf, &paths.targets_conf].map(Clone::clone));
        for trusted in view::trusted(fleet, server) {
            let path = format!("{}/{}", paths.etc, trusted.name);
            files.push(system(&path, trusted.text));
            settings.push(path);
        }
    }
    let mut directories = vec![
        directory(&paths.etc, "root", 0o755),
        directory(&paths.www, "root", 0o755),
    ];
    if !fleet.viewers.is_empty() {
        directories.push(directory(&paths.lists, "root", 0o755));
        for viewer in context.viewers() {
            let path = format!("{}/{}.json", paths.lists, viewer.name);
            files.push(system(&path, view::page(server, &viewer.streams)));
        }
        let sessions = templates.render("sessions.conf.j2", &context)?;
        let passwords = view::passwords(context.viewers(), paths);
        for (path, text) in [(&paths.sessions_conf, sessions), (&paths.passwords, passwords)] {
            files.push(File {
                secret: true,
                ..owned(path, 0o600, USER, text)
            });
            settings.push(path.clone());
        }
    }
    let mut packages = nginx::packages(server, server.tls || restreams);
    // verify decodes what viewers get, on the server itself
    packages.push(package("ffmpeg"));
    if view::trusts_system(fleet, server) {
        packages.push(package("ca-certificates"));
    }
    if server.https.is_some() {
        // verify asks for the page as viewers do
        packages.push(package("openssl"));
    }
    if server.has_certificate() {
        files.push(system(&paths.authority, identities.authority.clone()));
        settings.extend([&paths.authority, &paths.identity].map(Clone::clone));
    }
    if server.tls {
        files.push(system(&paths.revoked, identities.revoked.clone()));
        settings.push(paths.revoked.clone());
    }
    let mut checks = vec![];
    checks.extend(
        server
            .https
            .as_ref()
            .and_then(|https| certificate::readable(https, &settings)),
    );
    checks.extend([
        check(
            "nginx configuration",
            // another nginx may read the same settings otherwise: its path stands in the unit
            &[settings.as_slice(), std::slice::from_ref(&paths.server_unit)].concat(),
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
    ]);
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
        files.push(parts::settings(&paths.recordings_toml, config));
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
        builds: build.into_iter().collect(),
        users: vec![User {
            name: USER.into(),
            groups: vec![],
            groups_if_there: vec![],
        }],
        directories,
        files,
        checks,
        units,
        identity: server
            .has_certificate()
            .then(|| identity(&server.name, paths, identities)),
    })
}
