use super::*;
use crate::model::samples::{fleet, name};
use crate::model::{Encoder, Source};
use pistream_agent::{CallerFacts, Decoded, Growth, Ingest, OutsiderFacts, StreamFacts, StreamState};

const NOW: u64 = 1_800_000_000;

/// What the agents tell when all is well with camera cam1.
fn healthy() -> (Status, StreamFacts, OutsiderFacts) {
    let status = Status {
        stream: "cam1".into(),
        state: StreamState::Streaming,
        pipeline: Some("v4l2-copy".into()),
        bitrate_set: 250_000,
        fps: 15.0,
        certificate_until: Some(NOW + 86_400),
        ..Status::default()
    };
    let grown = || {
        Some(Growth {
            what: "x".into(),
            advanced: true,
            detail: "1 -> 2".into(),
        })
    };
    let stream = StreamFacts {
        name: "cam1".into(),
        ingest: Some(Ingest {
            publishing: true,
            bytes: 62_500,
            milliseconds: 2000,
            ..Ingest::default()
        }),
        decoded: Some(Decoded {
            frames: 75,
            distinct: 74,
            moving: 70,
            luma: 120.0,
            width: 640,
            height: 480,
            fps: 15.0,
            bitrate: 250_000,
            codec: "h264".into(),
            profile: "High".into(),
            error: None,
        }),
        recording: grown(),
        hls: grown(),
        dash: grown(),
        ..StreamFacts::default()
    };
    let outsider = OutsiderFacts {
        publish_refused: Some(true),
        play_refused: Some(true),
        detail: String::new(),
    };
    (status, stream, outsider)
}

/// The first broken link after `spoil` has changed something.
fn broken(spoil: impl FnOnce(&mut Status, &mut StreamFacts, &mut OutsiderFacts)) -> Option<Link> {
    let (mut status, mut stream, mut outsider) = healthy();
    spoil(&mut status, &mut stream, &mut outsider);
    let facts = Facts {
        streams: vec![stream],
        outsider: Some(outsider),
        certificate_until: Some(NOW + 100 * 86_400),
        callers: vec![caller("an address that may play", Some(200))],
        ..Facts::default()
    };
    let evidence = Evidence {
        statuses: [(name("cam1"), Ok(status))].into(),
        facts: [(name("hub"), Ok(facts))].into(),
        now: NOW,
    };
    let fleet = fleet(1);
    judge(&fleet, &fleet.cameras[0], &evidence)
        .first_broken()
        .map(|(link, _)| link)
}

fn caller(with: &str, status: Option<u16>) -> CallerFacts {
    CallerFacts {
        with: with.into(),
        status,
        detail: "certificate has expired".into(),
    }
}

