import { connect, here, shown } from "./connection.js";

const $ = (id) => document.getElementById(id);
const room = decodeURIComponent(location.pathname.split("/").pop());

let wanted = remembered(); // the name to ask for
let you = ""; // the name that we have
let people = [];
let limits = { nick: 32, text: 2000 };
let connection = null;
const showState = shown($("state"), () => connection?.retry());
let joined = false; // there was a welcome since the connection opened

function remembered(name) {
  try {
    if (name !== undefined) localStorage.setItem("nick", name);
    return localStorage.getItem("nick") ?? "";
  } catch {
    return name ?? ""; // storage is off
  }
}

// Connection.

function start() {
  $("problem").hidden = true;
  connection = connect(() => here({ nick: wanted }), {
    state(state, seconds) {
      if (state !== "open") joined = false;
      showState(state, seconds);
      update();
    },
    message: (event) => handlers[event.type]?.(event),
    closed(code, reason) {
      ask(reason || `closed with code ${code}`);
    },
  });
}

const handlers = {
  welcome(e) {
    joined = true;
    you = e.nick;
    people = e.people;
    limits = e.limits;
    $("nick").maxLength = limits.nick;
    if (e.history.length || !$("log").childElementCount) {
      $("log").replaceChildren();
      e.history.forEach(show);
    }
    note(you === wanted ? `you are in #${e.room}` : `you are in #${e.room} as ${you}`);
    listPeople();
    update();
    if (matchMedia("(hover: hover)").matches) $("text").focus(); // else the keyboard would come up
  },
  message: show,
  join(e) {
    if (people.includes(e.nick)) return;
    people.push(e.nick);
    listPeople();
    if (!e.resumed) note(`${e.nick} came in`, e.time);
  },
  leave(e) {
    people = people.filter((p) => p !== e.nick);
    listPeople();
    note(`${e.nick} left`, e.time);
  },
  rename(e) {
    people = people.map((p) => (p === e.nick ? e.to : p));
    if (you === e.nick) wanted = you = remembered(e.to);
    listPeople();
    note(`${e.nick} is now ${e.to}`, e.time);
  },
  error: (e) => note(e.text, undefined, "error"),
};

// What is to be seen.

// element makes one with classes and text, or children.
function element(name, classes, ...children) {
  const e = document.createElement(name);
  e.className = classes;
  e.append(...children);
  return e;
}

// color is a name's own, the same on every page.
function color(name) {
  let hash = 0;
  for (const c of name) hash = (hash * 31 + c.codePointAt(0)) | 0;
  return String(((hash % 360) + 360) % 360);
}

function clock(time) {
  const e = element("time", "", new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  e.dateTime = new Date(time).toISOString();
  return e;
}

function show(e) {
  const item = element("li", e.nick === you ? "message mine" : "message");
  const last = $("log").lastElementChild;
  const follows = last?.dataset.nick === e.nick && e.time - last.dataset.time < 120_000;
  item.dataset.nick = e.nick;
  item.dataset.time = e.time;
  if (follows) item.classList.add("follows");
  const who = element("b", "", e.nick);
  who.style.setProperty("--hue", color(e.nick));
  item.append(element("p", "head", who, clock(e.time)), element("p", "body", ...linked(e.text)));
  add(item);
}

// linked makes links of the addresses in a text.
function linked(text) {
  return text.split(/(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]}'])/).map((part, i) => {
    if (i % 2 === 0) return part;
    const a = element("a", "", part);
    a.href = part;
    a.target = "_blank";
    a.rel = "noreferrer noopener";
    return a;
  });
}

function note(text, time, kind = "") {
  const item = element("li", `note ${kind}`, text);
  if (time) item.append(" ", clock(time));
  add(item);
}

// add keeps the newest in view of who was at the end.
function add(item) {
  const s = $("scroll");
  const atEnd = s.scrollHeight - s.scrollTop - s.clientHeight < 60;
  $("log").append(item);
  while ($("log").childElementCount > 1000) $("log").firstElementChild.remove();
  if (atEnd || item.classList.contains("mine")) s.scrollTop = s.scrollHeight;
}

function listPeople() {
  const items = people.map((name) => {
    const item = element("li", name === you ? "you" : "", name);
    item.style.setProperty("--hue", color(name));
    return item;
  });
  $("names").replaceChildren(...items);
  $("toggle").textContent = `${people.length} here`;
}

function update() {
  $("send").disabled = !joined || $("text").value.trim() === "";
  document.title = joined ? `#${room}` : `#${room} …`;
}

// What people do.

function ask(problem) {
  connection = null;
  $("problem").textContent = problem ?? "";
  $("problem").hidden = !problem;
  $("nick").value = wanted;
  $("place").value = room;
  $("join").showModal();
}

$("join").addEventListener("cancel", (e) => e.preventDefault()); // there is nothing behind it yet
$("join").addEventListener("submit", () => {
  wanted = remembered($("nick").value.trim()) || $("nick").value.trim();
  if ($("place").value !== room) location.assign($("place").value);
  else start();
});

$("say").addEventListener("submit", (e) => {
  e.preventDefault();
  const text = $("text").value.trim();
  if (!text || !joined) return;
  if ([...text].length > limits.text) return note(`at most ${limits.text} characters`, undefined, "error");
  const nick = text.match(/^\/nick\s+(.+)/)?.[1];
  if (connection?.send(nick ? { nick } : { text })) $("text").value = "";
  update();
});

$("text").addEventListener("input", update);
$("text").addEventListener("keydown", (e) => {
  if (e.key !== "Enter" || e.shiftKey || e.isComposing) return;
  e.preventDefault();
  $("say").requestSubmit();
});
$("toggle").addEventListener("click", () => {
  const open = document.body.classList.toggle("people");
  $("toggle").setAttribute("aria-expanded", String(open));
});

$("room").textContent = `#${room}`;
if (wanted) start();
else ask();
update();
