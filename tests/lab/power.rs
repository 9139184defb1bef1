//! Killed in the middle: the power of a host, the deployer. The next deploy converges, and no half-written file is ever seen.

use crate::fleet::{Fleet, bytes_received, deploy, streams_again};
use crate::hosts::{Image, Lab, run};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

const HOSTS: [&str; 2] = ["hub", "porch"];
const CUTS: u32 = 10;

#[test]
fn power_cuts_at_ten_moments_of_a_deploy_leave_whole_files_and_the_next_deploy_converges() {
    let (lab, mut versions) = deployed();
    let whole_deploy = versions.time_some(&lab);
    let mut interrupted = 0;
    let identities = HOSTS.map(|host| identity(&lab, host));
    for cut in 0..CUTS {
        let host = HOSTS[cut as usize % 2];
        let mut deployer = versions.start_next(&lab);
        let end = Instant::now() + whole_deploy * cut / CUTS;
        while Instant::now() < end {
            std::hint::spin_loop();
        }
        lab.power_cut(host);
        interrupted += u32::from(!deployer.wait().unwrap().success());
        versions.must_be_whole(&lab);
        lab.power_on(host);
        versions.must_be_whole(&lab);
        versions.converge(&lab);
    }
    assert_eq!(HOSTS.map(|host| identity(&lab, host)), identities, "a key was lost");
    println!("a deploy of {whole_deploy:?}: {interrupted} of {CUTS} power cuts interrupted it");
    assert!(interrupted >= CUTS / 2, "only {interrupted} deploys were interrupted");
    streams_again(&lab, "porch", Duration::from_secs(40));
}

#[test]
fn a_deployer_killed_at_ten_moments_leaves_whole_files_and_the_next_deploy_converges() {
    let (lab, mut versions) = deployed();
    let whole_deploy = versions.time_some(&lab);
    for kill in 0..CUTS {
        let mut deployer = versions.start_next(&lab);
        let end = Instant::now() + whole_deploy * kill / CUTS;
        while Instant::now() < end {
            std::hint::spin_loop();
        }
        deployer.kill().unwrap();
        deployer.wait().unwrap();
        versions.must_be_whole(&lab);
        versions.converge(&lab);
    }
    streams_again(&lab, "porch", Duration::from_secs(40));
    assert!(bytes_received(&lab, "porch").is_some());
}

/// The host's key and certificate.
fn identity(lab: &Lab, host: &str) -> Vec<u8> {
    fs::read(lab.disk(host).join("etc/pistream/identity.pem")).unwrap()
}

fn deployed() -> (Lab, Versions) {
    let lab = Lab::up(Image::Fat, &HOSTS);
    let fleet = Fleet::new(&lab, "russh", &["porch"]);
    fleet.deploy(&lab).must_exit(0);
    let mut versions = Versions {
        fleet,
        count: 0,
        seen: BTreeMap::new(),
        last: BTreeSet::new(),
    };
    versions.remember(&lab);
    (lab, versions)
}

/// The inventories deployed one after the other: each changes a file on every host.
struct Versions {
    fleet: Fleet,
    count: u64,
    /// By host and path, every content that was ever meant to be there.
    seen: BTreeMap<(String, String), Vec<Vec<u8>>>,
    /// What the last of them has, by host and path.
    last: BTreeSet<(String, String)>,
}

impl Versions {
    fn next(&mut self, lab: &Lab) {
        self.count += 1;
        self.fleet
            .set_bitrate("porch", if self.count.is_multiple_of(2) { "250k" } else { "500k" });
        self.fleet.server = format!("play: [10.77.{}.1, 192.0.2.{}]", lab.id(), self.count);
        self.fleet.write(lab);
        self.remember(lab);
    }

    /// Notes what `render` says will be on the hosts.
    fn remember(&mut self, lab: &Lab) {
        let out = lab.home().join(format!("rendered-{}", self.count));
        run(&mut lab.pistream(&["render", "-i", "hosts.yml", "-o", out.to_str().unwrap()]));
        self.last.clear();
        for host in HOSTS {
            for (path, content) in files_below(&out.join(host), "") {
                // what the authority says is not in a rendering
                let pem = path.ends_with(".pem");
                if pem || path == "manifest.json" {
                    continue;
                }
                let place = (host.to_owned(), path);
                self.last.insert(place.clone());
                self.seen.entry(place).or_default().push(content);
            }
        }
    }

    /// How long a deploy takes: the shortest of three, since one with a hiccup would set the moments too far apart.
    fn time_some(&mut self, lab: &Lab) -> Duration {
        let mut time_one = || {
            self.next(lab);
            let start = Instant::now();
            deploy(lab, &[]).must_exit(0);
            start.elapsed()
        };
        let first = time_one();
        first.min(time_one()).min(time_one())
    }

    /// Every third time with the agent to be uploaded first.
    fn start_next(&mut self, lab: &Lab) -> Child {
        self.next(lab);
        if self.count.is_multiple_of(3) {
            for host in HOSTS {
                lab.root(host, "rm /usr/local/lib/pistream/agent-*");
            }
        }
        let log = fs::File::create(lab.home().join("interrupted.log")).unwrap();
        let stderr = log.try_clone().unwrap();
        lab.pistream(&["deploy", "-i", "hosts.yml"])
            .stdout(Stdio::from(log))
            .stderr(stderr)
            .spawn()
            .unwrap()
    }

    /// Every file in its place is one of the versions, from the first byte to the last.
    fn must_be_whole(&self, lab: &Lab) {
        let mut compared = 0;
        for ((host, path), versions) in &self.seen {
            let Ok(content) = fs::read(lab.disk(host).join(path)) else {
                continue;
            };
            compared += 1;
            assert!(
                versions.contains(&content),
                "{host}: {path} is none of {} versions",
                versions.len()
            );
        }
        assert!(compared >= 4, "only {compared} files were there to compare");
        let agent = fs::read(env!("PISTREAM_AGENT_PATH")).unwrap();
        for host in HOSTS {
            for entry in fs::read_dir(lab.disk(host).join("usr/local/lib/pistream"))
                .unwrap()
                .flatten()
            {
                let upload = entry.file_name().to_str().unwrap().starts_with('.');
                assert!(
                    upload || fs::read(entry.path()).unwrap() == agent,
                    "{host}: {entry:?} is not the agent"
                );
            }
        }
    }

    fn converge(&self, lab: &Lab) {
        let deployed = deploy(lab, &[]).must_exit(0);
        for (place, versions) in &self.seen {
            let (host, path) = place;
            let content = fs::read(lab.disk(host).join(path)).ok();
            // a lower bitrate has fewer rungs, each a file
            let wanted = versions.last().filter(|_| self.last.contains(place));
            assert_eq!(content.as_ref(), wanted, "{host}: {path}\n{}", deployed.text());
        }
        for (host, unit) in [("hub", "pistream-server"), ("porch", "pistream-camera")] {
            assert_eq!(lab.root(host, &format!("systemctl is-active {unit}")), "active");
        }
        let again = deploy(lab, &[]).must_exit(0);
        for host in HOSTS {
            assert_eq!(again.result(host).0, "unchanged", "{}", again.text());
        }
    }
}

/// Paths relative to `dir`, and contents.
fn files_below(dir: &Path, prefix: &str) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)
        .unwrap_or_else(|e| panic!("{}: {e}", dir.display()))
        .flatten()
    {
        let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(files_below(&entry.path(), &format!("{path}/"))),
            false => found.push((path, fs::read(entry.path()).unwrap())),
        }
    }
    found
}
