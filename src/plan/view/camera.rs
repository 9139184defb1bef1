//! A camera: where it publishes, from what source, through which encoder and controls.

use crate::model::{
    Audio, Bitrate, Camera, Control, Encoder, Fleet, Profile, Server, Source, host_and_port, libcamera,
};
use crate::plan::Paths;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
pub(in crate::plan) struct CameraContext<'a> {
    paths: &'a Paths,
    /// Where camera.toml goes: this one.
    file: &'a str,
    /// The names of those with less to send, beside it.
    rungs: Vec<&'a str>,
    camera: CameraView,
}

#[derive(Serialize)]
struct CameraView {
    name: String,
    stream: String,
    tls: bool,
    publish_url: String,
    source: SourceView,
    /// As the inventory writes it.
    encoder: &'static str,
    size: String,
    width: u32,
    height: u32,
    fps: u32,
    bitrate: u32,
    /// With a sound track that holds no sound.
    silent: bool,
    /// `None`: the bitrate stays.
    adapt: Option<BoundsView>,
    keyframe_frames: u32,
    profile: &'static str,
    /// `profile_idc` of H.264.
    profile_number: u8,
    level: String,
    /// The nearest that rpicam-vid knows.
    rpicam_level: &'static str,
    rpicam_options: Vec<String>,
    /// Of the legacy camera's driver, which encodes.
    controls: BTreeMap<String, ControlView>,
    /// Of any other device: the inventory's alone.
    own_controls: BTreeMap<String, ControlView>,
    stall_after: u64,
    /// Where there is anything for root to do.
    recover: Option<RecoverView>,
}

/// A number, or a menu's entry by its name: exactly one of the two.
#[derive(Serialize)]
struct ControlView {
    number: Option<i64>,
    entry: Option<String>,
}

impl ControlView {
    fn number(number: i64) -> ControlView {
        ControlView {
            number: Some(number),
            entry: None,
        }
    }

    /// None of what no V4L2 driver takes.
    fn of(control: &Control) -> Option<ControlView> {
        match control {
            Control::Number(number) => Some(ControlView::number(*number)),
            Control::Fraction(_) => None,
            Control::Entry(entry) => Some(ControlView {
                number: None,
                entry: Some(entry.clone()),
            }),
        }
    }
}

#[derive(Serialize)]
struct RecoverView {
    reset: bool,
    reboots_per_day: u32,
}

/// Bits per second.
#[derive(Serialize)]
struct BoundsView {
    lowest: u32,
    step: u32,
}

#[derive(Serialize)]
struct SourceView {
    kind: &'static str,
    /// Which one: the path of a device or a file, the number or the sensor of a camera of libcamera's.
    which: Option<String>,
}

