use super::*;
use pistream_agent::{Holder, RootFacts, VideoDevice};

fn pi() -> HostFacts {
    HostFacts {
        model: Some("Raspberry Pi 4 Model B Rev 1.4".into()),
        system: Some("Debian GNU/Linux 12 (bookworm)".into()),
        kernel: Some("6.1.21-v8+".into()),
        kernel_architecture: Some("aarch64".into()),
        userland_architecture: Some("armhf".into()),
        memory: Some(3_978_000_000),
        gpu_memory: Some("76M".into()),
        throttled: Some(0x5_0000),
        clock_synchronised: Some(true),
        root: RootFacts {
            kind: Some("ext4".into()),
            read_only: Some(false),
            free: Some(12_300_000_000),
        },
        camera: CameraFacts {
            stack: CameraStack::Vc4,
            devices: vec![VideoDevice {
                path: "/dev/video0".into(),
                lasting: Some("/dev/v4l/by-path/platform-x-video-index0".into()),
                driver: "unicam".into(),
                card: "unicam".into(),
                formats: vec!["YUYV".into(), "MJPG".into()],
            }],
            listed_by: Some("rpicam-vid".into()),
            listed: vec!["imx219 [3280x2464] (/base/soc)".into()],
            pipelines: [
                ("v4l2-copy", Some("no V4L2 device is called mmal service")),
                ("rpicam-h264", None),
                ("libcamera-h264", Some("libcamera-vid is not installed")),
                ("libcamera-x264", Some("libcamera-vid is not installed")),
                ("rpicam-x264", None),
            ]
            .map(|(name, why)| PipelineFacts {
                name: name.into(),
                obstacle: why.map(str::to_owned),
            })
            .into(),
            holders: vec![Holder {
                device: "/dev/video0".into(),
                pid: 412,
                program: "motion".into(),
                unit: Some("motion.service".into()),
            }],
            takers: vec!["motion.service".into()],
            ..CameraFacts::default()
        },
    }
}

#[test]
fn a_pi_in_lines() {
    let answers = [
        Answer {
            host: "porch".into(),
            facts: Ok(pi()),
        },
        Answer {
            host: "attic".into(),
            facts: Err("no route".into()),
        },
    ];
    let shown = table(&["HOST", "FACT", "WHAT"], answers.iter().flat_map(rows).collect());
    let lines: Vec<String> = shown
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<&str>>().join(" "))
        .collect();
    assert_eq!(
        lines,
        [
            "HOST FACT WHAT",
            "porch model Raspberry Pi 4 Model B Rev 1.4",
            "system Debian GNU/Linux 12 (bookworm), kernel 6.1.21-v8+ aarch64, packages armhf",
            "memory 4.0 GB, 76M of it the GPU's",
            "power undervoltage, throttled since boot",
            "clock synchronised",
            "disk ext4, 12.3 GB free",
            "stack libcamera, with an H.264 encoder (vc4)",
            "device /dev/video0 unicam (driver unicam): YUYV MJPG, the same as /dev/v4l/by-path/platform-x-video-index0",
            "camera 0: imx219 [3280x2464] (/base/soc)",
            "cannot v4l2-copy: no V4L2 device is called mmal service",
            "can run rpicam-h264, rpicam-x264",
            "cannot libcamera-h264, libcamera-x264: libcamera-vid is not installed",
            "in use motion (process 412 of motion.service) has /dev/video0",
            "in use motion.service is active and may take the camera; stop it: sudo systemctl disable --now motion.service",
            "attic no route",
        ]
    );
}

#[test]
fn what_a_host_does_not_tell_is_unknown() {
    let lines = lines(&HostFacts::default());
    let told: Vec<&str> = lines.iter().map(|(_, what, _)| what.as_str()).collect();
    assert_eq!(
        told,
        [
            "unknown",
            "?, kernel ? ?, packages ?",
            "unknown",
            "unknown",
            "unknown",
            "no Pi camera's"
        ]
    );
}

#[test]
fn power_tells_what_is_now_before_what_was() {
    assert_eq!(power(0x5_0005).1, "undervoltage, throttled now");
    assert_eq!(power(0x8_0000).1, "too warm since boot");
    assert_eq!(power(0).1, "enough");
}

#[test]
fn json_has_an_error_where_there_are_no_facts() {
    let answers = [Answer {
        host: "attic".into(),
        facts: Err("no route".into()),
    }];
    assert_eq!(
        as_json(&answers),
        serde_json::json!({ "hosts": [{ "host": "attic", "error": "no route" }] })
    );
}
