// A name is remembered, one that is taken gets a number, and one that cannot be
// is asked for again.

import assert from "node:assert/strict";
import { run, sees, shot, texts } from "./browser.mjs";
import { connected, join, say } from "./people.mjs";

await run(async (open) => {
  const one = await open("/chat/names");
  await join(one, "Grace");
  await one.reload();
  await connected(one);
  await sees(one, "#log .note", "you are in #names");

  const two = await open("/chat/names");
  await join(two, "grace");
  await sees(two, "#log .note", "you are in #names as grace-2");
  assert.deepEqual(await texts(two, "#names li"), ["Grace", "grace-2"]);
  await say(two, "   ");
  assert.equal(await two.getByRole("button", { name: "Send" }).isDisabled(), true);

  await two.evaluate(() => localStorage.setItem("nick", "x".repeat(40)));
  await two.reload();
  await sees(two, "#problem", "a name has 1 to 32 printable characters");
  await shot(two, "problem");
  await two.getByLabel("Your name").fill("Hopper");
  await two.getByLabel("Room").fill("elsewhere");
  await two.getByRole("button", { name: "Join" }).click();
  await sees(two, "#log .note", "you are in #elsewhere");
  assert.equal(new URL(two.url()).pathname, "/chat/elsewhere");
});
