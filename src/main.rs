//! pistream: arguments in, exit code out.
//!
//! ```text
//! hosts.yml ─ inventory::load ─► Fleet ─ plan::for_host ─► Plan ─┬─► render    a directory per host, offline
//!    what the user wrote          what it means   pure: no host, │
//!                                                 no clock, no   ├─► deploy --check   compare on the host
//!                                                 network        └─► deploy           pistream-agent apply, on the host
//!                                                                       │ Event, Event …
//!                                                                report ◄┘  ──►  verify
//! ```

mod ask;
mod assets;
mod ca;
mod certs;
mod cli;
mod controls;
mod demo;
mod deploy;
mod exit;
mod facts;
mod import;
mod inventory;
mod logins;
mod model;
mod pass;
mod passphrase;
mod plan;
mod recordings;
mod remote;
mod render;
mod report;
mod schema;
mod secrets;
mod select;
mod status;
mod table;
mod tarballs;
mod templates;
mod terminal;
mod told;
mod transport;
mod verify;
mod watch;

use clap::Parser;
use cli::Command;
use miette::IntoDiagnostic;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(cli::Cli::parse().command) {
        Ok(code) => code.into(),
        Err(report) => {
            eprintln!("{:?}", said_once(report));
            exit::Code::Usage.into()
        }
    }
}

/// Without its causes, where the message quotes them all.
fn said_once(report: miette::Report) -> miette::Report {
    let message = report.to_string();
    let quoted = report.chain().all(|cause| message.contains(&cause.to_string()));
    let more = report.help().is_some() || report.source_code().is_some() || report.related().is_some();
    if quoted && !more {
        miette::miette!("{message}")
    } else {
        report
    }
}

fn run(command: Command) -> miette::Result<exit::Code> {
    match command {
        Command::Render(options) => render::run(options),
        Command::Import(options) => import::run(options),
        Command::Schema => schema::run(),
        Command::Deploy(options) => runtime()?.block_on(deploy::run(options)),
        Command::Watch(options) => runtime()?.block_on(watch::run(options)),
        Command::Certs(command) => runtime()?.block_on(certs::run(command)),
        Command::Status(options) => runtime()?.block_on(status::run(options)),
        Command::Verify(options) => runtime()?.block_on(verify::run(options)),
        Command::Facts(options) => runtime()?.block_on(facts::run(options)),
        Command::Recordings(options) => runtime()?.block_on(recordings::run(options)),
        Command::Controls(options) => runtime()?.block_on(controls::run(options)),
        Command::Demo(options) => runtime()?.block_on(demo::run(options)),
    }
}

fn runtime() -> miette::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .into_diagnostic()
}
