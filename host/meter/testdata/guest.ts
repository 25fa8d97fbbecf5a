// The work of guest.c in AssemblyScript, and an echo on the plain ABI. Built by
// build.sh.

const area = new StaticArray<u8>(1 << 20);

export function sum(n: u32): u32 {
  let s: u32 = 0;
  for (let i: u32 = 0; i < n; i++) s = s * 31 + area[i];
  return s;
}

export function fib(n: u32): u32 {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

export function sort(n: u32): u32 {
  let seed: u32 = 1;
  const v = new Array<u32>(n);
  for (let i: u32 = 0; i < n; i++) v[i] = seed = seed * 1664525 + 1013904223;
  v.sort((a, b) => (a > b ? 1 : a < b ? -1 : 0));
  return v[n / 2];
}

export function encode(n: u32): u32 {
  let size: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    size += ('{"id":' + i.toString() + ',"name":"session ' + i.toString() + '","ok":' + (i % 2 == 0).toString() + "}").length;
  }
  return size;
}

const control = new StaticArray<u64>(12);
const events = new StaticArray<u64>(4 * 1024);
const commands = new StaticArray<u64>(4 * 1024);
const received = new StaticArray<u8>(256 << 10);

function put(at: usize, v: u32): void {
  store<u32>(changetype<usize>(control) + at, v);
}

export function yimmo_v1_init(_events: u32, _commands: u32, _area: u32): usize {
  put(0, 0x4f4d4959);
  put(4, 1);
  put(16, <u32>changetype<usize>(events));
  put(20, 1024);
  put(24, <u32>changetype<usize>(commands));
  put(28, 1024);
  put(32, <u32>changetype<usize>(received));
  put(36, 256 << 10);
  return changetype<usize>(control);
}

export function yimmo_v1_turn(first: u32, n: u32): u32 {
  let m: u32 = 0;
  for (let i = first; i < n; i++) {
    const head = events[4 * i];
    if ((<u8>head) != 4) continue; // recv -> send
    commands[4 * m] = 5 | (head & 0xffffffff0000ff00);
    commands[4 * m + 1] = events[4 * i + 1];
    commands[4 * m + 2] = events[4 * i + 2];
    commands[4 * m + 3] = 0;
    m++;
  }
  put(44, n);
  return m;
}
