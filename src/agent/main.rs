//! `pistream-agent`, the part of pistream that runs on a host: arguments in, exit code out. What each word does stands
//! in its own module.
//!
//! ```text
//! apply      plan on stdin  ─► compare ─► stage ─► check ─► commit ─► restart ─► confirm   events on stdout
//! supervise  camera.toml    ─► ffmpeg, kept running
//! recover    the supervisor's request ─► the camera's device reset, or the host booted anew
//! keep       recordings.toml ─► finished chunks filed, the oldest deleted
//! status     the supervisor's socket ─► one event
//! controls   the cameras' V4L2 controls ─► one event
//! inspect    request on stdin ─► facts about the server's streams
//! expel      who may no longer be in the server's core is put out of it
//! facts      this host ─► facts about it and its camera
//! recordings request on stdin ─► what is recorded, what is missing, or a film of it
//! ```

mod accounts;
mod apply;
mod archive;
mod board;
mod builds;
mod camera;
mod command;
mod controls;
mod events;
mod expel;
mod facts;
mod files;
mod holders;
mod host;
mod identity;
mod inspect;
mod keep;
mod nginx;
mod packages;
mod posix;
mod recordings;
mod recover;
mod request;
mod services;
mod status;
mod supervise;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod testing;
mod toml;

use std::ffi::OsStr;
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: pistream-agent apply
       pistream-agent supervise --config PATH [--check]
       pistream-agent recover --config PATH
       pistream-agent keep --config PATH [--check]
       pistream-agent status [--socket PATH]
       pistream-agent controls
       pistream-agent inspect
       pistream-agent expel --core SOCKET --front SOCKET
       pistream-agent facts [--config PATH]
       pistream-agent recordings
       pistream-agent --version";

/// The command line is wrong, or the request on stdin is.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    vanish_if_temporary();
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let arguments: Vec<&OsStr> = arguments.iter().map(|argument| argument.as_os_str()).collect();
    match arguments.as_slice() {
        [command] if *command == "apply" => apply::run(None),
        // for the tests and the demo: a directory plays the host
        [command, flag, root] if *command == "apply" && *flag == "--root" => apply::run(Some(Path::new(root))),
        [command, flag, path] if *command == "supervise" && *flag == "--config" => supervise::run(Path::new(path)),
        [command, flag, path, check] if *command == "supervise" && *flag == "--config" && *check == "--check" => {
            supervise::check(Path::new(path))
        }
        [command, flag, path] if *command == "recover" && *flag == "--config" => recover::run(Path::new(path)),
        [command, flag, path] if *command == "keep" && *flag == "--config" => keep::run(Path::new(path)),
        [command, flag, path, check] if *command == "keep" && *flag == "--config" && *check == "--check" => {
            keep::check(Path::new(path))
        }
        [command] if *command == "status" => status::run(Path::new(pistream_agent::STATUS_SOCKET)),
        [command, flag, path] if *command == "status" && *flag == "--socket" => status::run(Path::new(path)),
        [command] if *command == "controls" => controls::run(),
        [command] if *command == "inspect" => inspect::run(),
        [command, flag, core, other, front] if *command == "expel" && *flag == "--core" && *other == "--front" => {
            expel::run(&core.to_string_lossy(), &front.to_string_lossy())
        }
        [command] if *command == "facts" => facts::run(Path::new(pistream_agent::CAMERA_CONFIG)),
        [command, flag, path] if *command == "facts" && *flag == "--config" => facts::run(Path::new(path)),
        [command] if *command == "recordings" => recordings::run(),
        [flag] if *flag == "--version" => {
            println!("pistream-agent {} build {}", env!("CARGO_PKG_VERSION"), events::BUILD);
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(EXIT_USAGE)
        }
    }
}

/// A comparison of a host that pistream does not live on must leave no trace there: an agent uploaded for that is
/// named `pistream-agent-temporary…` and unlinks itself, with the directory `pistream.…` made for it, once it runs.
fn vanish_if_temporary() {
    fn starts_with(path: Option<&OsStr>, prefix: &str) -> bool {
        path.and_then(|n| n.to_str()).is_some_and(|n| n.starts_with(prefix))
    }
    let Ok(own) = std::env::current_exe() else { return };
    if !starts_with(own.file_name(), "pistream-agent-temporary") {
        return;
    }
    // Failing is harmless: the directory lies in the system's place for temporary files.
    let _ = std::fs::remove_file(&own);
    if let Some(directory) = own.parent().filter(|d| starts_with(d.file_name(), "pistream.")) {
        let _ = std::fs::remove_dir(directory);
    }
}
