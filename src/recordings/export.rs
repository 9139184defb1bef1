//! `export`: one film of one camera and a time range, into a file of the user's.

use super::times::{now, range};
use super::{Asked, answer, cameras, load, request, unknown};
use crate::model::{Fleet, Server};
use crate::secrets::Secrets;
use crate::told::{length, shown};
use crate::transport::Credentials;
use crate::{cli, exit, terminal};
use base64ct::{Base64, Encoding};
use miette::{IntoDiagnostic, WrapErr, miette};
use pistream_agent::{Event, RecordedChunk, Want};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

/// Less between two chunks is no gap: a chunk's name says its beginning to the second. Seconds.
const GAP: u64 = 5;

pub(super) async fn run(options: cli::RecordingsExport) -> miette::Result<exit::Code> {
    let (fleet, secrets) = load(&options.inventory)?;
    let chosen = cameras(&fleet, std::slice::from_ref(&options.name))?;
    let [asked] = chosen.as_slice() else {
        return Err(miette!("{} is more than one camera; a film is of one", options.name));
    };
    let times = range(options.from.as_deref(), options.to.as_deref(), now()).into_diagnostic()?;
    let output = options
        .output
        .unwrap_or_else(|| PathBuf::from(format!("{}.mp4", asked.name)));
    if output.exists() {
        return Err(miette!(
            "{} is there already; name another file with -o",
            output.display()
        ));
    }
    let server = match &asked.server {
        Some(name) => fleet.server(name),
        None => match who_has(&fleet, &secrets, &chosen, times).await {
            Ok(server) => Some(server),
            Err(why) => {
                eprintln!("{why}");
                return Ok(exit::Code::HostFailed);
            }
        },
    };
    let server = server.ok_or_else(|| miette!("{} has no server", asked.name))?;
    let request = request(server, &chosen, times, Want::Film)
        .ok_or_else(|| miette!("{} records nothing: `recording` is off in the inventory", server.name))?;
    // from here on neither ends us before the film is gone that is not whole
    let ended = signals().into_diagnostic()?;
    // for its owner alone, and gone again if anything fails
    let mut film = tempfile::Builder::new()
        .prefix(".pistream-")
        .tempfile_in(directory(&output))
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot write to the directory of {}", output.display()))?;
    terminal::unfinished(film.path().to_owned());
    let unwritable = Notify::new();
    let mut received = Received::into(film.as_file_mut(), &unwritable);
    let told = {
        let credentials = Credentials::of(&server.ssh, &secrets);
        let mut take = |event: Event| received.take(event);
        tokio::select! {
            told = answer(server, &credentials, &request, &mut take) => told,
            // told below; the rest need not come
            () = unwritable.notified() => Err(String::new()),
            signal = ended => return Ok(exit::Code::Ended(signal)),
        }
    };
    let Received { bytes, failed, .. } = received;
    if let Some(error) = failed {
        return Err(error)
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot write {}", output.display()));
    }
    let recordings = match told {
        Ok(recordings) => recordings,
        Err(why) => {
            eprintln!("{}: {why}", server.name);
            return Ok(exit::Code::HostFailed);
        }
    };
    film.as_file().sync_all().into_diagnostic()?;
    film.persist_noclobber(&output)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot write {}", output.display()))?;
    let summary = summary(&recordings.chunks, times, bytes);
    writeln!(io::stdout(), "{}: {summary}", output.display()).into_diagnostic()?;
    Ok(exit::Code::Done)
}

/// The first server that has recordings of a former camera.
async fn who_has<'a>(
    fleet: &'a Fleet,
    secrets: &Secrets,
    asked: &[Asked],
    times: (u64, u64),
) -> Result<&'a Server, String> {
    let mut failed = Vec::new();
    for server in &fleet.servers {
        let Some(request) = request(server, asked, times, Want::Chunks) else {
            continue;
        };
        match answer(server, &Credentials::of(&server.ssh, secrets), &request, &mut |_| {}).await {
            Ok(recordings) if recordings.chunks.is_empty() => {}
            Ok(_) => return Ok(server),
            Err(why) => failed.push(format!("{}: {why}", server.name)),
        }
    }
    match failed.is_empty() {
        true => Err(asked
            .first()
            .map_or_else(String::new, |asked| unknown(fleet, &asked.name))),
        false => Err(failed.join("\n")),
    }
}

