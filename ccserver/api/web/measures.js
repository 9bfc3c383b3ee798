// Measures: what a supervisor says to every caller, which line he closes, whom he lets in no more; taken and lifted at once.

import { asker, asking, problemAt } from "/web/ask.js";
import { byId, el, keyed, setText } from "/web/dom.js";
import { clock, phone, serverNow } from "/web/format.js";
import { locale, t, word } from "/web/texts.js";

const OF_ALL = { number: "" };

let ask = null;

const dialog = () => byId("measures-dialog");
const say = problemAt("measures-problem");
const kind = () => new FormData(byId("measure-form")).get("kind");

export function measuresDialog() {
  ask = asking(dialog(), say);
  byId("measures-open").addEventListener("click", () => {
    say(null);
    dialog().showModal();
  });
  byId("measures-close").addEventListener("click", () => dialog().close());
  dialog().addEventListener("click", (event) => event.target === dialog() && dialog().close());
  byId("measure-form").addEventListener("change", showFields);
  byId("measure-form").addEventListener("submit", (event) => {
    event.preventDefault();
    take();
  });
  showFields();
}

/** The list, how many there are, and the lines to choose from. */
export function drawMeasures(status) {
  const { measures } = status;
  const lines = new Map(status.lines.map((line) => [line.number, line.name]));
  setText(byId("measures-open"), measures.length ? t("measures_count", { n: measures.length }) : t("measures"));
  keyed(byId("measures"), measures, (measure) => measure.id, createMeasure, (node, measure) => updateMeasure(node, measure, lines));
  byId("measures-empty").hidden = measures.length > 0;
  keyed(byId("measure-line"), [OF_ALL, ...status.lines], (line) => line.number, createLine, (node, line) => {
    setText(node, line.number ? `${line.name} · ${phone(line.number)}` : t("measure_all_lines"));
  });
}

function createMeasure(measure) {
  const parts = { what: el("span", "measure-what"), about: el("span", "measure-about"), lift: el("button", "action small") };
  parts.lift.type = "button";
  parts.lift.addEventListener("click", () => lift(measure.id));
  const node = el("li", "measure", el("div", "measure-text", parts.what, parts.about), parts.lift);
  node.dataset.measure = measure.id;
  node.parts = parts;
  return node;
}

function updateMeasure(node, measure, lines) {
  const where = measure.line === null ? t("measure_all_lines") : (lines.get(measure.line) ?? phone(measure.line));
  const until = measure.until === null ? "" : t("measure_until_time", { time: moment(measure.until) });
  setText(node.parts.what, [word("measure", measure.kind), said(measure)].filter(Boolean).join(": "));
  setText(node.parts.about, [where, t("measure_by", { who: measure.by, time: moment(measure.since) }), until, measure.reason].filter(Boolean).join(" · "));
  setText(node.parts.lift, t("measure_lift"));
}

/** What is particular to it. */
function said(measure) {
  if (measure.kind === "announcement") return measure.prompts.join(", ");
  const treatment = measure.treatment && word("treatment", measure.treatment);
  if (measure.kind === "closure") return [treatment, t(`measure_queued_${measure.queued}`)].filter(Boolean).join(", ");
  return [measure.number === "anonymous" ? t("hidden_number") : phone(measure.number), treatment].join(", ");
}

/** The time, and the date when it is another day. */
function moment(instant) {
  const at = Date.parse(instant);
  const day = (ms) => new Date(ms).toLocaleDateString(locale(), { day: "numeric", month: "long" });
  return [day(at) === day(serverNow()) ? "" : day(at), clock(at, false)].filter(Boolean).join(" ");
}

function createLine(line) {
  const option = el("option");
  option.value = line.number;
  return option;
}

/** Only what the chosen kind has. */
function showFields() {
  for (const field of byId("measure-form").querySelectorAll("[data-of]")) {
    const shown = field.dataset.of.split(" ").includes(kind());
    field.hidden = !shown;
    field.querySelector("input, select").disabled = !shown;
  }
}

async function take() {
  const given = new FormData(byId("measure-form"));
  const body = { by: asker() };
  for (const [name, value] of given) if (value.trim()) body[name] = value.trim();
  if (body.prompts) body.prompts = body.prompts.split(/[\s,]+/);
  if (body.until) body.until = new Date(body.until).toISOString();
  if (await ask("POST", "/api/measures", body)) {
    for (const name of ["prompts", "number", "reason", "until"]) byId(`measure-${name}`).value = "";
  }
}

function lift(id) {
  return ask("DELETE", `/api/measures/${encodeURIComponent(id)}?by=${encodeURIComponent(asker() || t("by_supervisor"))}`);
}