#[test]
fn the_page_must_let_in_whom_the_inventory_names_and_nobody_else() {
    let mut fleet = fleet(2);
    fleet.servers[0].play.clear();
    let web = |fleet: &Fleet, callers: &[(&str, Option<u16>)]| {
        let facts = Facts {
            callers: callers.iter().map(|(with, status)| caller(with, *status)).collect(),
            ..Facts::default()
        };
        server::web(fleet, Some(&fleet.servers[0]), &facts, NOW)
    };
    let by_address = |inside, outside| {
        web(
            &fleet,
            &[
                ("an address that may play", inside),
                ("an address that may not play", outside),
            ],
        )
    };
    assert!(matches!(by_address(Some(200), Some(403)), Verdict::Holds(_)));
    let broken = |verdict| match verdict {
        Verdict::Broken(why) => why,
        other => panic!("{other:?}"),
    };
    assert!(broken(by_address(Some(200), Some(200))).contains("may not play ACCEPTED"));
    assert!(broken(by_address(Some(403), Some(403))).contains("may play REFUSED"));
    assert!(broken(by_address(None, None)).contains("certificate has expired"));

    // a certificate of the user's own is for a name, and none but that in its file
    let with_files = |detail: &str| {
        let mut fleet = fleet.clone();
        fleet.servers[0].names = vec!["10.0.0.7".into(), "hub.example.net".into()];
        fleet.servers[0].https = Some(crate::model::Https::Files {
            certificate: "/etc/web/fullchain.pem".into(),
            key: "/etc/web/privkey.pem".into(),
        });
        let mut unanswered = caller("an address that may play", None);
        unanswered.detail = detail.into();
        let facts = Facts {
            callers: vec![unanswered],
            ..Facts::default()
        };
        broken(server::web(&fleet, Some(&fleet.servers[0]), &facts, NOW))
    };
    assert!(with_files("hostname mismatch").ends_with("good for hub.example.net: hostname mismatch"));
    assert!(
        with_files("unable to get local issuer certificate")
            .contains("another certificate than /etc/web/fullchain.pem")
    );

    let answered = Facts {
        callers: vec![
            caller("an address that may play", Some(200)),
            caller("an address that may not play", Some(403)),
        ],
        web_certificate_until: Some(NOW + 89 * 86_400),
        ..Facts::default()
    };
    let told = server::web(&fleet, Some(&fleet.servers[0]), &answered, NOW);
    assert!(matches!(told, Verdict::Holds(words) if words.ends_with("certificate for 89 days")));

    // with logins everybody may come, and nobody is let in by where he comes from
    fleet.viewers = vec![crate::model::Viewer {
        name: name("anna"),
        password: crate::model::Secret::Env("ANNA".into()),
        cameras: vec![name("cam2")],
    }];
    let by_login = |nobody, anna| web(&fleet, &[("no login", nobody), ("the login of anna", anna)]);
    assert_eq!(
        by_login(Some(401), Some(200)),
        Verdict::Holds("no login refused, the login of anna accepted".into())
    );
    assert!(broken(by_login(Some(200), Some(200))).contains("no login ACCEPTED"));
    assert!(broken(by_login(Some(401), Some(401))).contains("anna REFUSED"));
}

fn decoded(change: impl FnOnce(&mut Decoded)) -> Option<Link> {
    broken(|_, stream, _| change(stream.decoded.as_mut().unwrap()))
}

#[test]
fn fewer_frames_and_a_smaller_picture_hold_where_the_inventory_allows_them() {
    let at = |allowed: bool, width, height, fps| {
        let mut fleet = fleet(1);
        let adapt = fleet.cameras[0].adapt.filter(|_| allowed);
        fleet.cameras[0].adapt = adapt.map(|adapt| crate::model::Adapt {
            fps: Some(5),
            size: Some(crate::model::Size {
                width: 320,
                height: 240,
            }),
            ..adapt
        });
        let decoded = Decoded {
            width,
            height,
            fps,
            ..healthy().1.decoded.unwrap()
        };
        matches!(picture::format(&fleet.cameras[0], None, &decoded), Verdict::Holds(_))
    };
    assert!(at(true, 320, 240, 5.0) && at(true, 640, 480, 5.0) && at(true, 640, 480, 15.0));
    assert!(!at(true, 320, 240, 15.0) && !at(false, 640, 480, 5.0) && !at(false, 320, 240, 5.0));
}

#[test]
fn what_a_usb_camera_encodes_has_a_profile_and_a_bitrate_of_its_own() {
    let judged = |encoder, pipeline: &str| {
        let mut fleet = fleet(1);
        fleet.cameras[0].encoder = encoder;
        let (mut status, stream, _) = healthy();
        status.pipeline = Some(pipeline.into());
        let decoded = Decoded {
            profile: "Main".into(),
            bitrate: 1_000_000,
            ..stream.decoded.unwrap()
        };
        let (camera, status) = (&fleet.cameras[0], Some(&status));
        (
            picture::format(camera, status, &decoded),
            picture::bitrate(camera, status, &decoded),
        )
    };
    let (format, bitrate) = judged(Encoder::Auto, "usb-copy");
    assert!(matches!(format, Verdict::Holds(_)), "{format:?}");
    assert!(
        matches!(&bitrate, Verdict::Broken(why) if why.contains("`encoder: libx264`")),
        "{bitrate:?}"
    );
    let (_, asked_for) = judged(Encoder::Copy, "usb-copy");
    assert!(matches!(asked_for, Verdict::Skipped(_)), "{asked_for:?}");
    let (format, bitrate) = judged(Encoder::Copy, "v4l2-copy");
    assert!(matches!((format, bitrate), (Verdict::Broken(_), Verdict::Broken(_))));
}

