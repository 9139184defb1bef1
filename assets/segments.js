// What nginx-rtmp's DASH offers of one camera: its manifest, and segments that a browser can play one after the other.

import { ask } from "./server.js";

const AT_ONCE = 4;      // segments that are fetched at the same time: each takes a way there and back

async function get(url, stop) {
  const answer = await ask(url, stop);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer;
}

// The one video representation, with a SegmentTimeline in milliseconds (here seconds).
export async function manifestOf(base) {
  const text = await (await get(base + "index.mpd")).text();
  const xml = new DOMParser().parseFromString(text, "text/xml");
  const isVideo = (r) => (r.getAttribute("mimeType") || "").startsWith("video");
  const video = [...xml.querySelectorAll("Representation")].find(isVideo);
  const template = video.querySelector("SegmentTemplate");
  const id = video.getAttribute("id");
  const fill = (pattern, time) => base + pattern.replace("$RepresentationID$", id).replace("$Time$", time);
  let at = 0;
  const media = [];
  for (const s of template.querySelectorAll("S")) {
    at = s.hasAttribute("t") ? Number(s.getAttribute("t")) : at;
    const length = Number(s.getAttribute("d"));
    media.push({ time: at / 1000, end: (at + length) / 1000, url: fill(template.getAttribute("media"), at) });
    at += length;
  }
  return {
    began: xml.documentElement.getAttribute("availabilityStartTime"),
    type: `${video.getAttribute("mimeType")}; codecs="${video.getAttribute("codecs")}"`,
    head: fill(template.getAttribute("initialization"), ""),
    media,
  };
}

// What describes the segments.
export async function head(manifest) {
  return (await get(manifest.head)).arrayBuffer();
}

// The bytes of the newest segment, and of those before it back to one with a keyframe: a decoder can begin there. Most
// segments begin with one, but nginx-rtmp cuts where there is none for two fragments' length.
export async function* sinceKeyframe(media) {
  const since = [];
  for (const segment of [...media].reverse()) {
    since.unshift(await pictures(segment));
    if (since[0].keyframe) break;
  }
  for (const { data } of since) yield data;
}

// The bytes of these segments in their order, as fast as they come and are taken. When one does not come, or who takes
// them has enough, the others are no longer fetched.
export async function* inOrder(media) {
  const stop = new AbortController();
  const fetching = [];
  const begin = (segment) => {
    const coming = pictures(segment, stop.signal);
    // when its turn comes it is an error, and after an earlier one of no interest
    coming.catch(() => {});
    fetching.push(coming);
  };
  const later = [...media];
  later.splice(0, AT_ONCE).forEach(begin);
  try {
    while (fetching.length) {
      const { data } = await fetching.shift();
      later.splice(0, 1).forEach(begin);
      yield data;
    }
  } finally {
    stop.abort();
  }
}

// A segment's bytes, and whether there is a keyframe among its pictures.
async function pictures(segment, stop) {
  const data = await (await get(segment.url, stop)).arrayBuffer();
  const view = new DataView(data);
  const run = ["moof", "traf", "trun"].reduce((within, name) => box(view, within, name), { start: 0, end: data.byteLength });
  return { data, keyframe: mend(view, run, Math.round(1000 * (segment.end - segment.time))) };
}

// The box of this name (ISO/IEC 14496-12) among those in a stretch of the file, without its header.
function box(view, { start, end }, name) {
  for (let at = start; at + 8 <= end;) {
    const size = view.getUint32(at);
    const found = String.fromCharCode(...new Uint8Array(view.buffer, at + 4, 4));
    if (found === name) return { start: at + 8, end: at + size };
    at += Math.max(8, size);
  }
  throw new Error(`no ${name} in the segment`);
}

// Whether there is a keyframe in a track's run of samples. nginx-rtmp gives the last sample no duration; for a browser a
// hole begins after it then, and it drops every picture up to the next keyframe. So that sample gets what is missing of
// `length`, in the track's milliseconds.
function mend(view, { start }, length) {
  const flags = view.getUint32(start) & 0xffffff;
  const count = view.getUint32(start + 4);
  const fields = [0x100, 0x200, 0x400, 0x800].filter((field) => flags & field);
  const row = 4 * fields.length;
  const first = start + 8 + (flags & 1 ? 4 : 0) + (flags & 4 ? 4 : 0);
  const duration = 4 * fields.indexOf(0x100);
  const kind = 4 * fields.indexOf(0x400);
  let [missing, keyframe] = [length, kind < 0];
  for (let at = first; at < first + count * row; at += row) {
    missing -= duration < 0 ? 0 : view.getUint32(at + duration);
    // sample_is_non_sync_sample
    keyframe ||= kind >= 0 && !(view.getUint32(at + kind) & 0x10000);
  }
  const last = first + (count - 1) * row + duration;
  if (count > 0 && duration >= 0 && view.getUint32(last) === 0 && missing > 0) view.setUint32(last, missing);
  return keyframe;
}
