//! The cameras that libcamera knows, as its own programs list them.

use crate::command;
use std::path::Path;
use std::time::Duration;

/// Starting libcamera takes a second on a Pi 4 and several on a Pi Zero.
const DEADLINE: Duration = Duration::from_secs(20);

/// What `PROGRAM --list-cameras` lists: sensor, largest picture, place ("imx219 [3280x2464 10-bit RGGB] (/base/…)"). USB
/// cameras are not among them, rpicam-apps leaves them out. `go_on` is asked many times a second; when it says no, the
/// program is ended.
///
/// # Errors
/// Why the program did not list anything, in words.
pub(crate) fn cameras(program: &str, go_on: &mut dyn FnMut() -> bool) -> Result<Vec<String>, String> {
    command::run_while(Path::new("/"), program, &["--list-cameras"], DEADLINE, go_on)
        .map(|text| listed(&text))
        .map_err(|error| format!("{program} --list-cameras: {}", error.cause().replace('\n', "; ")))
}

/// "0 : imx219 [3280x2464 …] (/base/…)" is a camera; below it its modes are indented.
fn listed(text: &str) -> Vec<String> {
    let camera = |line: &str| {
        let (number, camera) = line.split_once(" : ")?;
        let numbered = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
        numbered.then(|| camera.trim().to_owned())
    };
    text.lines().filter_map(camera).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cameras_are_the_numbered_lines() {
        let text = "[0:14:58.8] [2091]  INFO Camera camera_manager.cpp:284 libcamera v0.2.0 : here\n\
                    Available cameras\n-----------------\n\
                    0 : imx219 [3280x2464 10-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx219@10)\n    \
                    Modes: 'SRGGB10_CSI2P' : 640x480 [206.65 fps - (1000, 752)/1280x960 crop]\n                             \
                    1640x1232 [41.85 fps - (0, 0)/3280x2464 crop]\n\
                    1 : ov5647 [2592x1944] (/base/soc/i2c0mux/i2c@0/ov5647@36)\n";
        assert_eq!(
            listed(text),
            [
                "imx219 [3280x2464 10-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx219@10)",
                "ov5647 [2592x1944] (/base/soc/i2c0mux/i2c@0/ov5647@36)"
            ]
        );
        assert!(listed("No cameras available!\n").is_empty());
    }

    #[test]
    fn a_program_that_fails_says_why() {
        let told = cameras("false", &mut || true).err().unwrap_or_default();
        assert!(told.starts_with("false --list-cameras: "), "{told}");
        let told = cameras("/no/such/rpicam-vid", &mut || true).err().unwrap_or_default();
        assert!(told.contains("No such file"), "{told}");
    }
}
