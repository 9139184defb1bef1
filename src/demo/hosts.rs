//! The demo's inventory: one server and two cameras on this machine, on ports that are free.

use miette::IntoDiagnostic;
use std::net::TcpListener;
use std::path::Path;

const CAMERAS: [&str; 2] = ["porch", "garden"];

/// The demo's inventory, read like anybody's.
pub(super) fn yml(directory: &Path) -> miette::Result<String> {
    let [rtmp, http, status] = free_ports().into_diagnostic()?;
    let recordings = directory.join("recordings");
    std::fs::create_dir_all(&recordings).into_diagnostic()?;
    let recordings = serde_json::to_string(&recordings.to_string_lossy()).into_diagnostic()?;
    let cameras: String = CAMERAS.iter().map(|name| format!("  {name}: {{}}\n")).collect();
    Ok(format!(
        "defaults:\n  ssh: {{host: 127.0.0.1, transport: local}}\n  camera: {{source: test}}\n\
         servers:\n  hub:\n    address: 127.0.0.1\n    tls: off\n    https: off\n    rtmp_port: {rtmp}\n    http_port: {http}\n    \
         status_port: {status}\n    recording: {{path: {recordings}, interval: 1m}}\n    play: [127.0.0.1]\n\
         cameras:\n{cameras}"
    ))
}

/// Three ports nobody listens on; held together so that they differ.
fn free_ports() -> std::io::Result<[u16; 3]> {
    // of every address, as nginx will
    let listeners = [(); 3].map(|()| TcpListener::bind(("0.0.0.0", 0)));
    let mut ports = [0; 3];
    for (port, listener) in ports.iter_mut().zip(listeners) {
        *port = listener?.local_addr()?.port();
    }
    Ok(ports)
}
