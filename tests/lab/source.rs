//! A server that builds its nginx: from a file on the deployer and a tarball it loads by https, both with the digests that
//! the inventory's reference pins. Debian's source packages serve as the tarballs.

use crate::fleet::{Deployed, Fleet, bytes_received, deploy, lives, streams_again, verify};
use crate::hosts::{Image, Lab, script, text};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const MODULE: &str = "libnginx-mod-rtmp_1.2.2+dfsg.orig.tar.xz";
/// Of the reference's `rtmp_module_sha256`.
const MODULE_SHA256: &str = "6531e5ed75b01dfe786e08e0eb8ffd664b6f271f3e57223fe59dba965fcefd84";

/// A server that stands in for deb.debian.org, with a certificate of its own; ends with its value.
struct Mirror(Child);

impl Mirror {
    fn new(lab: &Lab, tarballs: &Path) -> Mirror {
        let (home, address) = (lab.home().join("mirror"), format!("10.77.{}.1", lab.id()));
        let pool = home.join("html/debian/pool/main/libn/libnginx-mod-rtmp");
        fs::create_dir_all(&pool).unwrap();
        fs::copy(tarballs.join(MODULE), pool.join(MODULE)).unwrap();
        let mut made = Command::new("openssl");
        made.args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ])
        .args(["-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=deb.debian.org"])
        .args(["-addext", "subjectAltName=DNS:deb.debian.org"])
        .current_dir(&home);
        crate::hosts::run(&mut made);
        let conf = format!(
            "daemon off; pid nginx.pid; error_log stderr; user root; events {{}}\n\
             http {{ access_log off; server {{ listen {address}:443 ssl; ssl_certificate cert.pem; \
             ssl_certificate_key key.pem; root html; }} }}\n"
        );
        fs::write(home.join("nginx.conf"), conf).unwrap();
        let mut nginx = Command::new("/usr/sbin/nginx");
        nginx
            .args(["-e", "stderr", "-p"])
            .arg(&home)
            .arg("-c")
            .arg(home.join("nginx.conf"));
        let mirror = Mirror(nginx.stdin(Stdio::null()).spawn().unwrap());
        let certificate = fs::read_to_string(home.join("cert.pem")).unwrap();
        let trust = format!(
            "echo '{address} deb.debian.org' >>/etc/hosts; echo '{certificate}' >/usr/local/share/ca-certificates/lab.crt; \
             update-ca-certificates"
        );
        lab.root("hub", &trust);
        mirror
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        // its worker goes with its master's sockets
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// What runs as the server.
fn program(lab: &Lab) -> String {
    lab.root(
        "hub",
        "readlink /proc/$(systemctl show -p MainPID --value pistream-server)/exe",
    )
}

fn built(deployed: &Deployed) -> bool {
    deployed
        .changes("hub")
        .iter()
        .any(|change| change.starts_with("build "))
}

/// Another tarball, with its digest: what was built, where configure and make find it done. So a second pin costs the story no
/// second build.
fn packed_anew(lab: &Lab, program: &str) -> (String, String) {
    let sources = lab.home().join("anew/nginx-anew");
    fs::create_dir_all(&sources).unwrap();
    fs::write(sources.join("nginx"), lab.ssh("hub", &format!("cat {program}")).stdout).unwrap();
    fs::write(
        sources.join("configure"),
        "#!/bin/sh\nprintf 'all:\\n\\tinstall -D nginx objs/nginx\\n' >Makefile\n",
    )
    .unwrap();
    let mut pack = Command::new("sh");
    pack.args([
        "-euc",
        "chmod +x */configure; tar -czf ../anew.tar.gz *; sha256sum ../anew.tar.gz",
    ]);
    let sum = text(&crate::hosts::run(pack.current_dir(lab.home().join("anew"))));
    let tarball = lab.home().join("anew.tar.gz").display().to_string();
    (tarball, sum.split(' ').next().unwrap().to_owned())
}

