//! `pistream verify`: do pictures really flow?
//!
//! Gathers facts (the camera's agent tells its status, the server's agent looks at what arrives and decodes it) and has
//! `judge` walk each camera's chain. Changes nothing on any host.

mod evidence;
mod front;
mod judge;
mod show;

pub use evidence::{Evidence, glance_request, inspect_request};
pub use judge::{Chain, Link, Verdict, adjusted, judge, restream_states};
pub use show::{print, write_junit};

use crate::ask::{ask, unexpected};
use crate::model::{Camera, Fleet, Name, Server, Ssh};
use crate::plan::{Host, Paths};
use crate::remote::Verb;
use crate::report::StatusLine;
use crate::secrets::Secrets;
use crate::transport::Credentials;
use crate::{ca, cli, exit, inventory, select};
use miette::IntoDiagnostic;
use pistream_agent::{Event, Facts, InspectRequest, Status};
use std::io::IsTerminal;
use std::time::SystemTime;
use tokio::task::JoinSet;

/// Runs the command.
///
/// # Errors
/// A wrong command line, inventory or secret, or a report that cannot be written.
pub async fn run(options: cli::Verify) -> miette::Result<exit::Code> {
    let fleet = inventory::load_and_warn(&options.inventory.inventory)?;
    let chosen: Vec<&Camera> = select::select(&fleet, &options.limit)
        .into_diagnostic()?
        .into_iter()
        .filter_map(|host| match host {
            Host::Camera(camera) => Some(camera),
            Host::Server(_) => None,
        })
        .collect();
    if chosen.is_empty() {
        miette::bail!("there is no camera to verify: the inventory or --limit names none");
    }
    let secrets = Secrets::resolve(&fleet).into_diagnostic()?;
    let requests = requests(&fleet, &chosen, &secrets, options.timeout).into_diagnostic()?;
    let evidence = gather(&chosen, requests, &secrets).await;
    let chains: Vec<Chain> = chosen.iter().map(|camera| judge(&fleet, camera, &evidence)).collect();
    print(&chains, options.json, options.verbose).into_diagnostic()?;
    if let Some(path) = &options.junit {
        write_junit(&chains, path).into_diagnostic()?;
    }
    Ok(match chains.iter().all(Chain::holds) {
        true => exit::Code::Done,
        false => exit::Code::Unverified,
    })
}

/// What to ask of each server that shows any of the cameras.
fn requests<'a>(
    fleet: &'a Fleet,
    cameras: &[&Camera],
    secrets: &Secrets,
    timeout: u64,
) -> Result<Vec<(&'a Server, InspectRequest)>, ca::Error> {
    let paths = Paths::host();
    let mut requests = Vec::new();
    for server in &fleet.servers {
        let shown = fleet.shown_by(server).filter(|shown| cameras.contains(shown));
        let shown: Vec<&Camera> = shown.collect();
        if !shown.is_empty() {
            let request = inspect_request(fleet, server, &shown, &paths, secrets, timeout)?;
            requests.push((server, request));
        }
    }
    Ok(requests)
}

/// What one host answered.
enum Told {
    Camera(Name, Result<Status, String>),
    Server(Name, Result<Facts, String>),
}

/// Asks all hosts at once.
pub async fn gather(cameras: &[&Camera], requests: Vec<(&Server, InspectRequest)>, secrets: &Secrets) -> Evidence {
    let mut asked = JoinSet::new();
    for (server, request) in requests {
        let (name, ssh) = (server.name.clone(), server.ssh.clone());
        let credentials = Credentials::of(&ssh, secrets);
        asked.spawn(async move { Told::Server(name, inspect(&ssh, &credentials, &request).await) });
    }
    for camera in cameras {
        let (name, ssh) = (camera.name.clone(), camera.ssh.clone());
        let credentials = Credentials::of(&ssh, secrets);
        asked.spawn(async move { Told::Camera(name, status(&ssh, &credentials).await) });
    }
    let line = std::io::stderr().is_terminal().then(|| StatusLine::new(true));
    let hosts = asked.len();
    let mut evidence = Evidence::default();
    loop {
        if let Some(line) = &line {
            line.show(&format!("{} of {hosts} hosts have answered", hosts - asked.len()));
        }
        let Some(told) = asked.join_next().await else { break };
        match told {
            Ok(Told::Camera(name, status)) => drop(evidence.statuses.insert(name, status)),
            Ok(Told::Server(name, facts)) => drop(evidence.facts.insert(name, facts)),
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    evidence.now = now.map_or(0, |d| d.as_secs());
    evidence
}

async fn status(ssh: &Ssh, credentials: &Credentials) -> Result<Status, String> {
    match ask::<()>(ssh, credentials, Verb::Status, None).await? {
        Event::Status { status } => Ok(*status),
        other => Err(unexpected(other)),
    }
}

async fn inspect(ssh: &Ssh, credentials: &Credentials, request: &InspectRequest) -> Result<Facts, String> {
    match ask(ssh, credentials, Verb::Inspect, Some(request)).await? {
        Event::Facts { facts } => Ok(*facts),
        other => Err(unexpected(other)),
    }
}

/// The server's address where it has one of its own, and not a name alone.
fn own_address(server: &Server) -> Option<std::net::IpAddr> {
    server.address.parse().or_else(|_| server.ssh.host.parse()).ok()
}

/// Whether the server's own address is one that may neither publish nor play, and so serves as the outsider.
fn is_outside(server: &Server, address: std::net::IpAddr, cameras: &[&Camera]) -> (bool, bool) {
    // behind TLS nobody publishes by his address, and where certificates tell who most are, a network vouches for no name that
    // has one
    let vouched =
        |c: &Camera| !(server.tls && c.address.is_some()) && server.publish.iter().any(|n| n.contains(address));
    let mut plain = cameras.iter().filter(|c| !(server.tls && c.tls));
    let publish = plain.any(|c| c.address == Some(address) || vouched(c));
    (!publish, !may_play(server, address))
}

/// Whether this address may play without being known otherwise.
fn may_play(server: &Server, address: std::net::IpAddr) -> bool {
    address.is_loopback() || server.play.iter().any(|n| n.contains(address))
}

#[cfg(test)]
mod tests {
    use super::is_outside;
    use crate::model::samples::fleet;
    use crate::model::{Camera, Fleet};

    #[test]
    fn a_network_lets_its_own_server_publish_only_where_it_vouches_for_a_name() {
        let publishes = |change: fn(&mut Fleet)| {
            let mut fleet = fleet(2);
            fleet.servers[0].publish = fleet.servers[0].play.clone();
            change(&mut fleet);
            let cameras: Vec<&Camera> = fleet.cameras.iter().collect();
            !is_outside(&fleet.servers[0], "10.0.0.254".parse().expect("an address"), &cameras).0
        };
        assert!(!publishes(|_| {}), "all cameras have certificates");
        assert!(!publishes(|fleet| fleet.cameras[1].tls = false), "an address is known");
        assert!(publishes(|fleet| {
            fleet.cameras[1].tls = false;
            fleet.cameras[1].address = None;
        }));
        assert!(publishes(|fleet| fleet.servers[0].tls = false));
    }
}
