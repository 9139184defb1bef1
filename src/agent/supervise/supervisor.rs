//! The main loop: what to run, when to run it again, what to tell.
//!
//! Two phases: waiting until a moment, or one [`Run`]. So there are never two ffmpegs.

use super::backoff::BackOff;
use super::capture::Capture;
use super::choice::{choose, placed};
use super::conditions;
use super::ffmpeg::{Ffmpeg, Said};
use super::journal::{Sieve, log};
use super::listener::Board;
use super::requirements::Trials;
use super::run::{Outcome, Run, Stop};
use super::systemd::Systemd;
use super::tuning::{Tuning, bitrate_of};
use super::validity;
use crate::{events, identity};
use pistream_agent::{CameraConfig, Cause, Pipeline, Status, StreamState};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::{Duration, Instant, SystemTime};

/// systemd is not kept waiting for a first frame any longer than this.
const READY_AT_LATEST: Duration = Duration::from_secs(15);
/// How often the host itself is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// The status is never older than this.
const LONGEST_SLEEP: Duration = Duration::from_millis(500);

/// What the main loop is woken for.
#[derive(Debug)]
pub(super) enum News {
    /// From the ffmpeg of the run with this number.
    Ffmpeg(u64, Said),
    /// From its capture program.
    Capture(u64, Said),
    /// The supervisor is to end (the flag says the same).
    Stop,
}

enum Phase {
    Waiting { until: Instant },
    Running(Box<Run>),
    Ended,
}

pub(super) struct Supervisor {
    config: CameraConfig,
    board: Board,
    sender: SyncSender<News>,
    stop: Arc<AtomicBool>,
    systemd: Systemd,
    trials: Trials,
    tuning: Tuning,
    back_off: BackOff,
    /// Of what ffmpeg says.
    sieve: Sieve,
    /// Of what is said about failures.
    failures: Sieve,
    started: Instant,
    /// When the configuration was written, by the clock of that day.
    configured: Option<SystemTime>,
    /// When the host itself was last looked at.
    looked: Option<Instant>,
    runs: u64,
    phase: Phase,
    /// What is told; the parts that change by themselves are filled in when it is posted.
    status: Status,
}

impl Supervisor {
    pub(super) fn new(
        config: CameraConfig,
        configured: Option<SystemTime>,
        board: Board,
        sender: SyncSender<News>,
        stop: Arc<AtomicBool>,
    ) -> Supervisor {
        let now = Instant::now();
        let status = Status {
            build: events::BUILD.to_owned(),
            stream: config.stream.clone(),
            why: "not chosen yet".to_owned(),
            bitrate_set: config.bitrate,
            certificate_until: config.certificate.as_deref().map(Path::new).and_then(identity::expiry),
            ..Status::default()
        };
        board.post(status.clone());
        Supervisor {
            trials: Trials::new(&config.ffmpeg),
            tuning: Tuning::new(Path::new(&config.status_socket)),
            config,
            board,
            sender,
            stop,
            systemd: Systemd::new(now),
            back_off: BackOff::default(),
            sieve: Sieve::default(),
            failures: Sieve::default(),
            started: now,
            configured,
            looked: None,
            runs: 0,
            phase: Phase::Waiting { until: now },
            status,
        }
    }

    pub(super) fn socket(&self) -> &str {
        &self.config.status_socket
    }

    /// Runs until told to stop and ffmpeg is gone.
    pub(super) fn run(&mut self, inbox: &Receiver<News>) {
        loop {
            self.step();
            self.make_ready();
            self.post(Instant::now());
            if matches!(self.phase, Phase::Ended) {
                return;
            }
            let mut news = inbox.recv_timeout(self.patience(Instant::now())).ok();
            while let Some(item) = news {
                self.hear(item);
                news = inbox.try_recv().ok();
            }
        }
    }

    fn hear(&mut self, news: News) {
        let Phase::Running(run) = &mut self.phase else { return };
        match news {
            News::Ffmpeg(number, said) if number == run.number => run.hear(said, &mut self.sieve, Instant::now()),
            News::Capture(number, said) if number == run.number => {
                run.hear_capture(said, &mut self.sieve, Instant::now());
            }
            News::Ffmpeg(..) | News::Capture(..) | News::Stop => {}
        }
    }

