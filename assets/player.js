// One camera, live, over nginx-rtmp's DASH by MediaSource. Heals by itself: whatever breaks, it begins anew. Rests while
// nobody sees the page.

import { Pace } from "./pace.js";
import { head, manifestOf, pictures, sinceKeyframe } from "./segments.js";

const PATIENCE = 8000;  // milliseconds the browser may take for one thing
const WAITING = 6000;   // milliseconds without a new segment until the picture counts as old
const LOST = 15000;     // milliseconds without a new segment until everything begins anew
const BACK = 20;        // seconds of past pictures that stay in memory
const EAGER = 40;       // milliseconds from one look for a segment that is due to the next,
const CALM = 250;       // and for one that is long overdue; so often the picture's place is looked at, too
const STEP = 0.1;       // by so much faster or slower the picture runs to its place,
const NEAR = 0.05;      // unless it is as near as this (seconds)
const FAR = 1.5;        // or so far that it jumps; to begin with, it jumps sooner
const SOON = 0.2;

// Shows it in `video`, for ever. `tell(word, detail)` hears how it is: connecting, live, waiting, paused.
export async function keepPlaying(name, video, tell) {
  tell("connecting");
  for (;;) {
    try { await play(name, video, tell); } catch { tell("waiting"); }
    await sleep(1000);
  }
}

const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

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
async function rest(video) {
  while (unseen(video)) await nap(60000);
}

// Plays until something breaks.
async function play(name, video, tell) {
  await rest(video);
  const Source = window.ManagedMediaSource || window.MediaSource;
  if (!Source) {
    video.src = `hls/${name}/index.m3u8`;
    tell("live");
    return new Promise((_, no) => video.addEventListener("error", no, { once: true }));
  }
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
      const fresh = last ? manifest.media.filter((s) => s.time > last.time) : await sinceKeyframe(manifest.media);
      for (const segment of fresh) {
        await append((await pictures(segment)).data);
        newest = performance.now();
      }
      const latest = fresh.at(-1);
      if (last && latest) pace.saw(latest.end, latest.end - latest.time, fresh.length === 1);
      last = latest || last;
      const silent = performance.now() - newest;
      if (silent > LOST) throw new Error("no new segment");
      if (video.error) throw video.error;
      follow(video, pace, settled ? FAR : SOON);
      settled = pace.known;
      if (video.buffered.length && video.currentTime - video.buffered.start(0) > 2 * BACK) {
        buffer.remove(0, video.currentTime - BACK);
        await happens(buffer, "updateend");
      }
      if (silent > WAITING) tell("waiting");
      else if (pace.known) tell("live", `${Math.max(0, pace.age(video.currentTime)).toFixed(1)} s`);
      const due = pace.known ? 1000 * pace.due(last.end) : 0;
      await nap(due < -1000 ? CALM : Math.min(CALM, Math.max(EAGER, due)));
      if (unseen(video)) {
        tell("paused");
        await rest(video);
        tell("connecting");
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
