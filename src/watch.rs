//! `pistream watch`: one camera in a player that knows nothing of certificates.
//!
//! Works from a viewer's pass alone, on the viewer's own machine: opens a port on loopback behind which this program speaks
//! TLS with the server, and starts the player on it. Knows no inventory and no host.

mod player;
mod tunnel;

use crate::pass::Pass;
use crate::{cli, exit};
use miette::IntoDiagnostic;
use std::io::Write;
use tunnel::Tunnel;

/// Runs the command, until the player ends or somebody presses Ctrl-C.
///
/// # Errors
/// A directory that holds no pass, a camera that it does not name, no player. That the server is not to be reached, not
/// the fleet's, or does not let the viewer in is told here, and is exit code 1.
pub async fn run(options: cli::Watch) -> miette::Result<exit::Code> {
    let pass = Pass::read(&options.viewer).into_diagnostic()?;
    let place = pass.places.of(&options.name).into_diagnostic()?;
    let player = player::choose(options.player).into_diagnostic()?;
    let tunnel = match Tunnel::open(&pass, place).await {
        Ok(tunnel) => tunnel,
        Err(error) => {
            eprintln!("{:?}", miette::Report::from_err(error));
            return Ok(exit::Code::HostFailed);
        }
    };
    let url = format!("rtmp://127.0.0.1:{}/live/{}", tunnel.port(), place.stream);
    let carrying = tokio::spawn(tunnel.carry());
    let code = match player {
        Some(player) => player::run(player, &url).await.into_diagnostic()?,
        None => {
            writeln!(std::io::stdout(), "{url}").into_diagnostic()?;
            tokio::signal::ctrl_c().await.into_diagnostic()?;
            exit::Code::Done
        }
    };
    carrying.abort();
    Ok(code)
}
