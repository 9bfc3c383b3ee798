// A supervisor looks at one operator and gives him another state; the server decides, and its refusal is shown.

import { describe } from "/web/agents.js";
import { asking, problemAt } from "/web/ask.js";
import { byId, el, keyed, setAttribute, setText, setTimer } from "/web/dom.js";
import { phone } from "/web/format.js";
import { drawTalk, talkPanel } from "/web/talk.js";
import { t, word } from "/web/texts.js";

const AT_WORK = new Set(["reserved", "ringing", "dialling", "talking"]);

let extension = null;
let ask = null;

const dialog = () => byId("agent-dialog");
const say = problemAt("agent-problem");

export function agentDialog() {
  ask = asking(dialog(), say);
  talkPanel(say);
  byId("agent-close").addEventListener("click", () => dialog().close());
  dialog().addEventListener("close", () => (extension = null));
  dialog().addEventListener("click", (event) => event.target === dialog() && dialog().close());
  for (const button of dialog().querySelectorAll("[data-wish]")) {
    button.addEventListener("click", () => wish(button.dataset.wish, ""));
  }
  byId("agent-own").addEventListener("submit", (event) => {
    event.preventDefault();
    const reason = byId("agent-reason").value.trim();
    if (reason) wish("not_ready", reason);
    else byId("agent-reason").focus();
  });
}

export function openAgent(chosen, status) {
  extension = chosen;
  say(null);
  byId("agent-reason").value = "";
  drawAgent(status);
  dialog().showModal();
}

/** Keep the open dialog true. */
export function drawAgent(status) {
  if (extension === null) return;
  const agent = status.agents.find((one) => one.extension === extension);
  if (!agent) return say(t("agent_gone"));
  const contact = status.contacts.find((one) => one.id === agent.contact);
  setText(byId("agent-name"), agent.name);
  drawState(agent);
  drawTalk(contact, status);
  keyed(byId("agent-facts"), facts(agent, contact, status), (fact) => fact.key, createFact, updateFact);
  keyed(byId("agent-reasons"), status.not_ready_reasons, (reason) => reason, createReason, (node, reason) => setText(node, word("reason", reason)));
  const note = AT_WORK.has(agent.state) ? "at_work" : agent.phone_registered ? null : "no_phone";
  byId("agent-note").hidden = note === null;
  if (note) setText(byId("agent-note"), t(note));
  setAttribute(dialog(), "data-state", agent.state);
}

function drawState(agent) {
  const line = byId("agent-state");
  if (!line.firstChild) line.append(el("span", "sheet-what"), " ", el("span", "sheet-timer"));
  setText(line.querySelector(".sheet-what"), describe(agent));
  setTimer(line.querySelector(".sheet-timer"), agent.state === "logged_out" ? null : Date.parse(agent.since));
}

function facts(agent, contact, status) {
  const titles = new Map(status.queues.map((queue) => [queue.name, queue.title]));
  const made = [
    { key: "fact_extension", value: agent.extension },
    { key: "fact_queues", value: agent.queues.map((name) => titles.get(name) ?? name).join(", ") || "–" },
    { key: "fact_phone", value: t(agent.phone_registered ? "phone_registered" : "phone_lost") },
  ];
  if (contact) made.push({ key: "fact_contact", value: phone(contact.ani) });
  return made;
}

function createFact() {
  return el("div", "", el("dt"), el("dd"));
}

function updateFact(node, fact) {
  setText(node.firstChild, t(fact.key));
  setText(node.lastChild, fact.value);
}

function createReason(reason) {
  const node = el("button", "action small");
  node.type = "button";
  node.dataset.reason = reason;
  node.addEventListener("click", () => wish("not_ready", reason));
  return node;
}

async function wish(state, reason) {
  if (extension === null) return;
  const asked = extension;
  const done = await ask("POST", `/api/agents/${encodeURIComponent(asked)}/state`, { state, reason }, () => extension === asked);
  if (done && extension === asked) dialog().close();
}