/// `file` is where its settings go, `rungs` are the files of those with less to send.
pub(in crate::plan) fn camera<'a>(
    fleet: &'a Fleet,
    camera: &'a Camera,
    paths: &'a Paths,
    file: &'a str,
    rungs: &'a [String],
) -> CameraContext<'a> {
    let publish_url = match fleet.server_of(camera) {
        Some(server) => publish_url(server, camera),
        None => String::new(),
    };
    let frames = camera.keyframe_interval.as_secs_f64() * f64::from(camera.fps);
    let keyframe_frames = frames.round().clamp(1.0, 1000.0) as u32;
    let (kind, which) = match &camera.source {
        Source::Auto => ("auto", None),
        Source::V4l2(path) => ("v4l2", Some(path.to_string_lossy().into_owned())),
        Source::Rpicam(camera) => ("rpicam", camera.as_ref().map(ToString::to_string)),
        Source::Usb(path) => ("usb", path.as_ref().map(|path| path.to_string_lossy().into_owned())),
        Source::TestPattern => ("test", None),
        Source::File(path) => ("file", Some(path.to_string_lossy().into_owned())),
    };
    CameraContext {
        paths,
        file,
        rungs: rungs.iter().filter_map(|path| path.rsplit('/').next()).collect(),
        camera: CameraView {
            name: camera.name.to_string(),
            stream: camera.stream.to_string(),
            tls: fleet.by_tls(camera),
            publish_url,
            source: SourceView { kind, which },
            encoder: match camera.encoder {
                Encoder::Auto => "auto",
                Encoder::Copy => "copy",
                Encoder::H264Omx => "h264_omx",
                Encoder::H264V4l2m2m => "h264_v4l2m2m",
                Encoder::Libx264 => "libx264",
            },
            size: camera.size.to_string(),
            width: camera.size.width,
            height: camera.size.height,
            fps: camera.fps,
            bitrate: camera.bitrate.bits_per_second(),
            silent: camera.audio == Audio::Silent,
            adapt: camera.adapt.map(|adapt| BoundsView {
                lowest: adapt.lowest.bits_per_second(),
                step: Bitrate::STEP,
            }),
            keyframe_frames,
            profile: match camera.profile {
                Profile::Baseline => "baseline",
                Profile::Main => "main",
                Profile::High => "high",
            },
            profile_number: match camera.profile {
                Profile::Baseline => 66,
                Profile::Main => 77,
                Profile::High => 100,
            },
            level: format!("{}.{}", camera.level / 10, camera.level % 10),
            rpicam_level: match camera.level {
                ..=40 => "4",
                41 => "4.1",
                _ => "4.2",
            },
            rpicam_options: libcamera::options(
                |name| camera.controls.get(name),
                matches!(camera.source, Source::Rpicam(_)),
            ),
            controls: v4l2_controls(camera, keyframe_frames),
            own_controls: further_controls(camera).collect(),
            stall_after: camera.stall_after.as_secs(),
            recover: camera.recover.is_on().then_some(RecoverView {
                reset: camera.recover.reset,
                reboots_per_day: camera.recover.reboots_per_day,
            }),
        },
    }
}

/// `rtmps://host:port/live/stream`, without TLS `rtmp://`; an IPv6 address in brackets.
fn publish_url(server: &Server, camera: &Camera) -> String {
    let (scheme, port) = match server.tls && camera.tls {
        true => ("rtmps", server.rtmps_port),
        false => ("rtmp", server.rtmp_port),
    };
    let place = host_and_port(&server.address, port);
    format!("{scheme}://{place}/live/{}", camera.stream)
}

/// The codec controls of the Pi's legacy camera driver (bcm2835-v4l2), then whatever the inventory sets by name.
fn v4l2_controls(camera: &Camera, keyframe_frames: u32) -> BTreeMap<String, ControlView> {
    let mut own = vec![
        ("video_bitrate", i64::from(camera.bitrate.bits_per_second())),
        // parameter sets before every keyframe: without them a late viewer decodes nothing (default 0)
        ("repeat_sequence_header", 1),
        ("h264_i_frame_period", i64::from(keyframe_frames)),
        ("h264_profile", profile_menu(camera.profile)),
    ];
    own.extend(level_menu(camera.level).map(|item| ("h264_level", item)));
    let own = own
        .into_iter()
        .map(|(name, number)| (name.to_owned(), ControlView::number(number)));
    own.chain(further_controls(camera)).collect()
}

fn further_controls(camera: &Camera) -> impl Iterator<Item = (String, ControlView)> {
    let view = |(name, value): (&String, &Control)| Some((name.clone(), ControlView::of(value)?));
    camera.controls.iter().filter_map(view)
}

/// `enum v4l2_mpeg_video_h264_profile` (linux/v4l2-controls.h).
fn profile_menu(profile: Profile) -> i64 {
    match profile {
        Profile::Baseline => 0,
        Profile::Main => 2,
        Profile::High => 4,
    }
}

/// `enum v4l2_mpeg_video_h264_level` (linux/v4l2-controls.h); the driver offers 4.0 to 4.2 and what is below.
fn level_menu(level: u8) -> Option<i64> {
    const LEVELS: [u8; 14] = [10, 9, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42];
    LEVELS
        .iter()
        .position(|l| *l == level)
        .and_then(|at| i64::try_from(at).ok())
}
