// The web socket: opened again by itself, ever later, and never trusted when it has gone quiet.

const FIRST_MS = 500;
const LONGEST_MS = 15_000;
const STABLE_MS = 10_000; // only a connection that lived resets the back-off
const QUIET_MS = 7_000; // the server speaks every 2 s
const DEAD_MS = 14_000;

/**
 * Follow /api/live for ever. `heard(message)` for each message; `state(name, retryAt)` when the link is
 * "connecting", "live" or "lost"; `refused()` when the server does not know us any more.
 */
export function follow({ heard, state, refused }) {
  let socket = null;
  let delay = FIRST_MS;
  let openedAt = 0;
  let heardAt = 0;
  let retry = 0;
  let current = "";

  const say = (name, retryAt = 0) => {
    if (name === "live" && current === "live") return;
    current = name;
    state(name, retryAt);
  };

  function connect() {
    clearTimeout(retry);
    say(heardAt ? "lost" : "connecting");
    const opened = new WebSocket(`${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/api/live`);
    socket = opened;
    openedAt = 0;
    opened.addEventListener("open", () => (openedAt = heardAt = Date.now()));
    opened.addEventListener("message", (event) => {
      heardAt = Date.now();
      heard(JSON.parse(event.data));
      say("live");
    });
    opened.addEventListener("close", () => opened === socket && lost());
  }

  async function lost() {
    socket = null;
    if (openedAt && Date.now() - openedAt > STABLE_MS) delay = FIRST_MS;
    const wait = delay * (0.7 + 0.6 * Math.random());
    delay = Math.min(delay * 1.7, LONGEST_MS);
    say("lost", Date.now() + wait);
    retry = setTimeout(connect, wait);
    if (!openedAt && (await unknown())) {
      clearTimeout(retry);
      refused();
    }
  }

  // A browser does not tell why a web socket was refused; a plain request does.
  async function unknown() {
    try {
      return (await fetch("/api/openapi.json", { method: "HEAD", cache: "no-store" })).status === 401;
    } catch {
      return false;
    }
  }

  function abandon() {
    const old = socket;
    socket = null;
    old?.close();
    lost();
  }

  function atOnce() {
    if (socket || document.hidden) return;
    delay = FIRST_MS;
    connect();
  }

  setInterval(() => {
    if (!socket || !openedAt) return;
    const quiet = Date.now() - heardAt;
    if (quiet > DEAD_MS) abandon();
    else if (quiet > QUIET_MS) say("lost");
  }, 1000);
  addEventListener("online", atOnce);
  document.addEventListener("visibilitychange", atOnce);
  addEventListener("pagehide", () => socket?.close());
  connect();
}
