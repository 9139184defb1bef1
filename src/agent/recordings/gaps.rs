//! The times without pictures, and what the server's journal says of each. What happened on the camera's side of the
//! network the server cannot know; it says only how it looked from here.

use crate::command;
use pistream_agent::{Gap, RecordedChunk, RecordingsRequest};
use serde_json::Value;
use std::time::Duration;

/// A name says when a file was opened, to the second, and its first picture is a key frame that came after: less is no gap.
/// Seconds.
const LEAST: u64 = 5;
/// Of so many gaps, the latest, the journal is asked; one question takes about 50 ms.
const ASKED: usize = 200;
/// Before and after a gap, what belongs to it is looked for. Seconds.
const BEFORE: u64 = 5;
const AFTER: u64 = 20;
/// nginx gives up on a silent publisher after eight seconds (`drop_idle_publisher`), and says so.
const IDLE: std::ops::RangeInclusive<u64> = 5..=14;
/// Lines that tell something, for journalctl. systemd calls a unit by its name, before version 250 by its description.
const TELLING: &str = "--grep=No space left on device|recording stops: only|drop idle publisher|Started pistream|\
    Stopped pistream|Main process exited";
const CORE: &str = "pistream-server.service";
const FRONT: &str = "pistream-front.service";
const DOOR: &str = "pistream-door.service";
const PATIENCE: Duration = Duration::from_secs(20);

/// The gaps between these chunks (by time) and after the last one of each stream, within what was asked for; each explained
/// as far as the journal does.
pub(super) fn explained(chunks: &[RecordedChunk], request: &RecordingsRequest) -> Vec<Gap> {
    let mut gaps = between(chunks, request.from, request.to);
    for gap in gaps.iter_mut().rev().take(ASKED) {
        gap.why = match journal(gap.start.saturating_sub(BEFORE), gap.end + AFTER) {
            Ok(entries) => why(gap, &entries),
            Err(error) => format!("the journal could not be asked: {}", error.cause()),
        };
    }
    // only now: its cause is at its beginning
    for gap in &mut gaps {
        gap.start = gap.start.max(request.from);
    }
    gaps
}

/// Whole, those that end after `from`.
fn between(chunks: &[RecordedChunk], from: u64, to: u64) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for (at, chunk) in chunks.iter().enumerate() {
        let end = match chunks[at + 1..].iter().find(|next| next.stream == chunk.stream) {
            Some(next) => next.start,
            None if chunk.growing => continue,
            None => to,
        };
        if end >= chunk.end + LEAST && end > from {
            gaps.push(Gap {
                stream: chunk.stream.clone(),
                start: chunk.end,
                end,
                why: "not looked into: there are too many gaps; ask for a shorter time".to_owned(),
            });
        }
    }
    gaps
}

/// One line of the journal.
struct Entry {
    /// Seconds since 1970.
    at: u64,
    boot: String,
    message: String,
    /// Of which unit systemd says this; empty where the unit speaks itself.
    unit: String,
}

impl Entry {
    /// Whether this unit was stopped, or its program ended.
    fn ends(&self, unit: &str) -> bool {
        self.unit == unit && !self.message.starts_with("Started")
    }

    fn read(line: &str) -> Option<Entry> {
        let fields: Value = serde_json::from_slice(line.as_bytes()).ok()?;
        let text = |name: &str| fields[name].as_str().unwrap_or_default().to_owned();
        Some(Entry {
            at: fields["__REALTIME_TIMESTAMP"].as_str()?.parse::<u64>().ok()? / 1_000_000,
            boot: text("_BOOT_ID"),
            message: text("MESSAGE"),
            unit: text("UNIT"),
        })
    }
}

/// What our units and systemd said of them in this time.
fn journal(from: u64, to: u64) -> Result<Vec<Entry>, command::Error> {
    let (from, to) = (format!("--since=@{from}"), format!("--until=@{to}"));
    let units = [CORE, FRONT, DOOR].map(|unit| format!("--unit={unit}"));
    let [core, front, door] = &units;
    let arguments = [
        "--quiet",
        "--no-pager",
        "--output=json",
        "--output-fields=MESSAGE,_BOOT_ID,UNIT",
        // of a full disk nginx speaks with every frame it cannot write
        TELLING,
        core,
        front,
        door,
        "--unit=pistream-recordings.service",
        &from,
        &to,
    ];
    let said = command::run("journalctl", &arguments, PATIENCE)?;
    Ok(said.lines().filter_map(Entry::read).collect())
}

