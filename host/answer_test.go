package host_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host"
)

// waitingRoom answers a GET when somebody posts, with what was posted, and
// streams what is posted to "/room/events" as server-sent events.
func waitingRoom() reaction {
	var polls, streams []uint64
	paths := map[uint64]string{}
	return func(g *native, e abi.Event, payload string) {
		switch e.Kind {
		case abi.EventHTTPRequest:
			fields, _ := abi.ParseFields([]byte(payload))
			method, _ := fields.Get(abi.FieldMethod)
			path, _ := fields.Get(abi.FieldPath)
			paths[e.ID] = string(path)
			switch {
			case string(method) == "POST":
			case string(path) == "/room/events":
				streams = append(streams, e.ID)
				g.head(e.ID, abi.FlagFlush, 200, "content-type", "text/event-stream")
				g.log("streaming")
			default:
				polls = append(polls, e.ID)
				g.log("polling")
			}
		case abi.EventHTTPBody:
			for _, id := range polls {
				g.head(id, 0, 200)
				g.body(id, abi.FlagEnd, payload)
			}
			for _, id := range streams {
				g.body(id, abi.FlagFlush, "data: "+payload+"\n\n")
			}
			polls = nil
			g.head(e.ID, abi.FlagEnd, 204)
		case abi.EventHTTPGone:
			g.log("gone from " + paths[e.ID])
		}
	}
}

func room() host.Plugin {
	p := inGo("room", waitingRoom())
	p.Route = "/room/"
	return p
}

func (s *server) post(t testing.TB, text string) {
	t.Helper()
	p := s.dial(t)
	p.write(fmt.Appendf(nil, "POST /room/ HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", len(text), text))
	if a := p.answer("POST"); a.Status != 204 {
		t.Errorf("post: got %s, want 204", a.Line)
	}
	p.Close()
}

// A plugin may answer later than it was asked: several clients wait, and others
// are served meanwhile.
func TestLongPoll(t *testing.T) {
	s := auto.serve(t, host.Limits{}, room())
	var waiting []*peer
	for i := range 5 {
		p := s.dial(t)
		p.write([]byte("GET /room/ HTTP/1.1\r\nHost: h\r\n\r\n"))
		waiting = append(waiting, p)
		s.log.waitTimes(t, "msg=polling", i+1)
	}
	s.post(t, "news")
	for _, p := range waiting {
		if a := p.answer("GET"); a.Status != 200 || a.Body != "news" {
			t.Errorf("got %s %q, want 200 news", a.Line, a.Body)
		}
	}
	again := waiting[0] // the connection is kept
	again.write([]byte("GET /room/ HTTP/1.1\r\nHost: h\r\n\r\n"))
	s.log.waitTimes(t, "msg=polling", len(waiting)+1)
	s.post(t, "more")
	if a := again.answer("GET"); a.Body != "more" {
		t.Errorf("got %s %q, want more", a.Line, a.Body)
	}
}

