//! `pistream-agent facts`: what this host is and what its camera could do. Looks only, changes nothing.

mod camera;
mod machine;

use crate::events;
use pistream_agent::{Event, HostFacts};
use std::path::Path;
use std::process::ExitCode;

/// Prints the facts; what cannot be learnt is left out of them. `config` is the camera's configuration, if there is one.
pub fn run(config: &Path) -> ExitCode {
    events::hello();
    let facts = HostFacts {
        camera: camera::facts(config),
        ..machine::facts()
    };
    events::emit(&Event::HostFacts { facts: Box::new(facts) });
    ExitCode::SUCCESS
}
