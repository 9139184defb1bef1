//! How the page is handled: by keyboard, click and a screen reader, on a phone, in light and dark.

use super::{CAMERAS, SOON, video_of};
use crate::browser::Browser;
use crate::hosts::wait_for;
use serde_json::{Value, json};

/// What can be reached by the keyboard has a name to be read out, each camera's among them.
pub(super) fn named(page: &mut Browser) {
    page.call("Accessibility.enable", json!({}));
    let tree = page.call("Accessibility.getFullAXTree", json!({}));
    page.call("Accessibility.disable", json!({}));
    let focusable = |node: &&Value| {
        let properties = node["properties"].as_array().map_or(&[][..], Vec::as_slice);
        node["role"]["value"] != "RootWebArea"
            && properties
                .iter()
                .any(|p| p["name"] == "focusable" && p["value"]["value"] == true)
    };
    let nodes = tree["nodes"].as_array().unwrap();
    let name = |node: &Value| node["name"]["value"].as_str().unwrap_or_default().to_owned();
    let names: Vec<String> = nodes.iter().filter(focusable).map(name).collect();
    assert!(
        !names.is_empty() && names.iter().all(|name| !name.is_empty()),
        "{names:?}"
    );
    for name in CAMERAS {
        assert!(
            names.iter().any(|n| n.starts_with(name) && n.contains("full screen")),
            "{names:?}"
        );
    }
}

fn fills_the_screen(page: &mut Browser, whole: bool) {
    wait_for(SOON, "the whole screen, or back", || {
        page.holds("document.fullscreenElement !== null") == whole
    });
}

/// One click, and the whole screen.
pub(super) fn full_screen(page: &mut Browser) {
    page.ask(&format!("{}.click()", video_of("porch")));
    fills_the_screen(page, true);
    page.ask("document.exitFullscreen()");
}

pub(super) fn phone(page: &mut Browser) {
    page.call(
        "Emulation.setDeviceMetricsOverride",
        json!({ "width": 360, "height": 780, "deviceScaleFactor": 2, "mobile": true }),
    );
    assert!(page.holds("document.documentElement.scrollWidth <= innerWidth"));
    assert!(page.holds(
        "[...document.querySelectorAll('#wall figure')].every((f) => f.clientWidth > 300 && f.clientWidth <= innerWidth)"
    ));
    page.call("Emulation.clearDeviceMetricsOverride", json!({}));
}

/// Light and dark.
pub(super) fn themes(page: &mut Browser) {
    let background = |page: &mut Browser, scheme: &str| {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        page.call("Emulation.setEmulatedMedia", json!({ "features": features }));
        page.text("getComputedStyle(document.body).backgroundColor")
    };
    assert_ne!(background(page, "dark"), background(page, "light"));
    // PISTREAM_SCREENSHOT=DIR: the pictures that the README shows, as base64
    if let Some(directory) = std::env::var_os("PISTREAM_SCREENSHOT") {
        for scheme in ["light", "dark"] {
            background(page, scheme);
            let picture = page.picture();
            std::fs::write(std::path::Path::new(&directory).join(scheme), picture).unwrap();
        }
    }
}

/// Enter: the whole screen, and back. Arrows: from picture to picture. Escape: from the recordings to the wall.
pub(super) fn by_keyboard(page: &mut Browser) {
    let press = |page: &mut Browser, key: &str| {
        for kind in ["rawKeyDown", "keyUp"] {
            let code = match key {
                "Enter" => 13,
                "Escape" => 27,
                _ => 39,
            };
            page.call(
                "Input.dispatchKeyEvent",
                json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code }),
            );
        }
    };
    let at = "document.activeElement.closest('figure')?.dataset.camera";
    page.ask(&format!("{}.focus()", video_of("porch")));
    press(page, "ArrowRight");
    assert_eq!(page.text(at), "garden");
    press(page, "ArrowRight");
    assert_eq!(page.text(at), "porch");
    for whole in [true, false] {
        press(page, "Enter");
        fills_the_screen(page, whole);
    }
    page.ask("location.hash = 'porch'");
    wait_for(SOON, "the recordings", || {
        page.holds("document.querySelector('#wall').hidden")
    });
    assert!(page.holds("document.querySelector('nav [aria-current=page]').textContent === 'porch'"));
    press(page, "Escape");
    wait_for(SOON, "the wall", || {
        page.holds("!document.querySelector('#wall').hidden")
    });
}
