// A WebSocket that comes back. When it is lost it is tried again after half a
// second, then twice as long each time up to half a minute, less a random part so
// that the pages of a restarted server do not all return at once. A plugin that
// closes with a code of its own, 4000 to 4999, means it: then that was all.

const first = 500;
const longest = 30_000;

// connect opens url() and calls
//
//	on.state(state, seconds)  "connecting", "open", "waiting" so many seconds, "closed"
//	on.message(object)        for each message, which is JSON
//	on.closed(code, reason)   once, when the plugin has closed for good
//
// It returns { send(object), retry(), close() }; send tells whether it could.
export function connect(url, on) {
  let socket = null;
  let failures = 0; // since the last message
  let timer = 0;
  let due = 0;
  let over = false;

  function open() {
    clearTimeout(timer);
    timer = 0;
    on.state("connecting");
    const s = (socket = new WebSocket(url()));
    s.onopen = () => on.state("open");
    s.onmessage = (e) => {
      failures = 0;
      on.message(JSON.parse(e.data));
    };
    s.onclose = (e) => {
      if (s !== socket || over) return;
      socket = null;
      if (e.code >= 4000) {
        over = true;
        on.state("closed");
        on.closed(e.code, e.reason);
        return;
      }
      const delay = Math.min(longest, first * 2 ** failures++) * (1 - Math.random() / 2);
      due = performance.now() + delay;
      wait();
    };
  }

  function wait() {
    const left = due - performance.now();
    if (left <= 0) return open();
    on.state("waiting", Math.ceil(left / 1000));
    timer = setTimeout(wait, left % 1000 || 1000); // once for each second to show
  }

  function retry() {
    if (timer) open();
  }

  addEventListener("online", retry);
  document.addEventListener("visibilitychange", () => document.hidden || retry());
  open();

  return {
    retry,
    send(object) {
      if (socket?.readyState !== WebSocket.OPEN) return false;
      socket.send(JSON.stringify(object));
      return true;
    },
    close() {
      over = true;
      clearTimeout(timer);
      socket?.close(1000);
      on.state("closed");
    },
  };
}

// shown has a button tell the state, and try at once when it is pressed.
export function shown(button, retry) {
  const words = {
    connecting: () => "connecting",
    open: () => "connected",
    waiting: (seconds) => `lost, again in ${seconds} s`,
    closed: () => "not connected",
  };
  button.addEventListener("click", retry);
  const show = (state, seconds) => {
    button.dataset.state = state;
    button.firstElementChild.textContent = words[state](seconds);
  };
  show("closed");
  return show;
}

// here is the WebSocket address of the page itself.
export function here(parameters = {}) {
  const u = new URL(location.pathname, location.href);
  u.protocol = u.protocol.replace("http", "ws");
  u.search = new URLSearchParams(parameters);
  return u.href;
}
