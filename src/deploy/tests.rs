//! Who waits for whom. No host is connected to.

use super::*;
use crate::model::samples::{name, ssh};

fn job(host: &str, streams_to: Option<&str>, mode: Mode) -> Job {
    Job {
        index: 0,
        name: name(host),
        streams_to: streams_to.map(name),
        // no address, and never looked up
        ssh: ssh("-"),
        credentials: Credentials::default(),
        authority: None,
        passphrase: None,
        tarballs: Arc::default(),
        subject: None,
        request: ApplyRequest {
            mode,
            diff: false,
            stop_others: false,
            plan: Plan::default(),
        },
        messages: mpsc::unbounded_channel().0,
    }
}

#[tokio::test]
async fn a_server_that_does_not_end_well_has_failed() {
    let mut ends = start(vec![job("hub", None, Mode::Apply)], 1, None);
    ends.spawn(async { Some(name("attic")) });
    // one whose work ended in a fault of pistream's own
    ends.spawn(std::future::pending()).abort();
    let names = BTreeSet::from(["attic", "barn", "hub"].map(name));
    assert_eq!(failed(names, ends).await, BTreeSet::from(["barn", "hub"].map(name)));
}

#[test]
fn a_camera_is_left_alone_where_its_own_server_failed() {
    let failed = BTreeSet::from([name("hub")]);
    for (server, mode, kept) in [
        ("hub", Mode::Apply, true),
        ("attic", Mode::Apply, false),
        // nothing changes
        ("hub", Mode::Check, false),
    ] {
        let porch = job("porch", Some(server), mode);
        assert_eq!(porch.kept_by(&failed).is_some(), kept, "{server} {mode:?}");
        // without its server in the deploy there is nobody to wait for
        assert_eq!(porch.kept_by(&BTreeSet::new()), None);
    }
}
