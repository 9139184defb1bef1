//! `ls` and `gaps`: tables for people, JSON for machines.

use super::times::{now, range};
use super::{Asked, answer, cameras, load, request, unknown};
use crate::model::Server;
use crate::table::{Colour, table};
use crate::told::{length, shown};
use crate::transport::Credentials;
use crate::{cli, exit};
use miette::IntoDiagnostic;
use pistream_agent::{Gap, RecordedChunk, Recordings, Want};
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
    /// Names that neither the inventory nor any server has.
    unknown: Vec<String>,
}

pub(super) async fn run(options: cli::RecordingsList, want: Want) -> miette::Result<exit::Code> {
    let (fleet, secrets) = load(&options.inventory)?;
    let chosen = cameras(&fleet, &options.names)?;
    let times = range(options.from.as_deref(), options.to.as_deref(), now()).into_diagnostic()?;
    let mut asked = JoinSet::new();
    for server in &fleet.servers {
        let Some(request) = request(server, &chosen, times, want) else {
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
    found.add_missing(&chosen);
    let text = match (options.json, want) {
        (true, _) => found.json(want, times),
        (false, Want::Gaps) => found.gaps(),
        (false, _) => found.days(),
    };
    std::io::stdout().write_all(text.as_bytes()).into_diagnostic()?;
    for (server, why) in &found.failed {
        eprintln!("{server}: {why}");
    }
    for name in &found.unknown {
        eprintln!("{}", unknown(&fleet, name));
    }
    Ok(match found.failed.is_empty() && found.unknown.is_empty() {
        true => exit::Code::Done,
        false => exit::Code::HostFailed,
    })
}

impl Found {
    /// Sorts what a server told under its cameras.
    fn take(&mut self, chosen: &[Asked], server: &Server, mut all: Recordings) {
        for asked in chosen.iter().filter(|a| a.is_at(server)) {
            let of = |stream: &str| stream == asked.stream;
            let (chunks, others): (Vec<RecordedChunk>, _) = all.chunks.into_iter().partition(|c| of(&c.stream));
            let (gaps, other_gaps): (Vec<Gap>, _) = all.gaps.into_iter().partition(|g| of(&g.stream));
            // a former camera's are where they are
            if asked.server.is_some() || !chunks.is_empty() || !gaps.is_empty() {
                self.recordings.push((asked.name.clone(), Recordings { chunks, gaps }));
            }
            all = Recordings {
                chunks: others,
                gaps: other_gaps,
            };
        }
    }

    /// Those of whom no server told anything, though none failed.
    fn add_missing(&mut self, chosen: &[Asked]) {
        for asked in chosen {
            let failed = match &asked.server {
                Some(server) => self.failed.iter().any(|(name, _)| name == server.as_str()),
                None => !self.failed.is_empty(),
            };
            if failed || self.recordings.iter().any(|(name, _)| *name == asked.name) {
                continue;
            }
            match asked.server {
                Some(_) => self.recordings.push((asked.name.clone(), Recordings::default())),
                None => self.unknown.push(asked.name.clone()),
            }
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
                rows.push(nothing(camera));
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
            if is_empty(recordings) {
                rows.push(nothing(camera));
            }
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
        if rows.is_empty() && self.failed.is_empty() && self.unknown.is_empty() {
            return "no pictures are missing\n".to_owned();
        }
        table(&["CAMERA", "FROM (UTC)", "TO", "LASTED", "WHY"], rows)
    }

    fn json(&self, want: Want, (from, to): (u64, u64)) -> String {
        let whole = |camera: &String| Gap {
            stream: camera.clone(),
            start: from,
            end: to,
            why: NOTHING.to_owned(),
        };
        let camera = |(camera, r): &(String, Recordings)| match want == Want::Gaps && is_empty(r) {
            true => json!({ "camera": camera, "chunks": r.chunks, "gaps": [whole(camera)] }),
            false => json!({ "camera": camera, "chunks": r.chunks, "gaps": r.gaps }),
        };
        let cameras: Vec<_> = self.recordings.iter().map(camera).collect();
        let failed: BTreeMap<&String, &String> = self.failed.iter().map(|(server, why)| (server, why)).collect();
        format!("{}\n", json!({ "cameras": cameras, "failed": failed }))
    }
}

const NOTHING: &str = "nothing is recorded";

/// No chunk, and none before either: there would be a gap since.
fn is_empty(recordings: &Recordings) -> bool {
    recordings.chunks.is_empty() && recordings.gaps.is_empty()
}

fn nothing(camera: &str) -> Vec<(String, Colour)> {
    vec![(camera.to_owned(), Colour::Plain), (NOTHING.to_owned(), Colour::Bad)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::samples::{fleet, name};

    fn asked(of: &str, server: Option<&str>) -> Asked {
        Asked {
            name: of.to_owned(),
            stream: of.to_owned(),
            server: server.map(name),
        }
    }

    #[test]
    fn a_camera_of_which_nothing_is_recorded_is_no_camera_without_gaps() {
        let mut found = Found::default();
        let chosen = [asked("cam1", Some("hub")), asked("attic", None)];
        found.take(&chosen, &fleet(1).servers[0], Recordings::default());
        found.add_missing(&chosen);
        assert!(found.gaps().contains("cam1    nothing is recorded"), "{}", found.gaps());
        assert_eq!(found.unknown, ["attic"]);
        let json: serde_json::Value = serde_json::from_str(&found.json(Want::Gaps, (10, 20))).unwrap_or_default();
        assert_eq!(json["cameras"][0]["gaps"][0]["why"], NOTHING);
        assert_eq!(json["cameras"][0]["gaps"][0]["end"], 20);
        let json: serde_json::Value = serde_json::from_str(&found.json(Want::Chunks, (10, 20))).unwrap_or_default();
        assert_eq!(json["cameras"][0]["gaps"], json!([]));
    }

    #[test]
    fn a_former_camera_is_told_of_where_its_recordings_are_and_unknown_only_if_all_servers_answered() {
        let chunk = RecordedChunk {
            stream: "attic".into(),
            start: 0,
            end: 60,
            bytes: 1,
            file: String::new(),
            growing: false,
        };
        let chosen = [asked("attic", None)];
        let mut found = Found::default();
        let recordings = Recordings {
            chunks: vec![chunk],
            gaps: vec![],
        };
        found.take(&chosen, &fleet(1).servers[0], recordings);
        found.add_missing(&chosen);
        assert!(found.days().contains("attic") && found.unknown.is_empty());

        let mut found = Found::default();
        found.failed.push(("hub".into(), "no route".into()));
        found.add_missing(&chosen);
        assert!(found.unknown.is_empty());
    }
}
