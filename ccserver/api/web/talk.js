// In the operator's dialog: his talk, heard by a supervisor on his own phone, and its recording. The server says who may.

import { asking } from "/web/ask.js";
import { byId, el, keyed, setAttribute, setText } from "/web/dom.js";
import { t } from "/web/texts.js";

const CHOSEN = "supervisor";
const NEXT = { on: "pause", paused: "resume", off: "start" };

let contact = null;
let ask = null;

/** `problem` shows why something was not done. */
export function talkPanel(problem) {
  ask = asking(byId("agent-talk"), problem);
  for (const button of byId("agent-talk").querySelectorAll("[data-mode]")) {
    button.addEventListener("click", () => wish("supervise", { mode: button.dataset.mode, supervisor: byId("talk-supervisor").value }));
  }
  byId("talk-recording").addEventListener("click", () => wish("recording", { action: byId("talk-recording").dataset.action }));
  byId("talk-supervisor").addEventListener("change", () => localStorage.setItem(CHOSEN, byId("talk-supervisor").value));
}

/** Keep it true: shown while the operator talks. */
export function drawTalk(live, status) {
  contact = live && live.state === "talking" ? live : null;
  byId("agent-talk").hidden = contact === null;
  if (contact === null) return;
  const supervisors = status.agents.filter((agent) => agent.supervises && agent.extension !== contact.agent);
  const select = byId("talk-supervisor");
  const fresh = select.options.length === 0;
  keyed(select, supervisors, (agent) => agent.extension, createOption, updateOption);
  if (fresh) select.value = supervisors.some((agent) => agent.extension === localStorage.getItem(CHOSEN)) ? localStorage.getItem(CHOSEN) : (supervisors[0]?.extension ?? "");
  byId("talk-listening").hidden = supervisors.length === 0;
  for (const button of byId("agent-talk").querySelectorAll("[data-mode]")) {
    setAttribute(button, "aria-pressed", String(contact.supervision === button.dataset.mode));
  }
  const who = status.agents.find((agent) => agent.extension === contact.supervisor);
  byId("talk-heard").hidden = contact.supervisor === null;
  if (contact.supervisor !== null) setText(byId("talk-heard"), t(`supervision_${contact.supervision}`, { who: who?.name ?? contact.supervisor }));
  drawRecording();
}

function drawRecording() {
  const button = byId("talk-recording");
  button.dataset.action = NEXT[contact.recording];
  setText(button, t(`recording_${NEXT[contact.recording]}`));
  setText(byId("talk-recorded"), t(`recording_is_${contact.recording}`));
  setAttribute(byId("talk-recorded"), "data-recording", contact.recording);
}

function createOption(agent) {
  const option = el("option");
  option.value = agent.extension;
  return option;
}

function updateOption(option, agent) {
  setText(option, agent.phone_registered ? `${agent.name} · ${agent.extension}` : `${agent.name} · ${agent.extension} · ${t("phone_lost")}`);
}

function wish(what, body) {
  if (contact !== null) ask("POST", `/api/contacts/${encodeURIComponent(contact.id)}/${what}`, body);
}
