// Ticks arrive and the chart grows.

import assert from "node:assert/strict";
import { run, sees, shot, texts } from "./browser.mjs";

const points = (page) => page.locator("#line").evaluate((line) => line.points.length);
const drawn = (page, n) => page.waitForFunction((n) => document.getElementById("line").points.length >= n, n);

await run(async (open) => {
  const desk = await open("/ticker/");
  await drawn(desk, 60);
  assert.equal(await points(desk), 60);
  assert.match((await texts(desk, "#n"))[0], /^[\d,]+$/);
  assert.equal((await texts(desk, "#grid text")).length, 5);
  const { width, height } = await desk.locator("#line").boundingBox();
  assert.ok(width > 500 && height > 1, `the line is ${width} x ${height}`);
  await shot(desk, "desktop");

  const phone = await open("/ticker/", { viewport: { width: 390, height: 780 }, isMobile: true, colorScheme: "dark" });
  await drawn(phone, 25);
  await sees(phone, "#state", "connected");
  await shot(phone, "phone");
});
