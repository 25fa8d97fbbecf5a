// What the scripts share: a browser, pages that must not complain, screenshots.

import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const base = process.env.BASE;
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

// host has the test stop or start the host, and waits until it has.
export async function host(what) {
  console.log(`host: ${what}`);
  await answers.next();
}

// run opens a browser for script, whose argument is open(path, options): a page
// in a context of its own, as if it were another person. The script fails if a
// page reports an error that does not match options.expect.
export async function run(script) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync",
    ],
  }); // the profile is a new one each time
  const complaints = [];
  const open = async (path, { expect, ...options } = {}) => {
    const context = await browser.newContext({ viewport: { width: 1000, height: 700 }, locale: "en-GB", ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    const complain = (text) => expect?.test(text) || complaints.push(`${path}: ${text}`);
    page.on("pageerror", (e) => complain(String(e)));
    page.on("console", (m) => m.type() === "error" && complain(m.text()));
    await page.goto(base + path);
    return page;
  };
  try {
    await script(open);
    assert.deepEqual(complaints, [], "errors on the pages");
  } catch (e) {
    const pages = browser.contexts().flatMap((c) => c.pages());
    for (const [i, p] of pages.entries()) await shot(p, `failed-${i}`).catch(() => {});
    throw e;
  } finally {
    await browser.close();
    answers.return?.();
    process.stdin.destroy();
  }
}

export async function shot(page, name) {
  const path = `${process.env.SHOTS}/${name}.png`;
  await page.screenshot({ path });
  console.log(`screenshot ${path}`);
}

// sees waits until an element with that text is on the page.
export const sees = (page, selector, text) => page.locator(selector).filter({ hasText: text }).first().waitFor();

// texts returns what elements say, in order.
export const texts = (page, selector) => page.locator(selector).allTextContents();
