// A page talks to the echo: the greeting comes, then each message as it was, those
// that are long enough compressed.

import assert from "node:assert/strict";
import { run } from "./browser.mjs";

await run(async (open) => {
  const page = await open("/echo", { expect: /404/ }); // browsers ask for an icon, the echo has none
  assert.equal(await page.locator("body").textContent(), "OK");
  const heard = await page.evaluate(
    (messages) =>
      new Promise((resolve, reject) => {
        const heard = [];
        const s = new WebSocket(location.href.replace("http", "ws"));
        s.binaryType = "arraybuffer";
        s.onopen = () => messages.forEach((m) => s.send(typeof m === "string" ? m : new Uint8Array(m)));
        s.onmessage = ({ data }) => {
          heard.push(typeof data === "string" ? data : [...new Uint8Array(data)]);
          if (heard.length > messages.length) s.close(1000, "bye");
        };
        s.onclose = (e) => resolve([...heard, e.code, e.wasClean, s.extensions]);
        s.onerror = () => reject(new Error("no connection"));
      }),
    ["hello", "", "hällo 🙂", [0, 255, 128], "x".repeat(100_000), "x".repeat(1_000_000)],
  );
  assert.deepEqual(heard, ["Hello!", "hello", "", "hällo 🙂", [0, 255, 128], "x".repeat(100_000), "x".repeat(1_000_000), 1000, true,
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover"]);
});
