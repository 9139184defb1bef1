// The page: the wall of all cameras, or one camera's recordings (`#porch`). Nothing is fetched from elsewhere.

import { show } from "./wall.js";
import { open } from "./archive.js";

const AGAIN = 3000;     // milliseconds from one question for the cameras that nobody answered to the next

const wall = document.getElementById("wall");
const archive = document.getElementById("archive");
const note = document.getElementById("note");

// What may be seen: the cameras' names, and whether there are recordings.
async function listed() {
  for (;;) {
    try {
      const answer = await fetch("cameras.json", { cache: "no-store" });
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
  wall.append(show(name, list.recordings));
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
addEventListener("hashchange", go);
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !archive.hidden && !document.fullscreenElement) location.hash = "";
});
go();
