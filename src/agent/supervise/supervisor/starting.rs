//! The beginning of a run: which pipeline, its controls set, its programs started.

use super::{News, Phase, Supervisor};
use crate::board;
use crate::supervise::capture::Capture;
use crate::supervise::choice::{choose, placed};
use crate::supervise::ffmpeg::Ffmpeg;
use crate::supervise::journal::log;
use crate::supervise::run::Run;
use crate::supervise::rungs::{Way, ladder};
use crate::supervise::tuning::bitrate_of;
use pistream_agent::{Cause, Pipeline};
use std::process::Stdio;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

impl Supervisor {
    /// Chooses a pipeline, sets its controls and starts ffmpeg.
    pub(super) fn begin(&mut self) {
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
        let ways = ladder(&self.config, &self.rungs, choice.index);
        let told = ways.first().is_some_and(Way::is_told);
        let at = self.tuning.begin_on(ways.iter().map(Way::needs).collect(), told);
        let Some(&Way { pipeline, bitrate }) = ways.get(at) else {
            return;
        };
        let bitrate = self.tuning.setting().unwrap_or(bitrate);
        let pipeline = &placed(pipeline, &choice.found, Some(bitrate), board::line_padding());
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
        let status = &mut self.bulletin.status;
        if status.pipeline.as_ref() != Some(&pipeline.name) || status.why != choice.why {
            log(format_args!(
                "{}: pipeline {} ({})",
                status.stream, pipeline.name, choice.why
            ));
        }
        for (name, asked) in &applied.adjusted {
            let got = applied.values.get(name).copied().unwrap_or_default();
            log(format_args!(
                "control {name}: asked for {asked}, the driver made it {got}"
            ));
        }
        status.pipeline = Some(pipeline.name.clone());
        status.why = choice.why;
        status.bitrate_set = bitrate_of(&applied).unwrap_or(bitrate);
        (status.controls, status.adjusted) = (applied.values, applied.adjusted);
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

    /// No requirement holds now, but a camera may yet be plugged in. Whoever waits for this unit has nothing to wait for.
    fn wait_for_a_pipeline(&mut self, reasons: String) {
        self.systemd.ready();
        self.trials.forget();
        self.bulletin.without_pipeline(reasons);
        let pause = self.back_off.after(Duration::ZERO, None, fastrand::f64());
        self.phase = Phase::Waiting {
            until: Instant::now() + pause,
        };
    }
}
