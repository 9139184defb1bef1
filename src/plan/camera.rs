//! A camera: the agent that supervises its ffmpeg, and the settings of both.

use super::parts::{check, directory, identity, package, settings, system, unit, unit_check};
use super::{CAMERA_UNIT, Error, JOURNALD, Paths, RECOVER_PATH_UNIT, RECOVER_UNIT, TMP_UNIT, USER, view};
use crate::ca::Identities;
use crate::model::{Camera, Fleet, SdCard};
use crate::templates::Templates;
use pistream_agent::{Plan, Unit, User};
use std::slice;

const JOURNALD_UNIT: &str = "systemd-journald.service";

pub(super) fn for_camera(
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
    let rungs = camera.rungs();
    let below: Vec<String> = (1..=rungs.len()).map(|rung| paths.camera_rung(rung)).collect();
    let context = view::camera(fleet, camera, paths, &paths.camera_toml, &below);
    let mut directories = vec![directory(&paths.etc, "root", 0o755)];
    let tls = fleet.by_tls(camera);
    let mut files = vec![
        settings(&paths.camera_toml, templates.render("camera.toml.j2", &context)?),
        system(
            &paths.camera_unit,
            templates.render("pistream-camera.service.j2", &context)?,
        ),
    ];
    for (rung, path) in rungs.iter().zip(&below) {
        let context = view::camera(fleet, rung, paths, path, &[]);
        files.push(settings(path, templates.render("camera.toml.j2", &context)?));
    }
    let configs = [slice::from_ref(&paths.camera_toml), &below].concat();
    let mut restart_on = [slice::from_ref(&paths.camera_unit), &configs].concat();
    if tls {
        files.push(system(&paths.authority, identities.authority.clone()));
        restart_on.extend([&paths.authority, &paths.identity].map(Clone::clone));
    }
    let mut checks = vec![
        check(
            "camera configuration",
            &configs,
            &[&paths.agent, "supervise", "--config", "{dir}/camera.toml", "--check"],
        ),
        unit_check(&paths.camera_unit, CAMERA_UNIT),
    ];
    let mut units = vec![
        // named even without settings of ours: it is to be restarted when they go, too
        unit(JOURNALD_UNIT, slice::from_ref(&paths.journald_conf)),
    ];
    if camera.sd_card == SdCard::Tmpfs {
        directories.push(directory(JOURNALD, "root", 0o755));
        files.push(system(
            &paths.journald_conf,
            templates.render("journald.conf.j2", &context)?,
        ));
        files.push(system(&paths.tmp_mount, templates.render("tmp.mount.j2", &context)?));
        checks.push(unit_check(&paths.tmp_mount, TMP_UNIT));
        units.push(Unit {
            name: TMP_UNIT.into(),
            // what is mounted there already, and in use, can be given another size
            restart_on: vec![],
            reload_on: vec![paths.tmp_mount.clone()],
        });
    }
    units.push(unit(CAMERA_UNIT, &restart_on));
    if camera.recover.is_on() {
        let service = templates.render("pistream-recover.service.j2", &context)?;
        let path = templates.render("pistream-recover.path.j2", &context)?;
        files.push(system(&paths.recover_unit, service));
        files.push(system(&paths.recover_path_unit, path));
        checks.push(unit_check(&paths.recover_unit, RECOVER_UNIT));
        // the service itself is started by it, and by nobody else
        units.push(unit(RECOVER_PATH_UNIT, slice::from_ref(&paths.recover_path_unit)));
    }
    Ok(Plan {
        host: camera.name.to_string(),
        packages: vec![package("ffmpeg")],
        builds: vec![],
        users: vec![User {
            name: USER.into(),
            groups: vec!["video".into()],
            // whose the GPU's render node is, where there is one
            groups_if_there: vec!["render".into()],
        }],
        directories,
        files,
        checks,
        units,
        identity: tls.then(|| identity(&camera.name, paths, identities)),
    })
}
