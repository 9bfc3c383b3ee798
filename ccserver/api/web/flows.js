// The drawings of the flows, with the callers of this moment: asked for again every few seconds.

import { byId, el, setAttribute, setText } from "/web/dom.js";
import { applyTexts, switchOn, t } from "/web/texts.js";

const EVERY_MS = 4_000; // a drawing costs the server nothing while nobody moves

let flows = null;
let shown = ""; // what stands on the paper, so that a drawing that did not change is left alone

async function ask(path) {
  const answer = await fetch(path);
  if (answer.status === 401) location.assign("/login");
  if (!answer.ok) throw new Error((await answer.json()).error.message);
  return answer;
}

function current() {
  const wanted = decodeURIComponent(location.hash.slice(1));
  return flows.find((flow) => flow.name === wanted) ?? flows[0];
}

function drawNames() {
  const flow = current();
  byId("names").replaceChildren(
    ...flows.map((each) => {
      const link = el("a", "", each.name);
      link.href = `#${encodeURIComponent(each.name)}`;
      setAttribute(link, "aria-current", each === flow ? "page" : null);
      return link;
    }),
  );
  const lines = flow?.lines.length ? t("flows_lines", { lines: flow.lines.join(", ") }) : t("flows_no_line");
  setText(byId("facts"), flow ? `${lines} · ${t("flows_now", { n: flow.callers })}` : t("flows_none"));
}

function tell(problem) {
  setText(byId("problem"), problem);
  byId("problem").hidden = !problem;
}

async function draw() {
  try {
    flows = (await (await ask("/api/flows")).json()).flows;
    drawNames();
    const flow = current();
    if (!flow) return;
    const drawing = await (await ask(`/api/flows/${encodeURIComponent(flow.name)}.svg`)).text();
    if (drawing !== shown) {
      const svg = new DOMParser().parseFromString(drawing, "image/svg+xml").documentElement;
      byId("paper").replaceChildren(document.importNode(svg, true));
      shown = drawing;
    }
    tell("");
  } catch (error) {
    tell(error instanceof TypeError ? t("flows_stale") : error.message);
  }
}

async function follow() {
  if (!document.hidden) await draw();
  setTimeout(follow, EVERY_MS);
}

function applyLanguage() {
  applyTexts(document);
  document.title = t("flows_title");
  if (flows) drawNames();
}

addEventListener("hashchange", draw);
switchOn(byId("language"), applyLanguage);
applyLanguage();
follow();
