// One camera, live: over nginx-rtmp's DASH by MediaSource, or by the browser's own player of HLS. Heals by itself: whatever
// breaks, it begins anew. Rests while nobody sees the page.

import { Pace } from "./pace.js";
import { head, inOrder, manifestOf, sinceKeyframe } from "./segments.js";
import { address } from "./server.js";

const PATIENCE = 8000;  // milliseconds the browser may take for one thing
const WAITING = 6000;   // milliseconds without new pictures until the one shown counts as old
const LOST = 15000;     // milliseconds without new pictures until everything begins anew
const BACK = 20;        // seconds of past pictures that stay in memory
const EAGER = 40;       // milliseconds from one look for a segment that is due to the next,
const CALM = 250;       // and for one that is long overdue; so often the picture's place is looked at, too
const STEP = 0.1;       // by so much faster or slower the picture runs to its place,
const NEAR = 0.05;      // unless it is as near as this (seconds)
const FAR = 1.5;        // or so far that it jumps; to begin with, it jumps sooner
const SOON = 0.2;

// Shows it in `video`, for ever, by what the server offers of `dash` and `hls`. `tell(word, detail)` hears how it is:
// connecting, live (whenever new pictures have come), waiting, paused, impossible.
export async function keepPlaying(name, video, offers, tell) {
  const play = wayOf(video, offers);
  if (!play) {
    const offered = [offers.dash && "DASH", offers.hls && "HLS"].filter(Boolean).join(" or ");
    tell("impossible", offered ? `this browser cannot play the server's ${offered}` : "the server offers neither DASH nor HLS");
    return;
  }
  tell("connecting");
  for (;;) {
    try {
      await rest(video, tell);
      await play(name, video, tell);
    } catch {
      tell("waiting");
      await sleep(1000);
    }
  }
}

const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

const Source = window.ManagedMediaSource || window.MediaSource;

// DASH is the one that is near.
function wayOf(video, offers) {
  if (offers.dash && Source) return playDash;
  return offers.hls && video.canPlayType("application/vnd.apple.mpegurl") ? playHls : null;
}

// A hidden page's pictures are wanted only where one has a window of its own.
const unseen = (video) => document.hidden && document.pictureInPictureElement !== video;

// Sleeps so long; a page that comes or goes ends it, since a browser lets a hidden page sleep long.
function nap(milliseconds) {
  return new Promise((done) => {
    const end = () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", end);
      done();
    };
    const timer = setTimeout(end, milliseconds);
    document.addEventListener("visibilitychange", end);
  });
}

// Until somebody looks again.
async function rest(video, tell) {
  if (!unseen(video)) return;
  tell("paused");
  while (unseen(video)) await nap(60000);
  tell("connecting");
}

// What follows from so many milliseconds without new pictures.
function judge(silent, tell) {
  if (silent > LOST) throw new Error("no new pictures");
  if (silent > WAITING) tell("waiting");
}

// Has the browser play until something breaks, or nobody sees it.
async function playHls(name, video, tell) {
  video.src = address(`hls/${name}/index.m3u8`);
  let shown = 0;
  let newest = performance.now();
  while (!unseen(video)) {
    if (video.error) throw video.error;
    if (video.paused) video.play().catch(() => {});
    // a place that is only sought has not been played
    const { played } = video;
    const end = played.length ? played.end(played.length - 1) : 0;
    if (end > shown) {
      [shown, newest] = [end, performance.now()];
      tell("live");
    }
    judge(performance.now() - newest, tell);
    await nap(CALM);
  }
  video.removeAttribute("src");
  video.load();
}

// Plays until something breaks.
async function playDash(name, video, tell) {
  const base = `dash/${name}/`;
  let manifest = await manifestOf(base);
  const source = new Source();
  const url = URL.createObjectURL(source);
  let pace = new Pace();
  let settled = false;
  const stalled = () => { if (settled && !video.seeking && !document.hidden) pace.stalled(); };
  video.addEventListener("waiting", stalled);
  video.disableRemotePlayback = true;
  video.src = url;
  try {
    await happens(source, "sourceopen");
    const buffer = source.addSourceBuffer(manifest.type);
    const append = async (data) => { buffer.appendBuffer(data); await happens(buffer, "updateend"); };
    await append(await head(manifest));
    let last = null;
    let newest = performance.now();
    for (;;) {
      const fresh = manifest.media.filter((s) => !last || s.time > last.time);
      for await (const data of last ? inOrder(fresh) : sinceKeyframe(fresh)) {
        await append(data);
        newest = performance.now();
      }
      const latest = fresh.at(-1);
      if (last && latest) pace.saw(latest.end, latest.end - latest.time, fresh.length === 1);
      last = latest || last;
      judge(performance.now() - newest, tell);
      if (video.error) throw video.error;
      follow(video, pace, settled ? FAR : SOON);
      settled = pace.known;
      if (video.buffered.length && video.currentTime - video.buffered.start(0) > 2 * BACK) {
        buffer.remove(0, video.currentTime - BACK);
        await happens(buffer, "updateend");
      }
      if (latest && pace.known) tell("live", `${Math.max(0, pace.age(video.currentTime)).toFixed(1)} s`);
      const due = pace.known ? 1000 * pace.due(last.end) : 0;
      await nap(due < -1000 ? CALM : Math.min(CALM, Math.max(EAGER, due)));
      if (unseen(video)) {
        await rest(video, tell);
        // what was known of times is old; the machine may have slept
        [pace, last, newest] = [new Pace(), null, performance.now()];
      } else if (due > CALM) continue;
      const { began } = manifest;
      manifest = await manifestOf(base);
      const older = (s) => last && s.time < last.time;
      if (manifest.began !== began || manifest.media.every(older)) throw new Error("the camera began anew");
    }
  } finally {
    video.removeEventListener("waiting", stalled);
    URL.revokeObjectURL(url);
  }
}

// Keeps the picture where its pace wants it: by its speed, and where that would take long, by a jump.
function follow(video, pace, far) {
  const { buffered } = video;
  if (!buffered.length) return;
  if (video.paused) video.play().catch(() => {});
  const start = buffered.start(buffered.length - 1);
  const end = buffered.end(buffered.length - 1);
  if (!pace.known) {
    if (video.currentTime < start) video.currentTime = start;
    return;
  }
  const late = pace.age(video.currentTime) - pace.target;
  const place = Math.min(end, Math.max(start, video.currentTime + late));
  if (video.currentTime < start || Math.abs(late) > far) video.currentTime = place;
  video.playbackRate = late > NEAR ? 1 + STEP : late < -NEAR ? 1 - STEP : 1;
}

// The event, or an error; never for ever.
function happens(target, name) {
  const heard = new AbortController();
  return new Promise((ok, no) => {
    const once = { signal: heard.signal };
    const timer = setTimeout(() => no(new Error(`no ${name}`)), PATIENCE);
    heard.signal.addEventListener("abort", () => clearTimeout(timer));
    target.addEventListener(name, ok, once);
    target.addEventListener("error", () => no(new Error("refused")), once);
  }).finally(() => heard.abort());
}