// What a plugin flushes arrives, though its answer has no end; and the plugin
// hears when the client leaves.
func TestServerSentEvents(t *testing.T) {
	s := auto.serve(t, host.Limits{}, room())
	ctx, leave := context.WithTimeout(t.Context(), patience)
	defer leave()
	r, err := http.NewRequestWithContext(ctx, "GET", "http://"+s.addr+"/room/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	a, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	if a.StatusCode != 200 || a.Header.Get("Content-Type") != "text/event-stream" || a.ContentLength != -1 {
		t.Errorf("got %s, %v, want 200 and a stream", a.Status, a.Header)
	}
	lines := bufio.NewReader(a.Body)
	for i := range 10 {
		s.post(t, fmt.Sprint("event ", i))
		want := fmt.Sprintf("data: event %d\n", i)
		if got, err := lines.ReadString('\n'); got != want {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
		lines.ReadString('\n')
	}
	leave()
	s.log.wait(t, "gone from /room/events")
}

// An answer that lasts outlives every limit of time for beginning one.
func TestStreamOutlivesLimits(t *testing.T) {
	waits(t)
	const limit = time.Second
	s := auto.serve(t, host.Limits{
		HeaderTime: limit, HTTPIdle: limit, MessageTime: limit, Answer: limit, WriteTime: limit,
	}, room())
	p := s.dial(t)
	p.write([]byte("GET /room/events HTTP/1.1\r\nHost: h\r\n\r\n"))
	s.log.wait(t, "msg=streaming")
	p.Patience = 2 * limit
	head := make([]byte, 4<<10)
	p.SetReadDeadline(time.Now().Add(patience))
	if n, err := p.Read(head); !strings.HasPrefix(string(head[:n]), "HTTP/1.1 200 ") {
		t.Fatalf("got %q, %v, want the head of an answer", head[:n], err)
	}
	if rest, err := p.Rest(); len(rest) > 0 || err == nil || strings.Contains(err.Error(), "reset") {
		t.Fatalf("got %q, %v, want silence", rest, err)
	}
	s.post(t, "at last")
	p.SetReadDeadline(time.Now().Add(patience))
	if n, err := p.Read(head); !strings.Contains(string(head[:n]), "data: at last") {
		t.Errorf("got %q, %v, want the event", head[:n], err)
	}
}

// The time of a body is no matter of requests without one, however long it takes
// until the plugin is asked.
func TestNoBodyIsNotLate(t *testing.T) { eachTransport(t, testNoBodyIsNotLate) }

func testNoBodyIsNotLate(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{MessageTime: time.Nanosecond}, inGo("late", func(g *native, e abi.Event, _ string) {
		switch e.Kind {
		case abi.EventHTTPRequest:
			g.head(e.ID, 0, 200)
			g.do(abi.Command{Kind: abi.CommandTimerSet, ID: e.ID, Arg: uint64(10 * time.Millisecond)}, "")
		case abi.EventTimer:
			g.body(e.ID, abi.FlagEnd, "done")
		}
	}))
	for range 20 {
		p := s.dial(t)
		p.write([]byte("GET /late HTTP/1.1\r\nHost: h\r\n\r\n"))
		if a, err := p.ReadAnswer("GET"); err != nil || a.Body != "done" {
			t.Fatalf("got %v, %v, want all of the answer", a, err)
		}
		p.Close()
	}
}

// A client that does not read its answer is cut, nothing of it is kept, and
// others do not notice.
func TestAnswerNotRead(t *testing.T) {
	waits(t)
	const size = 12 << 20 // more than the kernel keeps
	tests := []struct {
		name  string
		queue int64
		part  string
	}{
		{"one large part", 2 * size, strings.Repeat("x", size)},
		{"many parts", 2 * size, strings.Repeat("x", 32<<10)},
		{"more than the queue", size / 2, strings.Repeat("x", 32<<10)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := auto.serve(t, host.Limits{Queue: tt.queue, WriteTime: 300 * time.Millisecond}, inGo("big", func(g *native, e abi.Event, _ string) {
				switch e.Kind {
				case abi.EventHTTPRequest:
					g.head(e.ID, 0, 200)
					for sent := 0; sent < size; sent += len(tt.part) {
						g.body(e.ID, 0, tt.part)
					}
					g.log("answered")
				case abi.EventRecv:
					g.send(e.ID, e.Flags, "served")
				case abi.EventHTTPGone:
					g.log("client gone")
				}
			}))
			other := s.open(t, "/big")
			p := s.dial(t)
			p.SetReadBuffer(4 << 10)
			p.write([]byte("GET /big HTTP/1.1\r\nHost: h\r\n\r\n"))
			s.log.wait(t, "msg=answered")
			other.text("?")
			other.wantText("served")
			s.log.wait(t, "client gone")
			other.leave()
		})
	}
	t.Run("requests without end", func(t *testing.T) {
		s := auto.serve(t, host.Limits{WriteTime: 100 * time.Millisecond, Answer: 100 * time.Millisecond, MessageTime: 100 * time.Millisecond}, room())
		p := s.dial(t)
		p.SetReadBuffer(4 << 10)
		requests := strings.Repeat("GET /elsewhere HTTP/1.1\r\nHost: h\r\n\r\n", 1000)
		for late := time.Now().Add(patience); ; {
			p.SetWriteDeadline(late)
			if _, err := io.WriteString(p, requests); err != nil {
				if time.Now().After(late) {
					t.Errorf("still connected after %v", patience)
				}
				return
			}
		}
	})
}
