// The host goes away and comes back, and so do its pages, by themselves.

import { host, run, sees, shot } from "./browser.mjs";
import { connected, join, say } from "./people.mjs";

await run(async (open) => {
  const expect = /WebSocket connection to .* failed/; // as each try does while the host is away
  const ada = await open("/chat/engine", { expect });
  const bob = await open("/chat/engine", { expect });
  const clock = await open("/ticker/", { expect });
  await join(ada, "Ada");
  await join(bob, "Bob");
  await sees(ada, "#names", "Bob");
  await connected(clock);

  await host("stop");
  for (const page of [ada, bob, clock]) await page.locator("#state:not([data-state=open])").waitFor();
  await sees(ada, "#state[data-state=waiting]", "lost, again in");
  await ada.getByLabel("Message", { exact: true }).fill("typed meanwhile");
  await shot(ada, "lost");

  await host("start");
  for (const page of [ada, bob, clock]) await connected(page);
  await sees(ada, "#names", "Bob");
  await ada.getByRole("button", { name: "Send" }).click();
  await sees(bob, ".message .body", "typed meanwhile");
  await say(bob, "welcome back");
  await sees(ada, ".message .body", "welcome back");
});
