// The figures on top, the lines and the queues.

import { byId, el, icon, keyed, setAttribute, setText, setTimer } from "/web/dom.js";
import { phone } from "/web/format.js";
import { t } from "/web/texts.js";

const VERY_LATE = 3; // times the target

/** How bad a wait is against its queue's target, as an attribute for the colours. */
export function lateness(seconds, target) {
  return seconds >= VERY_LATE * target ? "very" : seconds >= target ? "some" : null;
}

/** The strictest target of all queues. */
function target(status) {
  return Math.min(...status.queues.map((queue) => queue.target_s));
}

export function drawFigures(status) {
  const sum = (key) => status.lines.reduce((all, line) => all + line[key], 0);
  const on = status.agents.filter((a) => a.state !== "logged_out").length;
  const ready = status.agents.filter((a) => a.state === "ready").length;
  const longest = longestWait(status);
  const figures = [
    { key: "waiting", value: String(sum("waiting")), late: sum("waiting") ? lateness(longest ?? 0, target(status)) ?? "none" : null },
    { key: "longest", since: longest === null ? null : began(status, longest), late: longest === null ? null : lateness(longest, target(status)) },
    { key: "flow", value: String(sum("in_flow")) },
    { key: "talking", value: String(sum("talking")) },
    { key: "ready", value: String(ready), of: on, late: ready ? null : on && sum("waiting") ? "very" : "none" },
  ];
  keyed(byId("figures"), figures, (f) => f.key, createFigure, updateFigure);
}

// A wait that was `seconds` long when the picture was cut, as the instant when it began: so it ticks.
const began = (status, seconds) => Date.parse(status.at) - seconds * 1000;

/** Seconds, or null when nobody waits. */
export function longestWait(status) {
  const waits = status.queues.filter((q) => q.waiting).map((q) => q.longest_wait_s);
  return waits.length ? Math.max(...waits) : null;
}

function createFigure(figure) {
  const of = el("span", "figure-of");
  const value = el("span", "figure-value");
  const node = el("div", `figure ${figure.key}`, el("dt", "", el("span", "figure-name")), el("dd", "", value, of));
  node.parts = { name: node.querySelector(".figure-name"), value, of };
  return node;
}

function updateFigure(node, figure) {
  setText(node.parts.name, t(`figure_${figure.key}`));
  setTimer(node.parts.value, figure.since ?? null, figure.value ?? "–");
  setText(node.parts.of, figure.of === undefined ? "" : t("of_logged_in", { n: figure.of }));
  setAttribute(node, "data-late", figure.late ?? null);
}

export function drawLines(status) {
  const closures = status.measures.filter((measure) => measure.kind === "closure");
  const closed = (line) => closures.find((measure) => measure.line === line.number) ?? closures.find((measure) => measure.line === null);
  keyed(byId("lines"), status.lines, (line) => line.number, createLine, (node, line) => updateLine(node, line, closed(line)));
  byId("lines-empty").hidden = status.lines.length > 0;
  setText(byId("lines-empty"), t("lines_none"));
}

function createLine() {
  const parts = { name: el("span", "line-name"), number: el("span", "line-number"), counts: el("span", "line-counts") };
  for (const [key, name] of [["in_flow", "flow"], ["waiting", "waiting"], ["dialling", "dialling"], ["talking", "talking"]]) {
    const count = el("b");
    parts[key] = el("span", `line-count ${name}`, icon(name), count);
    parts[key].count = count;
    parts.counts.append(parts[key]);
  }
  const node = el("li", "line", el("span", "line-title", parts.name, parts.number), parts.counts);
  node.parts = parts;
  return node;
}

function updateLine(node, line, closed) {
  setText(node.parts.name, line.name);
  setText(node.parts.number, closed ? t("line_closed", { who: closed.by }) : phone(line.number));
  setAttribute(node, "data-closed", closed ? "" : null);
  for (const [key, text] of [
    ["in_flow", "line_flow"],
    ["waiting", "line_waiting"],
    ["dialling", "line_dialling"],
    ["talking", "line_talking"],
  ]) {
    const part = node.parts[key];
    setText(part.count, String(line[key]));
    setAttribute(part, "data-none", line[key] ? null : "");
    setAttribute(part, "title", t(text));
    setAttribute(part, "aria-label", `${t(text)} ${line[key]}`);
    setAttribute(part, "role", "img");
  }
}

export function drawQueues(status) {
  keyed(byId("queues"), status.queues, (queue) => queue.name, createQueue, (node, queue) => updateQueue(node, queue, status));
  byId("queues-empty").hidden = status.queues.length > 0;
  setText(byId("queues-empty"), t("queues_none"));
}

function createQueue() {
  const parts = {};
  for (const name of ["title", "agents", "waiting", "waiting_word", "longest", "longest_word", "talking", "talking_word"]) {
    parts[name] = el("span", name);
  }
  const node = el(
    "li",
    "queue",
    el("div", "queue-head", parts.title, parts.agents),
    el(
      "div",
      "queue-figures",
      el("div", "queue-figure wait", parts.waiting, parts.waiting_word),
      el("div", "queue-figure long", parts.longest, parts.longest_word),
      el("div", "queue-figure talk", parts.talking, parts.talking_word),
    ),
  );
  node.parts = parts;
  return node;
}

function updateQueue(node, queue, status) {
  const { parts } = node;
  const nobody = queue.agents_logged_in === 0;
  const people = { ready: queue.agents_ready, in: queue.agents_logged_in };
  setText(parts.title, queue.title);
  setText(parts.agents, t(nobody ? "queue_nobody" : queue.agents_ready ? "queue_ready" : "queue_nobody_ready", people));
  setText(parts.waiting, String(queue.waiting));
  setText(parts.waiting_word, t("queue_waiting", { n: queue.waiting }));
  setTimer(parts.longest, queue.waiting ? began(status, queue.longest_wait_s) : null, "–");
  setText(parts.longest_word, t("queue_longest"));
  setText(parts.talking, String(queue.talking));
  setText(parts.talking_word, t("queue_talking", { n: queue.talking }));
  setAttribute(node, "data-late", queue.waiting ? lateness(queue.longest_wait_s, queue.target_s) ?? "none" : null);
  setAttribute(node, "data-people", nobody ? "nobody" : queue.agents_ready ? "ready" : "none");
}
