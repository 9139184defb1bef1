//! The main loop: what to run, when to run it again, what to tell.
//!
//! Two phases: waiting until a moment, or one [`Run`]. So there are never two ffmpegs.

mod starting;

use super::backoff::BackOff;
use super::bulletin::Bulletin;
use super::escalation::Escalation;
use super::ffmpeg::Said;
use super::journal::{Sieve, log};
use super::listener::Board;
use super::requirements::Trials;
use super::run::{Next, Outcome, Run, Stop};
use super::systemd::Systemd;
use super::tuning::{Tuning, bitrate_of};
use super::validity;
use crate::files;
use crate::posix;
use crate::recover::{self, Remedy};
use pistream_agent::{CameraConfig, Cause};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::{Duration, Instant, SystemTime};

/// systemd is not kept waiting for a first frame any longer than this.
const READY_AT_LATEST: Duration = Duration::from_secs(15);
/// A reset of the device takes less (five seconds on an emulated Pi of a busy machine); controls set before its end are lost.
const REMEDY: Duration = Duration::from_secs(12);
const STUCK: &str = "stuck in the kernel: SIGKILL does not end it";
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
    /// The same with less to send.
    rungs: Vec<CameraConfig>,
    bulletin: Bulletin,
    sender: SyncSender<News>,
    stop: Arc<AtomicBool>,
    systemd: Systemd,
    trials: Trials,
    tuning: Tuning,
    back_off: BackOff,
    escalation: Escalation,
    /// Of what ffmpeg says.
    sieve: Sieve,
    runs: u64,
    phase: Phase,
}

impl Supervisor {
    pub(super) fn new(
        config: CameraConfig,
        rungs: Vec<CameraConfig>,
        configured: Option<SystemTime>,
        board: Board,
        sender: SyncSender<News>,
        stop: Arc<AtomicBool>,
    ) -> Supervisor {
        let now = Instant::now();
        Supervisor {
            trials: Trials::new(&config.ffmpeg),
            tuning: Tuning::new(Path::new(&config.status_socket)),
            bulletin: Bulletin::new(&config, configured, board, now),
            escalation: Escalation::new(config.reset, config.reboots_per_day > 0),
            config,
            rungs,
            sender,
            stop,
            systemd: Systemd::new(now),
            back_off: BackOff::default(),
            sieve: Sieve::default(),
            runs: 0,
            phase: Phase::Waiting { until: now },
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
            self.post();
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
        if arrived || self.bulletin.uptime() >= READY_AT_LATEST {
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
                if run.sees_clock_set(posix::wall_clock_ahead()) {
                    self.bulletin.note("the clock was set: ffmpeg is started anew", now);
                    run.stop(Stop::Again(Duration::ZERO), now);
                }
                match run.step(now) {
                    Ok(None) => {
                        self.bear(now);
                        self.govern(now);
                    }
                    Ok(Some(outcome)) => self.conclude(outcome),
                    // dropping the run kills and reaps
                    Err(error) => self.fail(Cause::Unknown, &format!("ffmpeg was lost: {error}"), Duration::ZERO),
                }
            }
            Phase::Waiting { .. } | Phase::Ended => {}
        }
    }

    /// Nothing can end a process that is stuck in the kernel, nor could another supervisor.
    fn bear(&mut self, now: Instant) {
        let Phase::Running(run) = &mut self.phase else { return };
        if run.gives_up(now) {
            self.bulletin.count(Cause::Frozen, STUCK);
            self.bulletin.note(STUCK, now);
        }
        if run.is_stuck() && self.escalation.is_reboot_due(run.dark(now), now) {
            self.ask_for(Remedy::Reboot, Cause::Frozen);
        }
    }

    /// Lets the bitrate follow what the network carries.
    fn govern(&mut self, now: Instant) {
        let Phase::Running(run) = &mut self.phase else { return };
        let reading = if self.tuning.follows() { run.reading(now) } else { None };
        let Some(reading) = reading else { return };
        if let Some(step) = self.tuning.step(now, reading) {
            run.stop(Stop::Again(step.pause), now);
            let why = self.tuning.told().map(|told| told.why).unwrap_or_default();
            let pause = step.pause.as_secs_f64();
            log(format_args!("{}: {why}; again in {pause:.1} s", self.config.stream));
            return;
        }
        match self.tuning.follow(now, reading) {
            None => {}
            Some(Ok(applied)) => {
                let status = &mut self.bulletin.status;
                status.bitrate_set = bitrate_of(&applied).unwrap_or(status.bitrate_set);
                for name in applied.values.keys() {
                    status.adjusted.remove(name);
                }
                status.controls.extend(applied.values);
                status.adjusted.extend(applied.adjusted);
            }
            Some(Err(message)) => self.bulletin.note(&message, now),
        }
    }

    fn conclude(&mut self, outcome: Outcome) {
        match outcome.next {
            Next::End => self.phase = Phase::Ended,
            Next::Again(pause) => {
                self.phase = Phase::Waiting {
                    until: Instant::now() + pause,
                }
            }
            Next::Failed(cause, message) => {
                let (cause, message) = validity::explain(cause, message, self.bulletin.status.certificate_until);
                self.fail(cause, &message, outcome.streamed);
            }
        }
    }

    fn fail(&mut self, cause: Cause, message: &str, streamed: Duration) {
        if matches!(cause, Cause::Encoder | Cause::Camera) {
            self.trials.forget();
        }
        let now = Instant::now();
        let (cause, message) = self.bulletin.explain(cause, message, now);
        let pause = self.back_off.after(streamed, Some(cause), fastrand::f64());
        let remedy = self.escalation.after(cause, &message, streamed, now);
        let pause = match remedy {
            // the device is to be nobody's meanwhile
            Some(_) => pause.max(REMEDY),
            None => pause,
        };
        self.bulletin.failed(cause, &message, streamed, pause, now);
        if let Some(remedy) = remedy {
            self.ask_for(remedy, cause);
        }
        self.phase = Phase::Waiting { until: now + pause };
    }

    /// Asks who may do it: nothing that runs as nobody in particular can.
    fn ask_for(&mut self, remedy: Remedy, cause: Cause) {
        let request = recover::request(Path::new(&self.config.status_socket));
        let word = remedy.word();
        match files::write_atomically(&request, word.as_bytes()) {
            Ok(()) => self.bulletin.asked_for(remedy, cause),
            Err(error) => log(format_args!("{word} cannot be asked for: {}", error.line())),
        }
    }

    fn patience(&self, now: Instant) -> Duration {
        let phase = match &self.phase {
            Phase::Waiting { until } => until.saturating_duration_since(now),
            Phase::Running(run) => run.patience(now),
            Phase::Ended => Duration::ZERO,
        };
        phase.min(self.systemd.patience()).min(LONGEST_SLEEP)
    }

    fn post(&mut self) {
        let (run, until) = match &self.phase {
            Phase::Running(run) => (Some(&**run), None),
            Phase::Waiting { until } => (None, Some(*until)),
            Phase::Ended => (None, None),
        };
        let governed = self.tuning.told();
        self.bulletin
            .post(run, until, governed, &mut self.systemd, Instant::now());
    }
}
