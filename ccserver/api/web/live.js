// The live page: keeps the last picture and draws it whenever it, the language or the link changes.

import { agentDialog, drawAgent, openAgent } from "/web/agent-dialog.js";
import { agentsPanel, drawAgents } from "/web/agents.js";
import { askerFields } from "/web/ask.js";
import { drawContacts, drawFinished } from "/web/contacts.js";
import { byId, el, keyed, setAttribute, setText, tick } from "/web/dom.js";
import { clock, freezeClock, serverNow, setClock } from "/web/format.js";
import { follow } from "/web/link.js";
import { drawMeasures, measuresDialog } from "/web/measures.js";
import { drawPlace, openPlace, placeDialog } from "/web/place-dialog.js";
import { listen, playerBar } from "/web/player.js";
import { drawFigures, drawLines, drawQueues } from "/web/queues.js";
import { applyTexts, switchOn, t } from "/web/texts.js";
import { drawTrunks } from "/web/trunks.js";

let status = null;
let finished = null;
let link = { state: "connecting", retryAt: 0, lostAt: null };
let drawn = true;

function draw() {
  drawn = true;
  drawLink();
  drawFinished(finished, status, listen);
  drawAsterisk();
  if (!status) return;
  drawAlarms();
  drawFigures(status);
  drawLines(status);
  drawTrunks(status);
  drawQueues(status);
  drawAgents(status);
  drawContacts(status, (contact) => openPlace(contact, status));
  drawAgent(status);
  drawPlace(status);
  drawMeasures(status);
  const waiting = status.queues.reduce((all, queue) => all + queue.waiting, 0);
  document.title = waiting ? `(${waiting}) ${t("title")}` : t("title");
  setAttribute(byId("main"), "aria-busy", "false");
}

// Several messages within one frame are drawn once.
function drawSoon() {
  if (!drawn) return;
  drawn = false;
  if (document.hidden) setTimeout(draw, 250);
  else requestAnimationFrame(draw);
}

function drawAsterisk() {
  const pill = byId("asterisk");
  if (link.state !== "live" || !status) {
    setAttribute(pill, "data-state", "unknown");
    setText(pill.querySelector(".pill-text"), t(link.state === "connecting" ? "connecting" : "asterisk_unknown"));
    return;
  }
  const lost = status.asterisk.nodes.filter((node) => !node.connected);
  const several = status.asterisk.nodes.length > 1;
  const text = status.asterisk.connected
    ? t("asterisk_connected")
    : several && lost.length
      ? t("asterisk_lost_node", { node: lost.map((node) => node.node).join(", ") })
      : t("asterisk_lost");
  setAttribute(pill, "data-state", status.asterisk.connected ? "up" : "down");
  setText(pill.querySelector(".pill-text"), text);
}

function drawAlarms() {
  const lost = status.asterisk.nodes.filter((node) => !node.connected).map((node) => Date.parse(node.since));
  const items = status.alarms.map((alarm) => ({ key: alarm.name, text: alarm.message, critical: alarm.critical, since: alarm.since }));
  if (lost.length) {
    items.unshift({ key: "asterisk", text: t("asterisk_alarm", { time: clock(Math.min(...lost)) }), critical: true });
  } else if (!status.asterisk.nodes.length) {
    items.unshift({ key: "asterisk", text: t("asterisk_never"), critical: true });
  }
  keyed(byId("alarms"), items, (item) => item.key, () => el("li", "notice"), (node, item) => {
    setText(node, item.since ? `${clock(Date.parse(item.since), false)} · ${item.text}` : item.text);
    setAttribute(node, "data-critical", item.critical ? "" : null);
  });
}

function drawLink() {
  document.body.dataset.link = link.state;
  const banner = byId("stale");
  banner.hidden = link.state !== "lost";
  if (banner.hidden) return;
  const since = link.lostAt ? t("stale", { time: clock(link.lostAt) }) : t("stale_never");
  const left = Math.ceil((link.retryAt - Date.now()) / 1000);
  // Only the first sentence is announced: a count that runs would be read aloud every second.
  if (!banner.firstChild) banner.append(el("span", "stale-since"), " ", el("span", "stale-retry"));
  setText(banner.querySelector(".stale-since"), since);
  const retry = banner.querySelector(".stale-retry");
  setAttribute(retry, "aria-live", "off");
  setText(retry, left > 0 ? t("retry_in", { seconds: left }) : t("retry_now"));
}

function heard(message) {
  if (message.kind === "status") {
    status = message.status;
    setClock(status.at);
  } else if (message.kind === "finished") {
    finished = message.contacts;
  }
  drawSoon();
}

function linkIs(state, retryAt) {
  if (state === "lost" && link.state !== "lost") link.lostAt = status ? Date.parse(status.at) : null;
  if (state === "lost") freezeClock();
  link = { ...link, state, retryAt };
  drawSoon();
}

applyTexts(document);
switchOn(byId("language"), () => {
  applyTexts(document);
  draw();
});
agentDialog();
placeDialog();
measuresDialog();
askerFields();
playerBar();
agentsPanel((extension) => openAgent(extension, status), draw);
follow({ heard, state: linkIs, refused: () => location.assign("/login") });
setInterval(() => {
  tick();
  setText(byId("clock"), clock(link.state === "live" ? serverNow() : Date.now()));
  if (link.state === "lost") drawLink();
}, 1000);