    /// Ready is who streams. A camera that cannot, for whatever reason, is no failed unit: it is tried for ever, and what
    /// waits for it (a deploy, the boot) does not wait as long.
    fn make_ready(&mut self) {
        let arrived = matches!(&self.phase, Phase::Running(run) if run.has_arrived());
        if arrived || self.started.elapsed() >= READY_AT_LATEST {
            self.systemd.ready();
        }
    }

    fn step(&mut self) {
        let now = Instant::now();
        // the main loop lives, and so does what it looks after: frames flow, or a restart is under way
        if !matches!(&self.phase, Phase::Running(run) if run.is_overdue(now)) {
            self.systemd.beat(now);
        }
        let told_to_stop = self.stop.load(Ordering::Relaxed);
        match &mut self.phase {
            Phase::Waiting { .. } if told_to_stop => {
                self.systemd.stopping();
                self.phase = Phase::Ended;
            }
            Phase::Waiting { until } if now >= *until => self.begin(),
            Phase::Running(run) => {
                if told_to_stop {
                    run.stop(Stop::Asked, now);
                    self.systemd.stopping();
                }
                match run.step(now) {
                    Ok(None) => self.govern(now),
                    Ok(Some(outcome)) => self.conclude(outcome),
                    // dropping the run kills and reaps
                    Err(error) => self.fail(Cause::Unknown, &format!("ffmpeg was lost: {error}"), Duration::ZERO),
                }
            }
            Phase::Waiting { .. } | Phase::Ended => {}
        }
    }

    /// Chooses a pipeline, sets its controls and starts ffmpeg.
    fn begin(&mut self) {
        let (systemd, stop, trials) = (&mut self.systemd, &self.stop, &mut self.trials);
        let mut breathe = || {
            systemd.beat(Instant::now());
            !stop.load(Ordering::Relaxed)
        };
        let choice = choose(&self.config.pipelines, |requirement| {
            trials.holds(requirement, &mut breathe)
        });
        if self.stop.load(Ordering::Relaxed) {
            self.phase = Phase::Ended;
            return;
        }
        let choice = match choice {
            Ok(choice) => choice,
            Err(reasons) => return self.wait_for_a_pipeline(reasons),
        };
        let pipeline = &placed(&self.config.pipelines[choice.index], choice.device.as_deref());
        let applied = match self.tuning.begin(pipeline) {
            Ok(applied) => applied,
            Err(message) => return self.fail(Cause::Camera, &message, Duration::ZERO),
        };
        self.runs += 1;
        let number = self.runs;
        let (capture, stdin) = match self.start_capture(pipeline, number) {
            Ok((capture, stdin)) => (capture, stdin),
            Err(message) => return self.fail(Cause::Camera, &message, Duration::ZERO),
        };
        let sender = self.sender.clone();
        // should it fail, the capture program goes with `capture`
        let ffmpeg = Ffmpeg::start(&self.config.ffmpeg, &pipeline.arguments, stdin, move |said| {
            let _ = sender.send(News::Ffmpeg(number, said));
        });
        let ffmpeg = match ffmpeg {
            Ok(ffmpeg) => ffmpeg,
            Err(error) => {
                let message = format!("{}: cannot be started: {error}", self.config.ffmpeg);
                return self.fail(Cause::Unknown, &message, Duration::ZERO);
            }
        };
        if self.status.pipeline.as_ref() != Some(&pipeline.name) || self.status.why != choice.why {
            log(format_args!(
                "{}: pipeline {} ({})",
                self.config.stream, pipeline.name, choice.why
            ));
        }
        for (name, asked, got) in &applied.adjusted {
            log(format_args!(
                "control {name}: asked for {asked}, the driver made it {got}"
            ));
        }
        self.status.pipeline = Some(pipeline.name.clone());
        self.status.why = choice.why;
        self.status.bitrate_set = bitrate_of(&applied).unwrap_or(self.config.bitrate);
        self.status.controls = applied.values;
        let stall_after = Duration::from_secs(self.config.stall_after);
        self.phase = Phase::Running(Box::new(Run::new(number, ffmpeg, capture, stall_after, Instant::now())));
    }

    /// The pipeline's capture program, if it has one, and what ffmpeg reads from.
    fn start_capture(&self, pipeline: &Pipeline, number: u64) -> Result<(Option<Capture>, Stdio), String> {
        let Some(wanted) = &pipeline.capture else {
            return Ok((None, Stdio::null()));
        };
        let sender = self.sender.clone();
        let started = Capture::start(wanted, move |said| {
            let _ = sender.send(News::Capture(number, said));
        });
        match started {
            Ok((capture, pictures)) => Ok((Some(capture), Stdio::from(pictures))),
            Err(error) => Err(format!("{}: cannot be started: {error}", wanted.program)),
        }
    }

