// A supervisor looks at somebody who waits, and changes his place: into another queue, or further to the front.

import { asker, asking, problemAt } from "/web/ask.js";
import { whatOf } from "/web/contacts.js";
import { byId, el, keyed, setAttribute, setText, setTimer } from "/web/dom.js";
import { duration, phone } from "/web/format.js";
import { t } from "/web/texts.js";

const CREDITS_S = [60, 300, 900, 3600, 0];
const WAITS = new Set(["waiting", "offered"]);

let id = null;
let ask = null;

const dialog = () => byId("place-dialog");
const say = problemAt("place-problem");

export function placeDialog() {
  ask = asking(dialog(), say);
  byId("place-close").addEventListener("click", () => dialog().close());
  dialog().addEventListener("close", () => (id = null));
  dialog().addEventListener("click", (event) => event.target === dialog() && dialog().close());
  byId("place-move").addEventListener("submit", (event) => {
    event.preventDefault();
    wish("move", { queue: byId("place-queue").value, by: asker() });
  });
}

export function openPlace(contact, status) {
  id = contact.id;
  say(null);
  drawPlace(status);
  byId("place-queue").value = contact.queue;
  dialog().showModal();
}

/** Keep the open dialog true; who waits no more stands there until it is closed. */
export function drawPlace(status) {
  if (id === null) return;
  const contact = status.contacts.find((one) => one.id === id);
  const waits = contact !== undefined && WAITS.has(contact.state);
  byId("place-waits").hidden = !waits;
  byId("place-gone").hidden = waits;
  if (contact === undefined) return;
  setText(byId("place-caller"), [phone(contact.ani), contact.customer].filter(Boolean).join(" · "));
  setText(byId("place-what"), whatOf(contact, status));
  setTimer(byId("place-timer"), Date.parse(contact.since));
  keyed(byId("place-queue"), status.queues, (queue) => queue.name, createOption, (node, queue) => setText(node, queue.title));
  keyed(byId("place-credits"), CREDITS_S, (credit) => credit, createCredit, (node, credit) => {
    setText(node, credit ? `+${duration(credit)}` : t("place_no_credit"));
    setAttribute(node, "aria-pressed", String(contact.raised_s === credit));
  });
}

function createOption(queue) {
  const option = el("option");
  option.value = queue.name;
  return option;
}

function createCredit(credit) {
  const node = el("button", "action small");
  node.type = "button";
  node.dataset.credit = credit;
  node.addEventListener("click", () => wish("priority", { priority_s: credit, by: asker() }));
  return node;
}

function wish(what, body) {
  const asked = id;
  return ask("POST", `/api/contacts/${encodeURIComponent(asked)}/${what}`, body, () => id === asked);
}