/// As the governor of a camera whose uplink carries little tells it.
fn lowered(status: &mut Status, bits: u32) {
    status.bitrate_set = bits;
    status.governed = Some(pistream_agent::Governed {
        target: bits,
        ..Default::default()
    });
}

#[test]
fn a_bitrate_that_follows_the_network_is_compared_with_what_it_is_now() {
    let at = |target, flows| {
        broken(|status, stream, _| {
            lowered(status, target);
            stream.decoded.as_mut().unwrap().bitrate = flows;
        })
    };
    assert_eq!(at(100_000, 110_000), None);
    assert_eq!(at(100_000, 250_000), Some(Link::Bitrate), "it did not take effect");
    assert_eq!(
        at(25_000, 25_000),
        Some(Link::Encoder),
        "below what the inventory allows"
    );
    assert_eq!(
        at(275_000, 275_000),
        Some(Link::Encoder),
        "above what the inventory allows"
    );
    let stuck = broken(|status, stream, _| {
        status.bitrate_set = 100_000;
        stream.decoded.as_mut().unwrap().bitrate = 100_000;
    });
    assert_eq!(stuck, Some(Link::Encoder), "nobody governs it");
}

#[test]
fn a_healthy_chain_holds() {
    assert_eq!(broken(|_, _, _| {}), None);
}

#[test]
fn each_broken_link_is_named() {
    assert_eq!(broken(|status, _, _| status.stream = "old".into()), Some(Link::Agent));
    assert_eq!(
        broken(|status, _, _| status.state = StreamState::BackingOff),
        Some(Link::Encoder)
    );
    assert_eq!(
        broken(|status, _, _| status.bitrate_set = 10_000_000),
        Some(Link::Encoder)
    );
    assert_eq!(
        broken(|_, stream, _| stream.ingest.as_mut().unwrap().publishing = false),
        Some(Link::Ingest)
    );
    assert_eq!(
        broken(|_, stream, _| stream.ingest.as_mut().unwrap().bytes = 0),
        Some(Link::Ingest)
    );
    assert_eq!(
        decoded(|d| d.error = Some("connection reset".into())),
        Some(Link::Decode)
    );
    assert_eq!(decoded(|d| d.luma = 16.0), Some(Link::Picture));
    assert_eq!(decoded(|d| d.distinct = 1), Some(Link::Picture));
    assert_eq!(decoded(|d| d.width = 320), Some(Link::Format));
    assert_eq!(decoded(|d| d.fps = 7.0), Some(Link::Format));
    assert_eq!(
        decoded(|d| d.profile = "Constrained Baseline".into()),
        Some(Link::Format)
    );
    assert_eq!(decoded(|d| d.bitrate = 500_000), Some(Link::Bitrate));
    assert_eq!(
        broken(|_, stream, _| stream.recording.as_mut().unwrap().advanced = false),
        Some(Link::Recording)
    );
    assert_eq!(broken(|_, stream, _| stream.hls = None), Some(Link::Hls));
    assert_eq!(
        broken(|_, stream, _| stream.dash.as_mut().unwrap().advanced = false),
        Some(Link::Dash)
    );
    assert_eq!(
        broken(|_, _, outsider| outsider.play_refused = Some(false)),
        Some(Link::Outsiders)
    );
}

