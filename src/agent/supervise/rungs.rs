//! The rungs that a pipeline has: the same pipeline of the configurations with less to send, where it differs there.
//!
//! When to be on which is not known here.

use super::config::{self, ConfigError};
use pistream_agent::{BITRATE, CameraConfig, Pipeline};
use std::path::Path;

/// The configurations with less to send, from the files that this one names beside `path`, its own.
///
/// # Errors
/// Always one line: `file:line:column: message`.
pub(super) fn read(path: &Path, config: &CameraConfig) -> Result<Vec<CameraConfig>, ConfigError> {
    let files = config.rungs.iter().map(|name| path.with_file_name(name));
    files.map(|path| config::read(&path)).collect()
}

/// What is wrong with the names of these files, if anything.
pub(super) fn unlike_names(names: &[String]) -> Option<String> {
    let good = |name: &String| !matches!(name.as_str(), "" | "." | "..") && !name.contains(['/', '\0']);
    let wrong = names.iter().find(|name| !good(name))?;
    Some(format!("`rungs` must name files beside this one, not {wrong:?}"))
}

/// A pipeline on one rung.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way<'a> {
    pub(super) pipeline: &'a Pipeline,
    /// What it streams at. Bits per second.
    pub(super) bitrate: u32,
}

impl Way<'_> {
    /// What the network must carry for it. Bits per second.
    pub(super) fn needs(&self) -> u32 {
        self.pipeline.adapt.map_or(self.bitrate, |bounds| bounds.lowest)
    }

    /// Whether its encoder is told its bitrate at its start, by [`BITRATE`].
    pub(super) fn is_told(&self) -> bool {
        let of_capture = self.pipeline.capture.iter().flat_map(|capture| &capture.arguments);
        self.pipeline
            .arguments
            .iter()
            .chain(of_capture)
            .any(|text| text == BITRATE)
    }
}

/// The pipeline at `index`, then what it is with less and less to send; the first at least. A rung on which nothing else
/// would be started is none for it: the bitrate of some cameras is changed live, or not at all.
pub(super) fn ladder<'a>(config: &'a CameraConfig, rungs: &'a [CameraConfig], index: usize) -> Vec<Way<'a>> {
    let mut ways: Vec<Way<'a>> = Vec::new();
    let Some(first) = config.pipelines.get(index) else {
        return ways;
    };
    for config in std::iter::once(config).chain(rungs) {
        let mut same = config.pipelines.iter().filter(|pipeline| pipeline.name == first.name);
        // on the first there may be several of a name; the one at the index is meant
        let pipeline = if ways.is_empty() { Some(first) } else { same.next() };
        let Some(pipeline) = pipeline else { continue };
        let next = Way {
            pipeline,
            bitrate: config.bitrate,
        };
        let differs = |way: &Way| {
            (&way.pipeline.arguments, &way.pipeline.capture) != (&pipeline.arguments, &pipeline.capture)
                || (next.is_told() && way.bitrate != next.bitrate)
        };
        if ways.last().is_none_or(differs) {
            ways.push(next);
        }
    }
    ways
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn config(bitrate: u32, pipelines: &str) -> CameraConfig {
        let text = format!(
            "stream = 'porch'\nffmpeg = '/ffmpeg'\nstatus_socket = '/socket'\nstall_after = 9\nbitrate = {bitrate}\n{pipelines}"
        );
        crate::toml::read(&text).unwrap()
    }

    fn encoded(bitrate: u32) -> String {
        format!("[[pipeline]]\nname = 'x264'\narguments = ['-b:v', '{bitrate}']\n")
    }

    fn needs(config: &CameraConfig, rungs: &[CameraConfig], index: usize) -> Vec<u32> {
        ladder(config, rungs, index).iter().map(Way::needs).collect()
    }

    #[test]
    fn an_encoder_that_is_told_its_bitrate_at_its_start_has_every_rung() {
        let rungs = [125_000, 50_000].map(|bitrate| config(bitrate, &encoded(bitrate)));
        assert_eq!(
            needs(&config(250_000, &encoded(250_000)), &rungs, 0),
            [250_000, 125_000, 50_000]
        );
    }

    #[test]
    fn rungs_that_differ_in_what_the_encoder_is_told_alone_are_rungs() {
        let told = "[[pipeline]]\nname = 'm2m'\narguments = ['-b:v', '{bitrate}']\n";
        let rungs = [125_000, 125_000, 50_000].map(|bitrate| config(bitrate, told));
        let first = config(250_000, told);
        assert_eq!(needs(&first, &rungs, 0), [250_000, 125_000, 50_000]);
        assert!(ladder(&first, &rungs, 0).iter().all(Way::is_told));
        let fixed = config(250_000, &encoded(250_000));
        assert!(!ladder(&fixed, &[], 0)[0].is_told());
    }

    #[test]
    fn a_bitrate_that_is_changed_live_needs_no_rung_but_a_smaller_picture_does() {
        let live = |bitrate: u32, lowest: u32, size: &str| {
            let text = format!(
                "[[pipeline]]\nname = 'copy'\ndevice = '/dev/video0'\narguments = ['{size}']\n\
                 adapt = {{ lowest = {lowest}, highest = {bitrate}, step = 25000 }}\n"
            );
            config(bitrate, &text)
        };
        let rungs = [
            live(125_000, 50_000, "640x480"),
            live(50_000, 50_000, "640x480"),
            live(25_000, 25_000, "320x240"),
        ];
        assert_eq!(needs(&live(250_000, 50_000, "640x480"), &rungs, 0), [50_000, 25_000]);
    }

    #[test]
    fn a_way_that_is_not_on_a_rung_skips_it_and_one_that_never_changes_has_none() {
        let fixed = "[[pipeline]]\nname = 'usb-copy'\narguments = ['-c:v', 'copy']\n";
        let first = config(250_000, &format!("{}{fixed}", encoded(250_000)));
        let rungs = [
            config(125_000, fixed),
            config(50_000, &format!("{}{fixed}", encoded(50_000))),
        ];
        assert_eq!(needs(&first, &rungs, 0), [250_000, 50_000]);
        assert_eq!(needs(&first, &rungs, 1), [250_000]);
    }
}
