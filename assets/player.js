"use strict";
// The wall: every camera of cameras.json, live, over nginx-rtmp's DASH by MediaSource. Nothing is fetched from elsewhere.

const BEHIND = 3; // seconds behind the newest picture at which playback settles
const LOST = 8;   // seconds behind at which it jumps forward

function show(name) {
  const figure = document.createElement("figure");
  const video = document.createElement("video");
  const caption = document.createElement("figcaption");
  const title = document.createElement("span");
  const state = document.createElement("span");
  title.textContent = name;
  video.muted = video.autoplay = video.playsInline = true;
  caption.append(title, state);
  figure.append(video, caption);
  figure.addEventListener("click", () => video.requestFullscreen?.());
  document.getElementById("wall").append(figure);
  const tell = (text) => { state.textContent = state.dataset.state = text; };
  play(name, video, tell);
}

// Plays until something breaks, then begins anew: a camera that reboots comes back by itself.
async function play(name, video, tell) {
  for (;;) {
    try { await stream(name, video, tell); } catch (problem) { tell("waiting"); }
    await new Promise((done) => setTimeout(done, 1000));
  }
}

async function fetchOk(url) {
  const answer = await fetch(url, { cache: "no-store" });
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer;
}

async function stream(name, video, tell) {
  const Source = window.ManagedMediaSource || window.MediaSource;
  if (!Source) { video.src = `hls/${name}/index.m3u8`; tell("hls"); return new Promise(() => {}); }
  const base = `dash/${name}/`;
  let manifest = await segments(base);
  const source = new Source();
  video.disableRemotePlayback = true;
  video.src = URL.createObjectURL(source);
  await new Promise((open) => source.addEventListener("sourceopen", open, { once: true }));
  const buffer = source.addSourceBuffer(manifest.type);
  const append = async (data) => {
    const done = new Promise((ok, no) => {
      buffer.addEventListener("updateend", ok, { once: true });
      buffer.addEventListener("error", no, { once: true });
    });
    buffer.appendBuffer(data);
    await done;
  };
  await append(await (await fetchOk(base + manifest.init)).arrayBuffer());
  let last = -1, idle = 0;
  for (;;) {
    const fresh = manifest.media.filter((s) => s.time > last).slice(last < 0 ? -2 : 0);
    for (const segment of fresh) {
      await append(await (await fetchOk(base + segment.url)).arrayBuffer());
      last = segment.time;
    }
    idle = fresh.length ? 0 : idle + 1;
    if (idle > 40) throw new Error("no new segment");
    const end = video.buffered.length ? video.buffered.end(video.buffered.length - 1) : 0;
    const behind = end - video.currentTime;
    if (video.buffered.length && (behind > LOST || video.currentTime < video.buffered.start(0))) {
      video.currentTime = Math.max(video.buffered.start(video.buffered.length - 1), end - BEHIND);
    }
    video.playbackRate = behind > BEHIND + 1 ? 1.1 : 1;
    if (video.paused) video.play().catch(() => {});
    if (end - 60 > 0 && video.buffered.start(0) < end - 60 && !buffer.updating) {
      const trimmed = new Promise((ok) => buffer.addEventListener("updateend", ok, { once: true }));
      buffer.remove(0, end - 30);
      await trimmed;
    }
    tell(idle > 10 ? "waiting" : "live");
    await new Promise((done) => setTimeout(done, 500));
    const began = manifest.began;
    manifest = await segments(base);
    if (manifest.began !== began || manifest.media.every((s) => s.time < last)) throw new Error("the camera began anew");
  }
}

// nginx-rtmp's manifest: one video representation, a SegmentTimeline in milliseconds.
async function segments(base) {
  const text = await (await fetchOk(base + "index.mpd")).text();
  const xml = new DOMParser().parseFromString(text, "text/xml");
  const video = [...xml.querySelectorAll("Representation")].find((r) => (r.getAttribute("mimeType") || "").startsWith("video"));
  const template = video.querySelector("SegmentTemplate");
  const id = video.getAttribute("id");
  const fill = (pattern, time) => pattern.replace("$RepresentationID$", id).replace("$Time$", time);
  let at = 0;
  const media = [];
  for (const s of template.querySelectorAll("S")) {
    at = s.hasAttribute("t") ? Number(s.getAttribute("t")) : at;
    media.push({ time: at, url: fill(template.getAttribute("media"), at) });
    at += Number(s.getAttribute("d"));
  }
  return {
    began: xml.documentElement.getAttribute("availabilityStartTime"),
    type: `${video.getAttribute("mimeType")}; codecs="${video.getAttribute("codecs")}"`,
    init: fill(template.getAttribute("initialization"), ""),
    media,
  };
}

fetchOk("cameras.json").then((a) => a.json()).then((list) => list.cameras.forEach(show));
