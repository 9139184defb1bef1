//! The player: which there is, and how each is told to play an address with little delay.

use crate::cli::Player;
use crate::exit;
use std::process::Stdio;
use tokio::process::Command;

#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("neither mpv, vlc nor ffplay is installed here; `--player none` tells an address for any other")]
    NoPlayer,
    #[error("cannot run {program}: {source}; `--player none` tells an address for any other")]
    Run {
        program: &'static str,
        source: std::io::Error,
    },
    #[error("cannot listen for Ctrl-C: {0}")]
    Signal(std::io::Error),
}

/// The one asked for, else the first that there is; `None` where none is wanted.
pub(super) fn choose(wanted: Option<Player>) -> Result<Option<Player>, Error> {
    match wanted {
        Some(Player::None) => Ok(None),
        Some(player) => Ok(Some(player)),
        None => {
            let known = [Player::Mpv, Player::Vlc, Player::Ffplay];
            let found = known.into_iter().find(|player| installed(program(*player)));
            found.map(Some).ok_or(Error::NoPlayer)
        }
    }
}

fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

fn program(player: Player) -> &'static str {
    match player {
        Player::Mpv => "mpv",
        Player::Vlc => "vlc",
        Player::Ffplay | Player::None => "ffplay",
    }
}

/// What each needs so that it does not save up seconds before it shows anything, and ends with the stream.
fn options(player: Player) -> &'static [&'static str] {
    match player {
        Player::Mpv => &["--profile=low-latency"],
        Player::Vlc => &["--play-and-exit", "--network-caching=300"],
        Player::Ffplay | Player::None => &["-loglevel", "error", "-fflags", "nobuffer", "-autoexit"],
    }
}

/// Runs it to its end. Ctrl-C reaches it, too: it is waited for then.
pub(super) async fn run(player: Player, url: &str) -> Result<exit::Code, Error> {
    let program = program(player);
    let run = |source| Error::Run { program, source };
    let mut child = Command::new(program)
        .args(options(player))
        .arg(url)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(run)?;
    tokio::select! {
        ended = child.wait() => match ended.map_err(run)? {
            status if status.success() => Ok(exit::Code::Done),
            status => {
                eprintln!("{program} ended with {status}");
                Ok(exit::Code::HostFailed)
            }
        },
        pressed = tokio::signal::ctrl_c() => {
            pressed.map_err(Error::Signal)?;
            child.wait().await.map_err(run)?;
            Ok(exit::Code::Done)
        }
    }
}
