//! What people read of fleets that are well, and of such as are not.

use super::*;
use crate::model::samples::{fleet, name};
use crate::model::{Destination, Restream};
use pistream_agent::{
    Cause, DiskFacts, Facts, Governed, Ingest, RECORDING_STOPPED, RECORDINGS_UNREADABLE, RestreamFacts, Seen, Status,
    StreamFacts, StreamState, UnitFacts,
};

const NOW: u64 = 1_769_868_000; // 2026-01-31T14:00:00Z

fn streaming(stream: &str) -> Status {
    Status {
        stream: stream.into(),
        state: StreamState::Streaming,
        pipeline: Some("v4l2-copy".into()),
        streaming_seconds: 7534,
        fps: 15.0,
        bitrate_set: 250_000,
        bitrate_measured: 248_300,
        certificate_until: Some(NOW + 364 * 86_400),
        governed: Some(Governed {
            target: 250_000,
            backlog: 3125,
            why: "as the inventory asks".into(),
            steps: 0,
        }),
        ..Status::default()
    }
}

fn stream(name: &str, bytes: u64) -> StreamFacts {
    StreamFacts {
        name: name.into(),
        ingest: Some(Ingest {
            publishing: bytes > 0,
            bytes,
            milliseconds: 1000,
            ..Ingest::default()
        }),
        players: 1,
        ..StreamFacts::default()
    }
}

fn unit(name: &str, state: &str, says: &str) -> UnitFacts {
    UnitFacts {
        name: name.into(),
        state: state.into(),
        says: says.into(),
    }
}

fn facts(streams: Vec<StreamFacts>) -> Facts {
    Facts {
        streams,
        certificate_until: Some(NOW + 20 * 86_400),
        glance: Some(Seen {
            units: vec![
                unit("pistream-server.service", "active", ""),
                unit(
                    "pistream-recordings.service",
                    "active",
                    "2 streams are recorded: 7 chunks, 12 MB",
                ),
            ],
            web_viewers: Some(2),
            disk: Some(DiskFacts {
                total: 64_000_000_000,
                free: 18_900_000_000,
                oldest: Some(NOW - 40 * 86_400),
                error: None,
            }),
        }),
        ..Facts::default()
    }
}

fn judged(fleet: &Fleet, statuses: Vec<Result<Status, String>>, facts: Result<Facts, String>) -> Health {
    let cameras: Vec<&Camera> = fleet.cameras.iter().collect();
    let servers: Vec<&Server> = fleet.servers.iter().collect();
    let evidence = Evidence {
        statuses: cameras.iter().map(|c| c.name.clone()).zip(statuses).collect(),
        facts: [(name("hub"), facts)].into(),
        now: NOW,
    };
    health(fleet, &cameras, &servers, &evidence)
}

#[test]
fn a_fleet_that_is_well() {
    let health = judged(
        &fleet(1),
        vec![Ok(streaming("cam1"))],
        Ok(facts(vec![stream("cam1", 30_000)])),
    );
    assert!(health.well);
    let expected = " CAMERA  STATE                KBIT/S      FPS   UNSENT  RESTARTS  TODAY  CERTIFICATE
 cam1    v4l2-copy for 2h 5m  248 of 250  15.0  0.1 s             0      364 days

 SERVER  UNITS   LIVE    VIEWERS        RECORDING                                 DISK                     RESTREAM  CERTIFICATE
 hub     active  1 of 1  RTMP 1, web 2  2 streams are recorded, since 2025-12-22  18.9 GB of 64.0 GB free  -         20 days
2 hosts: all well
";
    assert_eq!(show::text(&health), expected);
}

