// One camera's recordings by day: a line of the day with its gaps, a player that goes on from chunk to chunk, the chunks to
// download. Times are the viewer's own; the server's are seconds since 1970.

import { ask } from "./server.js";

const GAP = 5;          // seconds between two chunks that are no gap: names tell their beginning to the second
const AGAIN = 15000;    // milliseconds between two looks at the list

// Shows it in `place`; returns how to end it.
export function open(name, place) {
  const view = new Archive(name, place);
  const look = () => { if (!document.hidden) view.load(); };
  const timer = setInterval(look, AGAIN);
  document.addEventListener("visibilitychange", look);
  view.load();
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", look);
    view.video.removeAttribute("src");
    view.video.load();
    place.replaceChildren();
  };
}

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

// Days have 23 to 25 hours.
const hourOf = (seconds, hour) => new Date(seconds * 1000).setHours(hour, 0, 0, 0) / 1000;
const midnight = (seconds) => hourOf(seconds, 0);
const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const date = (seconds) => new Date(seconds * 1000).toLocaleDateString([], { weekday: "short", year: "numeric", month: "short", day: "numeric" });

function length(seconds) {
  const parts = [[Math.floor(seconds / 3600), "h"], [Math.floor(seconds / 60) % 60, "min"], [Math.round(seconds % 60), "s"]];
  return parts.filter(([count]) => count).slice(0, 2).map(([count, unit]) => `${count} ${unit}`).join(" ") || "0 s";
}

class Archive {
  constructor(name, place) {
    this.name = name;
    this.chunks = [];
    this.filing = [];
    this.recording = null;
    this.now = 0;
    this.day = null;
    this.shown = "";
    this.loading = false;
    this.playing = null;

    this.video = element("video");
    this.video.controls = this.video.playsInline = true;
    this.video.addEventListener("ended", () => this.next());
    this.video.addEventListener("timeupdate", () => this.mark());
    this.days = element("select");
    this.days.setAttribute("aria-label", "Day");
    this.days.addEventListener("change", () => { this.day = Number(this.days.value); this.draw(); });
    this.line = element("div", "day");
    this.line.addEventListener("click", (event) => this.seek(event));
    this.cursor = element("div", "cursor");
    this.list = element("ol", "chunks");
    this.note = element("p", "note", "loading");
    const title = element("h1", "", name);
    this.video.setAttribute("aria-label", `${name}: recording`);
    // the list below says the same in words, and is reached by the keyboard
    this.line.setAttribute("aria-hidden", "true");
    this.note.setAttribute("role", "status");
    place.replaceChildren(element("div", "title", title, this.days), this.video, this.line, this.note, this.list);
  }

  async load() {
    if (this.loading) return;
    this.loading = true;
    try {
      // asked for anew each time, sent anew when it has changed
      const answer = await ask(`archive/${this.name}.json`, null, "no-cache");
      if (!answer.ok && answer.status !== 404) throw new Error(answer.status);
      const list = answer.ok ? await answer.json() : { chunks: [], filing: [], recording: null };
      // the viewer's clock may be wrong
      this.take(list, (Date.parse(answer.headers.get("date")) || Date.now()) / 1000);
    } catch {
      this.shown = "";
      this.note.textContent = "The server does not answer.";
    }
    this.loading = false;
  }

  take(list, now) {
    const text = JSON.stringify([list, Math.floor(now / 60)]);
    if (text === this.shown) return;
    this.shown = text;
    this.chunks = list.chunks;
    this.filing = list.filing;
    this.recording = list.recording;
    this.now = now;
    const days = new Set([...list.chunks, ...list.filing].flatMap((c) => [midnight(c.start), midnight(c.end)]));
    if (list.recording) days.add(midnight(list.recording));
    const sorted = [...days].sort((a, b) => b - a);
    if (!sorted.includes(this.day)) this.day = sorted[0] ?? null;
    this.days.replaceChildren(...sorted.map((day) => {
      const option = element("option", "", date(day));
      option.value = day;
      option.selected = day === this.day;
      return option;
    }));
    this.draw();
  }

  get dayEnd() { return hourOf(this.day, 24); }

  // How far into the day shown a moment is, in percent.
  percent(seconds) { return (seconds - this.day) / (this.dayEnd - this.day) * 100; }

