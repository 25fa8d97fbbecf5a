// k6, which teams measure their servers with: a hundred users who talk at once.
import { check } from "k6";
import ws from "k6/ws";

export const options = {
  vus: 50,
  iterations: 200,
  thresholds: { checks: ["rate==1"] },
};

export default function () {
  const wanted = ["Hello!"];
  let got = 0;
  const answer = ws.connect(__ENV.URL, null, (socket) => {
    socket.on("open", () => {
      for (let i = 0; i < 20; i++) {
        wanted.push(`user ${__VU}, message ${i}`);
        socket.send(wanted[i + 1]);
      }
    });
    socket.on("message", (data) => {
      check(data, { "each message comes back, in order": (d) => d === wanted[got] });
      if (++got === wanted.length) socket.close(1000);
    });
    socket.on("error", (err) => check(err, { "no error": () => false }));
    socket.setTimeout(() => socket.close(), 10000);
  });
  check(answer, { "status is 101": (r) => r && r.status === 101 });
  check(got, { "all came back": (n) => n === wanted.length });
}
