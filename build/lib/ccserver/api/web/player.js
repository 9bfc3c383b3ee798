// One recording at a time, at the foot of the page.

import { byId, setText } from "/web/dom.js";
import { t } from "/web/texts.js";

let opener = null;

export function playerBar() {
  byId("player-close").addEventListener("click", close);
  byId("player").addEventListener("keydown", (event) => event.key === "Escape" && close());
  byId("player-audio").addEventListener("error", explain);
}

/** Begin to play; what cannot be played is explained by the server's own words. */
export function listen(contact, title) {
  opener = document.activeElement;
  const audio = byId("player-audio");
  setText(byId("player-title"), title);
  byId("player-problem").hidden = true;
  byId("player").hidden = false;
  document.body.dataset.player = "";
  audio.src = contact.recording;
  audio.play().catch(() => {}); // the error event tells; a browser that wants a press first shows its own button
  audio.focus();
}

async function explain() {
  const audio = byId("player-audio");
  const asked = audio.getAttribute("src");
  if (!asked) return;
  let why = t("recording_broken");
  try {
    const answer = await fetch(asked, { headers: { Range: "bytes=0-0" } });
    if (!answer.ok) why = (await answer.json()).error.message;
  } catch {
    why = t("not_sent");
  }
  if (audio.getAttribute("src") !== asked) return;
  setText(byId("player-problem"), why);
  byId("player-problem").hidden = false;
}

function close() {
  const audio = byId("player-audio");
  audio.pause();
  audio.removeAttribute("src");
  audio.load();
  byId("player").hidden = true;
  delete document.body.dataset.player;
  opener?.focus?.();
}
