// The operators' panel: one tile each, in the order of extensions, so that everybody keeps his place on the wall.

import { byId, el, icon, keyed, setAttribute, setIcon, setText, setTimer } from "/web/dom.js";
import { phone } from "/web/format.js";
import { t, word } from "/web/texts.js";

const LEGEND = ["ready", "ringing", "dialling", "talking", "wrap_up", "not_ready", "busy", "unreachable"];
const DENSITIES = [["roomy", 15], ["cosy", 36], ["dense", 80], ["tight", Infinity]]; // each with the most it is good for
const OPEN_OUT_MAX = 24; // so many who are out are shown without asking

const BOARD = matchMedia("(min-width: 1160px)"); // as in live.css
const FOOT_PX = 56; // the title of those who are out stays in sight

let only = null;
let fitted = -1;
let outTouched = false;
let openAgent = () => {};
let redraw = () => {};

/** Reserved is a moment before ringing: one word for both. */
const shown = (agent) => (agent.state === "reserved" ? "ringing" : agent.state);

/** `chosen(extension)` when a tile is pressed, `again()` when the panel must be drawn anew. */
export function agentsPanel(chosen, again) {
  openAgent = chosen;
  redraw = again;
  byId("agents-out-title").addEventListener("click", () => (outTouched = true));
  addEventListener("resize", () => {
    fitted = -1;
    redraw();
  });
}

export function drawAgents(status) {
  const contacts = new Map(status.contacts.map((contact) => [contact.id, contact]));
  const people = status.agents.map((agent) => ({ ...agent, shown: shown(agent), with: contacts.get(agent.contact) }));
  const on = people.filter((agent) => agent.state !== "logged_out");
  const out = people.filter((agent) => agent.state === "logged_out");
  drawLegend(on);
  const seen = only ? on.filter((agent) => agent.shown === only) : on;
  keyed(byId("agents-in"), seen, (agent) => agent.extension, createAgent, updateAgent);
  drawOut(out);
  const empty = byId("agents-empty");
  empty.hidden = on.length > 0;
  setText(empty, t(people.length ? "agents_nobody" : "agents_none"));
  if (only === null && fitted !== on.length) fit(on.length);
}

/** The roomiest tiles with which everybody fits the panel; where the page itself scrolls, by how many they are. */
function fit(count) {
  fitted = count;
  const box = byId("agents");
  const use = (density) => setAttribute(box, "data-density", density);
  if (!BOARD.matches) return use(DENSITIES.find(([, most]) => count <= most)[0]);
  const fits = DENSITIES.find(([density]) => {
    use(density);
    return byId("agents-in").offsetHeight + FOOT_PX <= box.clientHeight;
  });
  return use(fits?.[0] ?? "tight");
}

function drawOut(out) {
  const box = byId("agents-out-box");
  box.hidden = !out.length || only !== null;
  setText(byId("agents-out-title"), t("out_count", { n: out.length }));
  if (!outTouched) box.open = out.length <= OPEN_OUT_MAX;
  keyed(byId("agents-out"), out, (agent) => agent.extension, createAgent, updateAgent);
}

function drawLegend(on) {
  const counts = LEGEND.map((state) => ({ state, n: on.filter((agent) => agent.shown === state).length }));
  if (only && !counts.some((count) => count.state === only && count.n)) only = null;
  keyed(byId("legend"), counts.filter((count) => count.n), (count) => count.state, createCount, updateCount);
}

function createCount({ state }) {
  const node = el("button", "legend-count", icon(state), el("span", "legend-name"), el("b"));
  node.type = "button";
  node.dataset.state = state;
  node.addEventListener("click", () => {
    only = only === state ? null : state;
    redraw();
  });
  return node;
}

function updateCount(node, { state, n }) {
  setText(node.querySelector(".legend-name"), t(`states.${state}`));
  setText(node.querySelector("b"), String(n));
  setAttribute(node, "aria-pressed", String(only === state));
  setAttribute(node, "data-off", only !== null && only !== state ? "" : null);
}

function createAgent(agent) {
  const parts = { icon: icon(agent.shown) };
  for (const name of ["name", "ext", "what", "timer", "with"]) parts[name] = el("span", `agent-${name}`);
  const button = el("button", "agent", parts.icon, parts.name, parts.ext, parts.what, parts.timer, parts.with);
  button.type = "button";
  button.dataset.extension = agent.extension;
  button.addEventListener("click", () => openAgent(agent.extension));
  const node = el("li", "", button);
  node.parts = parts;
  return node;
}

function updateAgent(node, agent) {
  const { parts } = node;
  const button = node.firstChild;
  const what = describe(agent);
  const caller = agent.with ? phone(agent.with.ani) : "";
  setAttribute(button, "data-state", agent.shown);
  setIcon(parts.icon, agent.shown);
  setText(parts.name, agent.name);
  setText(parts.ext, agent.extension);
  setText(parts.what, what);
  setText(parts.with, caller);
  setTimer(parts.timer, agent.state === "logged_out" ? null : Date.parse(agent.since));
  setAttribute(button, "aria-label", [`${agent.name}, ${agent.extension}: ${what}`, caller].filter(Boolean).join(", "));
  setAttribute(button, "title", [agent.name, agent.extension, what, caller].filter(Boolean).join(" · "));
}

/** "Talking", "Not ready · lunch". */
export function describe(agent) {
  const state = agent.on_hold ? t("on_hold") : word("state", agent.state);
  // Who was overruled should see by whom; what he wished himself he knows.
  const by = agent.by && agent.by !== agent.extension ? t("by", { who: agent.by === "supervisor" ? t("by_supervisor") : agent.by }) : "";
  return [state, agent.reason && `· ${word("reason", agent.reason)}`, by].filter(Boolean).join(" ");
}
