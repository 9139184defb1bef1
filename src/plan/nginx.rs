//! Which nginx a server runs: the distribution's, or one that is built there.

use super::parts::{mark, package};
use crate::model::{Nginx, Origin, Server, Tarball};
use pistream_agent::{AGENT_DIR, Build, Package};

const SCRIPT: &str = include_str!("../../assets/build-nginx.sh");

/// What the script takes, where gcc brings the linker.
const TOOLS: [&str; 7] = [
    "gcc",
    "make",
    "libc6-dev",
    "libpcre2-dev",
    "libssl-dev",
    "zlib1g-dev",
    "xz-utils",
];

/// What the host needs to load from https.
const LOADER: [&str; 2] = ["curl", "ca-certificates"];

/// The distribution's packages of nginx that this server runs.
pub(super) fn packages(server: &Server) -> Vec<Package> {
    if server.nginx != Nginx::Package {
        return vec![];
    }
    vec![
        Package {
            name: "nginx".into(),
            keep_off: vec!["nginx.service".into()],
        },
        package("libnginx-mod-rtmp"),
        package("libnginx-mod-stream"),
    ]
}

/// What is built for it, if anything is.
pub(super) fn build(server: &Server) -> Option<Build> {
    let Nginx::Source { nginx, module } = &server.nginx else {
        return None;
    };
    let tarballs = [nginx, module].map(|tarball: &Tarball| pistream_agent::Tarball {
        name: tarball.origin.to_string(),
        sha256: tarball.sha256.clone(),
        url: match &tarball.origin {
            Origin::Url(url) => Some(url.clone()),
            Origin::File(_) => None,
        },
    });
    let loads = tarballs.iter().any(|tarball| tarball.url.is_some());
    let loader = LOADER.iter().filter(|_| loads);
    let made_of = [SCRIPT, &nginx.sha256, &module.sha256].join("\n");
    Some(Build {
        name: "nginx".into(),
        program: format!("{AGENT_DIR}/nginx-{}/nginx", mark(&made_of)),
        packages: TOOLS.iter().chain(loader).map(|name| package(name)).collect(),
        tarballs: tarballs.to_vec(),
        script: SCRIPT.to_owned(),
    })
}
