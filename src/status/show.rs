//! Health for people: a table of cameras, one of servers, and what there is to say besides.

use super::Health;
use super::camera::{CameraHealth, counted};
use super::server::ServerHealth;
use crate::table::{Colour, table};
use crate::told::{length, shown, size};

/// A certificate that deploy ought to have renewed long ago. Days.
const SOON: u64 = 30;

type Cell = (String, Colour);

pub(super) fn text(health: &Health) -> String {
    let mut parts = Vec::new();
    if !health.cameras.is_empty() {
        let header = [
            "CAMERA",
            "STATE",
            "KBIT/S",
            "FPS",
            "UNSENT",
            "RESTARTS",
            "TODAY",
            "CERTIFICATE",
        ];
        parts.push(table(&header, health.cameras.iter().map(camera).collect()));
    }
    if !health.servers.is_empty() {
        let header = [
            "SERVER",
            "UNITS",
            "LIVE",
            "VIEWERS",
            "RECORDING",
            "DISK",
            "RESTREAM",
            "CERTIFICATE",
        ];
        parts.push(table(&header, health.servers.iter().map(server).collect()));
    }
    let said = remarks(health);
    if !said.is_empty() {
        parts.push(table(&["HOST", "WHAT"], said));
    }
    parts.join("\n") + &summary(health)
}

fn summary(health: &Health) -> String {
    let hosts = health.cameras.len() + health.servers.len();
    let bad = health.cameras.iter().filter(|c| c.problem.is_some()).count()
        + health.servers.iter().filter(|s| !s.problems.is_empty()).count();
    let all = if hosts == 1 {
        "1 host".to_owned()
    } else {
        format!("{hosts} hosts")
    };
    match bad {
        0 => format!("{all}: all well\n"),
        n => format!("{all}: {n} not well\n"),
    }
}

fn plain(text: impl Into<String>) -> Cell {
    (text.into(), Colour::Plain)
}

fn camera(health: &CameraHealth) -> Vec<Cell> {
    let mut row = vec![plain(health.camera.clone())];
    let Some(status) = &health.status else {
        row.push(("no answer".into(), Colour::Bad));
        return row;
    };
    let pipeline = status.pipeline.as_deref().unwrap_or("nothing");
    row.push(match &health.problem {
        Some(_) => ("down".into(), Colour::Bad),
        None => (
            format!("{pipeline} for {}", length(status.streaming_seconds)),
            Colour::Good,
        ),
    });
    let (set, asked) = (status.bitrate_set / 1000, health.bitrate_asked / 1000);
    let lowered = set != asked;
    let mut rate = format!("{} of {set}", status.bitrate_measured / 1000);
    if lowered {
        rate += &format!(" ({asked} asked)");
    }
    row.push((rate, if lowered { Colour::Notable } else { Colour::Plain }));
    row.push(plain(format!("{:.1}", status.fps)));
    row.push(plain(health.unsent_seconds.map_or("-".into(), |s| format!("{s:.1} s"))));
    row.push(plain(counted(&status.restarts)));
    row.push(plain(status.restarts_today.values().sum::<u64>().to_string()));
    row.push(certificate(health.certificate_days));
    row
}

fn server(health: &ServerHealth) -> Vec<Cell> {
    let mut row = vec![plain(health.server.clone())];
    if !health.reached {
        row.push(("no answer".into(), Colour::Bad));
        return row;
    }
    let down = health.units.iter().find(|unit| unit.state != "active");
    row.push(match down {
        Some(unit) => (unit.state.clone(), Colour::Bad),
        None => ("active".into(), Colour::Good),
    });
    let all = health.live == health.cameras;
    row.push((
        format!("{} of {}", health.live, health.cameras),
        if all { Colour::Good } else { Colour::Bad },
    ));
    let web = health.web_viewers.map_or(String::new(), |n| format!(", web {n}"));
    row.push(plain(format!("RTMP {}{web}", health.players)));
    let since = health.disk.as_ref().and_then(|disk| disk.oldest);
    let since = since.map_or(String::new(), |oldest| format!(", since {}", shown(oldest).0));
    row.push(plain(match &health.recording {
        Some(state) => format!("{state}{since}"),
        None => "-".into(),
    }));
    row.push(plain(match &health.disk {
        Some(disk) if disk.error.is_none() => format!("{} of {} free", size(disk.free), size(disk.total)),
        _ => "-".into(),
    }));
    let connected = health.restreams.iter().filter(|r| r.connected).count();
    row.push(plain(match health.restreams.len() {
        0 => "-".into(),
        all => format!("{connected} of {all}"),
    }));
    // the one that ends first
    let both = [health.certificate_days, health.web_certificate_days];
    row.push(certificate(both.into_iter().flatten().min()));
    row
}

fn certificate(days: Option<u64>) -> Cell {
    match days {
        None => plain("-"),
        Some(0) => ("0 days".into(), Colour::Bad),
        Some(days @ ..SOON) => (format!("{days} days"), Colour::Notable),
        Some(days) => plain(format!("{days} days")),
    }
}

/// What is wrong, and what is worth knowing, by host.
fn remarks(health: &Health) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    let mut say = |host: &str, what: &str, colour| rows.push(vec![plain(host), (what.to_owned(), colour)]);
    for camera in &health.cameras {
        camera
            .problem
            .iter()
            .for_each(|what| say(&camera.camera, what, Colour::Bad));
        camera
            .notes
            .iter()
            .for_each(|what| say(&camera.camera, what, Colour::Notable));
    }
    for server in &health.servers {
        server
            .problems
            .iter()
            .for_each(|what| say(&server.server, what, Colour::Bad));
    }
    rows
}
