//! Who gets nothing of the page, or not all.

use super::{SOON, live, open};
use crate::browser::Browser;
use crate::hosts::{Lab, text, wait_for};
use serde_json::json;

/// Who does not know the fleet's authority is not shown a page.
pub(super) fn authority(lab: &Lab) {
    let mut stranger = Browser::trusting(
        &lab.own_network("screen"),
        "",
        &format!("https://{}:8443/", lab.ip("hub")),
    );
    wait_for(SOON, "a browser that does not know the authority to refuse", || {
        stranger.text("location.href").starts_with("chrome-error:")
    });
}

/// A viewer of one camera sees that one. His page.
pub(super) fn anothers_camera(lab: &Lab) -> Browser {
    let mut berts = open(lab, "bert:password-of-bert");
    live(&mut berts, "garden");
    assert_eq!(
        berts.ask("[...document.querySelectorAll('[data-camera]')].map((c) => c.dataset.camera)"),
        json!(["garden"])
    );
    assert_eq!(status(&mut berts, "/dash/porch/index.mpd"), 403.0);
    berts
}

/// The HTTP status the page itself gets for a path.
fn status(page: &mut Browser, path: &str) -> f64 {
    page.number(&format!("fetch(location.origin + '{path}').then((a) => a.status)"))
}

/// The status line a host gets for a path of the page.
fn answer(lab: &Lab, host: &str, path: &str) -> String {
    let ask = format!(
        "printf 'GET {path} HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet -connect {}:8443 2>/dev/null | head -1 | tr -d '\\r'",
        lab.ip("hub")
    );
    text(&lab.ssh(host, &ask))
}

/// A camera may publish, not watch.
pub(super) fn camera(lab: &Lab, film: &str) {
    for path in [
        "/",
        "/cameras.json",
        "/archive/porch.json",
        &format!("/recordings/{film}"),
        "/dash/porch/index.mpd",
    ] {
        assert_eq!(answer(lab, "garden", path), "HTTP/1.1 403 Forbidden", "{path}");
    }
}

/// Nobody sees what is not finished, or what lies there.
pub(super) fn unfinished(lab: &Lab, page: &mut Browser) {
    let growing = lab.root(
        "hub",
        "ls /var/lib/pistream/recordings/*.flv | head -1 | xargs basename",
    );
    assert!(growing.ends_with(".flv"), "{growing}");
    for path in [
        format!("/recordings/{growing}"),
        "/recordings/".into(),
        "/recordings/porch/".into(),
        "/archive/".into(),
    ] {
        let status = status(page, &path);
        assert!(status == 403.0 || status == 404.0, "{path}: {status}");
    }
}
