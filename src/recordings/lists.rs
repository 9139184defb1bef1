//! `ls` and `gaps`: tables for people, JSON for machines.

use super::times::{now, range};
use super::{answer, cameras, load, request};
use crate::model::{Camera, Server};
use crate::table::{Colour, table};
use crate::told::{length, shown};
use crate::transport::Credentials;
use crate::{cli, exit};
use miette::IntoDiagnostic;
use pistream_agent::{RecordedChunk, Recordings, Want};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;
use tokio::task::JoinSet;

/// What was found, by the cameras' names.
#[derive(Default)]
struct Found {
    recordings: Vec<(String, Recordings)>,
    /// Servers that told nothing, and why.
    failed: Vec<(String, String)>,
}

pub(super) async fn run(options: cli::RecordingsList, want: Want) -> miette::Result<exit::Code> {
    let (fleet, secrets) = load(&options.inventory)?;
    let chosen = cameras(&fleet, &options.names)?;
    let times = range(options.from.as_deref(), options.to.as_deref(), now()).into_diagnostic()?;
    let mut asked = JoinSet::new();
    for server in &fleet.servers {
        let Some(request) = request(server, &chosen, times, want).filter(|r| !r.streams.is_empty()) else {
            continue;
        };
        let (server, credentials) = (server.clone(), Credentials::of(&server.ssh, &secrets));
        asked.spawn(async move {
            let told = answer(&server, &credentials, &request, &mut |_| {}).await;
            (server, told)
        });
    }
    let mut found = Found::default();
    let mut answers: Vec<(Server, Result<Recordings, String>)> = asked.join_all().await;
    answers.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
    for (server, answer) in answers {
        match answer {
            Ok(recordings) => found.take(&chosen, &server, recordings),
            Err(why) => found.failed.push((server.name.to_string(), why)),
        }
    }
    let text = match (options.json, want) {
        (true, _) => found.json(),
        (false, Want::Gaps) => found.gaps(),
        (false, _) => found.days(),
    };
    std::io::stdout().write_all(text.as_bytes()).into_diagnostic()?;
    for (server, why) in &found.failed {
        eprintln!("{server}: {why}");
    }
    Ok(match found.failed.is_empty() {
        true => exit::Code::Done,
        false => exit::Code::HostFailed,
    })
}

impl Found {
    /// Sorts what a server told under its cameras.
    fn take(&mut self, chosen: &[&Camera], server: &Server, mut all: Recordings) {
        for camera in chosen.iter().filter(|c| c.server == server.name) {
            let of = |stream: &str| stream == camera.stream.as_str();
            let (chunks, others) = all.chunks.into_iter().partition(|c| of(&c.stream));
            let (gaps, other_gaps) = all.gaps.into_iter().partition(|g| of(&g.stream));
            self.recordings
                .push((camera.name.to_string(), Recordings { chunks, gaps }));
            all = Recordings {
                chunks: others,
                gaps: other_gaps,
            };
        }
    }

    /// A row per camera and day.
    fn days(&self) -> String {
        let mut rows = Vec::new();
        for (camera, recordings) in &self.recordings {
            let mut days: BTreeMap<String, Vec<&RecordedChunk>> = BTreeMap::new();
            for chunk in &recordings.chunks {
                days.entry(shown(chunk.start).0).or_default().push(chunk);
            }
            if days.is_empty() {
                rows.push(vec![
                    (camera.clone(), Colour::Plain),
                    ("nothing is recorded".to_owned(), Colour::Bad),
                ]);
            }
            for (day, chunks) in days {
                let start = chunks.iter().map(|c| c.start).min().unwrap_or(0);
                let end = chunks.iter().map(|c| c.end).max().unwrap_or(0);
                let seconds: u64 = chunks.iter().map(|c| c.end - c.start).sum();
                let bytes: u64 = chunks.iter().map(|c| c.bytes).sum();
                let growing = chunks.iter().any(|c| c.growing);
                let until = if growing { "now".to_owned() } else { shown(end).1 };
                rows.push(vec![
                    (camera.clone(), Colour::Plain),
                    (day, Colour::Plain),
                    (shown(start).1, Colour::Plain),
                    (until, if growing { Colour::Good } else { Colour::Plain }),
                    (length(seconds), Colour::Plain),
                    (format!("{:.1} MB", bytes as f64 / 1e6), Colour::Plain),
                    (chunks.len().to_string(), Colour::Plain),
                ]);
            }
        }
        table(
            &["CAMERA", "DAY (UTC)", "FROM", "TO", "RECORDED", "SIZE", "CHUNKS"],
            rows,
        )
    }

    fn gaps(&self) -> String {
        let mut rows = Vec::new();
        for (camera, recordings) in &self.recordings {
            for gap in &recordings.gaps {
                let ((day, from), (end_day, to)) = (shown(gap.start), shown(gap.end));
                let to = if end_day == day { to } else { format!("{end_day} {to}") };
                rows.push(vec![
                    (camera.clone(), Colour::Plain),
                    (format!("{day} {from}"), Colour::Plain),
                    (to, Colour::Plain),
                    (length(gap.end - gap.start), Colour::Notable),
                    (gap.why.clone(), Colour::Plain),
                ]);
            }
        }
        if rows.is_empty() && self.failed.is_empty() {
            return "no pictures are missing\n".to_owned();
        }
        table(&["CAMERA", "FROM (UTC)", "TO", "LASTED", "WHY"], rows)
    }

    fn json(&self) -> String {
        let cameras: Vec<_> = self
            .recordings
            .iter()
            .map(|(camera, r)| json!({ "camera": camera, "chunks": r.chunks, "gaps": r.gaps }))
            .collect();
        let failed: BTreeMap<&String, &String> = self.failed.iter().map(|(server, why)| (server, why)).collect();
        format!("{}\n", json!({ "cameras": cameras, "failed": failed }))
    }
}
