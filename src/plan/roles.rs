//! The server's three nginx: the same program thrice, each with a configuration, a unit and a directory of its own.
//!
//! ```text
//! door   TLS, and who comes without by his address; restream's proxies   reload: old workers keep whom they have
//! core   RTMP: streams, recordings, segments; statistics                 reload: every stream is cut
//! front  HTTP: the page; who may publish and play                        reload: who may no longer is put out
//! ```
//!
//! Apart so that a change of who belongs to the fleet never reloads the one that holds the streams.

use super::parts::{check, settings, system, unit_check};
use super::view::ServerContext;
use super::{DOOR_UNIT, FRONT_UNIT, Paths, SERVER_UNIT};
use crate::model::Server;
use crate::templates::{self, Templates};
use pistream_agent::{Plan, Unit};
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Role {
    Core,
    Front,
    Door,
}

/// The units of the nginx that a server runs.
pub const NGINX_UNITS: [&str; 3] = [SERVER_UNIT, FRONT_UNIT, DOOR_UNIT];

/// What a role depends on besides its own configuration and unit: paths.
#[derive(Default)]
pub(super) struct Depends {
    /// A change is a reload.
    pub(super) settings: Vec<String>,
    /// A change ends every connection.
    pub(super) restart_on: Vec<String>,
}

/// As nginx.service.j2 sees it.
#[derive(Serialize)]
struct NginxView<'a> {
    role: Role,
    conf: &'a str,
    unit_file: &'a str,
    run: &'a str,
    /// Below /run.
    run_name: &'static str,
    /// Those it listens on.
    ports: Vec<u16>,
    core_unit: &'static str,
    front_unit: &'static str,
    door_unit: &'static str,
}

#[derive(Serialize)]
struct UnitContext<'a> {
    #[serde(flatten)]
    server: &'a ServerContext<'a>,
    nginx: NginxView<'a>,
}

impl Role {
    fn view<'a>(self, server: &Server, paths: &'a Paths) -> NginxView<'a> {
        let (conf, unit_file, run) = match self {
            Role::Core => (&paths.nginx_conf, &paths.server_unit, &paths.run),
            Role::Front => (&paths.front_conf, &paths.front_unit, &paths.front_run),
            Role::Door => (&paths.door_conf, &paths.door_unit, &paths.door_run),
        };
        let ports = match self {
            Role::Core => vec![server.status_port],
            Role::Front if server.https.is_some() => vec![server.http_port, server.https_port],
            Role::Front => vec![server.http_port],
            Role::Door if server.tls => vec![server.rtmp_port, server.rtmps_port],
            Role::Door => vec![server.rtmp_port],
        };
        NginxView {
            role: self,
            conf,
            unit_file,
            run,
            run_name: self.unit().trim_end_matches(".service"),
            ports,
            core_unit: SERVER_UNIT,
            front_unit: FRONT_UNIT,
            door_unit: DOOR_UNIT,
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Role::Core => SERVER_UNIT,
            Role::Front => FRONT_UNIT,
            Role::Door => DOOR_UNIT,
        }
    }

    fn template(self) -> &'static str {
        match self {
            Role::Core => "nginx.conf.j2",
            Role::Front => "front.conf.j2",
            Role::Door => "door.conf.j2",
        }
    }

    /// Adds this nginx to the plan.
    pub(super) fn add(
        self,
        plan: &mut Plan,
        server: &Server,
        paths: &Paths,
        context: &ServerContext<'_>,
        templates: &Templates,
        depends: Depends,
    ) -> Result<(), templates::Error> {
        let of_unit = UnitContext {
            server: context,
            nginx: self.view(server, paths),
        };
        let (conf, unit_file) = (of_unit.nginx.conf, of_unit.nginx.unit_file);
        plan.files
            .push(settings(conf, templates.render(self.template(), context)?));
        plan.files
            .push(system(unit_file, templates.render("nginx.service.j2", &of_unit)?));
        let name = conf.rsplit('/').next().unwrap_or(conf);
        let reload_on = [&[conf.to_owned()], depends.settings.as_slice()].concat();
        let restart_on = [&[unit_file.to_owned()], depends.restart_on.as_slice()].concat();
        plan.checks.push(check(
            &format!("nginx configuration ({name})"),
            // another nginx may read the same settings otherwise: its path stands in the unit
            &[reload_on.as_slice(), restart_on.as_slice()].concat(),
            &[
                &paths.nginx,
                "-t",
                "-q",
                "-e",
                "stderr",
                "-p",
                "{dir}/",
                "-c",
                &format!("{{dir}}/{name}"),
            ],
        ));
        plan.checks.push(unit_check(unit_file, self.unit()));
        plan.units.push(Unit {
            name: self.unit().into(),
            restart_on,
            reload_on,
        });
        Ok(())
    }
}
