// A figure of the wall: one camera's live picture, its name, and how it is.

import { keepPlaying } from "./player.js";

const ARROWS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

// `list`: what the server offers (cameras.json).
export function show(name, list) {
  const figure = document.createElement("figure");
  const video = document.createElement("video");
  const caption = document.createElement("figcaption");
  const title = document.createElement(list.recordings ? "a" : "span");
  const state = document.createElement("span");
  figure.dataset.camera = name;
  title.textContent = name;
  if (list.recordings) {
    title.href = `#${name}`;
    title.title = "Recordings";
    title.setAttribute("aria-label", `${name}: recordings`);
  }
  state.className = "state";
  video.muted = video.autoplay = video.playsInline = true;
  video.tabIndex = 0;
  video.title = "Full screen";
  video.setAttribute("role", "button");
  video.setAttribute("aria-label", `${name}: full screen`);
  caption.append(title, state);
  figure.append(video, caption);

  video.addEventListener("click", () => whole(video));
  video.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") whole(video);
    else if (event.key in ARROWS) step(video, ARROWS[event.key]);
    else return;
    event.preventDefault();
  });
  let last = null;
  keepPlaying(name, video, list, (word, detail = "") => {
    if (word === "live") last = new Date();
    const text = inWords(word, detail, last);
    if (state.textContent === text) return;
    figure.dataset.state = state.dataset.state = word;
    state.textContent = text;
  });
  return figure;
}

// How a camera is. A picture that stands still looks like one of now: it is dimmed, and says of when it is.
function inWords(word, detail, last) {
  if (word === "impossible") return `no picture: ${detail}`;
  if (word !== "waiting") return detail ? `${word} ${detail}` : word;
  if (!last) return "no picture yet";
  const today = last.toDateString() === new Date().toDateString();
  const day = today ? {} : { month: "short", day: "numeric" };
  return `no picture since ${last.toLocaleString([], { ...day, hour: "2-digit", minute: "2-digit" })}`;
}

// The whole screen, and back.
function whole(video) {
  if (document.fullscreenElement) document.exitFullscreen();
  else (video.requestFullscreen || video.webkitEnterFullscreen)?.call(video);
}

// To the next picture, or the one before.
function step(video, by) {
  const all = [...document.querySelectorAll("#wall video")];
  all[(all.indexOf(video) + by + all.length) % all.length].focus();
}
