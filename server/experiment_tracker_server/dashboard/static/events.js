// One stream for every open page: a browser allows six connections to a host, and pages left open must not use them up.
"use strict";
const AGAIN_MS = 3000;
const ports = new Set();
let source = null;
let state = "connecting";

function tell(message) {
  for (const port of ports) port.postMessage(message);
}

function become(next) {
  state = next;
  tell({ state });
}

function listen(url) {
  if (source && source.readyState !== EventSource.CLOSED) return;
  source = new EventSource(url);
  source.addEventListener("hello", () => { become("live"); tell({ changed: ["*"] }); });
  source.addEventListener("changed", (event) => tell({ changed: JSON.parse(event.data) }));
  source.addEventListener("error", () => {
    become("lost");
    if (source?.readyState === EventSource.CLOSED && ports.size) setTimeout(() => listen(url), AGAIN_MS);
  });
}

self.addEventListener("connect", (event) => {
  const port = event.ports[0];
  ports.add(port);
  port.addEventListener("message", ({ data }) => {
    if (data.leave) {
      ports.delete(port);
      if (!ports.size && source) { source.close(); source = null; }
    } else {
      listen(data.url);
      port.postMessage({ state });
    }
  });
  port.start();
});
