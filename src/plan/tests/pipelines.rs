//! Every way from camera to server, as it is rendered: `tests/pipelines/NAME.txt`.
//! `PISTREAM_BLESS=1 cargo test pipelines` writes what is rendered now; read the difference before you commit it.

use super::*;
use crate::model::{Audio, Camera, CsiCamera, Encoder, Fraction, Size, Source};
use pistream_agent::{CameraConfig, ControlValue, Pipeline, Requirement};
use std::fmt::Write as _;

fn config(change: impl FnOnce(&mut Camera)) -> CameraConfig {
    let mut fleet = fleet(1);
    change(&mut fleet.cameras[0]);
    toml::from_str(content(&plan(&fleet, "cam1"), "camera.toml")).expect("TOML")
}

fn ways(source: Source, encoder: Encoder) -> CameraConfig {
    config(|camera| (camera.source, camera.encoder) = (source, encoder))
}

fn shown(pipeline: &Pipeline) -> String {
    let mut text = format!("{}\n", pipeline.name);
    for requirement in &pipeline.requires {
        let needs = match requirement {
            Requirement::V4l2(wanted) => format!(
                "V4L2 device {} called {} with {}{}{}",
                wanted.device.as_deref().unwrap_or("any"),
                match wanted.named.as_slice() {
                    [] => "anything".to_owned(),
                    names => names.join(" or "),
                },
                wanted.format.as_deref().unwrap_or("any format"),
                wanted
                    .picture
                    .map_or_else(String::new, |p| format!(" {}x{} at {} fps", p.width, p.height, p.fps)),
                wanted
                    .gpu_memory
                    .map_or_else(String::new, |mb| format!(" and {mb} MB for the GPU"))
            ),
            Requirement::Board { encodes } => format!("a board that is not known to lack an encoder ({encodes})"),
            Requirement::Program { name, package } => format!("program {name} of {package}"),
            Requirement::Listed { program, camera: None } => format!("a camera that {program} lists"),
            Requirement::Listed {
                program,
                camera: Some(camera),
            } => format!("camera {camera} of those that {program} lists"),
            Requirement::File(path) => format!("file {path}"),
            Requirement::Encoder(name) => format!("encoder {name}"),
        };
        writeln!(text, "  needs    {needs}").expect("written");
    }
    for (name, value) in &pipeline.controls {
        let value = match value {
            ControlValue::Number(number) => number.to_string(),
            ControlValue::Entry(entry) => entry.clone(),
        };
        writeln!(text, "  control  {name}={value}").expect("written");
    }
    if let Some(capture) = &pipeline.capture {
        writeln!(text, "  capture  {} {}", capture.program, capture.arguments.join(" ")).expect("written");
    }
    writeln!(text, "  ffmpeg   {}", pipeline.arguments.join(" ")).expect("written");
    text
}

fn fraction(text: &str) -> Control {
    Control::Fraction(Fraction::parse(text).expect("a fraction"))
}

