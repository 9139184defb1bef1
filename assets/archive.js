// One camera's recordings by day: a line of the day with its gaps, a player that goes on from chunk to chunk, the chunks to
// download. Times are the viewer's own; the server's are seconds since 1970.

const GAP = 5;          // seconds between two chunks that are no gap: names tell their beginning to the second
const AGAIN = 15000;    // milliseconds between two looks at the list
const DAY = 24 * 3600;

// Shows it in `place`; returns how to end it.
export function open(name, place) {
  const view = new Archive(name, place);
  const timer = setInterval(() => view.load(), AGAIN);
  view.load();
  return () => {
    clearInterval(timer);
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

const midnight = (seconds) => { const d = new Date(seconds * 1000); d.setHours(0, 0, 0, 0); return d.getTime() / 1000; };
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
    this.recording = null;
    this.day = null;
    this.shown = "";
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
    let list = { chunks: [], recording: null };
    try {
      const answer = await fetch(`archive/${this.name}.json`, { cache: "no-store" });
      if (answer.ok) list = await answer.json();
      else if (answer.status !== 404) throw new Error(answer.status);
    } catch {
      this.note.textContent = "The server does not answer.";
      return;
    }
    const text = JSON.stringify(list);
    if (text === this.shown) return;
    this.shown = text;
    this.chunks = list.chunks;
    this.recording = list.recording;
    const days = new Set(list.chunks.flatMap((c) => [midnight(c.start), midnight(c.end)]));
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

  // Of the day shown, what was recorded, and what lies between.
  ofDay() {
    const [from, to] = [this.day, this.day + DAY];
    const parts = [];
    let end = null;
    for (const chunk of this.chunks) {
      if (end !== null && chunk.start - end >= GAP) parts.push({ start: end, end: chunk.start });
      parts.push({ start: chunk.start, end: chunk.end, chunk });
      end = chunk.end;
    }
    if (this.recording) {
      if (end !== null && this.recording - end >= GAP) parts.push({ start: end, end: this.recording });
      parts.push({ start: this.recording, end: Math.max(this.recording, Date.now() / 1000), growing: true });
    }
    return parts.filter((p) => p.end > from && p.start < to);
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
      const [start, end] = [Math.max(part.start, this.day), Math.min(part.end, this.day + DAY)];
      const bar = element("div", part.chunk ? "bar" : part.growing ? "bar growing" : "bar gap");
      bar.style.left = `${(start - this.day) / DAY * 100}%`;
      bar.style.width = `${(end - start) / DAY * 100}%`;
      bar.title = `${clock(part.start)} – ${clock(part.end)}${part.chunk || part.growing ? "" : ": no pictures"}`;
      return bar;
    });
    const hours = [0, 6, 12, 18].map((hour) => {
      const mark = element("span", "hour", `${hour}:00`);
      mark.style.left = `${hour / 24 * 100}%`;
      return mark;
    });
    this.line.replaceChildren(...bars, ...hours, this.cursor);
    const missing = parts.filter((p) => !p.chunk && !p.growing);
    const total = missing.reduce((sum, p) => sum + p.end - p.start, 0);
    this.note.textContent = missing.length ? `${missing.length} ${missing.length === 1 ? "gap" : "gaps"}, ${length(total)} in all` : "no gaps";
    this.list.replaceChildren(...parts.map((part) => this.row(part)));
    this.mark();
  }

  row(part) {
    const times = `${clock(part.start)} – ${part.growing ? "now" : clock(part.end)}`;
    if (part.growing) return element("li", "growing", element("span", "", times), element("span", "", "being recorded"));
    if (!part.chunk) return element("li", "gap", element("span", "", times), element("span", "", `no pictures for ${length(part.end - part.start)}`));
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
    const moment = this.day + (event.clientX - box.left) / box.width * DAY;
    const chunk = this.chunks.find((c) => c.end > moment && c.file.endsWith(".mp4"));
    if (chunk) this.play(chunk, Math.max(0, moment - chunk.start));
  }

  mark() {
    for (const row of this.list.children) {
      if (row.dataset.file && row.dataset.file === this.playing?.file) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
    const at = this.playing ? this.playing.start + this.video.currentTime - this.day : -1;
    this.cursor.hidden = at < 0 || at > DAY;
    this.cursor.style.left = `${at / DAY * 100}%`;
  }
}
