// Drives Debian's Chromium over a dashboard: node browser.mjs TASK '{"url": ..., ...}'; prints one line of JSON a result.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [task, given] = [process.argv[2], JSON.parse(process.argv[3])];
const require = createRequire(`${given.modules}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const SIZES = {
  light: { viewport: { width: 1280, height: 860 }, colorScheme: "light" },
  dark: { viewport: { width: 1280, height: 860 }, colorScheme: "dark" },
  narrow: { viewport: { width: 375, height: 812 }, colorScheme: "light", hasTouch: true },
};
const say = (result) => console.log(JSON.stringify(result));
const settled = (page) => page.waitForFunction(() => document.querySelectorAll(".plot:not([data-drawn])").length === 0);
const live = (page) => page.waitForSelector('body[data-connection="live"]');

// A page whose complaints are kept: errors, refused scripts and styles, dialogs.
async function opened(browser, size) {
  const context = await browser.newContext({ ...SIZES[size], reducedMotion: "reduce", timezoneId: "UTC", locale: "en-GB" });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("dialog", (dialog) => { complaints.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  await page.goto(given.url);
  await page.waitForURL((url) => !url.search);
  return { context, page, complaints, base: page.url() };
}

async function faults(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations
    .filter((each) => ["serious", "critical"].includes(each.impact))
    .map((each) => `${each.id}: ${each.nodes.slice(0, 3).map((node) => node.target.join(" ")).join(", ")}`);
}

const focused = (page) => page.evaluate(() => {
  const at = document.activeElement;
  return { tag: at.tagName, text: at.textContent.trim().slice(0, 80), id: at.id, href: at.getAttribute("href") };
});

// Tab until what has the focus fits, as somebody without a mouse does.
async function tabTo(page, fits, most = 80) {
  for (let step = 0; step < most; step += 1) {
    await page.keyboard.press("Tab");
    const at = await focused(page);
    if (fits(at)) return at;
  }
  throw new Error("the keyboard does not reach it");
}

const tasks = {
  async look(browser) {
    for (const size of given.sizes) {
      const { context, page, complaints, base } = await opened(browser, size);
      for (const [name, path] of Object.entries(given.pages)) {
        const reply = await page.goto(base + path);
        if (reply.ok()) await live(page);
        await settled(page);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        await page.screenshot({ path: `${given.folder}/${name}-${size}.png`, fullPage: true });
        const drawn = await page.locator('.plot[data-drawn="yes"] svg').count();
        const plots = await page.locator(".plot").count();
        const told = { faults: await faults(page), status: reply.status(), too_wide: Math.max(0, wide), drawn, plots };
        say({ name, size, ...told, complaints: complaints.splice(0).filter((each) => reply.ok() || !/status of 4/.test(each)) });
      }
      await context.close();
    }
  },

  // The pages that nobody reaches by a link: for who has no key, and while the ledger is still being read.
  async outside(browser) {
    for (const size of given.sizes) {
      const stranger = await browser.newContext({ ...SIZES[size], reducedMotion: "reduce" });
      const refused = await stranger.newPage();
      const reply = await refused.goto(given.url.split("?")[0]);
      await refused.screenshot({ path: `${given.folder}/refused-${size}.png` });
      const wide = await refused.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      say({ name: "refused", size, status: reply.status(), faults: await faults(refused), too_wide: Math.max(0, wide) });
      await stranger.close();
      const { context, page, base } = await opened(browser, size);
      await page.route(base, (route) => route.fulfill({ body: given.reading, contentType: "text/html" }));
      await page.goto(base);
      await page.screenshot({ path: `${given.folder}/reading-${size}.png` });
      say({ name: "reading", size, status: 200, faults: await faults(page), told: await page.locator("#reading h1").textContent() });
      await context.close();
    }
  },

  async keyboard(browser) {
    const { page } = await opened(browser, "light");
    await live(page);
    const skip = await tabTo(page, (at) => at.text === "Skip to content", 1);
    await page.keyboard.press("Enter");
    const main = await focused(page);
    await tabTo(page, (at) => at.href?.endsWith(given.experiment));
    await page.keyboard.press("Enter");
    await page.waitForURL(/experiments/);
    await settled(page);
    await tabTo(page, (at) => at.tag === "SUMMARY");
    await page.keyboard.press("Enter");
    const words = await page.locator("details[open] p").first().textContent();
    await page.locator("body").press("Home");
    await page.evaluate(() => document.activeElement.blur());
    await tabTo(page, (at) => at.id === "find");
    await page.keyboard.type(given.query);
    await page.keyboard.press("Enter");
    await page.waitForURL(/search/);
    say({ skip: skip.text, main: main.id, words, hits: await page.locator(".rows .name").allTextContents() });
  },

  async live(browser) {
    const { page, base } = await opened(browser, "light");
    await page.goto(`${base}experiments/${given.experiment}`);
    await live(page);
    await page.locator("#progress .newest").getByText("control").first().waitFor();
    await page.locator("details summary").first().click();
    say({ ready: true, newest: await page.locator(".newest li").first().getAttribute("id") });
    await page.waitForSelector(`#trial-${given.seq}`);
    const bars = await page.locator("#progress .n").allTextContents();
    await settled(page);
    say({ bars, open: await page.locator("details[open]").count(), drawn: await page.locator(".drawn svg").count() });
  },

  async tabs(browser) {
    const { context, page, base } = await opened(browser, "light");
    const pages = [page];
    for (let number = 1; number < given.tabs; number += 1) {
      const next = await context.newPage();
      await next.goto(base);
      pages.push(next);
    }
    for (const each of pages) await live(each);
    say({ ready: true });
    for (const each of pages) await each.locator(".row", { hasText: given.name }).waitFor();
    say({ seen: pages.length });
  },

  async write(browser) {
    const { page, base } = await opened(browser, "light");
    await page.goto(`${base}experiments/${given.experiment}`);
    await live(page);
    await tabTo(page, (at) => at.id === "reason");
    await page.keyboard.type("a look at the logs first");
    await tabTo(page, (at) => at.tag === "BUTTON");
    await page.keyboard.press("Enter");
    await page.locator(".banner").waitFor();
    const paused = await page.locator(".state").first().textContent();
    await page.getByLabel("A sentence that it taught").fill("<img src=x onerror=alert(1)> costs nothing.");
    await page.getByRole("button", { name: "Keep it" }).click();
    await page.locator(".learnings li").waitFor();
    say({ paused: paused.trim(), learnings: await page.locator(".learnings li p").allTextContents(), faults: await faults(page) });
  },

  async lost(browser) {
    const { page } = await opened(browser, "light");
    await live(page);
    say({ ready: true });
    await page.waitForSelector('body[data-connection="lost"]');
    await page.screenshot({ path: `${given.folder}/lost-light.png` });
    say({ told: await page.locator("#connection").textContent(), faults: await faults(page) });
  },
};

const browser = await chromium.launch({ executablePath: given.chromium, args: ["--no-sandbox", "--disable-gpu"] });
try {
  await tasks[task](browser);
} finally {
  await browser.close();
}