    /// Lets the bitrate follow what the network carries.
    fn govern(&mut self, now: Instant) {
        let Phase::Running(run) = &mut self.phase else { return };
        let reading = if self.tuning.follows() { run.reading(now) } else { None };
        match reading.and_then(|reading| self.tuning.follow(now, reading)) {
            None => {}
            Some(Ok(applied)) => {
                self.status.bitrate_set = bitrate_of(&applied).unwrap_or(self.status.bitrate_set);
                self.status.controls.extend(applied.values);
            }
            Some(Err(message)) => {
                if let Some(told) = self.failures.pass(&message, now) {
                    log(format_args!("{}: {told}", self.config.stream));
                }
            }
        }
    }

    /// No requirement holds now, but a camera may yet be plugged in.
    fn wait_for_a_pipeline(&mut self, reasons: String) {
        if self.status.state != StreamState::NoPipeline || self.status.why != reasons {
            log(format_args!("{}: no pipeline can run: {reasons}", self.config.stream));
        }
        self.trials.forget();
        self.status.state = StreamState::NoPipeline;
        self.status.pipeline = None;
        self.status.why.clone_from(&reasons);
        self.status.last_error = Some(reasons);
        let pause = self.back_off.after(Duration::ZERO, fastrand::f64());
        self.phase = Phase::Waiting {
            until: Instant::now() + pause,
        };
    }

    fn conclude(&mut self, outcome: Outcome) {
        match outcome.failure {
            None => self.phase = Phase::Ended,
            Some((cause, message)) => {
                let (cause, message) = validity::explain(cause, message, self.status.certificate_until);
                self.fail(cause, &message, outcome.streamed);
            }
        }
    }

    fn fail(&mut self, cause: Cause, message: &str, streamed: Duration) {
        if matches!(cause, Cause::Encoder | Cause::Camera) {
            self.trials.forget();
        }
        self.look(Instant::now());
        let (cause, message) = &conditions::explain(cause, message, &self.status.warnings);
        let cause = *cause;
        let pause = self.back_off.after(streamed, fastrand::f64());
        let told = format!("{}: {message}", words(cause));
        // an outage of days is not to fill the journal with a line every ten seconds
        let told = if streamed.is_zero() {
            self.failures.pass(&told, Instant::now())
        } else {
            Some(told)
        };
        if let Some(told) = told {
            let (stream, seconds, pause) = (&self.config.stream, streamed.as_secs(), pause.as_secs_f64());
            log(format_args!(
                "{stream}: broke after {seconds} s of streaming: {told}; again in {pause:.2} s"
            ));
        }
        *self.status.restarts.entry(cause).or_default() += 1;
        self.status.last_error = Some(message.to_owned());
        self.status.state = StreamState::BackingOff;
        self.phase = Phase::Waiting {
            until: Instant::now() + pause,
        };
    }

    /// Brings up to date what is told of the host itself.
    fn look(&mut self, now: Instant) {
        self.looked = Some(now);
        let warnings = conditions::look(SystemTime::now(), self.configured);
        for warning in warnings
            .iter()
            .filter(|warning| !self.status.warnings.contains(warning))
        {
            log(format_args!("{}: {warning}", self.config.stream));
        }
        self.status.warnings = warnings;
    }

    fn patience(&self, now: Instant) -> Duration {
        let phase = match &self.phase {
            Phase::Waiting { until } => until.saturating_duration_since(now),
            Phase::Running(run) => run.patience(now),
            Phase::Ended => Duration::ZERO,
        };
        phase.min(self.systemd.patience()).min(LONGEST_SLEEP)
    }

    /// Brings the status up to date and shows it on the board and to systemd.
    fn post(&mut self, now: Instant) {
        if self.looked.is_none_or(|at| now.duration_since(at) >= LOOK_EVERY) {
            self.look(now);
        }
        let status = &mut self.status;
        status.uptime_seconds = now.duration_since(self.started).as_secs();
        if let Phase::Running(run) = &self.phase {
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
        status.governed = self.tuning.told();
        let (state, detail) = told(status);
        self.systemd.tell(now, &state, &detail);
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
