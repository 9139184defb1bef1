// One camera, live, over nginx-rtmp's DASH by MediaSource. Heals by itself: whatever breaks, it begins anew.

const PATIENCE = 8000;  // milliseconds one answer may take: a pulled cable is no answer
const WAITING = 6000;   // milliseconds without a new segment until the picture counts as old
const LOST = 15000;     // milliseconds without a new segment until everything begins anew
const MARGIN = 0.6;     // seconds that a segment may be late before the picture stalls: to begin with,
const MOST = 4;         // and where the network is bad
const KEPT = 30;        // seconds of past pictures that stay in memory

// A figure for the wall.
export function show(name, recordings) {
  const figure = document.createElement("figure");
  const video = document.createElement("video");
  const caption = document.createElement("figcaption");
  const title = document.createElement(recordings ? "a" : "span");
  const state = document.createElement("span");
  figure.dataset.camera = name;
  title.textContent = name;
  if (recordings) { title.href = `#${name}`; title.title = "Recordings"; }
  state.className = "state";
  video.muted = video.autoplay = video.playsInline = true;
  video.tabIndex = 0;
  video.title = "Full screen";
  caption.append(title, state);
  figure.append(video, caption);
  const whole = () => (video.requestFullscreen || video.webkitEnterFullscreen)?.call(video);
  video.addEventListener("click", whole);
  video.addEventListener("keydown", (event) => { if (event.key === "Enter") whole(); });
  const tell = (word, detail = "") => {
    state.dataset.state = word;
    state.textContent = detail ? `${word} ${detail}` : word;
  };
  keepPlaying(name, video, tell);
  return figure;
}

async function keepPlaying(name, video, tell) {
  tell("connecting");
  for (;;) {
    try { await play(name, video, tell); } catch { tell("waiting"); }
    await sleep(1000);
  }
}

const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

async function get(url) {
  const answer = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer;
}

// Plays until something breaks.
async function play(name, video, tell) {
  const Source = window.ManagedMediaSource || window.MediaSource;
  if (!Source) {
    video.src = `hls/${name}/index.m3u8`;
    tell("live");
    return new Promise((_, no) => video.addEventListener("error", no, { once: true }));
  }
  const base = `dash/${name}/`;
  let manifest = await segments(base);
  const source = new Source();
  const url = URL.createObjectURL(source);
  let margin = MARGIN;
  const stalled = () => { if (video.currentTime > 0) margin = Math.min(1.5 * margin, MOST); };
  video.addEventListener("waiting", stalled);
  video.disableRemotePlayback = true;
  video.src = url;
  try {
    await happens(source, "sourceopen");
    const buffer = source.addSourceBuffer(manifest.type);
    const append = async (data) => { buffer.appendBuffer(data); await happens(buffer, "updateend"); };
    await append(await (await get(base + manifest.init)).arrayBuffer());
    const clock = new Clock();
    let last = -1;
    let newest = performance.now();
    for (;;) {
      const fresh = manifest.media.filter((s) => s.time > last).slice(last < 0 ? -2 : 0);
      for (const segment of fresh) {
        await append(await (await get(base + segment.url)).arrayBuffer());
        last = segment.time;
        newest = performance.now();
        clock.saw((segment.time + segment.length) / 1000);
      }
      const silent = performance.now() - newest;
      if (silent > LOST) throw new Error("no new segment");
      if (video.error) throw video.error;
      follow(video, manifest.longest / 1000, margin);
      if (!buffer.updating && video.buffered.length && video.currentTime - video.buffered.start(0) > 2 * KEPT) {
        buffer.remove(0, video.currentTime - KEPT);
        await happens(buffer, "updateend");
      }
      if (silent > WAITING) tell("waiting"); else tell("live", clock.latency(video.currentTime));
      await sleep(Math.min(500, Math.max(100, manifest.longest / 4)));
      const { began } = manifest;
      manifest = await segments(base);
      if (manifest.began !== began || manifest.media.every((s) => s.time < last)) throw new Error("the camera began anew");
    }
  } finally {
    video.removeEventListener("waiting", stalled);
    URL.revokeObjectURL(url);
  }
}

// The event, or an error; never for ever.
function happens(target, name) {
  return new Promise((ok, no) => {
    const timer = setTimeout(() => no(new Error(`no ${name}`)), PATIENCE);
    target.addEventListener(name, () => { clearTimeout(timer); ok(); }, { once: true });
    target.addEventListener("error", () => { clearTimeout(timer); no(new Error("refused")); }, { once: true });
  });
}

// Keeps the picture a little more than one segment behind the newest: nearer it would stall before the next one is there.
// Every stall makes it a little more.
function follow(video, segment, margin) {
  if (!video.buffered.length) return;
  const target = segment + margin;
  const start = video.buffered.start(video.buffered.length - 1);
  const end = video.buffered.end(video.buffered.length - 1);
  const behind = end - video.currentTime;
  if (video.currentTime < start || behind > target + segment + 2) video.currentTime = Math.max(start, end - target);
  video.playbackRate = behind > target + 0.2 ? 1.1 : 1;
  if (video.paused) video.play().catch(() => {});
}

// How old the picture shown is, without a clock that two machines share: a segment cannot have been seen before it was
// there, so the one seen soonest after its end tells how media time and this machine's clock belong together.
class Clock {
  #offset = Infinity;
  saw(end) { this.#offset = Math.min(this.#offset, performance.now() / 1000 - end); }
  latency(shown) { return `${Math.max(0, performance.now() / 1000 - shown - this.#offset).toFixed(1)} s`; }
}

// nginx-rtmp's manifest: one video representation, a SegmentTimeline in milliseconds.
async function segments(base) {
  const text = await (await get(base + "index.mpd")).text();
  const xml = new DOMParser().parseFromString(text, "text/xml");
  const isVideo = (r) => (r.getAttribute("mimeType") || "").startsWith("video");
  const video = [...xml.querySelectorAll("Representation")].find(isVideo);
  const template = video.querySelector("SegmentTemplate");
  const id = video.getAttribute("id");
  const fill = (pattern, time) => pattern.replace("$RepresentationID$", id).replace("$Time$", time);
  let at = 0;
  const media = [];
  for (const s of template.querySelectorAll("S")) {
    at = s.hasAttribute("t") ? Number(s.getAttribute("t")) : at;
    const length = Number(s.getAttribute("d"));
    media.push({ time: at, length, url: fill(template.getAttribute("media"), at) });
    at += length;
  }
  return {
    began: xml.documentElement.getAttribute("availabilityStartTime"),
    type: `${video.getAttribute("mimeType")}; codecs="${video.getAttribute("codecs")}"`,
    init: fill(template.getAttribute("initialization"), ""),
    longest: Math.max(...media.map((s) => s.length), 500),
    media,
  };
}