/// What is said of certificates and outsiders after `spoil` has changed something.
fn said(tls: bool, spoil: impl FnOnce(&mut Status, &mut Facts)) -> [Verdict; 2] {
    let (mut status, stream, outsider) = healthy();
    let mut facts = Facts {
        streams: vec![stream],
        outsider: Some(outsider),
        certificate_until: Some(NOW + 100 * 86_400),
        ..Facts::default()
    };
    spoil(&mut status, &mut facts);
    let evidence = Evidence {
        statuses: [(name("cam1"), Ok(status))].into(),
        facts: [(name("hub"), Ok(facts))].into(),
        now: NOW,
    };
    let mut fleet = fleet(1);
    fleet.servers[0].tls = tls;
    let chain = judge(&fleet, &fleet.cameras[0], &evidence);
    [Link::Certificate, Link::Outsiders].map(|wanted| {
        let found = chain.links.iter().find(|(link, _)| *link == wanted);
        found.expect("a verdict").1.clone()
    })
}

#[test]
fn a_certificate_is_good_until_it_ends_and_both_sides_count() {
    let [certificate, _] = said(true, |_, _| {});
    assert_eq!(
        certificate,
        Verdict::Holds("good for 1 days, the server's for 100".into())
    );
    let broken =
        |verdicts: [Verdict; 2], words: &str| matches!(&verdicts[0], Verdict::Broken(why) if why.contains(words));
    assert!(broken(
        said(true, |s, _| s.certificate_until = Some(NOW)),
        "camera's has expired"
    ));
    assert!(broken(
        said(true, |_, f| f.certificate_until = Some(NOW)),
        "server's has expired"
    ));
    assert!(broken(said(true, |s, _| s.certificate_until = None), "camera has none"));
    assert!(broken(said(true, |_, f| f.certificate_until = None), "server has none"));
    assert!(matches!(
        said(false, |s, _| s.certificate_until = None)[0],
        Verdict::Skipped(_)
    ));
}

#[test]
fn an_impostor_who_is_let_in_or_not_heard_of_breaks_the_chain() {
    let impostor = |refused| pistream_agent::ImpostorFacts {
        with: "no certificate".into(),
        refused,
        detail: "no connection".into(),
    };
    let outsiders = |refused| said(true, |_, facts| facts.impostors = vec![impostor(refused)])[1].clone();
    assert_eq!(
        outsiders(Some(true)),
        Verdict::Holds("publishing refused, playing refused, no certificate refused".into())
    );
    assert!(matches!(outsiders(Some(false)), Verdict::Broken(why) if why.contains("no certificate ALLOWED")));
    assert!(matches!(outsiders(None), Verdict::Broken(why) if why == "no certificate: no connection"));
}

#[test]
fn the_first_broken_link_is_the_one_nearest_to_the_camera() {
    let both = broken(|status, stream, _| {
        stream.hls = None;
        status.state = StreamState::NoPipeline;
    });
    assert_eq!(both, Some(Link::Encoder));
}

#[test]
fn a_still_test_picture_is_frozen_although_its_encoder_refines_it() {
    let (status, mut stream, outsider) = healthy();
    stream.decoded.as_mut().unwrap().moving = 0;
    let facts = Facts {
        streams: vec![stream],
        outsider: Some(outsider),
        certificate_until: Some(NOW + 100 * 86_400),
        callers: vec![caller("an address that may play", Some(200))],
        ..Facts::default()
    };
    let evidence = Evidence {
        statuses: [(name("cam1"), Ok(status))].into(),
        facts: [(name("hub"), Ok(facts))].into(),
        now: NOW,
    };
    let mut fleet = fleet(1);
    assert!(
        judge(&fleet, &fleet.cameras[0], &evidence).holds(),
        "before a camera the sensor's noise will do"
    );
    fleet.cameras[0].source = Source::TestPattern;
    let chain = judge(&fleet, &fleet.cameras[0], &evidence);
    assert_eq!(chain.first_broken().map(|(link, _)| link), Some(Link::Picture));
}