fn why(gap: &Gap, entries: &[Entry]) -> String {
    let said = |words: &str| entries.iter().any(|e| e.message.contains(words));
    let within = || entries.iter().filter(|e| (gap.start..=gap.end).contains(&e.at));
    let boots = entries.windows(2).any(|pair| pair[0].boot != pair[1].boot);
    let ended = |unit: &str| entries.iter().any(|e| e.at <= gap.end && e.ends(unit));
    let idle = within().any(|e| e.message.contains("drop idle publisher") && IDLE.contains(&(e.at - gap.start)));
    let text = if boots {
        "the server was off or started anew"
    } else if said("No space left on device") || said("recording stops: only") {
        "the server's disk was full"
    } else if ended(CORE) {
        "nginx was stopped on the server"
    } else if ended(DOOR) {
        "pistream-door, by which cameras come in, was stopped on the server"
    } else if idle {
        "nothing arrived any more: the camera lost its network or its power"
    } else if ended(FRONT) {
        "pistream-front, which lets cameras in, was stopped on the server"
    } else {
        "the server was ready: the camera ended its stream, or could not begin one"
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(stream: &str, start: u64, end: u64, growing: bool) -> RecordedChunk {
        RecordedChunk {
            stream: stream.into(),
            start,
            end,
            bytes: 1,
            file: String::new(),
            growing,
        }
    }

    fn gap() -> Gap {
        Gap {
            stream: "porch".into(),
            start: 1000,
            end: 1100,
            why: String::new(),
        }
    }

    fn entry(at: u64, boot: &str, message: &str) -> Entry {
        Entry {
            at,
            boot: boot.into(),
            message: message.into(),
            unit: String::new(),
        }
    }

    /// systemd says so of this unit.
    fn of_unit(unit: &str, at: u64, message: &str) -> Entry {
        Entry {
            unit: unit.into(),
            ..entry(at, "a", message)
        }
    }

    #[test]
    fn gaps_are_between_chunks_of_a_stream_and_after_its_last() {
        let chunks = [
            chunk("garden", 100, 200, false),
            chunk("porch", 100, 900, true),
            chunk("garden", 204, 300, false),
            chunk("garden", 350, 400, false),
        ];
        let told = |from| -> Vec<(String, u64, u64)> {
            let gaps = between(&chunks, from, 1000).into_iter();
            gaps.map(|g| (g.stream, g.start, g.end)).collect()
        };
        let [first, last] = [(300, 350), (400, 1000)].map(|(start, end)| ("garden".to_owned(), start, end));
        assert_eq!(told(0), [first.clone(), last.clone()]);
        assert_eq!(told(340), [first, last.clone()]);
        assert_eq!(told(350), [last]);
    }

    #[test]
    fn a_camera_that_was_dark_all_the_time_has_one_gap_from_its_beginning_to_its_end() {
        let request = RecordingsRequest {
            path: String::new(),
            ffmpeg: String::new(),
            streams: vec![],
            from: 500,
            to: 1000,
            want: pistream_agent::Want::Gaps,
        };
        let gaps = explained(&[chunk("garden", 100, 200, false)], &request);
        let told: Vec<(u64, u64)> = gaps.iter().map(|g| (g.start, g.end)).collect();
        assert_eq!(told, [(500, 1000)]);
    }

    #[test]
    fn the_journal_tells_why_as_far_as_it_can() {
        let of = |entries: &[Entry]| why(&gap(), entries);
        assert!(of(&[]).contains("camera ended its stream"));
        let idle = "*1 live: drop idle publisher, client: 10.0.0.1";
        assert!(of(&[entry(1008, "a", idle)]).contains("lost its network"));
        // another camera's, later
        assert!(of(&[entry(1050, "a", idle)]).contains("camera ended its stream"));
        assert!(of(&[entry(990, "a", "x"), entry(1090, "b", "y")]).contains("off or started anew"));
        assert!(of(&[entry(1001, "a", "pwrite() failed (28: No space left on device)")]).contains("disk was full"));
    }

    #[test]
    fn a_unit_that_ended_is_the_cause_for_those_who_need_it() {
        let of = |entries: &[Entry]| why(&gap(), entries);
        let stopped = |unit: &str| [of_unit(unit, 999, "Stopped pistream server hub.")];
        assert!(of(&stopped(CORE)).contains("nginx was stopped"));
        assert!(of(&stopped(DOOR)).contains("pistream-door, by which"));
        assert!(of(&stopped(FRONT)).contains("pistream-front, which lets"));
        // all three go with the core
        let all = [FRONT, DOOR, CORE].map(|unit| of_unit(unit, 1001, "Stopped x."));
        assert!(of(&all).contains("nginx was stopped"));
        let killed = of_unit(DOOR, 1001, "pistream-door.service: Main process exited, code=killed");
        assert!(of(&[killed]).contains("pistream-door, by which"));
        // what happened after it ended is not its cause, nor that a unit was started
        let after = of_unit(CORE, 1110, "Stopped x.");
        let started = of_unit(DOOR, 1000, "Started pistream-door.service - x.");
        assert!(of(&[started, after]).contains("camera ended its stream"));
    }

    #[test]
    fn a_line_of_the_journal() {
        let entry = Entry::read(
            r#"{"__REALTIME_TIMESTAMP":"1769868000123456","_BOOT_ID":"ab","MESSAGE":"hi","UNIT":"x.service"}"#,
        );
        assert!(
            entry.is_some_and(|e| e.at == 1_769_868_000 && e.boot == "ab" && e.message == "hi" && e.ends("x.service"))
        );
        // bytes that are no text come as a list
        let entry = Entry::read(r#"{"__REALTIME_TIMESTAMP":"1769868000123456","MESSAGE":[1,2]}"#);
        assert!(entry.is_some_and(|e| e.message.is_empty()));
        assert!(Entry::read("-- No entries --").is_none());
    }
}
