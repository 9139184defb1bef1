// A figure of the wall: one camera's live picture, its name, and how it is.

import { keepPlaying } from "./player.js";

const ARROWS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

export function show(name, recordings) {
  const figure = document.createElement("figure");
  const video = document.createElement("video");
  const caption = document.createElement("figcaption");
  const title = document.createElement(recordings ? "a" : "span");
  const state = document.createElement("span");
  figure.dataset.camera = name;
  title.textContent = name;
  if (recordings) {
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
  let since = null;
  keepPlaying(name, video, (word, detail = "") => {
    if (word !== state.dataset.state) since = new Date();
    // a picture that stands still looks like one of now: it is dimmed, and says since when
    const old = word === "waiting" ? `no picture since ${since.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}` : "";
    const text = old || (detail ? `${word} ${detail}` : word);
    if (state.textContent === text) return;
    figure.dataset.state = state.dataset.state = word;
    state.textContent = text;
  });
  return figure;
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
