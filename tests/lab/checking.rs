//! `deploy --check`: exact about what would change, and without a trace on the hosts.

use crate::fleet::{Fleet, deploy, lives};
use crate::hosts::{BOTH_ROADS, Image, Lab, run, text};
use std::process::Command;

#[test]
fn a_check_of_virgin_hosts_finds_everything_pending_and_leaves_no_trace() {
    for transport in BOTH_ROADS {
        let lab = Lab::up(Image::Bare, &["hub", "porch"]);
        // what a first login leaves behind is not the check's doing
        lab.root("hub", "su pi -c 'sudo true'");
        lab.root("porch", "su pi -c 'sudo true'");
        let before = ["hub", "porch"].map(|host| tree(&lab, host));
        Fleet::new(&lab, transport, &["porch"]).write(&lab);
        let checked = deploy(&lab, &["--check", "--diff"]).must_exit(4);
        for host in ["hub", "porch"] {
            assert_eq!(checked.result(host).0, "pending", "{}", checked.text());
        }
        for change in [
            "install nginx",
            "create /etc/pistream/nginx.conf",
            "start pistream-server.service",
        ] {
            assert!(
                checked.changes("hub").contains(&change.to_owned()),
                "{change}\n{}",
                checked.text()
            );
        }
        assert_eq!(["hub", "porch"].map(|host| tree(&lab, host)), before);
    }
}

#[test]
fn a_check_tells_exactly_what_the_next_deploy_does() {
    let lab = Lab::up(Image::Fat, &["hub", "porch"]);
    let mut fleet = Fleet::new(&lab, "russh", &["porch"]);
    fleet.deploy(&lab).must_exit(0);
    deploy(&lab, &["--check"]).must_exit(0);

    fleet.set_bitrate("porch", "500k");
    fleet.write(&lab);
    let (before, lived) = (tree(&lab, "porch"), lives(&lab, "porch"));
    let checked = deploy(&lab, &["--check", "--diff"]).must_exit(4);
    assert!(checked.text().contains("500000"), "no diff:\n{}", checked.text());
    assert_eq!((tree(&lab, "porch"), lives(&lab, "porch")), (before, lived));
    let deployed = deploy(&lab, &[]).must_exit(0);
    assert_eq!(deployed.changes("porch"), checked.changes("porch"));
    assert_eq!(deployed.result("hub").0, "unchanged");
    deploy(&lab, &["--check"]).must_exit(0);
}

/// Every file the host has written, with mode, owner, time and content; without its logs.
fn tree(lab: &Lab, host: &str) -> String {
    let list = "find . -path ./var/log -prune -o -type f -printf '%p %m %U:%G %T@ ' -exec sha256sum {} ';' \
        -o ! -type f -printf '%p %y %m %U:%G %l\\n' | sort";
    text(&run(Command::new("sh").args(["-c", list]).current_dir(lab.disk(host))))
}
