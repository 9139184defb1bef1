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

/// The number of the camera that is wanted by its number or its sensor; `None` where any will do.
///
/// # Errors
/// Why there is no such camera, in words.
pub(super) fn choose(program: &str, cameras: &[String], wanted: Option<&str>) -> Result<Option<String>, String> {
    if cameras.is_empty() {
        return Err(format!(
            "{program} lists no camera (see `{program} --list-cameras`; is the ribbon cable in its place, and \
             camera_auto_detect=1 in /boot/firmware/config.txt?)"
        ));
    }
    let Some(wanted) = wanted else { return Ok(None) };
    if let Ok(number) = wanted.parse::<usize>() {
        return match cameras.get(number) {
            Some(_) => Ok(Some(wanted.to_owned())),
            None => Err(format!("{program} lists no camera {wanted}, but {}", numbered(cameras))),
        };
    }
    // a sensor's variants are called "imx708_wide" and so on
    let is_called = |camera: &String| {
        let sensor = camera.split(' ').next().unwrap_or_default();
        let rest = sensor.strip_prefix(wanted);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    };
    let called: Vec<usize> = (0..cameras.len()).filter(|at| is_called(&cameras[*at])).collect();
    match called[..] {
        [only] => Ok(Some(only.to_string())),
        [] => Err(format!("{program} lists no {wanted}, but {}", numbered(cameras))),
        _ => Err(format!(
            "{program} lists several cameras called {wanted}: choose by number of {}",
            numbered(cameras)
        )),
    }
}

/// "0 imx219, 1 imx708_wide"
fn numbered(cameras: &[String]) -> String {
    let name =
        |(number, camera): (usize, &String)| format!("{number} {}", camera.split(' ').next().unwrap_or_default());
    cameras.iter().enumerate().map(name).collect::<Vec<_>>().join(", ")
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
    fn of_several_cameras_one_is_chosen_by_its_number_or_its_sensor() {
        let cameras = ["imx219 [a] (x)", "imx708_wide [b] (y)", "imx219 [a] (z)"].map(str::to_owned);
        let one = |wanted| choose("rpicam-vid", &cameras, wanted);
        assert_eq!(one(None), Ok(None));
        assert_eq!(one(Some("2")), Ok(Some("2".to_owned())));
        assert_eq!(one(Some("imx708")), Ok(Some("1".to_owned())));
        assert_eq!(one(Some("imx708_wide")), Ok(Some("1".to_owned())));
        let all = "0 imx219, 1 imx708_wide, 2 imx219";
        assert_eq!(one(Some("3")), Err(format!("rpicam-vid lists no camera 3, but {all}")));
        assert_eq!(one(Some("imx70")), Err(format!("rpicam-vid lists no imx70, but {all}")));
        let told = one(Some("imx219")).err().unwrap_or_default();
        assert!(told.contains("several") && told.ends_with(all), "{told}");
        assert!(choose("rpicam-vid", &[], None).is_err());
    }

    #[test]
    fn a_program_that_fails_says_why() {
        let told = cameras("false", &mut || true).err().unwrap_or_default();
        assert!(told.starts_with("false --list-cameras: "), "{told}");
        let told = cameras("/no/such/rpicam-vid", &mut || true).err().unwrap_or_default();
        assert!(told.contains("No such file"), "{told}");
    }
}
