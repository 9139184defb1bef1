//! A fleet for unit tests: one server, any number of cameras at 10.0.0.1 and on.

use super::*;
use std::time::Duration;

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

pub(crate) fn ssh(host: &str) -> Ssh {
    Ssh {
        host: host.into(),
        user: None,
        port: None,
        identity: None,
        jump: None,
        transport: Transport::Auto,
        password: None,
        sudo_password: None,
    }
}

fn camera(at: u8) -> Camera {
    Camera {
        name: name(&format!("cam{at}")),
        ssh: ssh(&format!("10.0.0.{at}")),
        stream: name(&format!("cam{at}")),
        server: name("hub"),
        address: format!("10.0.0.{at}").parse().ok(),
        tls: true,
        source: Source::Auto,
        size: Size {
            width: 640,
            height: 480,
        },
        fps: 15,
        encoder: Encoder::Auto,
        bitrate: Bitrate::new(250_000).expect("a bitrate"),
        adapt: Bitrate::new(50_000).map(|lowest| Adapt {
            lowest,
            fps: None,
            size: None,
        }),
        audio: Audio::Off,
        latency: Latency::Normal,
        keyframe_interval: Duration::from_secs(2),
        profile: Profile::High,
        level: 40,
        controls: Default::default(),
        restream: vec![],
        stall_after: Duration::from_secs(10),
        recover: Default::default(),
        recording: RecordingLimits::default(),
        sd_card: SdCard::Normal,
    }
}

pub(crate) fn fleet(cameras: u8) -> Fleet {
    let segments = |seconds| Segments {
        fragment: Duration::from_secs(seconds),
        playlist: Duration::from_secs(20),
    };
    Fleet {
        servers: vec![Server {
            name: name("hub"),
            ssh: ssh("10.0.0.254"),
            address: "10.0.0.254".into(),
            names: vec![],
            tls: true,
            nginx: Nginx::Package,
            rtmps_port: 1936,
            rtmp_port: 1935,
            https: Some(Https::Own),
            https_port: 8443,
            http_port: 8080,
            status_port: 8081,
            publish: vec![],
            play: vec![Network {
                address: "10.0.0.0".parse().expect("address"),
                prefix: 24,
            }],
            recording: Some(Recording {
                path: "/var/lib/pistream/recordings".into(),
                interval: Duration::from_secs(3600),
                format: RecordingFormat::Mp4,
                keep: Duration::from_secs(30 * 24 * 3600),
                at_most: Amount::Percent(80),
                keep_free: Amount::Bytes(1_000_000_000),
                keep_at_least: Duration::from_secs(24 * 3600),
            }),
            hls: Some(segments(2)),
            dash: Some(segments(1)),
        }],
        cameras: (1..=cameras).map(camera).collect(),
        viewers: vec![],
        passphrase: None,
    }
}
