//! `pistream certs`: who of the fleet has which certificate, and who shall get another or none.
//!
//! Works with the authority beside the inventory; touches a host only to make a revocation count, by a deploy of its server.

use crate::ca::{Authority, Issued, Standing, Subject, subjects};
use crate::model::{Fleet, Name};
use crate::table::{Colour, table};
use crate::{cli, deploy, exit, inventory};
use miette::{IntoDiagnostic, miette};
use std::io::Write;
use std::path::Path;

/// Runs the command.
///
/// # Errors
/// A wrong inventory, an authority that is not there or cannot be worked with, a name that never had a certificate.
pub async fn run(command: cli::Certs) -> miette::Result<exit::Code> {
    match command {
        cli::Certs::List { inventory, json } => list(&inventory.inventory, json),
        cli::Certs::Renew { inventory, name } => renew(&inventory.inventory, &name),
        cli::Certs::Revoke { inventory, name } => revoke(inventory, &name).await,
    }
}

fn list(path: &Path, json: bool) -> miette::Result<exit::Code> {
    let fleet = inventory::load_and_warn(path)?;
    let wanted = subjects(&fleet);
    let (certificates, now) = match Authority::look(path).into_diagnostic()? {
        Some(authority) => authority.list().into_diagnostic()?,
        None => (Vec::new(), 0),
    };
    let rows = certificates.iter().map(|(name, newest)| {
        let subject = wanted.iter().find(|s| s.name == *name);
        Row {
            name,
            newest,
            days: newest.days_left(now),
            standing: standing(newest.standing(subject, now), subject),
        }
    });
    let mut out = std::io::stdout();
    let shown = match json {
        true => {
            let rows: Vec<serde_json::Value> = rows.map(|row| row.json()).collect();
            serde_json::to_string_pretty(&rows).into_diagnostic()? + "\n"
        }
        false => table(
            &["NAME", "SERIAL", "DAYS LEFT", "STANDING"],
            rows.map(Row::cells).collect(),
        ),
    };
    // whoever reads may have gone
    write!(out, "{shown}").into_diagnostic()?;
    Ok(exit::Code::Done)
}

struct Row<'a> {
    name: &'a Name,
    newest: &'a Issued,
    days: u64,
    standing: (&'static str, Colour),
}

impl Row<'_> {
    fn cells(self) -> Vec<(String, Colour)> {
        let (standing, colour) = self.standing;
        vec![
            (self.name.to_string(), Colour::Plain),
            (self.newest.serial.clone(), Colour::Plain),
            (self.days.to_string(), Colour::Plain),
            (standing.to_owned(), colour),
        ]
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "name": self.name.as_str(), "serial": self.newest.serial, "not_after": self.newest.not_after,
            "days_left": self.days, "revoked": self.newest.revoked, "standing": self.standing.0,
        })
    }
}

fn standing(standing: Standing, subject: Option<&Subject>) -> (&'static str, Colour) {
    match (standing, subject) {
        (Standing::Revoked, _) => ("revoked", Colour::Bad),
        (Standing::Expired, _) => ("expired", Colour::Bad),
        (_, None) => ("no longer in the inventory", Colour::Plain),
        (Standing::Due, _) => ("due: deploy renews it", Colour::Plain),
        (Standing::Good, _) => ("good", Colour::Good),
    }
}

fn renew(path: &Path, name: &str) -> miette::Result<exit::Code> {
    let fleet = inventory::load_and_warn(path)?;
    let name = legal(name)?;
    if !subjects(&fleet).iter().any(|s| s.name == name) {
        return Err(miette!(
            "{name} needs no certificate: the inventory names no such host, or its server has `tls: off`"
        ));
    }
    there(path)?.renew(&name).into_diagnostic()?;
    writeln!(
        std::io::stdout(),
        "{name}: the next deploy makes a new key and certificate"
    )
    .into_diagnostic()?;
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
    there(&inventory.inventory)?.revoke(&name).into_diagnostic()?;
    writeln!(std::io::stdout(), "{name}: revoked; its server is told").into_diagnostic()?;
    deploy::run(cli::Deploy {
        limit: servers(&fleet, &name),
        inventory,
        check: false,
        diff: false,
        jobs: cli::JOBS,
        templates: None,
        json: false,
        verbose: false,
    })
    .await
}

/// The server of the camera; of one that is no longer in the inventory any may be.
fn servers(fleet: &Fleet, camera: &Name) -> Vec<String> {
    let camera = fleet.cameras.iter().find(|c| c.name == *camera);
    let concerned = |server: &&crate::model::Server| server.tls && camera.is_none_or(|c| c.server == server.name);
    let servers = fleet.servers.iter().filter(concerned);
    servers.map(|s| s.name.to_string()).collect()
}

fn there(path: &Path) -> miette::Result<Authority> {
    match Authority::look(path).into_diagnostic()? {
        // now locked
        Some(_) => Authority::take(path).into_diagnostic(),
        None => Err(miette!(
            help = "`pistream deploy` makes it",
            "there is no certificate authority beside {}",
            path.display()
        )),
    }
}

fn legal(name: &str) -> miette::Result<Name> {
    Name::new(name).ok_or_else(|| miette!("that is no name of a host"))
}
