//! `pistream-agent keep`: files finished chunks by camera and day, as MP4, and deletes the oldest before the disk is full.
//!
//! ```text
//! nginx ─► porch.20260131T140000Z.flv ─ written by anybody? ─ no ─► job: count, remux, count again ─► porch/2026-01-31/…mp4
//!                                                                             the FLV goes last
//! every two seconds: what is there ─ retention ─► the oldest goes
//! every tenth of one:   free space gone? ─► nginx stops recording until it is back
//! ```
//!
//! A chunk is finished when nobody has it open for writing. The kernel knows that (`posix::is_written`), whoever was
//! killed or started meanwhile: no callback can be lost, no clock is trusted, nothing has to be remembered. What this
//! process was doing when it died is begun anew: an MP4 has its name only when it was read back and is on disk, and the
//! FLV goes only after that.
//!
//! Filed films have their index in front (`faststart`), not in fragments: they are finished and checked, so fragments
//! would protect nothing, and there are phones and editors that cannot seek in them.
//!
//! It never touches what it cannot tell by its name to be a recording, and never waits for anything without a deadline.

mod config;
mod control;
mod index;
mod job;
mod keeper;
mod limits;
mod recorder;
mod retention;
mod shelf;
pub(crate) mod tool;
mod waiting;

use crate::posix;
use crate::supervise::journal::log;
use keeper::Keeper;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The configuration is wrong: starting again cannot help (`RestartPreventExitStatus=2`).
const WRONG_CONFIG: u8 = 2;

/// Keeps until SIGTERM or SIGINT, then exits with 0; 2 when the configuration is wrong, 1 when the signal handlers cannot
/// be set up.
pub(crate) fn run(config: &Path) -> ExitCode {
    let (mut config, text) = match config::read(config) {
        Ok(read) => read,
        Err(error) => {
            log(error);
            return ExitCode::from(WRONG_CONFIG);
        }
    };
    let stop = Arc::new(AtomicBool::new(false));
    let registered = [SIGTERM, SIGINT]
        .into_iter()
        .try_for_each(|signal| signal_hook::flag::register(signal, Arc::clone(&stop)).map(drop))
        .and_then(|()| signal_hook::flag::register(SIGHUP, Arc::new(AtomicBool::new(false))).map(drop));
    if let Err(error) = registered {
        log(format_args!("signals cannot be watched: {error}"));
        return ExitCode::FAILURE;
    }
    posix::ignore_lease_breaks();
    if let Err(error) = limits::remember(&mut config, &text) {
        log(error.line());
    }
    Keeper::new(config).run(&stop);
    ExitCode::SUCCESS
}

/// Only reads the configuration: 0 if it is good, 2 with one line on stderr if not.
pub(crate) fn check(config: &Path) -> ExitCode {
    match config::read(config) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            log(error);
            ExitCode::from(WRONG_CONFIG)
        }
    }
}