  // Of the day shown, what was recorded, and what lies between.
  ofDay() {
    const known = [
      ...this.chunks.map((chunk) => ({ start: chunk.start, end: chunk.end, chunk })),
      ...this.filing.map(({ start, end }) => ({ start, end, filing: true })),
    ].sort((a, b) => a.start - b.start);
    if (this.recording) known.push({ start: this.recording, end: Math.max(this.recording, this.now), growing: true });
    const parts = [];
    let end = null;
    for (const part of known) {
      if (end !== null && part.start - end >= GAP) parts.push({ start: end, end: part.start, gap: true });
      parts.push(part);
      end = part.end;
    }
    if (!this.recording && end !== null && this.now - end >= GAP) parts.push({ start: end, end: this.now, gap: true, open: true });
    return parts.filter((p) => p.end > this.day && p.start < this.dayEnd);
  }

  draw() {
    for (const part of [this.days, this.video, this.line]) part.hidden = this.day === null;
    if (this.day === null) {
      this.note.textContent = "Nothing is recorded yet: a chunk appears here when it is finished.";
      this.list.replaceChildren();
      return;
    }
    const parts = this.ofDay();
    const bars = parts.map((part) => {
      const [start, end] = [Math.max(part.start, this.day), Math.min(part.end, this.dayEnd)].map((moment) => this.percent(moment));
      const bar = element("div", part.gap ? "bar gap" : part.chunk ? "bar" : "bar growing");
      bar.style.left = `${start}%`;
      bar.style.width = `${end - start}%`;
      bar.title = `${clock(part.start)} – ${clock(part.end)}${part.gap ? ": no pictures" : ""}`;
      return bar;
    });
    const hours = [0, 6, 12, 18].map((hour) => {
      const mark = element("span", "hour", `${hour}:00`);
      mark.style.left = `${this.percent(hourOf(this.day, hour))}%`;
      return mark;
    });
    this.line.replaceChildren(...bars, ...hours, this.cursor);
    const missing = parts.filter((p) => p.gap);
    const total = missing.reduce((sum, p) => sum + p.end - p.start, 0);
    this.note.textContent = missing.length ? `${missing.length} ${missing.length === 1 ? "gap" : "gaps"}, ${length(total)} in all` : "no gaps";
    const focused = this.list.contains(document.activeElement) ? document.activeElement : null;
    const [file, tag] = [focused?.closest("li").dataset.file, focused?.localName];
    this.list.replaceChildren(...parts.map((part) => this.row(part)));
    // whoever is there with the keyboard stays there
    if (file) [...this.list.children].find((row) => row.dataset.file === file)?.querySelector(tag)?.focus();
    this.mark();
  }

  row(part) {
    const times = `${clock(part.start)} – ${part.growing || part.open ? "now" : clock(part.end)}`;
    const told = (kind, words) => element("li", kind, element("span", "", times), element("span", "", words));
    if (part.growing) return told("growing", "being recorded");
    if (part.filing) return told("growing", "being filed");
    if (part.gap) return told("gap", `no pictures for ${length(part.end - part.start)}`);
    const { chunk } = part;
    const playable = chunk.file.endsWith(".mp4");
    const play = element(playable ? "button" : "span", "", times);
    if (playable) {
      play.setAttribute("aria-label", `Play ${times}`);
      play.addEventListener("click", () => this.play(chunk, 0));
    }
    const save = element("a", "", `download (${(chunk.bytes / 1e6).toFixed(1)} MB)`);
    save.href = `recordings/${chunk.file}`;
    save.download = "";
    save.setAttribute("aria-label", `Download ${times}`);
    const row = element("li", "", play, element("span", "", length(chunk.end - chunk.start)), save);
    row.dataset.file = chunk.file;
    return row;
  }

  play(chunk, offset) {
    this.playing = chunk;
    this.video.src = `recordings/${chunk.file}`;
    if (offset > 0) this.video.addEventListener("loadedmetadata", () => { this.video.currentTime = offset; }, { once: true });
    this.video.play().catch(() => {});
    this.mark();
  }

  next() {
    const at = this.chunks.findIndex((c) => c.file === this.playing?.file);
    const following = this.chunks[at + 1];
    if (at >= 0 && following?.file.endsWith(".mp4")) this.play(following, 0);
  }

  // A click on the line of the day: to that moment, or to the first picture after it.
  seek(event) {
    const box = this.line.getBoundingClientRect();
    const moment = this.day + (event.clientX - box.left) / box.width * (this.dayEnd - this.day);
    const chunk = this.chunks.find((c) => c.end > moment && c.file.endsWith(".mp4"));
    if (chunk) this.play(chunk, Math.max(0, moment - chunk.start));
  }

  mark() {
    for (const row of this.list.children) {
      if (row.dataset.file && row.dataset.file === this.playing?.file) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
    const at = this.playing ? this.percent(this.playing.start + this.video.currentTime) : -1;
    this.cursor.hidden = at < 0 || at > 100;
    this.cursor.style.left = `${at}%`;
  }
}
