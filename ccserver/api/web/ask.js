// Something is asked of the server from a dialog: its buttons wait for the answer, and a refusal is shown in the server's words.

import { byId, setText } from "/web/dom.js";
import { t } from "/web/texts.js";

const ASKER = "asker";

/** Shows a problem at its place in the dialog, or takes it away (null). */
export const problemAt = (id) => (problem) => {
  setText(byId(id), problem ?? "");
  byId(id).hidden = problem === null;
};

/**
 * `ask(method, path, body, still)` tells whether it was carried out. The actions in `box` wait meanwhile, and nothing else is
 * asked from there; `say(problem)` shows why not, unless `still()` says that nobody looks at it any more.
 */
export function asking(box, say) {
  let busy = false;
  const wait = (now) => {
    busy = now;
    for (const button of box.querySelectorAll(".action")) button.disabled = now;
  };
  return async (method, path, body, still = () => true) => {
    if (busy) return false;
    wait(true);
    say(null);
    try {
      const headers = { "Content-Type": "application/json" };
      const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
      if (!answer.ok && still()) say(t("refused", { why: (await answer.json()).error.message }));
      return answer.ok;
    } catch {
      if (still()) say(t("not_sent"));
      return false;
    } finally {
      wait(false);
    }
  };
}

/** Who asks, by his own word: typed once, the browser remembers him. */
export function asker() {
  return localStorage.getItem(ASKER) ?? "";
}

/** The fields in which he says so. */
export function askerFields() {
  const fields = document.querySelectorAll("[data-asker]");
  for (const field of fields) {
    field.value = asker();
    field.addEventListener("input", () => {
      localStorage.setItem(ASKER, field.value.trim());
      for (const other of fields) if (other !== field) other.value = field.value;
    });
  }
}
