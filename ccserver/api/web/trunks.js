// The trunks: each with its state, why it is of no use, and the calls on it.

import { byId, el, icon, keyed, setAttribute, setText } from "/web/dom.js";
import { clock } from "/web/format.js";
import { t } from "/web/texts.js";

export function drawTrunks(status) {
  byId("trunks-card").hidden = status.trunks.length === 0;
  keyed(byId("trunks"), status.trunks, (trunk) => trunk.name, createTrunk, updateTrunk);
}

function createTrunk() {
  const parts = { title: el("span", "line-name"), state: el("span", "line-number"), calls: el("b"), of: el("span", "trunk-of") };
  parts.count = el("span", "line-count talking", icon("talking"), parts.calls, parts.of);
  const node = el("li", "line trunk", el("span", "line-title", parts.title, parts.state), el("span", "line-counts", parts.count));
  node.parts = parts;
  return node;
}

function updateTrunk(node, trunk) {
  const { parts } = node;
  const calls = trunk.inbound + trunk.outbound;
  const lost = [];
  if (trunk.refused) lost.push(t("trunk_refused", { n: trunk.refused }));
  if (trunk.misdialled) lost.push(t("trunk_misdialled", { n: trunk.misdialled }));
  const state = trunk.usable ? t("trunk_usable") : `${t("trunk_down", { time: clock(Date.parse(trunk.since), false) })}: ${trunk.reason}`;
  setText(parts.title, trunk.title);
  setText(parts.state, [state, ...lost].join(" · "));
  setAttribute(parts.state, "title", parts.state.textContent);
  setText(parts.calls, String(calls));
  setText(parts.of, `/ ${trunk.channels}`);
  setAttribute(node, "data-usable", trunk.usable ? "yes" : "no");
  setAttribute(parts.count, "data-none", calls ? null : "");
  const said = t("trunk_calls", { in: trunk.inbound, out: trunk.outbound, of: trunk.channels });
  setAttribute(parts.count, "title", said);
  setAttribute(parts.count, "aria-label", said);
  setAttribute(parts.count, "role", "img");
}
