//! `pistream status`: how every camera and server fares now. Fast: the cameras' agents answer from memory, the servers' look
//! once at everything. Nothing is proven (that is verify's part), nothing on any host changes.

mod camera;
mod server;
mod show;

use crate::model::{Camera, Fleet, Server};
use crate::plan::{Host, Paths};
use crate::secrets::Secrets;
use crate::verify::{self, Evidence};
use crate::{cli, exit, inventory, select};
use camera::CameraHealth;
use miette::IntoDiagnostic;
use serde::Serialize;
use server::ServerHealth;
use std::io::{IsTerminal, Write};
use std::time::Duration;

/// Between two looks with `--watch`.
const AGAIN: Duration = Duration::from_secs(5);
/// Clears a terminal and goes to its upper left corner (ECMA-48).
const CLEAR: &str = "\x1b[2J\x1b[H";

/// How all hosts that were asked for fare.
#[derive(Debug, Serialize)]
struct Health {
    well: bool,
    cameras: Vec<CameraHealth>,
    servers: Vec<ServerHealth>,
}

/// Runs the command.
///
/// # Errors
/// A wrong command line, inventory or secret, or a report that cannot be printed.
pub async fn run(options: cli::Status) -> miette::Result<exit::Code> {
    let fleet = inventory::load_and_warn(&options.inventory.inventory)?;
    let hosts = select::select(&fleet, &options.hosts).into_diagnostic()?;
    let secrets = Secrets::resolve(&fleet).into_diagnostic()?;
    loop {
        let health = look(&fleet, &hosts, &secrets).await;
        let text = match options.json {
            true => serde_json::to_string_pretty(&health).into_diagnostic()? + "\n",
            false => show::text(&health),
        };
        let clear = match options.watch && !options.json && std::io::stdout().is_terminal() {
            true => CLEAR,
            false => "",
        };
        // not `print!`: it panics when whoever reads has gone
        write!(std::io::stdout(), "{clear}{text}").into_diagnostic()?;
        if !options.watch {
            return Ok(match health.well {
                true => exit::Code::Done,
                false => exit::Code::HostFailed,
            });
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn look(fleet: &Fleet, hosts: &[Host<'_>], secrets: &Secrets) -> Health {
    let (mut cameras, mut servers) = (Vec::new(), Vec::new());
    for host in hosts {
        match host {
            Host::Camera(camera) => cameras.push(*camera),
            Host::Server(server) => servers.push(*server),
        }
    }
    let paths = Paths::host();
    let request = |server: &&'_ Server| {
        let streams: Vec<&Camera> = fleet.cameras_of(server).collect();
        verify::glance_request(server, &streams, &paths)
    };
    let requests = servers.iter().map(|server| (*server, request(server))).collect();
    let evidence = verify::gather(&cameras, requests, secrets).await;
    health(fleet, &cameras, &servers, &evidence)
}

/// Pure.
fn health(fleet: &Fleet, cameras: &[&Camera], servers: &[&Server], evidence: &Evidence) -> Health {
    let cameras: Vec<CameraHealth> = cameras
        .iter()
        .map(|camera| CameraHealth::of(fleet, camera, evidence))
        .collect();
    let servers: Vec<ServerHealth> = servers
        .iter()
        .map(|server| ServerHealth::of(fleet, server, evidence))
        .collect();
    Health {
        well: cameras.iter().all(|c| c.problem.is_none()) && servers.iter().all(|s| s.problems.is_empty()),
        cameras,
        servers,
    }
}

#[cfg(test)]
mod tests;
