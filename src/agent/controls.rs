//! `pistream-agent controls`: every capturing video device of this host with its controls, as events. Sets nothing.

use crate::camera::{Camera, devices};
use crate::events;
use pistream_agent::{DeviceFacts, Event, Fault};
use std::path::Path;
use std::process::ExitCode;

/// Prints a greeting and [`Event::Controls`], or [`Event::Failed`] where there is no such device. Exit code 0 or 1.
pub fn run() -> ExitCode {
    events::hello();
    let (mut devices, mut failures) = (Vec::new(), Vec::new());
    for path in devices::paths() {
        match look(&path) {
            Ok(facts) => devices.extend(facts),
            Err(failure) => failures.push(failure),
        }
    }
    if !devices.is_empty() {
        failures.into_iter().for_each(events::note);
        events::emit(&Event::Controls { devices });
        return ExitCode::SUCCESS;
    }
    let cause = if failures.is_empty() {
        "there is no video device that captures".to_owned()
    } else {
        failures.join("\n")
    };
    events::emit(&Event::Failed {
        fault: Fault {
            attempted: "list the camera's controls".to_owned(),
            cause,
            advice: Some("`v4l2-ctl --list-devices` on the host shows what its kernel knows".to_owned()),
        },
    });
    ExitCode::FAILURE
}

/// `None` for a device that does not capture: a Pi has a dozen of codecs and scalers beside its camera.
fn look(path: &Path) -> Result<Option<DeviceFacts>, String> {
    let camera = Camera::open(path).map_err(|error| error.to_string())?;
    if !camera.captures() {
        return Ok(None);
    }
    let controls = camera.controls().map_err(|error| error.to_string())?;
    Ok(Some(DeviceFacts {
        path: path.to_string_lossy().into_owned(),
        card: camera.card().to_owned(),
        driver: camera.driver().to_owned(),
        controls,
    }))
}
