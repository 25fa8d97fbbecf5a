// What every client exchanges with the echo, behind its greeting.
import assert from "node:assert";

const messages = [
  "", "hello", "Grüße, 世界 😀", "x".repeat(125), "x".repeat(126), "y".repeat(65535), "z".repeat(65536), "0123456789abcdef".repeat(1 << 16),
  Buffer.alloc(0), Buffer.from([0, 255, 254]), Buffer.alloc(1 << 20, 0xa5),
];

export async function check(send, next) {
  assert.strictEqual((await next()).data.toString(), "Hello!");
  for (const message of messages) {
    const binary = typeof message !== "string";
    send(message, binary);
    const got = await next();
    assert.strictEqual(got.binary, binary);
    assert.ok(Buffer.compare(Buffer.from(got.data), Buffer.from(message)) === 0, `message of ${message.length} came back otherwise`);
  }
}
