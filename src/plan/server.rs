//! A server: its three nginx with their configurations, the page, and what files its recordings.

use super::parts::{self, check, directory, identity, owned, package, system, unit_check};
use super::roles::{Depends, Role};
use super::view::ServerContext;
use super::{Error, Paths, RECORDINGS_UNIT, USER, certificate, nginx, view};
use crate::ca::Identities;
use crate::model::{Fleet, Https, Recording, Server};
use crate::secrets::Secrets;
use crate::templates::Templates;
use pistream_agent::{Directory, File, Plan, User};

/// The viewers' page: travels unchanged.
const PAGE: [(&str, &str); 10] = [
    ("index.html", include_str!("../../assets/index.html")),
    ("page.js", include_str!("../../assets/page.js")),
    ("archive.js", include_str!("../../assets/archive.js")),
    ("icon.svg", include_str!("../../assets/icon.svg")),
    ("pace.js", include_str!("../../assets/pace.js")),
    ("player.js", include_str!("../../assets/player.js")),
    ("segments.js", include_str!("../../assets/segments.js")),
    ("server.js", include_str!("../../assets/server.js")),
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
    let context = view::server(fleet, server, paths, secrets, identities)?;
    let restreams = fleet.passes_on(server);
    let mut packages = nginx::packages(server);
    // verify decodes what viewers get, on the server itself
    packages.push(package("ffmpeg"));
    if view::trusts_system(fleet, server) {
        packages.push(package("ca-certificates"));
    }
    if server.https.is_some() {
        // verify asks for the page as viewers do
        packages.push(package("openssl"));
    }
    let mut plan = Plan {
        host: server.name.to_string(),
        packages,
        builds: build.into_iter().collect(),
        users: vec![User {
            name: USER.into(),
            groups: vec![],
            groups_if_there: vec![],
        }],
        directories: vec![
            directory(&paths.etc, "root", 0o755),
            directory(&paths.www, "root", 0o755),
        ],
        files: vec![
            system(&paths.reload_script, templates.render("reload-nginx.sh.j2", &context)?),
            system(&paths.expel_script, templates.render("expel.sh.j2", &context)?),
        ],
        identity: server
            .has_certificate()
            .then(|| identity(&server.name, paths, identities)),
        ..Plan::default()
    };
    page(&mut plan, fleet, server, paths);
    let (mut core, mut front, mut door) = (Depends::default(), Depends::default(), Depends::default());
    if restreams {
        core.settings.push(paths.restream_conf.clone());
        door.settings = restream(&mut plan, fleet, server, paths, &context, templates)?;
    }
    if !fleet.viewers.is_empty() {
        front.settings = viewers(&mut plan, server, paths, &context, templates)?;
    }
    if server.https == Some(Https::Own) {
        front.settings.push(paths.identity.clone());
    }
    if server.has_certificate() {
        plan.files.push(system(&paths.authority, identities.authority.clone()));
        door.settings.push(paths.identity.clone());
        // whom another authority let in is not to stay
        door.restart_on.push(paths.authority.clone());
    }
    if server.tls {
        let from = templates.render("may-connect.conf.j2", &context)?;
        plan.files.push(parts::settings(&paths.may_connect_conf, from));
        plan.files.push(system(&paths.revoked, identities.revoked.clone()));
        door.settings
            .extend([&paths.may_connect_conf, &paths.revoked].map(Clone::clone));
    }
    if let Some(https) = &server.https {
        let of_front = [std::slice::from_ref(&paths.front_conf), &front.settings].concat();
        plan.checks.extend(certificate::readable(https, &of_front));
    }
    if let Some(Https::Acme { .. }) = server.https {
        certificate::by_acme(&mut plan, paths, &context, templates)?;
    }
    // who asks after those who answer; who comes in last
    Role::Core.add(&mut plan, server, paths, &context, templates, core)?;
    Role::Front.add(&mut plan, server, paths, &context, templates, front)?;
    Role::Door.add(&mut plan, server, paths, &context, templates, door)?;
    if let Some(recording) = &server.recording {
        recordings(&mut plan, recording, paths, &context, templates)?;
    }
    Ok(plan)
}

fn page(plan: &mut Plan, fleet: &Fleet, server: &Server, paths: &Paths) {
    let streams: Vec<String> = fleet.shown_by(server).map(|c| c.stream.to_string()).collect();
    let list = view::page(server, &streams);
    plan.files.push(system(&format!("{}/cameras.json", paths.www), list));
    let of_page = PAGE.map(|(name, text)| system(&format!("{}/{name}", paths.www), text.to_owned()));
    plan.files.extend(of_page);
}

/// What is pushed and where it goes. Returns the door's settings.
fn restream(
    plan: &mut Plan,
    fleet: &Fleet,
    server: &Server,
    paths: &Paths,
    context: &ServerContext<'_>,
    templates: &Templates,
) -> Result<Vec<String>, Error> {
    let text = templates.render("restream.conf.j2", context)?;
    plan.files.push(File {
        secret: true,
        ..owned(&paths.restream_conf, 0o600, USER, text)
    });
    let text = templates.render("targets.conf.j2", context)?;
    plan.files.push(parts::settings(&paths.targets_conf, text));
    let text = templates.render("resolver.sh.j2", context)?;
    plan.files.push(system(&paths.resolver_script, text));
    let mut settings = vec![paths.targets_conf.clone()];
    for trusted in view::trusted(fleet, server) {
        let path = format!("{}/{}", paths.etc, trusted.name);
        plan.files.push(system(&path, trusted.text));
        settings.push(path);
    }
    Ok(settings)
}

/// Logins, and each viewer's list. Returns the front's settings.
fn viewers(
    plan: &mut Plan,
    server: &Server,
    paths: &Paths,
    context: &ServerContext<'_>,
    templates: &Templates,
) -> Result<Vec<String>, Error> {
    plan.directories.push(directory(&paths.lists, "root", 0o755));
    for viewer in context.viewers() {
        let path = format!("{}/{}.json", paths.lists, viewer.name);
        plan.files.push(system(&path, view::page(server, &viewer.streams)));
    }
    let sessions = templates.render("sessions.conf.j2", context)?;
    let passwords = view::passwords(context.viewers(), paths);
    for (path, text) in [(&paths.sessions_conf, sessions), (&paths.passwords, passwords)] {
        plan.files.push(File {
            secret: true,
            ..owned(path, 0o600, USER, text)
        });
    }
    Ok([&paths.sessions_conf, &paths.passwords].map(Clone::clone).to_vec())
}

fn recordings(
    plan: &mut Plan,
    recording: &Recording,
    paths: &Paths,
    context: &ServerContext<'_>,
    templates: &Templates,
) -> Result<(), Error> {
    plan.directories.push(Directory {
        keep: true,
        ..directory(&recording.path.to_string_lossy(), USER, 0o750)
    });
    let config = templates.render("recordings.toml.j2", context)?;
    let unit = templates.render("pistream-recordings.service.j2", context)?;
    plan.files.push(parts::settings(&paths.recordings_toml, config));
    plan.files.push(system(&paths.recordings_unit, unit));
    plan.checks.push(check(
        "recordings configuration",
        std::slice::from_ref(&paths.recordings_toml),
        &[&paths.agent, "keep", "--config", "{dir}/recordings.toml", "--check"],
    ));
    plan.checks.push(unit_check(&paths.recordings_unit, RECORDINGS_UNIT));
    let files = [&paths.recordings_unit, &paths.recordings_toml].map(Clone::clone);
    plan.units.push(parts::unit(RECORDINGS_UNIT, &files));
    Ok(())
}
