// The npm package ws, which most servers and tools of Node.js use.
import assert from "node:assert";
import { once } from "node:events";
import WebSocket from "ws";
import { check } from "./check.mjs";

const url = process.env.URL;

async function open(options = {}) {
  const ws = new WebSocket(url, options);
  const inbox = [];
  let wake = () => {};
  ws.on("message", (data, binary) => { inbox.push({ data, binary }); wake(); });
  ws.on("error", (err) => { ws.failed = err; wake(); });
  ws.next = async () => {
    while (inbox.length === 0) {
      if (ws.failed) throw ws.failed;
      await new Promise((done) => { wake = done; });
    }
    return inbox.shift();
  };
  await once(ws, "open");
  return ws;
}

for (const perMessageDeflate of [false, true]) {
  const ws = await open({ perMessageDeflate });
  await check((data, binary) => ws.send(data, { binary }), ws.next);

  ws.send("frag", { fin: false });
  ws.send("ment", { fin: false });
  ws.send("", { fin: true });
  let whole = "";
  while (whole !== "fragment") whole += (await ws.next()).data;

  const pong = once(ws, "pong");
  ws.ping("are you there?");
  assert.strictEqual((await pong)[0].toString(), "are you there?");

  const closed = once(ws, "close");
  ws.close(4321, "done");
  assert.strictEqual((await closed)[0], 4321);
}

// A stream of many messages, none awaited.
{
  const ws = await open();
  await ws.next(); // the greeting
  const n = 5000;
  for (let i = 0; i < n; i++) ws.send(`message ${i}`);
  for (let i = 0; i < n; i++) assert.strictEqual((await ws.next()).data.toString(), `message ${i}`);
  ws.terminate();
}

// What is refused is an error with the status.
{
  const ws = new WebSocket(new URL("/elsewhere", url));
  const [err] = await once(ws, "error");
  assert.match(err.message, /404/);
}
