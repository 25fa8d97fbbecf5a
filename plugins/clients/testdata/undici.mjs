// The WebSocket of undici, which is that of Node.js itself and speaks as browsers do.
import assert from "node:assert";
import { once } from "node:events";
import { WebSocket } from "undici";
import { check } from "./check.mjs";

const ws = new WebSocket(process.env.URL);
ws.binaryType = "arraybuffer";
const inbox = [];
let wake = () => {};
ws.addEventListener("message", ({ data }) => {
  inbox.push({ data: Buffer.from(data), binary: typeof data !== "string" });
  wake();
});
await once(ws, "open");
await check((data) => ws.send(data), async () => {
  while (inbox.length === 0) await new Promise((done) => { wake = done; });
  return inbox.shift();
});
const closed = once(ws, "close");
ws.close(4321, "done");
const [event] = await closed;
assert.strictEqual(event.code, 4321);
assert.strictEqual(event.wasClean, true);
