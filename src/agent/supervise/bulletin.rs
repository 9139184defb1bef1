//! What the supervisor tells of itself and its host: the status for whoever asks, a line for systemd, failures in the
//! journal. Decides nothing.

use super::conditions;
use super::journal::{Sieve, log};
use super::listener::Board;
use super::run::Run;
use super::systemd::Systemd;
use crate::recover::Remedy;
use crate::{events, identity};
use pistream_agent::{CameraConfig, Cause, Governed, Status, StreamState};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// How often the host itself is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);

pub(super) struct Bulletin {
    board: Board,
    /// Of what is said about failures.
    sieve: Sieve,
    started: Instant,
    /// When the configuration was written, by the clock of that day.
    configured: Option<SystemTime>,
    /// When the host itself was last looked at, and on which day by its clock.
    looked: Option<Instant>,
    day: u64,
    /// Since when nothing is streamed.
    down: Option<Instant>,
    /// What is told; the parts that change by themselves are filled in when it is posted.
    pub(super) status: Status,
}

impl Bulletin {
    pub(super) fn new(config: &CameraConfig, configured: Option<SystemTime>, board: Board, now: Instant) -> Bulletin {
        let status = Status {
            build: events::BUILD.to_owned(),
            stream: config.stream.clone(),
            why: "not chosen yet".to_owned(),
            bitrate_set: config.bitrate,
            certificate_until: config.certificate.as_deref().map(Path::new).and_then(identity::expiry),
            ..Status::default()
        };
        board.post(status.clone());
        Bulletin {
            board,
            sieve: Sieve::default(),
            started: now,
            configured,
            looked: None,
            day: 0,
            down: None,
            status,
        }
    }

    /// Since the supervisor started.
    pub(super) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// Something that is no failure of the stream, unless it was said a moment ago.
    pub(super) fn note(&mut self, message: &str, now: Instant) {
        if let Some(told) = self.sieve.pass(message, now) {
            log(format_args!("{}: {told}", self.status.stream));
        }
    }

    /// No pipeline can run, and why.
    pub(super) fn without_pipeline(&mut self, reasons: String) {
        let status = &mut self.status;
        if status.state != StreamState::NoPipeline || status.why != reasons {
            log(format_args!("{}: no pipeline can run: {reasons}", status.stream));
        }
        status.state = StreamState::NoPipeline;
        status.pipeline = None;
        status.why.clone_from(&reasons);
        status.last_error = Some(reasons);
    }

    /// A failure with what on this host may be behind it.
    pub(super) fn explain(&mut self, cause: Cause, message: &str, now: Instant) -> (Cause, String) {
        self.look(now);
        conditions::explain(cause, message, &self.status.warnings)
    }

    /// A run ended by this cause after it had streamed for so long, and the next begins after the pause.
    pub(super) fn failed(&mut self, cause: Cause, message: &str, streamed: Duration, pause: Duration, now: Instant) {
        let told = format!("{}: {message}", words(cause));
        // an outage of days is not to fill the journal with a line every ten seconds
        let told = if streamed.is_zero() {
            self.sieve.pass(&told, now)
        } else {
            Some(told)
        };
        if let Some(told) = told {
            let status = &self.status;
            let (stream, seconds, pause) = (&status.stream, streamed.as_secs(), pause.as_secs_f64());
            log(format_args!(
                "{stream}: broke after {seconds} s of streaming: {told}; again in {pause:.2} s"
            ));
        }
        self.count(cause, message);
    }

    /// Counts a failure and shows it.
    pub(super) fn count(&mut self, cause: Cause, message: &str) {
        let status = &mut self.status;
        for restarts in [&mut status.restarts, &mut status.restarts_today] {
            *restarts.entry(cause).or_default() += 1;
        }
        status.last_cause = Some(cause);
        status.last_error = Some(message.to_owned());
        status.state = StreamState::BackingOff;
    }

