// The way in: only the language switch needs a script, the form works without.
import { applyTexts, switchOn } from "/web/texts.js";

switchOn(document.getElementById("language"), () => applyTexts(document));
applyTexts(document);
