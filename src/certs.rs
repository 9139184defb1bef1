//! `pistream certs`: who of the fleet has which certificate, and who shall get another or none.
//!
//! Works with the authority beside the inventory; touches a host only to make a revocation count, by a deploy of its server.

mod issue;
mod list;
mod seal;

use crate::ask::HOSTS_AT_A_TIME;
use crate::ca::{Authority, Kind, bearers};
use crate::model::{Fleet, Name};
use crate::{cli, deploy, exit, inventory, passphrase};
use miette::{IntoDiagnostic, miette};
use std::io::Write;
use std::path::Path;

/// Runs the command.
///
/// # Errors
/// A wrong inventory, an authority that is not there or cannot be worked with, a name that never had a certificate.
pub async fn run(command: cli::Certs) -> miette::Result<exit::Code> {
    match command {
        cli::Certs::List { inventory, json } => list::run(&inventory.inventory, json),
        cli::Certs::Issue {
            inventory,
            viewer,
            output,
        } => issue::run(&inventory.inventory, &viewer, output),
        cli::Certs::Renew { inventory, name } => renew(&inventory.inventory, &name),
        cli::Certs::Revoke { inventory, name } => revoke(inventory, &name).await,
        cli::Certs::Seal { inventory } => seal::seal(&inventory.inventory),
        cli::Certs::Unseal { inventory } => seal::unseal(&inventory.inventory),
    }
}

fn renew(path: &Path, name: &str) -> miette::Result<exit::Code> {
    let fleet = inventory::load_and_warn(path)?;
    let name = legal(name)?;
    let all = bearers(&fleet);
    let Some(subject) = all.iter().find(|s| s.name == name) else {
        return Err(miette!(
            "{name} needs no certificate: the inventory names no such host or viewer, or `tls: off` for it"
        ));
    };
    there(path)?.renew(&name).into_diagnostic()?;
    let how = match subject.kind {
        Kind::Viewer => format!("`pistream certs issue --viewer {name}` makes a new key and certificate"),
        Kind::Server | Kind::Camera => "the next deploy makes a new key and certificate".to_owned(),
    };
    writeln!(std::io::stdout(), "{name}: {how}").into_diagnostic()?;
    Ok(exit::Code::Done)
}

/// The list of what is revoked counts once its server has it.
async fn revoke(inventory: cli::Inventory, name: &str) -> miette::Result<exit::Code> {
    let fleet = inventory::load_and_warn(&inventory.inventory)?;
    let name = legal(name)?;
    if fleet.servers.iter().any(|s| s.name == name) {
        return Err(miette!(
            help = "if its key was stolen: remove .pistream and deploy; every host gets a new certificate",
            "{name} is a server: cameras know their servers by the authority alone, and cannot learn of a revocation"
        ));
    }
    let authority = there(&inventory.inventory)?;
    passphrase::open(&authority, fleet.passphrase.as_ref()).into_diagnostic()?;
    authority.revoke(&name).into_diagnostic()?;
    // the deploy takes it anew
    drop(authority);
    writeln!(std::io::stdout(), "{name}: revoked; who has to know is told").into_diagnostic()?;
    deploy::run(cli::Deploy {
        limit: servers(&fleet, &name),
        inventory,
        check: false,
        diff: false,
        stop_others: false,
        jobs: HOSTS_AT_A_TIME,
        templates: None,
        json: false,
        verbose: false,
    })
    .await
}

/// The server of the camera; of a viewer, and of one that is no longer in the inventory, any may be.
fn servers(fleet: &Fleet, camera: &Name) -> Vec<String> {
    let camera = fleet.cameras.iter().find(|c| c.name == *camera);
    let concerned = |server: &&crate::model::Server| server.tls && camera.is_none_or(|c| c.server == server.name);
    let servers = fleet.servers.iter().filter(concerned);
    servers.map(|s| s.name.to_string()).collect()
}

fn there(path: &Path) -> miette::Result<Authority> {
    match Authority::look(path).into_diagnostic()? {
        // now locked
        Some(_) => Authority::take(path, None).into_diagnostic(),
        None => Err(miette!(
            help = "`pistream deploy` makes it",
            "there is no certificate authority beside {}",
            path.display()
        )),
    }
}

fn legal(name: &str) -> miette::Result<Name> {
    Name::new(name).ok_or_else(|| miette!("that is no name of a host or viewer"))
}