    /// Starting anew was not enough.
    pub(super) fn asked_for(&mut self, remedy: Remedy, cause: Cause) {
        let status = &mut self.status;
        let counts = match remedy {
            Remedy::Reset => &mut status.resets,
            Remedy::Reboot => &mut status.reboots,
        };
        *counts.entry(cause).or_default() += 1;
        let (stream, word) = (&status.stream, remedy.word());
        log(format_args!("{stream}: {}: asked for a {word}", words(cause)));
    }

    /// Brings up to date what is told of the host itself.
    fn look(&mut self, now: Instant) {
        self.looked = Some(now);
        let clock = SystemTime::now();
        let warnings = conditions::look(clock, self.configured);
        let day = clock
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs()
            / 86_400;
        let status = &mut self.status;
        if std::mem::replace(&mut self.day, day) != day {
            status.restarts_today.clear();
        }
        for warning in warnings.iter().filter(|warning| !status.warnings.contains(warning)) {
            log(format_args!("{}: {warning}", status.stream));
        }
        status.warnings = warnings;
    }

    /// Brings the status up to date and shows it on the board and to systemd. Without a run the next one begins at
    /// `until`.
    pub(super) fn post(
        &mut self,
        run: Option<&Run>,
        until: Option<Instant>,
        governed: Option<Governed>,
        systemd: &mut Systemd,
        now: Instant,
    ) {
        if self.looked.is_none_or(|at| now.duration_since(at) >= LOOK_EVERY) {
            self.look(now);
        }
        let status = &mut self.status;
        status.uptime_seconds = now.duration_since(self.started).as_secs();
        if let Some(run) = run {
            status.state = match (run.is_streaming(), run.is_stopping()) {
                (true, _) => StreamState::Streaming,
                (false, true) => StreamState::BackingOff,
                (false, false) => StreamState::Starting,
            };
            status.streaming_seconds = now.duration_since(run.started).as_secs();
            status.ffmpeg_pid = Some(run.pid());
            status.frames = run.frames;
            let (fps, bitrate) = run.rates(now);
            (status.fps, status.bitrate_measured) = ((fps * 100.0).round() / 100.0, bitrate);
        } else {
            status.streaming_seconds = 0;
            status.ffmpeg_pid = None;
            status.frames = 0;
            (status.fps, status.bitrate_measured) = (0.0, 0);
        }
        status.governed = governed;
        let seconds = |from: Instant, to: Instant| to.saturating_duration_since(from).as_secs();
        match status.state {
            StreamState::Streaming => self.down = None,
            _ => _ = self.down.get_or_insert(now),
        }
        status.down_seconds = self.down.map_or(0, |since| seconds(since, now));
        status.next_try_seconds = until.map(|until| seconds(now, until));
        let (state, detail) = told(status);
        systemd.tell(now, &state, &detail);
        self.board.post(status.clone());
    }
}

/// The line for `systemctl status`: what changes seldom, and the rates.
fn told(status: &Status) -> (String, String) {
    let error = || status.last_error.clone().unwrap_or_default();
    let pipeline = status.pipeline.as_deref().unwrap_or("nothing");
    match status.state {
        StreamState::Starting => (format!("starting {} through {pipeline}", status.stream), String::new()),
        StreamState::Streaming => (
            format!("streaming {} through {pipeline}", status.stream),
            format!("{:.1} fps, {} kbit/s", status.fps, status.bitrate_measured / 1000),
        ),
        StreamState::BackingOff => ("waiting to start again".to_owned(), error()),
        StreamState::NoPipeline => ("no pipeline can run".to_owned(), error()),
    }
}

fn words(cause: Cause) -> &'static str {
    match cause {
        Cause::Camera => "camera",
        Cause::Encoder => "encoder",
        Cause::Network => "network",
        Cause::Unresolved => "the server's name is not known",
        Cause::NotListening => "the server does not listen",
        Cause::ServerRefused => "server refused",
        Cause::Certificate => "certificate",
        Cause::NameTaken => "the name is taken",
        Cause::Clock => "clock not set",
        Cause::Stalled => "stalled",
        Cause::Frozen => "frozen",
        Cause::Killed => "killed",
        Cause::Unknown => "cause unknown",
    }
}
