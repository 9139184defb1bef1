//! `pistream-agent supervise`: keeps one camera's ffmpeg running and tells how it fares.
//!
//! ```text
//! camera.toml ─ config ─► choice, requirements ─► camera controls ─► [capture ─►] ffmpeg ─┬─► statistics ─► meter, watchdog
//!                              ▲                       ▲ tuning ◄── governor ◄─────────────┤
//!                              │                                                          ├─► lines ─► journal, cause
//!                              └─────────────────────── backoff ◄─────────────────────────┘ exit
//! ```
//!
//! One main loop decides (`supervisor`); a thread per source of news feeds it (ffmpeg's stderr, signals), one serves the
//! status socket. In steady state nothing is written to any disk, and nothing is waited for without a deadline.

mod backoff;
mod bulletin;
mod capture;
mod cause;
mod choice;
mod conditions;
mod config;
#[cfg(test)]
mod day_tests;
mod escalation;
mod ffmpeg;
mod governor;
pub(crate) mod journal;
pub(crate) mod listed;
mod listener;
mod meter;
mod outlook;
mod process;
mod remembered;
mod requirements;
mod run;
mod rungs;
mod sendqueue;
mod supervisor;
pub(crate) mod systemd;
mod tuning;
mod validity;

use choice::all_hold;
use journal::log;
use listener::{Board, Listener};
use pistream_agent::{CameraConfig, PipelineFacts, Requirement};
use requirements::Trials;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use supervisor::{News, Supervisor};

/// The configuration is wrong: starting again cannot help (`RestartPreventExitStatus=2`).
const WRONG_CONFIG: u8 = 2;
/// News that may wait unread; ffmpeg's reader waits when the main loop falls behind.
const NEWS: usize = 256;

/// Supervises until SIGTERM or SIGINT, then exits with 0; 2 when the configuration is wrong, 1 when the status socket or
/// the signal handlers cannot be set up.
pub fn run(path: &Path) -> ExitCode {
    let configured = std::fs::metadata(path).and_then(|file| file.modified()).ok();
    let config = match config::read(path) {
        Ok(config) => config,
        Err(error) => {
            log(error);
            return ExitCode::from(WRONG_CONFIG);
        }
    };
    let rungs = match rungs::read(path, &config) {
        Ok(rungs) => rungs,
        Err(error) => {
            log(error);
            return ExitCode::from(WRONG_CONFIG);
        }
    };
    let (sender, inbox) = mpsc::sync_channel(NEWS);
    let stop = Arc::new(AtomicBool::new(false));
    if let Err(error) = watch_signals(&stop, &sender) {
        log(format_args!("signals cannot be watched: {error}"));
        return ExitCode::FAILURE;
    }
    let board = Board::default();
    let mut supervisor = Supervisor::new(config, rungs, configured, board.clone(), sender, stop);
    let listener = match Listener::start(Path::new(supervisor.socket()), board) {
        Ok(listener) => listener,
        Err(error) => {
            log(error);
            return ExitCode::FAILURE;
        }
    };
    supervisor.run(&inbox);
    drop(listener);
    ExitCode::SUCCESS
}

/// Only reads the configuration, and asks the cameras that are there what they think of their controls: 0 if all is
/// good, 2 with what is not on stderr.
pub fn check(path: &Path) -> ExitCode {
    let config = match config::read(path) {
        Ok(config) => config,
        Err(error) => {
            log(error);
            return ExitCode::from(WRONG_CONFIG);
        }
    };
    if let Err(error) = rungs::read(path, &config) {
        log(error);
        return ExitCode::from(WRONG_CONFIG);
    }
    let objections = outlook::objections(&config.pipelines);
    objections.iter().for_each(log);
    match objections.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(WRONG_CONFIG),
    }
}

/// The configuration, as the supervisor reads it.
///
/// # Errors
/// What is wrong with it, in one line.
pub(crate) fn configured(config: &Path) -> Result<CameraConfig, String> {
    config::read(config).map_err(|error| error.to_string())
}

/// Every pipeline of the configuration and what keeps it from running on this host: each requirement is tried for real.
///
/// # Errors
/// What is wrong with the configuration, in one line.
pub(crate) fn obstacles(config: &Path) -> Result<Vec<PipelineFacts>, String> {
    let config = configured(config)?;
    let mut trials = Trials::new(&config.ffmpeg);
    let facts = config.pipelines.iter().map(|pipeline| {
        let result = all_hold(pipeline, |requirement| trials.holds(requirement, &mut || true));
        PipelineFacts {
            name: pipeline.name.clone(),
            obstacle: result.err(),
        }
    });
    Ok(facts.collect())
}

/// The configuration that a text is, if it can be run.
pub(crate) fn understood(text: &str) -> Option<CameraConfig> {
    config::parse(text).ok()
}

/// Whether any of its ways begins at a camera.
pub(crate) fn uses_camera(config: &CameraConfig) -> bool {
    let of_camera =
        |requirement: &Requirement| matches!(requirement, Requirement::V4l2(_) | Requirement::Listed { .. });
    let mut requirements = config.pipelines.iter().flat_map(|pipeline| &pipeline.requires);
    requirements.any(of_camera)
}

/// Why this configuration cannot work on this host whatever is plugged in or installed, and what to do instead.
pub(crate) fn hopeless(config: &CameraConfig) -> Option<(String, String)> {
    outlook::hopeless(&config.pipelines).or_else(|| {
        let objections = outlook::objections(&config.pipelines);
        let told: Vec<String> = objections.iter().map(ToString::to_string).collect();
        let advice = "`pistream controls CAMERA` lists what the camera's driver takes".to_owned();
        (!told.is_empty()).then(|| (told.join("\n"), advice))
    })
}

/// SIGTERM and SIGINT set `stop` and wake the main loop; SIGHUP does nothing (a handler, not "ignore": ffmpeg would
/// inherit that).
fn watch_signals(stop: &Arc<AtomicBool>, sender: &SyncSender<News>) -> io::Result<()> {
    let (mut heard, told) = UnixStream::pair()?;
    signal_hook::low_level::pipe::register(SIGTERM, told.try_clone()?)?;
    signal_hook::low_level::pipe::register(SIGINT, told)?;
    signal_hook::flag::register(SIGHUP, Arc::new(AtomicBool::new(false)))?;
    let (stop, sender) = (Arc::clone(stop), sender.clone());
    thread::Builder::new()
        .name("signals".to_owned())
        .stack_size(64 << 10)
        .spawn(move || {
            let mut byte = [0];
            while heard.read_exact(&mut byte).is_ok() {
                stop.store(true, Ordering::Relaxed);
                // a full inbox wakes the main loop as well
                let _ = sender.try_send(News::Stop);
            }
        })?;
    Ok(())
}
