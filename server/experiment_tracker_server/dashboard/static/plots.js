// Draws the specifications that a page carries. The interpreter stands in for code made of text, which the page forbids.
const dark = matchMedia("(prefers-color-scheme: dark)");

function library() {
  return new Promise((done) => {
    if (window.vegaEmbed || document.readyState === "complete") done(window.vegaEmbed);
    else addEventListener("load", () => done(window.vegaEmbed), { once: true });
  });
}

async function drawOne(plot, embed, config) {
  const spec = JSON.parse(document.getElementById(plot.dataset.spec).textContent);
  const next = document.createElement("div");
  next.className = "drawing";
  plot.append(next);
  try {
    const { view } = await embed(next, spec, {
      actions: false, ast: true, config, renderer: "svg", defaultStyle: false, tooltip: { disableDefaultStyle: true },
      loader: { load: () => Promise.reject(new Error("nothing is fetched")) },
    });
    await view.runAsync();
    for (const before of [...plot.children]) if (before !== next) before.remove();
    for (const part of next.querySelectorAll("[role], [aria-label], [aria-roledescription]")) {
      for (const name of ["role", "aria-label", "aria-roledescription"]) part.removeAttribute(name);
    }
    next.className = "drawn";
    plot.dataset.drawn = "yes";
  } catch (error) {
    next.remove();
    plot.dataset.drawn = "no";
    const told = document.createElement("p");
    told.className = "quiet";
    told.textContent = "This plot could not be drawn; its numbers stand below.";
    if (!plot.childElementCount) plot.append(told);
    console.error(error);
  }
}

export async function draw(root, again = false) {
  const plots = [...root.querySelectorAll(again ? ".plot" : '.plot:not([data-drawn="yes"])')];
  if (!plots.length) return;
  const embed = await library();
  if (!embed) return;
  const themes = JSON.parse(document.getElementById("themes").textContent);
  for (const plot of plots) if (plot.isConnected) await drawOne(plot, embed, themes[dark.matches ? "dark" : "light"]);
}

dark.addEventListener("change", () => draw(document, true));
