package host_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host"
)

// Who is refused because of a body learns it before the body is there, and cannot
// keep the connection by never sending it.
func TestRefusedBody(t *testing.T) { eachTransport(t, testRefusedBody) }

func testRefusedBody(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{Body: 4096, MessageTime: 100 * time.Millisecond}, wat(t, "witness"), wat(t, "trap_in_recv"))
	upgrade := func(changes ...string) string { return handshake(append(changes, "GET /witness HTTP/1.1")...) }
	tests := []struct {
		name    string
		request string
		status  int
		reason  string
	}{
		{"upgrade with a length", upgrade("Content-Length: 5"), 400, "no body"},
		{"upgrade with chunks", upgrade("Transfer-Encoding: chunked"), 400, "no body"},
		{"upgrade by POST", handshake("POST /witness HTTP/1.1", "Content-Length: 5"), 405, "GET"},
		{"length too large", "POST /witness HTTP/1.1\r\nHost: h\r\nContent-Length: 4097\r\n\r\n", 413, "4096"},
		{"length too large, 100-continue", "POST /witness HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 50000\r\n\r\n", 413, "4096"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := s.dial(t)
			p.write([]byte(tt.request))
			a := p.answer("POST")
			if a.Status != tt.status || !strings.Contains(a.Body, tt.reason) || a.Header.Get("Connection") != "close" {
				t.Errorf("got %s %q, Connection: %q, want %d and %q, close", a.Line, a.Body, a.Header.Get("Connection"), tt.status, tt.reason)
			}
			p.wantCut()
		})
	}
}

// What came of a body is not its end: a plugin must not take a cut request for a
// whole one.
func TestBodyCut(t *testing.T) { eachTransport(t, testBodyCut) }

func testBodyCut(t *testing.T, on transport) {
	for name, request := range map[string]string{
		"length":  "Content-Length: 10\r\n\r\nhello",
		"chunked": "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
	} {
		for _, tt := range gone {
			t.Run(name+", "+tt.name, func(t *testing.T) {
				s := on.serve(t, host.Limits{}, wat(t, "witness"))
				w := s.watch(t)
				p := s.dial(t)
				p.write([]byte("POST /witness HTTP/1.1\r\nHost: h\r\n" + request))
				w.next(abi.EventHTTPRequest)
				tt.act(p)
				for e := w.event(); e.Kind != abi.EventHTTPGone; e = w.event() {
					if e.Kind == abi.EventHTTPBody && e.Flags&abi.FlagEnd != 0 {
						t.Fatalf("got the end of the body after %q, want gone", e.payload)
					}
				}
			})
		}
	}
}

// Who does not send a body to its end is told so and cut, whether the plugin
// takes bodies or not.
func TestSlowBody(t *testing.T) { eachTransport(t, testSlowBody) }

func testSlowBody(t *testing.T, on transport) {
	waits(t)
	s := on.serve(t, host.Limits{MessageTime: 100 * time.Millisecond}, wat(t, "witness"), wat(t, "trap_in_recv"))
	w := s.watch(t)
	p := s.dial(t)
	p.write([]byte("POST /witness HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello"))
	if a := p.answer("POST"); a.Status != 408 {
		t.Errorf("got %s, want 408", a.Line)
	}
	p.wantCut()
	for e := w.event(); e.Kind != abi.EventHTTPGone; e = w.event() {
		if e.Flags&abi.FlagEnd != 0 {
			t.Errorf("got %v, want no end", e)
		}
	}
	p = s.dial(t)
	p.write([]byte("POST /trap_in_recv HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello"))
	p.wantCut()
}

// Bodies that are under way have a part of the guest's memory together: who would
// take more is told to come again, and one alone may have what a body may.
func TestBodiesAtOnce(t *testing.T) { eachTransport(t, testBodiesAtOnce) }

func testBodiesAtOnce(t *testing.T, on transport) {
	const size = 300 << 10
	kept := map[uint64]int{}
	keeps := inGo("keeps", func(g *native, e abi.Event, payload string) {
		if e.Kind != abi.EventHTTPBody {
			return
		}
		if kept[e.ID] += len(payload); kept[e.ID] == size-1 {
			g.log("almost")
		}
		if e.Flags&abi.FlagEnd != 0 {
			g.head(e.ID, abi.FlagEnd, 204)
		}
	})
	keeps.Memory = 1 << 20 // of which bodies may have a quarter
	s := on.serveAdmin(t, unchanged, keeps)
	begin := func(size int) *peer {
		p := s.dial(t)
		p.write(fmt.Appendf(nil, "POST /keeps HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", size))
		return p
	}
	body := []byte(strings.Repeat("b", size))
	for round := range 3 {
		first := begin(size)
		first.write(body[1:])
		s.log.waitTimes(t, "msg=almost", round+1)
		for _, size := range []int{size, 1} {
			p := begin(size)
			p.Write(body[:size]) // not all of it may be taken
			if a := p.answer("POST"); a.Status != 503 || a.Header.Get("Retry-After") == "" {
				t.Errorf("%d bytes beside it: got %+v, want 503", size, a)
			}
			p.Close()
		}
		first.write(body[:1])
		if a := first.answer("POST"); a.Status != 204 {
			t.Errorf("first: got %s, want 204", a.Line)
		}
		first.Close()
	}
	s.wantSamples(t, map[string]float64{`yimmo_http_requests_failed_total{plugin="keeps",reason="bodies"}`: 6})
}
