//! What the board and its firmware say of themselves.

use crate::command;
use std::fs;
use std::time::Duration;

/// The firmware answers at once or not at all.
const DEADLINE: Duration = Duration::from_secs(10);

/// "Raspberry Pi 4 Model B Rev 1.4"
pub(crate) fn model() -> Option<String> {
    let of_tree = fs::read("/proc/device-tree/model").ok();
    let of_tree = of_tree.map(|model| String::from_utf8_lossy(&model).trim_end_matches('\0').to_owned());
    // Raspberry Pi's kernels tell it there as well
    of_tree.or_else(|| of_processors(&fs::read_to_string("/proc/cpuinfo").ok()?))
}

fn of_processors(text: &str) -> Option<String> {
    let model = text
        .lines()
        .find_map(|line| line.strip_prefix("Model")?.trim_start().strip_prefix(':'))?;
    Some(model.trim().to_owned())
}

/// Why this board cannot encode H.264, if it is known to be one that cannot.
pub(crate) fn lacks_encoder() -> Option<String> {
    let model = model().filter(|model| is_without_encoder(model))?;
    Some(format!("a {model} has no H.264 encoder"))
}

/// What the board's image processor pads the lines of raw pictures (YUV 4:2:0 in one plane) to a multiple of. Bytes.
/// The Pi's up to the fourth: 64 (raspberrypi/linux#4419); a Pi 5's: 128 (pisp_be_formats.h, and `computeOptimalStride` in
/// libcamera's pipeline handler pisp).
pub(crate) fn line_padding() -> u32 {
    if lacks_encoder().is_some() { 128 } else { 64 }
}

/// Everything with the Pi 5's processor.
fn is_without_encoder(model: &str) -> bool {
    let kinds = ["5", "500", "Compute Module 5"];
    let rest = model.strip_prefix("Raspberry Pi ").unwrap_or_default();
    let is = |kind: &&str| {
        rest.strip_prefix(kind)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '+']))
    };
    kinds.iter().any(is)
}

/// What the firmware keeps for the GPU, in its own words: "76M".
pub(crate) fn gpu_memory() -> Option<String> {
    firmware(&["get_mem", "gpu"], "gpu")
}

/// What the firmware answers to a question of `vcgencmd`: `name=value`.
pub(crate) fn firmware(question: &[&str], name: &str) -> Option<String> {
    command::find("vcgencmd")?;
    let told = command::run("vcgencmd", question, DEADLINE).ok()?;
    Some(value(&told, name)?.to_owned())
}

fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.trim().strip_prefix(name)?.strip_prefix('=')
}

/// In MB.
pub(crate) fn megabytes(memory: &str) -> Option<u32> {
    memory.strip_suffix('M')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boards_are_told_apart_by_their_names() {
        for (model, without) in [
            ("Raspberry Pi 5 Model B Rev 1.0", true),
            ("Raspberry Pi 500 Rev 1.0", true),
            ("Raspberry Pi 500+ Rev 1.0", true),
            ("Raspberry Pi Compute Module 5 Lite Rev 1.0", true),
            ("Raspberry Pi 4 Model B Rev 1.5", false),
            ("Raspberry Pi Zero 2 W Rev 1.0", false),
            ("Raspberry Pi Compute Module 4S Rev 1.0", false),
            ("BeagleBone 5", false),
        ] {
            assert_eq!(is_without_encoder(model), without, "{model}");
        }
    }

    #[test]
    fn what_kernel_and_firmware_say() {
        let processors =
            "processor\t: 3\nBogoMIPS\t: 108.00\n\nRevision\t: d04170\nModel\t\t: Raspberry Pi 5 Model B Rev 1.0\n";
        assert_eq!(
            of_processors(processors).as_deref(),
            Some("Raspberry Pi 5 Model B Rev 1.0")
        );
        assert_eq!(of_processors("model name\t: Intel\n"), None);
        assert_eq!(value("gpu=76M\n", "gpu").and_then(megabytes), Some(76));
        assert_eq!(value("error=1 error_msg=\"Command not registered\"", "gpu"), None);
    }
}
