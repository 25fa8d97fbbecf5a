// Two people talk, a third one sees what was said before.

import assert from "node:assert/strict";
import { run, sees, shot, texts } from "./browser.mjs";
import { join, say } from "./people.mjs";

await run(async (open) => {
  const ada = await open("/chat/");
  assert.equal(new URL(ada.url()).pathname, "/chat/lobby");
  await ada.getByRole("dialog").waitFor();
  await shot(ada, "join");
  await join(ada, "Ada");
  await sees(ada, "#log .note", "you are in #lobby");

  const bob = await open("/chat/lobby", { colorScheme: "dark" });
  await join(bob, "Bob");
  await sees(ada, "#log .note", "Bob came in");
  for (const page of [ada, bob]) {
    await sees(page, "#names", "Bob");
    assert.deepEqual(await texts(page, "#names li"), ["Ada", "Bob"]);
  }

  await say(bob, "Hello Ada!\nHow is the engine?");
  await sees(ada, ".message:not(.mine) .body", "How is the engine?");
  await sees(bob, ".message.mine .body", "Hello Ada!");
  await say(ada, "It weaves algebraical patterns, just as the loom weaves flowers and leaves. See https://example.com/notes?g=1.");
  await sees(bob, ".message .body a", "https://example.com/notes?g=1");
  await say(ada, '<img src=x onerror=alert(1)> & "quotes"');
  await sees(bob, ".message .body", '<img src=x onerror=alert(1)> & "quotes"');
  assert.equal(await bob.locator("#log img").count(), 0);
  await say(bob, "/nick Robert");
  await sees(ada, "#log .note", "Bob is now Robert");

  const eve = await open("/chat/lobby", { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true });
  await join(eve, "Eve");
  await sees(eve, ".message .body", '"quotes"');
  assert.deepEqual(await texts(eve, ".message b"), ["Bob", "Ada", "Ada"]);
  assert.equal(await eve.locator("#people").isVisible(), false);
  await say(eve, "Nice to meet you both");
  await sees(ada, ".message .body", "Nice to meet you both");

  await shot(ada, "desktop");
  await shot(bob, "dark");
  await shot(eve, "phone");
  await eve.getByRole("button", { name: "3 here" }).click();
  await sees(eve, "#names .you", "Eve");
  await shot(eve, "phone-people");

  const elsewhere = await open("/chat/attic");
  await join(elsewhere, "Ada");
  assert.equal(await elsewhere.locator(".message").count(), 0);

  await eve.close();
  await sees(ada, "#log .note", "Eve left");
  assert.deepEqual(await texts(ada, "#names li"), ["Ada", "Robert"]);
});
