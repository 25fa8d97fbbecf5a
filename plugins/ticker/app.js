import { connect, here, shown } from "./connection.js";

const $ = (id) => document.getElementById(id);
const points = 60; // in the chart
const box = { left: 52, right: 0, top: 14, bottom: 226 }; // as wide as there is room

let interval = 1000;
let last = null; // tick: n, and when it arrived
let gaps = []; // milliseconds, the newest last
let missed = 0;
let frame = 0;

const showState = shown($("state"), () => connection.retry());
const connection = connect(() => here(), {
  state(state, seconds) {
    if (state !== "open") last = null; // what is missed now is not the server's
    showState(state, seconds);
  },
  message(m) {
    if (m.interval) interval = m.interval;
    else tick(m);
  },
  closed() {},
});

document.addEventListener("visibilitychange", () => (last = null)); // pages out of sight are slowed down

function tick({ n, time }) {
  const now = performance.now();
  if (last) {
    missed += n - last.n - 1;
    gaps.push(now - last.now);
    gaps = gaps.slice(-points);
  }
  last = { n, now };
  $("n").textContent = n.toLocaleString();
  $("time").textContent = new Date(time).toLocaleTimeString();
  frame ||= requestAnimationFrame(draw);
}

// draw shows the gaps on a scale with the interval in the middle, or from 0 up.
function draw() {
  frame = 0;
  $("missed").textContent = missed.toLocaleString();
  if (gaps.length === 0) return;
  const mean = gaps.reduce((a, b) => a + b) / gaps.length;
  const worst = Math.max(0, ...gaps.map((g) => g - interval));
  $("mean").textContent = milliseconds(mean);
  $("worst").textContent = milliseconds(worst);

  box.right = $("chart").clientWidth - 8;
  const span = round(Math.max(interval / 10, ...gaps.map((g) => Math.abs(g - interval))) * 1.05);
  const low = Math.max(0, interval - span);
  const high = low > 0 ? interval + span : round(Math.max(2 * interval, ...gaps) * 1.05);
  const scale = (box.bottom - box.top) / (high - low);
  const x = (i) => box.right - ((gaps.length - 1 - i) * (box.right - box.left)) / (points - 1);
  const y = (g) => box.bottom - (g - low) * scale;
  const line = gaps.map((g, i) => `${x(i).toFixed(1)},${y(g).toFixed(1)}`);
  const base = y(interval).toFixed(1);

  const steps = [0, 1, 2, 3, 4].map((i) => low + ((high - low) * i) / 4);
  $("grid").replaceChildren(...steps.flatMap((value) => gridLine(y(value), value)));
  $("line").setAttribute("points", line.join(" "));
  $("area").setAttribute("d", `M${x(0).toFixed(1)},${base} L${line.join(" L")} L${box.right},${base} Z`);
  $("newest").setAttribute("r", 4);
  $("newest").setAttribute("cx", box.right);
  $("newest").setAttribute("cy", y(gaps.at(-1)).toFixed(1));
}

// round takes a span up to 1, 2 or 5 times a power of ten.
function round(v) {
  const power = 10 ** Math.floor(Math.log10(v));
  return power * [1, 2, 5, 10].find((f) => f * power >= v);
}

function gridLine(at, value) {
  const line = svg("line", { x1: box.left, x2: box.right, y1: at, y2: at });
  const label = svg("text", { x: box.left - 8, y: at + 4 });
  label.textContent = Number(value.toPrecision(5)).toLocaleString();
  return [line, label];
}

function svg(name, attributes) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  return e;
}

const milliseconds = (v) => `${v.toFixed(v < 100 ? 1 : 0)} ms`;
