// The page: the wall of all cameras, or one camera's recordings (`#porch`). Nothing is fetched from elsewhere.

import { show } from "./wall.js";
import { open } from "./archive.js";
import { ask } from "./server.js";

const AGAIN = 3000;     // milliseconds from one question for the cameras that nobody answered to the next
const NEWS = 60000;     // milliseconds from one look whether there are other cameras now to the next

const wall = document.getElementById("wall");
const archive = document.getElementById("archive");
const note = document.getElementById("note");

// What may be seen: the cameras' names, and what the server offers of them.
async function listed() {
  for (;;) {
    try {
      const answer = await ask("cameras.json");
      if (answer.ok) return await answer.json();
      note.textContent = `The server refuses: ${answer.status} ${answer.statusText}.`;
    } catch {
      note.textContent = "The server does not answer.";
    }
    await new Promise((done) => setTimeout(done, AGAIN));
  }
}

const list = await listed();
note.textContent = list.cameras.length ? "" : "There is no camera that you may see.";
for (const name of list.cameras) {
  wall.append(show(name, list));
  if (list.recordings) {
    const link = document.createElement("a");
    link.href = `#${name}`;
    link.textContent = name;
    document.getElementById("cameras").append(link);
  }
}

let close = () => {};
function go() {
  const name = decodeURIComponent(location.hash.slice(1));
  const recordings = list.recordings && list.cameras.includes(name);
  close();
  close = recordings ? open(name, archive) : () => {};
  // the players of the wall go on: coming back costs nothing
  wall.hidden = recordings;
  archive.hidden = !recordings;
  document.title = recordings ? `${name} – pistream` : "pistream";
  for (const link of document.querySelectorAll("nav a")) {
    if (recordings && link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

// Somebody is looking at one thing, which a page that begins anew would take away.
const busy = () => !archive.hidden || document.fullscreenElement || document.pictureInPictureElement
  || [...wall.querySelectorAll("video")].some((video) => video.webkitDisplayingFullscreen);

// Begins anew where there are other cameras now, or something else is offered of them.
async function news() {
  if (document.hidden) return;
  try {
    const answer = await ask("cameras.json");
    const other = answer.ok && JSON.stringify(await answer.json()) !== JSON.stringify(list);
    if (other && !busy()) location.reload();
  } catch {
    // the players tell that nobody answers
  }
}
setInterval(news, NEWS);
document.addEventListener("visibilitychange", news);
addEventListener("hashchange", () => { go(); news(); });
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !archive.hidden && !document.fullscreenElement) location.hash = "";
});
go();
