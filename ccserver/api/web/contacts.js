// Contacts going by, and the last ones that ended.

import { byId, el, icon, keyed, setAttribute, setIcon, setText, setTimer } from "/web/dom.js";
import { clock, duration, phone, serverNow } from "/web/format.js";
import { lateness } from "/web/queues.js";
import { t, word } from "/web/texts.js";

const SHOWN_MAX = 100;
const ORDER = { waiting: 0, offered: 0, flow: 1, briefing: 2, dialling: 2, forwarding: 2, talking: 2, telling: 3, closing: 3, scheduled: 4 };
const OUTCOME_ICON = {
  answered: "talking",
  abandoned: "missed",
  overflowed: "missed",
  left_by_key: "flow",
  voicemail: "voicemail",
  flow_completed: "flow",
  flow_abandoned: "missed",
  forwarded: "flow",
  refused: "busy",
  failed: "unreachable",
  busy: "busy",
  no_answer: "missed",
  declined: "busy",
  no_such_number: "unreachable",
  no_trunk: "unreachable",
  blocked: "close",
  cancelled: "close",
  merged: "flow",
  expired: "missed",
};
const STATE_ICON = { flow: "flow", waiting: "waiting", offered: "ringing", briefing: "dialling", dialling: "dialling", forwarding: "dialling", telling: "close", talking: "talking", closing: "close", scheduled: "waiting" };

/** Who waits comes first, the longest wait on top: a wall has no scroll bar. */
function inOrder(one, other) {
  const group = ORDER[one.state] - ORDER[other.state];
  if (group) return group;
  const waiting = ORDER[one.state] === 0;
  const earlier = Date.parse(one.arrived_at) - Date.parse(other.arrived_at);
  return waiting ? earlier : -earlier;
}

const namesIn = (status) => ({
  agents: new Map(status.agents.map((agent) => [agent.extension, agent.name])),
  queues: new Map(status.queues.map((queue) => [queue.name, queue.title])),
  targets: new Map(status.queues.map((queue) => [queue.name, queue.target_s])),
  lines: new Map(status.lines.map((line) => [line.number, line.name])),
  trunks: new Map(status.trunks.map((trunk) => [trunk.name, trunk.title])),
});

/** `place(contact)` when the place of somebody who waits is to be changed. */
export function drawContacts(status, place) {
  const names = namesIn(status);
  const all = [...status.contacts].sort(inOrder);
  const items = all.slice(0, SHOWN_MAX);
  if (all.length > items.length) items.push({ id: "more", more: all.length - items.length });
  keyed(byId("contacts"), items, (contact) => contact.id, () => createContact(place), (node, contact) => updateContact(node, contact, names));
  setText(byId("contacts-count"), all.length ? String(all.length) : "");
  const empty = byId("contacts-empty");
  empty.hidden = all.length > 0;
  const line = status.lines[0]?.number;
  const whole = (number) => phone(number).replaceAll(" ", "\u00a0").replaceAll("-", "\u2011");
  setText(empty, line ? t("contacts_none", { line: whole(line) }) : t("contacts_none_no_line"));
}

function createRow() {
  const parts = { icon: icon("flow") };
  for (const name of ["caller", "timer", "what", "side"]) parts[name] = el("span", `row-${name}`);
  const node = el("li", "row", parts.icon, parts.caller, parts.timer, parts.what, parts.side);
  node.parts = parts;
  return node;
}

function createContact(place) {
  const node = createRow();
  node.parts.place = rowButton("place", "place", () => place(node.contact));
  node.append(node.parts.place);
  return node;
}

function rowButton(name, sign, pressed) {
  const button = el("button", `row-button ${name}`, icon(sign));
  button.type = "button";
  button.addEventListener("click", pressed);
  return button;
}

function updateContact(node, contact, names) {
  const { parts } = node;
  node.contact = contact;
  parts.place.hidden = ORDER[contact.state] !== 0;
  if (contact.more) {
    setAttribute(node, "data-state", "more");
    setText(parts.caller, t("more", { n: contact.more }));
    return;
  }
  setAttribute(node, "data-state", contact.state);
  setIcon(parts.icon, STATE_ICON[contact.state]);
  setText(parts.caller, [phone(contact.ani), contact.customer].filter(Boolean).join(" · "));
  setAttribute(parts.caller, "title", contact.customer || null);
  setTimer(parts.timer, Date.parse(contact.since));
  setAttribute(node, "data-direction", contact.direction);
  setText(parts.what, whatNow(contact, names));
  setAttribute(parts.place, "aria-label", t("place_of", { who: parts.caller.textContent }));
  setText(parts.side, names.lines.get(contact.line) ?? phone(contact.line));
  const waits = !contact.absent && (contact.state === "waiting" || contact.state === "offered");
  setAttribute(node, "data-late", waits ? lateness((serverNow() - Date.parse(contact.since)) / 1000, names.targets.get(contact.queue)) : null);
}

