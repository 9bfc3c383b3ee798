// How times and numbers look. The server's clock is the only one that counts: a wall screen's own may be minutes off.

import { locale, t } from "/web/texts.js";

let offsetMs = 0;
let frozenAt = null;

/** Take over the server's clock from a picture cut at `at` (ISO). */
export function setClock(at) {
  offsetMs = Date.parse(at) - Date.now();
  frozenAt = null;
}

/** Stop all timers: nobody knows what has happened since. */
export function freezeClock() {
  frozenAt ??= Date.now() + offsetMs;
}

/** Now by the server, in ms since the epoch. */
export function serverNow() {
  return frozenAt ?? Date.now() + offsetMs;
}

/** 0:07, 12:05, 1:02:05. */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** How long since an instant (ms since the epoch). */
export function since(ms) {
  return duration((serverNow() - ms) / 1000);
}

/** Wall-clock time of an instant, in the viewer's zone. */
export function clock(ms, withSeconds = true) {
  const options = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...(withSeconds && { second: "2-digit" }) };
  return new Date(ms).toLocaleTimeString(locale(), options);
}

/** +7 916 123-45-67, 8 800 770-79-99; what is no Russian number stays as it came. */
export function phone(number) {
  if (!number) return t("hidden_number");
  const found = /^(\+7|7|8)(\d{3})(\d{3})(\d{2})(\d{2})$/.exec(number);
  return found ? `${found[1] === "7" ? "+7" : found[1]} ${found[2]} ${found[3]}-${found[4]}-${found[5]}` : number;
}
