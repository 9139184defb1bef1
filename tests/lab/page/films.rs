//! A camera's recordings on its page.

use super::{SOON, pixels, plays};
use crate::browser::Browser;
use crate::hosts::{Lab, wait_for};

/// What the lists tell of a camera, over more than a chunk's length: where one chunk ends and the next begins, there are
/// pictures all the time, also of the one that is not filed yet.
pub(super) fn no_gap_at_a_hand_over(page: &mut Browser) {
    let look = "(async () => { \
        const ask = async () => (await fetch(location.origin + '/archive/garden.json', { cache: 'no-cache' })).json(); \
        const missing = []; const end = Date.now() + 15000; const { recording } = await ask(); \
        while (Date.now() < end) { \
            const list = await ask(); \
            const known = [...list.chunks, ...list.filing].filter((c) => c.start >= recording); \
            known.sort((a, b) => a.start - b.start); \
            let until = recording; \
            for (const { start, end } of [...known, { start: list.recording }]) { missing.push(start - until); until = end; } \
            await new Promise((done) => setTimeout(done, 100)); } \
        return [missing.length, Math.max(...missing)]; })()";
    let told = page.ask(look);
    let [looks, longest] = [0, 1].map(|at| told[at].as_f64().unwrap());
    assert!(
        looks > 20.0 && longest < 5.0,
        "{looks} looks, {longest} s missing at most"
    );
}

/// A camera that was switched off: pictures are missing until now.
pub(super) fn missing_until_now(lab: &Lab, page: &mut Browser) {
    lab.root("porch", "systemctl stop pistream-camera");
    wait_for(SOON, "a gap until now", || {
        page.holds(
            "[...document.querySelectorAll('.chunks li')].at(-1)?.matches('.gap') \
             && [...document.querySelectorAll('.chunks li')].at(-1).textContent.includes('– now')",
        )
    });
    lab.root("porch", "systemctl start pistream-camera");
}

/// Of a camera that was away: a gap, and films before and after, of which one plays, seeks, and is downloaded whole. Its file.
pub(super) fn play_and_seek(lab: &Lab, page: &mut Browser) -> String {
    page.ask("location.hash = 'porch'");
    let films = "[...document.querySelectorAll('.chunks li[data-file$=\".mp4\"]')]";
    wait_for(SOON, "films and the gap", || {
        page.holds(&format!(
            "{films}.length >= 2 && document.querySelectorAll('.chunks li.gap').length >= 1"
        ))
    });
    assert!(page.holds("document.querySelectorAll('.day .bar.gap').length >= 1"));
    page.ask(&format!("{films}[0].querySelector('button').click()"));
    let film = "document.querySelector('#archive video')";
    wait_for(SOON, "the film to open", || {
        page.number(&format!("{film}.duration")) > 5.0
    });
    plays(page, film);
    let seek = format!(
        "new Promise((done) => {{ const v = {film}; v.pause(); const before = {}; \
         v.addEventListener('seeked', () => done([v.currentTime, before, {}]), {{ once: true }}); v.currentTime = 4.5; }})",
        pixels(film),
        pixels(film)
    );
    let sought = page.ask(&seek);
    assert_eq!(sought[0], 4.5, "{sought}");
    assert_ne!(sought[1], sought[2], "the picture is the same after seeking");
    let file = page.text(&format!("{films}[0].dataset.file"));
    let size = page.number(&format!(
        "fetch(location.origin + '/recordings/{file}').then((a) => a.blob()).then((b) => b.size)"
    ));
    let on_disk = lab.root("hub", &format!("stat -c %s /var/lib/pistream/recordings/{file}"));
    assert_eq!(on_disk.parse::<f64>().unwrap(), size);
    file
}
