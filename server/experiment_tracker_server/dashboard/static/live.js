// Follows the ledger: when something changed, the page is asked for again, and what differs takes its place.
import { draw } from "/static/plots.js";

const SOONEST_MS = 150;
const connection = document.getElementById("connection");
const events = document.body.dataset.events;
const WORDS = { live: "Live", connecting: "Connecting", lost: "Connection lost" };
let asking = false;
let again = false;

function say(state) {
  document.body.dataset.connection = state;
  if (connection.textContent !== WORDS[state]) connection.textContent = WORDS[state];
}

function sayTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const sameDay = at.toDateString() === new Date().toDateString();
    const shape = sameDay ? { timeStyle: "medium" } : { dateStyle: "medium", timeStyle: "short" };
    time.title = time.dateTime;
    time.textContent = new Intl.DateTimeFormat(undefined, shape).format(at);
  }
}

function opened(region) {
  return [...region.querySelectorAll("details[open][id]")].map((each) => each.id);
}

const specOf = (plot) => document.getElementById(plot.dataset.spec)?.textContent;

// Keeps open what was open, the focus where it was, a plot that did not change, and another until the next one is drawn.
function put(region, fresh) {
  const open = opened(region);
  const focused = document.activeElement;
  const place = region.contains(focused) ? focused.id || focused.getAttribute("href") : null;
  const plots = [...region.querySelectorAll(".plot")];
  const drawn = new Map(plots.map((plot) => [plot.closest("figure").id, { plot, spec: specOf(plot) }]));
  region.replaceChildren(...fresh.childNodes);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  for (const plot of region.querySelectorAll(".plot")) {
    const before = drawn.get(plot.closest("figure").id);
    if (!before) continue;
    plot.append(...before.plot.childNodes);
    if (before.spec === specOf(plot) && before.plot.dataset.drawn === "yes") plot.dataset.drawn = "yes";
  }
  if (place) [...region.querySelectorAll("a, button, input, summary")].find((each) => each.id === place || each.getAttribute("href") === place)?.focus();
  sayTimes(region);
  draw(region);
}

async function refresh() {
  if (asking) { again = true; return; }
  asking = true;
  try {
    const reply = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (reply.status === 403) { say("lost"); return; }
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    for (const region of document.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(region.id);
      if (!fresh) continue;
      const text = fresh.innerHTML;
      if (text === shown.get(region.id)) continue;
      shown.set(region.id, text);
      put(region, fresh);
    }
    const plots = document.getElementById("plots-section");
    if (plots) plots.hidden = !plots.querySelector("figure");
  } catch {
    say("lost");
  } finally {
    setTimeout(() => { asking = false; if (again) { again = false; refresh(); } }, SOONEST_MS);
  }
}

function concerns(changed) {
  const one = /\/experiments\/([^/]+)$/.exec(location.pathname);
  return !one || changed.some((name) => name === one[1] || name === "*" || name === "off");
}

function heard({ state, changed }) {
  if (state) say(state);
  if (changed && concerns(changed)) refresh();
}

function follow() {
  if (window.SharedWorker) {
    const { port } = new SharedWorker("/static/events.js", { name: events });
    port.addEventListener("message", ({ data }) => heard(data));
    port.start();
    port.postMessage({ url: events });
    addEventListener("pagehide", () => port.postMessage({ leave: true }));
    addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
    return;
  }
  let source = null;
  const listen = () => {
    source?.close();
    if (document.hidden) return;
    source = new EventSource(events);
    source.addEventListener("hello", () => heard({ state: "live", changed: ["*"] }));
    source.addEventListener("changed", (event) => heard({ changed: JSON.parse(event.data) }));
    source.addEventListener("error", () => heard({ state: "lost" }));
  };
  document.addEventListener("visibilitychange", listen);
  listen();
}

async function open() {
  const reply = await fetch(location.href);
  if (!(await reply.text()).includes('id="reading"')) location.reload();
  else setTimeout(open, 300);
}

const shown = new Map([...document.querySelectorAll("[data-live]")].map((region) => [region.id, region.innerHTML]));
sayTimes(document);
draw(document);
if (document.getElementById("reading")) open();
else if (events) follow();
