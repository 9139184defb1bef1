//! Cameras, and what is offered of them, that come and go while the page is open.

use super::SOON;
use crate::browser::Browser;
use crate::hosts::{Lab, wait_for};

/// The list of the cameras that anna may see.
const LIST: &str = "/etc/pistream/viewers/anna.json";

fn shows(page: &mut Browser, cameras: &str) {
    let shown = "[...document.querySelectorAll('[data-camera]')].map((c) => c.dataset.camera).join(' ')";
    wait_for(SOON, &format!("the wall of {cameras}"), || page.text(shown) == cameras);
}

/// A camera and DASH go and come with the list, as soon as somebody sees the page; not while he looks at recordings.
pub(super) fn changes(lab: &Lab, page: &mut Browser) {
    page.ask("window.first = true");
    page.ask("location.hash = 'garden'");
    wait_for(SOON, "the recordings", || {
        page.holds("document.querySelector('#wall').hidden")
    });
    let asked = "performance.getEntriesByType('resource').filter((e) => e.name.endsWith('/cameras.json')).length";
    let before = page.number(asked);
    let without = "s/\"porch\",//; s/\"dash\":true/\"dash\":false/";
    lab.root("hub", &format!("cp {LIST} /root/list && sed -i '{without}' {LIST}"));
    page.hide();
    page.reveal();
    wait_for(SOON, "the page to ask", || page.number(asked) > before);
    let after_its_own = "fetch(location.origin + '/cameras.json').then((a) => a.json()).then(() => window.first)";
    assert!(page.holds(after_its_own), "began anew over a recording");
    page.ask("location.hash = ''");
    shows(page, "garden");
    let by_hls = "document.querySelector('video').src.endsWith('/hls/garden/index.m3u8')";
    assert!(page.holds(by_hls), "by DASH, which is not offered");
    lab.root("hub", &format!("cp /root/list {LIST}"));
    page.hide();
    page.reveal();
    shows(page, "porch garden");
}