#[test]
fn every_way_is_rendered_as_recorded() {
    let device = || PathBuf::from("/dev/video2");
    let one_of = |camera| Source::Rpicam(Some(camera));
    let turned = |camera: &mut Camera| {
        camera.source = Source::Rpicam(None);
        camera.size = Size {
            width: 800,
            height: 600,
        };
        camera.controls = [
            ("rotate", Control::Number(180)),
            ("horizontal_flip", Control::Number(1)),
            ("contrast", fraction("1.25")),
            ("sharpness", Control::Number(2)),
            ("ev", fraction("-0.5")),
            ("no_such", Control::Number(3)),
            ("exposure", Control::Entry("sport".to_owned())),
            ("shutter", Control::Number(8000)),
            ("awb", Control::Entry("daylight".to_owned())),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
    };
    let narrow = |camera: &mut Camera| {
        camera.size = Size {
            width: 1296,
            height: 972,
        };
        camera.level = 31;
    };
    let large = |camera: &mut Camera| {
        camera.size = Size {
            width: 1920,
            height: 1080,
        };
    };
    let cases = [
        ("auto", config(|_| {})),
        ("auto-1296x972", config(narrow)),
        ("auto-1920x1080", config(large)),
        ("auto-silent", config(|camera| camera.audio = Audio::Silent)),
        ("auto-copy", ways(Source::Auto, Encoder::Copy)),
        ("auto-libx264", ways(Source::Auto, Encoder::Libx264)),
        ("rpicam-turned", config(turned)),
        ("rpicam-copy", ways(Source::Rpicam(None), Encoder::Copy)),
        ("rpicam-m2m", ways(Source::Rpicam(None), Encoder::H264V4l2m2m)),
        ("rpicam-number", ways(one_of(CsiCamera::Number(1)), Encoder::Auto)),
        (
            "rpicam-sensor",
            ways(one_of(CsiCamera::Sensor("imx708".to_owned())), Encoder::Copy),
        ),
        ("usb", ways(Source::Usb(None), Encoder::Auto)),
        (
            "usb-device-libx264",
            ways(Source::Usb(Some(device())), Encoder::Libx264),
        ),
        ("v4l2-device", ways(Source::V4l2(device()), Encoder::Auto)),
        ("v4l2-omx", ways(Source::V4l2(device()), Encoder::H264Omx)),
        ("test", ways(Source::TestPattern, Encoder::Auto)),
        ("file", ways(Source::File("/srv/a.mp4".into()), Encoder::Auto)),
        ("file-copy", ways(Source::File("/srv/a.mp4".into()), Encoder::Copy)),
    ];
    let bless = std::env::var_os("PISTREAM_BLESS").is_some();
    let mut wrong = String::new();
    for (name, config) in cases {
        let now: String = config.pipelines.iter().map(shown).collect();
        assert!(!now.is_empty(), "{name} has no way at all");
        let record = format!("tests/pipelines/{name}.txt");
        if bless {
            std::fs::write(&record, &now).expect("recorded");
        } else if std::fs::read_to_string(&record).unwrap_or_default() != now {
            write!(wrong, "=== {name}, now:\n{now}").expect("written");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_source_has_a_way_through_every_encoder_that_goes_with_it() {
    let sources = [
        Source::Auto,
        Source::V4l2("/dev/video0".into()),
        Source::Rpicam(None),
        Source::Rpicam(Some(CsiCamera::Number(1))),
        Source::Usb(None),
        Source::TestPattern,
        Source::File("/srv/a.mp4".into()),
    ];
    let encoders = [
        Encoder::Auto,
        Encoder::Copy,
        Encoder::H264Omx,
        Encoder::H264V4l2m2m,
        Encoder::Libx264,
    ];
    for source in &sources {
        for encoder in encoders.into_iter().filter(|encoder| source.goes_with(*encoder)) {
            let found = ways(source.clone(), encoder).pipelines;
            assert!(!found.is_empty(), "{source:?} through {encoder:?}");
        }
    }
}

/// What rpicam-apps documents for `rpicam-vid` (core/options.hpp, core/video_options.hpp); another option is refused by the
/// real program before it opens the camera.
const RPICAM_VID: [&str; 28] = [
    "--brightness",
    "--contrast",
    "--saturation",
    "--sharpness",
    "--exposure",
    "--metering",
    "--ev",
    "--shutter",
    "--gain",
    "--awb",
    "--camera",
    "-t",
    "-n",
    "--width",
    "--height",
    "--framerate",
    "--rotation",
    "--hflip",
    "--vflip",
    "--codec",
    "--inline",
    "--flush",
    "-b",
    "-g",
    "--profile",
    "--level",
    "-o",
    "--list-cameras",
];

#[test]
fn rpicam_vid_is_given_options_that_it_documents() {
    let second = Source::Rpicam(Some(CsiCamera::Number(1)));
    for config in [
        config(|_| {}),
        ways(Source::Rpicam(None), Encoder::Copy),
        ways(second, Encoder::Auto),
    ] {
        let captures = config.pipelines.iter().filter_map(|pipeline| pipeline.capture.as_ref());
        let mut seen = 0;
        for capture in captures {
            let options = capture.arguments.iter().filter(|a| a.len() > 1 && a.starts_with('-'));
            for option in options {
                assert!(RPICAM_VID.contains(&option.as_str()), "{option}");
                seen += 1;
            }
        }
        assert!(seen > 10);
    }
}