#[test]
fn a_server_builds_its_nginx_once_and_what_is_not_as_pinned_changes_nothing() {
    let tarballs = PathBuf::from(text(&crate::hosts::run(&mut script("containers/sources"))));
    let nginx = fs::read_dir(&tarballs).unwrap().map(|e| e.unwrap().path());
    let nginx = nginx
        .into_iter()
        .find(|p| p.to_string_lossy().contains("/nginx_"))
        .unwrap();
    let nginx = nginx.display().to_string();
    let lab = Lab::up(Image::Fat, &["hub", "porch"]);
    let _mirror = Mirror::new(&lab, &tarballs);
    // nobody knows these
    lab.root("hub", "mkdir -p /usr/local/lib/pistream/nginx-0123456789abcdef");
    let mut fleet = Fleet::new(&lab, "russh", &["porch"]);
    let plain = fleet.server.clone();
    let pinned = |more: &str| format!("{plain}, nginx: {{install: source, source: {nginx}{more}}}");
    fleet.server = pinned("");
    let first = fleet.deploy(&lab).must_exit(0);
    assert!(built(&first), "{}", first.text());
    let program_built = program(&lab);
    assert!(
        program_built.starts_with("/usr/local/lib/pistream/nginx-"),
        "{program_built}"
    );
    verify(&lab).must_hold();
    let in_place = "find /usr/local/lib/pistream/nginx-* -printf '%p %u %m %C@\\n'";
    let there = lab.root("hub", in_place);
    assert_eq!(there.lines().count(), 2, "{there}");

    let (before, received) = (lives(&lab, "hub"), bytes_received(&lab, "porch").unwrap());
    assert_eq!(deploy(&lab, &["--check"]).must_exit(0).result("hub").0, "unchanged");
    let second = deploy(&lab, &[]).must_exit(0);
    assert_eq!(second.result("hub").0, "unchanged", "{}", second.text());

    // the deployer's own file is compared before any host is reached
    let wrong = "0".repeat(64);
    fleet.server = pinned(&format!(", source_sha256: {wrong}"));
    let refused = fleet.deploy(&lab).must_exit(2);
    assert!(refused.text().contains(&wrong), "{}", refused.text());
    // what the server loads, before it is unpacked
    fleet.server = pinned(&format!(", rtmp_module_sha256: {wrong}"));
    fleet.write(&lab);
    let pending = deploy(&lab, &["--check"]).must_exit(4);
    assert!(built(&pending), "{}", pending.text());
    let refused = deploy(&lab, &[]).must_exit(1);
    let (_, detail) = refused.result("hub");
    assert!(detail.contains(MODULE_SHA256) && detail.contains(&wrong), "{detail}");
    // what does not build says why
    let module = tarballs.join(MODULE).display().to_string();
    fleet.server = format!("{plain}, nginx: {{install: source, source: {module}, source_sha256: {MODULE_SHA256}}}");
    let failed = fleet.deploy(&lab).must_exit(1);
    let (_, detail) = failed.result("hub");
    assert!(
        detail.contains("build nginx") && detail.contains("configure: not found"),
        "{detail}"
    );
    assert_eq!(lives(&lab, "hub"), before);
    assert_eq!(lab.root("hub", in_place), there);
    assert!(bytes_received(&lab, "porch").unwrap() > received);

    // another pin is built beside it, and the way back builds nothing
    let (anew, sha256) = packed_anew(&lab, &program_built);
    fleet.server = format!("{plain}, nginx: {{install: source, source: {anew}, source_sha256: {sha256}}}");
    let another = fleet.deploy(&lab).must_exit(0);
    assert!(built(&another), "{}", another.text());
    let (other_program, both) = (program(&lab), lab.root("hub", in_place));
    assert_ne!(other_program, program_built);
    assert!(both.contains(&other_program), "{both}");
    assert!(
        there.lines().all(|line| both.contains(line)),
        "{there}\nwas touched:\n{both}"
    );
    fleet.server = pinned("");
    let back = fleet.deploy(&lab).must_exit(0);
    assert!(!built(&back), "{}", back.text());
    assert_eq!((program(&lab), lab.root("hub", in_place)), (program_built, both));

    // and back to the distribution's
    fleet.server = plain;
    fleet.deploy(&lab).must_exit(0);
    assert_eq!(program(&lab), "/usr/sbin/nginx");
    assert_eq!(
        lab.root("hub", "ls -d /usr/local/lib/pistream/nginx-* 2>/dev/null || true"),
        ""
    );
    streams_again(&lab, "porch", Duration::from_secs(30));
}
