//! `pistream certs issue`: a viewer's pass, to be handed to him.

use super::{legal, there};
use crate::ca::Subject;
use crate::model::{Camera, Server};
use crate::pass::{Empty, Pass, Places};
use crate::{exit, inventory, passphrase};
use miette::{IntoDiagnostic, miette};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Whatever he had before stays good until it ends or he is revoked: he may watch from two machines.
pub(super) fn run(path: &Path, viewer: &str, output: Option<PathBuf>) -> miette::Result<exit::Code> {
    let fleet = inventory::load_and_warn(path)?;
    let name = legal(viewer)?;
    let Some(viewer) = fleet.viewers.iter().find(|v| v.name == name) else {
        let known: Vec<&str> = fleet.viewers.iter().map(|v| v.name.as_str()).collect();
        return Err(miette!(
            help = "a viewer stands in the inventory: `viewers: {NAME: {password: …, cameras: […]}}`",
            "the inventory has no viewer {name}; it has {}",
            if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            }
        ));
    };
    let seen = fleet.cameras.iter().filter(|c| viewer.cameras.contains(&c.name));
    let by_tls = |camera| {
        fleet
            .server_of(camera)
            .filter(|server| server.tls)
            .map(|server| (camera, server))
    };
    let places = Places::new(
        &name,
        seen.filter_map(by_tls).collect::<Vec<(&Camera, &Server)>>().into_iter(),
    );
    if places.is_empty() {
        return Err(miette!(
            "no server of a camera that {name} may see speaks TLS: there is nothing to show a certificate to"
        ));
    }
    let authority = there(path)?;
    passphrase::open(&authority, fleet.passphrase.as_ref()).into_diagnostic()?;
    let directory = output.unwrap_or_else(|| PathBuf::from(name.as_str()));
    let place = Empty::make(&directory).into_diagnostic()?;
    let identity = authority
        .issue_with_key(&Subject::of_viewer(viewer))
        .into_diagnostic()?;
    let pass = Pass {
        identity,
        authority: authority.certificate().to_owned(),
        places,
    };
    place.fill(&pass).into_diagnostic()?;
    writeln!(
        std::io::stdout(),
        "{}: {name}'s key and certificate, good for a year; hand it to {name} alone, then `pistream watch CAMERA --viewer {}`",
        directory.display(),
        directory.display()
    )
    .into_diagnostic()?;
    Ok(exit::Code::Done)
}
