//! `pistream controls`: what a camera's V4L2 driver can be told, as `v4l2-ctl --list-ctrls-menus` on it would show.

use crate::ask::{ask, unexpected};
use crate::plan::Host;
use crate::remote::Verb;
use crate::secrets::Secrets;
use crate::table::{Colour, table};
use crate::transport::Credentials;
use crate::{cli, exit, inventory, select};
use miette::IntoDiagnostic;
use pistream_agent::{ControlFacts, DeviceFacts, Event};
use std::fmt::Write as _;
use std::io::Write as _;

/// Runs the command.
///
/// # Errors
/// A wrong command line, inventory or secret, a host that is no camera, or a list that cannot be printed.
pub async fn run(options: cli::Controls) -> miette::Result<exit::Code> {
    let fleet = inventory::load_and_warn(&options.inventory.inventory)?;
    let chosen = select::select(&fleet, std::slice::from_ref(&options.host)).into_diagnostic()?;
    let [Host::Camera(camera)] = chosen[..] else {
        miette::bail!("`{}` is not one camera of the inventory", options.host);
    };
    let secrets = Secrets::resolve(&fleet).into_diagnostic()?;
    let credentials = Credentials::of(&camera.ssh, &secrets);
    let answer = ask::<()>(&camera.ssh, &credentials, Verb::Controls, None).await;
    let devices = match answer {
        Ok(Event::Controls { devices }) => devices,
        Ok(other) => return Ok(failed(&camera.name, &unexpected(other))),
        Err(why) => return Ok(failed(&camera.name, &why)),
    };
    let text = if options.json {
        serde_json::to_string_pretty(&devices).into_diagnostic()? + "\n"
    } else {
        devices.iter().map(shown).collect::<Vec<String>>().join("\n")
    };
    // not `print!`: it panics when whoever reads has gone
    std::io::stdout().write_all(text.as_bytes()).into_diagnostic()?;
    Ok(exit::Code::Done)
}

fn failed(camera: &crate::model::Name, why: &str) -> exit::Code {
    eprintln!("{camera}: {why}");
    exit::Code::HostFailed
}

fn shown(device: &DeviceFacts) -> String {
    let mut text = format!("{}: {} ({})\n", device.path, device.card, device.driver);
    let rows: Vec<_> = device.controls.iter().flat_map(rows).collect();
    match rows.is_empty() {
        true => text += " no controls\n",
        false => {
            // a String takes everything
            let _ = write!(
                text,
                "{}",
                table(&["CONTROL", "KIND", "TAKES", "DEFAULT", "NOW", ""], rows)
            );
        }
    }
    text
}

/// A row for the control, and one for each entry of its menu.
fn rows(control: &ControlFacts) -> Vec<Vec<(String, Colour)>> {
    let entry = |number: i64| match control.menu.iter().find(|entry| entry.number == number) {
        Some(entry) => format!("{number} ({})", entry.name),
        None => number.to_string(),
    };
    let takes = match (control.kind.as_str(), control.step) {
        ("button", _) => String::new(),
        ("bitmask", _) => format!("bits of {:#x}", control.maximum),
        (_, 0 | 1) => format!("{} to {}", control.minimum, control.maximum),
        (_, step) => format!("{} to {} in steps of {step}", control.minimum, control.maximum),
    };
    let now = control.value.map(entry).unwrap_or_default();
    let colour = match control.value {
        Some(value) if value != control.default => Colour::Notable,
        _ => Colour::Plain,
    };
    let default = if control.kind == "button" {
        String::new()
    } else {
        entry(control.default)
    };
    let plain = |text: String| (text, Colour::Plain);
    let mut rows = vec![vec![
        plain(control.name.clone()),
        plain(control.kind.clone()),
        plain(takes),
        plain(default),
        (now, colour),
        plain(control.flags.join(", ")),
    ]];
    rows.extend(control.menu.iter().map(|item| {
        let mut row = vec![plain(String::new()); 6];
        row[2] = plain(entry(item.number));
        row
    }));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use pistream_agent::MenuEntry;

    fn control(name: &str, kind: &str, takes: (i64, i64, u64), value: Option<i64>) -> ControlFacts {
        ControlFacts {
            name: name.into(),
            kind: kind.into(),
            minimum: takes.0,
            maximum: takes.1,
            step: takes.2,
            default: takes.0,
            value,
            flags: vec![],
            menu: Default::default(),
        }
    }

    #[test]
    fn ranges_menus_and_buttons_are_shown_as_what_they_take() {
        let mut profile = control("h264_profile", "menu", (0, 4, 1), Some(4));
        profile.menu = [(0, "Baseline"), (4, "High")]
            .map(|(number, name)| MenuEntry {
                number,
                name: name.into(),
            })
            .into();
        let mut mask = control("mask", "bitmask", (0, 6, 0), None);
        mask.flags = vec!["inactive".into()];
        let device = DeviceFacts {
            path: "/dev/video0".into(),
            card: "mmal service 16.1".into(),
            driver: "bcm2835 mmal".into(),
            controls: vec![
                control("video_bitrate", "int", (25_000, 25_000_000, 25_000), Some(250_000)),
                profile,
                control("force_key_frame", "button", (0, 0, 0), None),
                mask,
            ],
        };
        let expected = "\
/dev/video0: mmal service 16.1 (bcm2835 mmal)
 CONTROL          KIND     TAKES                                DEFAULT       NOW
 video_bitrate    int      25000 to 25000000 in steps of 25000  25000         250000
 h264_profile     menu     0 to 4                               0 (Baseline)  4 (High)
                           0 (Baseline)
                           4 (High)
 force_key_frame  button
 mask             bitmask  bits of 0x6                          0                       inactive
";
        assert_eq!(shown(&device), expected);
    }
}