/** "Waiting · Orders · no. 2". */
export const whatOf = (contact, status) => whatNow(contact, namesIn(status));

function whatNow(contact, names) {
  const owed = contact.absent && contact.state === "waiting";
  const state = contact.on_hold ? t("on_hold") : t(owed ? "contact_owed" : `contact_${contact.state}`);
  const agent = names.agents.get(contact.agent) ?? contact.agent;
  const queue = names.queues.get(contact.queue) ?? contact.queue;
  if (contact.state === "flow") return contact.step ? `${state} · ${contact.step}` : state;
  if (contact.state === "waiting") return [state, queue, contact.position && t("place", { n: contact.position })].filter(Boolean).join(" · ");
  const trunk = names.trunks.get(contact.trunk) ?? contact.trunk;
  if (contact.direction === "internal") return [state, agent, t("is_internal")].filter(Boolean).join(" · ");
  if (contact.direction === "outbound") return [state, agent, t("is_outbound"), trunk].filter(Boolean).join(" · ");
  if (contact.consult) return [state, agent, t(`consult_${contact.consult.state}`, { who: names.agents.get(contact.consult.to) ?? contact.consult.to })].join(" · ");
  if (contact.state === "scheduled") return [state, queue].filter(Boolean).join(" · ");
  if (contact.state === "offered" || contact.state === "briefing" || contact.state === "talking") return [state, agent, queue].filter(Boolean).join(" · ");
  return state;
}

/** `listen(contact, title)` when a recording is asked for; `contacts` null: not read yet. */
export function drawFinished(contacts, status, listen) {
  const names = {
    agents: new Map((status?.agents ?? []).map((agent) => [agent.extension, agent.name])),
    queues: new Map((status?.queues ?? []).map((queue) => [queue.name, queue.title])),
  };
  keyed(
    byId("finished"),
    contacts ?? [],
    (contact) => contact.id,
    (contact) => createFinished(contact, listen),
    (node, contact) => updateFinished(node, contact, names),
  );
  const empty = byId("finished-empty");
  empty.hidden = Boolean(contacts?.length);
  setText(empty, t(contacts ? "finished_none" : "finished_unread"));
}

function createFinished(contact, listen) {
  const node = createRow();
  node.classList.add("ended");
  node.parts.listen = rowButton("listen", "play", () => listen(node.contact, node.title_));
  node.append(node.parts.listen);
  return node;
}

function updateFinished(node, contact, names) {
  const { parts } = node;
  node.contact = contact;
  setAttribute(node, "data-outcome", contact.outcome);
  setIcon(parts.icon, OUTCOME_ICON[contact.outcome] ?? "flow");
  setText(parts.caller, phone(contact.ani));
  setText(parts.timer, contact.ended_at ? clock(Date.parse(contact.ended_at), false) : "");
  const queue = names.queues.get(contact.queue) ?? contact.queue;
  const agent = names.agents.get(contact.agent) ?? contact.agent;
  const where = contact.direction === "inbound" ? queue : t(`is_${contact.direction}`);
  setText(parts.what, [word("outcome", contact.outcome), agent, where].filter(Boolean).join(" · "));
  setAttribute(parts.what, "title", contact.reason || null);
  setAttribute(node, "data-direction", contact.direction);
  const times = [
    contact.dial_s ? t("dial", { t: duration(contact.dial_s) }) : "",
    contact.wait_s ? t("wait", { t: duration(contact.wait_s) }) : "",
    contact.talk_s ? t("talk", { t: duration(contact.talk_s) }) : "",
    contact.hold_s ? t("hold", { t: duration(contact.hold_s) }) : "",
  ];
  setText(parts.side, times.filter(Boolean).join(" · "));
  node.title_ = [phone(contact.ani), agent, clock(Date.parse(contact.arrived_at), false)].filter(Boolean).join(" · ");
  parts.listen.hidden = !contact.recording;
  setAttribute(parts.listen, "aria-label", t("listen", { who: node.title_ }));
}