/// Caught from the moment of the call on. Which one came: its number.
fn signals() -> io::Result<impl Future<Output = u8>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => 2,
            _ = terminate.recv() => 15,
        }
    })
}

/// What came of the film so far. After the first failure nothing more is taken.
struct Received<'a, W> {
    film: W,
    bytes: u64,
    failed: Option<io::Error>,
    /// Told of a failure.
    unwritable: &'a Notify,
}

impl<'a, W: Write> Received<'a, W> {
    fn into(film: W, unwritable: &'a Notify) -> Self {
        Received {
            film,
            bytes: 0,
            failed: None,
            unwritable,
        }
    }

    fn take(&mut self, event: Event) {
        if let (Event::Media { base64 }, None) = (event, &self.failed) {
            match write(&mut self.film, &base64) {
                Ok(count) => self.bytes += count,
                Err(error) => {
                    self.failed = Some(error);
                    self.unwritable.notify_one();
                }
            }
        }
    }
}

fn directory(output: &Path) -> &Path {
    match output.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn write(film: &mut impl Write, base64: &str) -> io::Result<u64> {
    let piece = Base64::decode_vec(base64).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e.to_string()))?;
    film.write_all(&piece)?;
    Ok(piece.len() as u64)
}

/// "2026-01-31 14:00:00 to 15:30:00, 61.2 MB; 2 gaps of 40s in all are left out"
fn summary(chunks: &[RecordedChunk], (from, to): (u64, u64), bytes: u64) -> String {
    let start = chunks.first().map_or(from, |c| c.start.max(from));
    let end = chunks.last().map_or(to, |c| c.end.min(to));
    let missing: Vec<u64> = chunks
        .windows(2)
        .map(|pair| pair[1].start.saturating_sub(pair[0].end))
        .filter(|missing| *missing >= GAP)
        .collect();
    let gaps = match missing.len() {
        0 => String::new(),
        1 => format!("; a gap of {} is left out", length(missing[0])),
        n => format!("; {n} gaps of {} in all are left out", length(missing.iter().sum())),
    };
    let ((day, start), (end_day, end)) = (shown(start), shown(end));
    let end = if end_day == day {
        end
    } else {
        format!("{end_day} {end}")
    };
    format!("{day} {start} to {end}, {:.1} MB{gaps}", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_and_what_is_missing() {
        let chunk = |start: u64, end: u64| RecordedChunk {
            stream: "porch".into(),
            start: 1_769_868_000 + start,
            end: 1_769_868_000 + end,
            bytes: 1,
            file: String::new(),
            growing: false,
        };
        let whole = [chunk(0, 60), chunk(61, 120)];
        assert_eq!(
            summary(&whole, (0, u64::MAX), 1_250_000),
            "2026-01-31 14:00:00 to 14:02:00, 1.2 MB"
        );
        let broken = [chunk(0, 60), chunk(100, 120), chunk(180, 240)];
        assert_eq!(
            summary(&broken, (1_769_868_030, 1_769_868_200), 0),
            "2026-01-31 14:00:30 to 14:03:20, 0.0 MB; 2 gaps of 1m 40s in all are left out"
        );
    }

    #[test]
    fn pieces_come_out_as_they_went_in() {
        let mut film = Vec::new();
        assert_eq!(write(&mut film, "AAECAwT/").ok(), Some(6));
        assert_eq!(film, [0, 1, 2, 3, 4, 255]);
        assert!(write(&mut film, "no base64").is_err());
    }

    #[tokio::test]
    async fn the_first_piece_that_cannot_be_written_ends_it() {
        let unwritable = Notify::new();
        let mut room = [0; 4];
        let mut received = Received::into(&mut room[..], &unwritable);
        let piece = || Event::Media {
            base64: "AAEC".to_owned(),
        };
        received.take(piece());
        assert!(received.failed.is_none() && received.bytes == 3);
        received.take(piece());
        received.take(piece());
        assert!(received.failed.is_some() && received.bytes == 3);
        unwritable.notified().await;
    }

    #[tokio::test]
    async fn a_signal_is_caught_and_told() {
        let ended = signals().expect("a runtime");
        let kill = std::process::Command::new("kill")
            .args(["-TERM", &std::process::id().to_string()])
            .status();
        assert!(kill.is_ok_and(|status| status.success()));
        assert_eq!(ended.await, 15);
    }
}
