//! Facts for people (a table) and for programs (JSON).

use super::Answer;
use crate::table::{Colour, table};
use crate::told::size;
use pistream_agent::{CameraFacts, CameraStack, HostFacts, PipelineFacts};
use std::io::Write;

#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("cannot encode the facts: {0}")]
    Encode(#[from] serde_json::Error),
    #[error("cannot print the facts: {0}")]
    Print(std::io::Error),
}

/// One line of a host: what it is about, what it says, and what that means to the eye.
type Line = (&'static str, String, Colour);

/// Prints all answers.
///
/// # Errors
/// [`Error`].
pub(super) fn print(answers: &[Answer], json: bool) -> Result<(), Error> {
    let text = if json {
        serde_json::to_string_pretty(&as_json(answers))? + "\n"
    } else {
        table(&["HOST", "FACT", "WHAT"], answers.iter().flat_map(rows).collect())
    };
    // not `print!`: it panics when whoever reads has gone
    write!(std::io::stdout(), "{text}").map_err(Error::Print)
}

fn as_json(answers: &[Answer]) -> serde_json::Value {
    let hosts: Vec<serde_json::Value> = answers
        .iter()
        .map(|answer| match &answer.facts {
            Ok(facts) => serde_json::json!({ "host": answer.host, "facts": facts }),
            Err(why) => serde_json::json!({ "host": answer.host, "error": why }),
        })
        .collect();
    serde_json::json!({ "hosts": hosts })
}

fn rows(answer: &Answer) -> Vec<Vec<(String, Colour)>> {
    let lines = match &answer.facts {
        Ok(facts) => lines(facts),
        Err(why) => vec![("", why.clone(), Colour::Bad)],
    };
    let row = |(at, (about, what, colour)): (usize, Line)| {
        let host = if at == 0 { answer.host.clone() } else { String::new() };
        vec![(host, Colour::Plain), (about.to_owned(), Colour::Plain), (what, colour)]
    };
    lines.into_iter().enumerate().map(row).collect()
}

fn lines(facts: &HostFacts) -> Vec<Line> {
    let unknown = || "unknown".to_owned();
    let mut lines = vec![("model", facts.model.clone().unwrap_or_else(unknown), Colour::Plain)];
    lines.push(("system", system(facts), Colour::Plain));
    let gpu = facts.gpu_memory.as_ref().map(|gpu| format!(", {gpu} of it the GPU's"));
    let memory = facts.memory.map_or_else(unknown, size) + &gpu.unwrap_or_default();
    lines.push(("memory", memory, Colour::Plain));
    lines.extend(facts.throttled.map(power));
    lines.push(match facts.clock_synchronised {
        Some(true) => ("clock", "synchronised".to_owned(), Colour::Good),
        Some(false) => ("clock", "not synchronised".to_owned(), Colour::Notable),
        None => ("clock", unknown(), Colour::Plain),
    });
    lines.push(disk(facts));
    lines.extend(camera(&facts.camera));
    lines
}

fn system(facts: &HostFacts) -> String {
    let known = |value: &Option<String>| value.clone().unwrap_or_else(|| "?".to_owned());
    format!(
        "{}, kernel {} {}, packages {}",
        known(&facts.system),
        known(&facts.kernel),
        known(&facts.kernel_architecture),
        known(&facts.userland_architecture)
    )
}

/// The firmware's flags in words: bits 0 to 3 now, the same 16 higher since boot.
fn power(flags: u32) -> Line {
    const BITS: [(u32, &str); 4] = [
        (0, "undervoltage"),
        (1, "frequency capped"),
        (2, "throttled"),
        (3, "too warm"),
    ];
    let set = |shift: u32| {
        let names = BITS.iter().filter(|(bit, _)| flags >> (bit + shift) & 1 == 1);
        names.map(|(_, name)| *name).collect::<Vec<&str>>().join(", ")
    };
    match (set(0), set(16)) {
        (now, _) if !now.is_empty() => ("power", format!("{now} now"), Colour::Bad),
        (_, since) if !since.is_empty() => ("power", format!("{since} since boot"), Colour::Notable),
        _ => ("power", "enough".to_owned(), Colour::Good),
    }
}

fn disk(facts: &HostFacts) -> Line {
    let kind = facts.root.kind.as_deref().unwrap_or("unknown");
    let free = facts.root.free.map(|bytes| format!(", {} free", size(bytes)));
    let what = format!("{kind}{}", free.unwrap_or_default());
    match (kind, facts.root.read_only) {
        ("overlay", _) => (
            "disk",
            format!("{what}; what is written may be gone after a reboot"),
            Colour::Notable,
        ),
        (_, Some(true)) => ("disk", format!("{what}, read-only"), Colour::Notable),
        _ => ("disk", what, Colour::Plain),
    }
}

fn camera(facts: &CameraFacts) -> Vec<Line> {
    let stack = match facts.stack {
        CameraStack::Legacy => "legacy",
        CameraStack::Vc4 => "libcamera, with an H.264 encoder (vc4)",
        CameraStack::Pisp => "libcamera, without an encoder (pisp)",
        CameraStack::None => "no Pi camera's",
    };
    let mut lines = vec![("stack", stack.to_owned(), Colour::Plain)];
    for device in &facts.devices {
        let formats = match device.formats.is_empty() {
            true => "no pictures".to_owned(),
            false => device.formats.join(" "),
        };
        let lasting = device.lasting.iter().map(|path| format!(", the same as {path}"));
        let what = format!(
            "{} {} (driver {}): {formats}{}",
            device.path,
            device.card,
            device.driver,
            lasting.collect::<String>()
        );
        lines.push(("device", what, Colour::Plain));
    }
    match (&facts.listed_by, &facts.listing_failed) {
        (Some(_), Some(why)) => lines.push(("camera", why.clone(), Colour::Bad)),
        (Some(program), None) if facts.listed.is_empty() => {
            lines.push(("camera", format!("{program} lists none"), Colour::Notable));
        }
        _ => {
            let listed = facts.listed.iter().enumerate();
            lines.extend(listed.map(|(number, camera)| ("camera", format!("{number}: {camera}"), Colour::Good)));
        }
    }
    lines.extend(
        facts
            .no_pipelines
            .iter()
            .map(|why| ("pipeline", why.clone(), Colour::Plain)),
    );
    lines.extend(pipelines(&facts.pipelines));
    for holder in &facts.holders {
        let unit = holder.unit.as_ref().map(|unit| format!(" of {unit}"));
        let what = format!(
            "{} (process {}{}) has {}",
            holder.program,
            holder.pid,
            unit.unwrap_or_default(),
            holder.device
        );
        lines.push(("in use", what, Colour::Plain));
    }
    for unit in &facts.takers {
        let what = format!("{unit} is active and may take the camera; stop it: sudo systemctl disable --now {unit}");
        lines.push(("in use", what, Colour::Notable));
    }
    lines
}

/// The first that can run is the one that does. Those that the same thing keeps from it share a line.
fn pipelines(pipelines: &[PipelineFacts]) -> Vec<Line> {
    let mut lines: Vec<(Vec<&str>, Option<&str>)> = Vec::new();
    for pipeline in pipelines {
        let obstacle = pipeline.obstacle.as_deref();
        match lines.iter_mut().find(|(_, other)| *other == obstacle) {
            Some((names, _)) => names.push(&pipeline.name),
            None => lines.push((vec![&pipeline.name], obstacle)),
        }
    }
    let line = |(names, obstacle): (Vec<&str>, Option<&str>)| match obstacle {
        None => ("can run", names.join(", "), Colour::Good),
        Some(why) => ("cannot", format!("{}: {why}", names.join(", ")), Colour::Plain),
    };
    lines.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests;