#[test]
fn what_is_wrong_is_told_with_its_cause_since_when_and_what_comes_next() {
    let mut down = streaming("cam1");
    down.state = StreamState::BackingOff;
    (down.down_seconds, down.next_try_seconds) = (75, Some(3));
    down.last_cause = Some(Cause::NotListening);
    down.last_error = Some("Connection refused".into());
    down.restarts = [(Cause::NotListening, 9), (Cause::Killed, 1)].into();
    down.restarts_today = [(Cause::NotListening, 2)].into();
    let mut narrow = streaming("cam2");
    narrow.bitrate_set = 125_000;
    narrow.warnings = vec!["the Pi reports throttled".into()];
    narrow.governed = Some(Governed {
        target: 125_000,
        backlog: 93_750,
        why: "lowered: the way to the server carries about 160 kbit/s".into(),
        steps: 1,
    });
    narrow.controls = [("exposure".into(), 330)].into();
    narrow.adjusted = [("exposure".into(), 333)].into();
    let gone = Err("cam3: connection refused".to_owned());
    let mut seen = facts(vec![stream("cam1", 0), stream("cam2", 9000), stream("cam3", 0)]);
    seen.glance.as_mut().unwrap().units[1].says = format!("{RECORDING_STOPPED}: 7 chunks, 12 MB");
    let health = judged(&fleet(3), vec![Ok(down), Ok(narrow), gone], Ok(seen));
    assert!(!health.well);
    let text = show::text(&health);
    for told in [
        " cam1    down                 248 of 250              15.0  -       9 not listening, 1 killed  2      364 days\n",
        " cam2    v4l2-copy for 2h 5m  248 of 125 (250 asked)  15.0  3.0 s ",
        " cam3    no answer\n",
        "1 of 3",
        " cam1  down for 1m 15s: not listening: Connection refused; tried again in 3s\n",
        " cam2  the Pi reports throttled\n",
        " cam2  bitrate lowered: the way to the server carries about 160 kbit/s\n",
        " cam2  control exposure: the driver made 330 of 333\n",
        " cam3  no answer: cam3: connection refused\n",
        " hub   recording is stopped: the disk is full\n",
        " hub   nothing comes in of cam1\n",
        "4 hosts: 3 not well\n",
    ] {
        assert!(text.contains(told), "{told:?} in\n{text}");
    }
}

#[test]
fn a_camera_that_is_live_and_not_recorded_and_recordings_that_cannot_be_read() {
    let judged = |says: &str| {
        let mut seen = facts(vec![stream("cam1", 30_000), stream("cam2", 30_000)]);
        seen.glance.as_mut().unwrap().units[1].says = says.to_owned();
        let statuses = ["cam1", "cam2"].map(|of| Ok(streaming(of)));
        judged(&fleet(2), statuses.into(), Ok(seen)).servers.remove(0).problems
    };
    assert_eq!(judged("2 streams are recorded: 7 chunks, 12 MB"), [""; 0]);
    assert_eq!(
        judged("1 stream is recorded: 7 chunks, 12 MB"),
        ["2 live, but only 1 recorded"]
    );
    // the cause may have colons, too
    let problems = judged(&format!("{RECORDINGS_UNREADABLE}: Input/output error (os error 5)"));
    assert_eq!(problems, [RECORDINGS_UNREADABLE]);
}

#[test]
fn a_dead_target_a_unit_that_failed_and_a_server_that_does_not_answer() {
    let mut with_target = fleet(1);
    with_target.cameras[0].restream = vec![Restream {
        to: Destination::Server(name("attic")),
        key: None,
    }];
    let mut seen = facts(vec![stream("cam1", 30_000)]);
    seen.streams[0].restreams = vec![RestreamFacts {
        connected: false,
        last: Some("connect() failed (111: Connection refused) while connecting to upstream".into()),
    }];
    seen.glance.as_mut().unwrap().units[0].state = "failed".into();
    let health = judged(&with_target, vec![Ok(streaming("cam1"))], Ok(seen));
    assert_eq!(
        health.servers[0].problems,
        [
            "pistream-server.service is failed",
            "cam1 to attic: not reached: Connection refused"
        ]
    );
    assert!(show::text(&health).contains("0 of 1"));

    let health = judged(&fleet(1), vec![Ok(streaming("cam1"))], Err("no route to host".into()));
    assert!(!health.well && health.cameras[0].problem.is_none());
    assert!(show::text(&health).contains(" hub   no answer: no route to host\n"));
}

#[test]
fn machines_get_all_of_it() {
    let health = judged(
        &fleet(1),
        vec![Ok(streaming("cam1"))],
        Ok(facts(vec![stream("cam1", 30_000)])),
    );
    let json = serde_json::to_value(&health).unwrap();
    assert_eq!(json["well"], true);
    assert_eq!(json["cameras"][0]["status"]["bitrate_measured"], 248_300);
    assert_eq!(json["servers"][0]["live"], 1);
}
