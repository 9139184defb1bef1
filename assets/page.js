// The page: the wall of all cameras, or one camera's recordings (`#porch`). Nothing is fetched from elsewhere.

import { show } from "./player.js";
import { open } from "./archive.js";

const wall = document.getElementById("wall");
const archive = document.getElementById("archive");

const list = await (await fetch("cameras.json", { cache: "no-store" })).json();
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
  for (const link of document.querySelectorAll("nav a")) {
    link.toggleAttribute("aria-current", recordings && link.hash === `#${name}`);
  }
}
addEventListener("hashchange", go);
go();
