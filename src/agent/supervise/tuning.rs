//! What a camera's driver is told: all controls before a run, the bitrate alone during it.
//!
//! Knows which device and which controls; when to start or end a run is the supervisor's business.

use super::governor::{Governor, Ladder, Reading, Step};
use super::remembered::Remembered;
use crate::camera::{Applied, Camera};
use pistream_agent::{ControlValue, Governed, Pipeline};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

/// The control that a governor moves.
const BITRATE: &str = "video_bitrate";

#[derive(Debug)]
pub(super) struct Tuning {
    remembered: Remembered,
    /// Of the pipeline that runs or ran last.
    device: Option<String>,
    /// Of the pipeline that runs or ran last, where its bitrate follows the network.
    governor: Option<Governor>,
    /// The rungs of the pipeline that runs or ran last.
    ladder: Ladder,
}

impl Tuning {
    /// `socket` is the status socket, beside which it is remembered what has been set.
    pub(super) fn new(socket: &Path) -> Tuning {
        Tuning {
            remembered: Remembered::beside(socket),
            device: None,
            governor: None,
            ladder: Ladder::new(Vec::new(), false),
        }
    }

    /// Before a run of a pipeline whose rungs need so many bits per second, and whose encoder is `told` so at its start or
    /// otherwise: on which of them it is to be, from 0.
    pub(super) fn begin_on(&mut self, needs: Vec<u32>, told: bool) -> usize {
        if !self.ladder.is_of(&needs, told) {
            self.ladder = Ladder::new(needs, told);
        }
        self.ladder.begin();
        self.ladder.at()
    }

    /// What the encoder is to be told at its start, where it is. Bits per second.
    pub(super) fn setting(&self) -> Option<u32> {
        self.ladder.setting()
    }

    /// During a run: whether it is to begin anew, on another rung or with another setting.
    pub(super) fn step(&mut self, now: Instant, reading: Reading) -> Option<Step> {
        if self.ladder.needs().len() < 2 {
            return None;
        }
        self.ladder.take(now, reading)
    }

    /// Before a run of this pipeline: sets its controls, the bitrate to what the network carried last, and puts back what
    /// an earlier configuration had set.
    ///
    /// # Errors
    /// In words, which control cannot be set and why.
    pub(super) fn begin(&mut self, pipeline: &Pipeline) -> Result<Applied, String> {
        if pipeline.adapt.as_ref() != self.governor.as_ref().map(Governor::bounds) {
            let before = self.governor.take();
            self.governor = pipeline.adapt.map(|bounds| match &before {
                Some(before) => before.within(bounds),
                None => Governor::new(bounds),
            });
        }
        let mut controls = pipeline.controls.clone();
        if let Some(governor) = &mut self.governor {
            governor.begin();
            controls.insert(BITRATE.to_owned(), governor.setting().into());
        }
        self.device.clone_from(&pipeline.device);
        self.remembered.exchange(self.device.as_deref(), &controls);
        self.set(&controls)
    }

    /// During a run: lets the bitrate follow what was measured. `None` when it stays as it is.
    ///
    /// # Errors
    /// In words, why the driver does not take another bitrate; the run goes on without.
    pub(super) fn follow(&mut self, now: Instant, reading: Reading) -> Option<Result<Applied, String>> {
        let bitrate = self.governor.as_mut()?.take(now, reading)?;
        let set = self.set(&BTreeMap::from([(BITRATE.to_owned(), bitrate.into())]));
        let governor = self.governor.as_mut()?;
        match &set {
            Ok(_) => governor.set(bitrate),
            Err(why) => governor.refuse(now, why),
        }
        Some(set)
    }

    /// Whether anybody wants to know what waits to be sent.
    pub(super) fn follows(&self) -> bool {
        self.governor.is_some() || self.ladder.needs().len() > 1
    }

    pub(super) fn told(&self) -> Option<Governed> {
        let steps = self.ladder.steps();
        let live = self.governor.as_ref().map(|governor| Governed {
            steps,
            ..governor.told()
        });
        live.or_else(|| (self.ladder.needs().len() > 1).then(|| self.ladder.told()))
    }

    fn set(&self, controls: &BTreeMap<String, ControlValue>) -> Result<Applied, String> {
        match &self.device {
            Some(device) if !controls.is_empty() => Camera::open(Path::new(device))
                .and_then(|camera| camera.set(controls))
                .map_err(|error| error.to_string()),
            _ => Ok(Applied::default()),
        }
    }
}

/// What the driver says the encoder's bitrate is, where it is the driver's to say.
pub(super) fn bitrate_of(applied: &Applied) -> Option<u32> {
    let bitrate = applied.values.get(BITRATE)?;
    u32::try_from(*bitrate).ok()
}
