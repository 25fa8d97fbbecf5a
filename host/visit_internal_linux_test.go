package host

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

// A client that says no more than it must, and a browser.
const (
	plainHead = "GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

	browserHead = "GET /chat?room=1 HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nPragma: no-cache\r\n" +
		"Cache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\nUpgrade: websocket\r\n" +
		"Origin: http://example.com\r\nSec-WebSocket-Version: 13\r\nAccept-Encoding: gzip, deflate\r\n" +
		"Accept-Language: en\r\nCookie: id=8f2c\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
		"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
)

// hall is a host of which only the routes exist, and what the door needs.
type hall struct {
	*Host
	parser *headParser
}

func newHall() *hall {
	h := &Host{log: slog.New(slog.DiscardHandler)}
	h.gate = newGate(&h.cfg.Limits, h.log, &h.refusals, &h.tally)
	h.plugins = []*plugin{{host: h, log: h.log, cfg: &Plugin{Route: "/chat"}}}
	h.mux = h.routes()
	return &hall{h, newHeadParser()}
}

// read returns the request of a head if the door is to take it.
func (p *headParser) read(in string) *http.Request {
	var h head
	h.scan([]byte(in))
	r, _ := p.parse(&h, []byte(in))
	return r
}

// visit does what there is to do for a handshake but for sockets and lanes.
func (h *hall) visit(t testing.TB, dst []byte, head string, d lane.Decision) []byte {
	r := h.parser.read(head)
	if r == nil {
		t.Fatalf("parse(%q): got nil", head)
	}
	found, _ := h.mux.Handler(r)
	p, ok := found.(*plugin)
	if !ok || checkHandshake(r, p.cfg) != nil {
		t.Fatalf("%q: not a handshake for the plugin", head)
	}
	v := newVisit()
	v.plugin, v.req, v.Session = p, r, 1
	v.Fields = appendRequest(v.Fields[:0], r, true)
	dst = v.answer(dst, d)
	if d.Session != 0 {
		v.opened(false)
	}
	return dst
}

// What the lane's decision looks like to the client.
func TestVisitAnswer(t *testing.T) {
	fields := func(pairs ...string) abi.Fields {
		b := abi.AppendFields(nil)
		for i := 0; i < len(pairs); i += 2 {
			b = abi.AppendField(b, 0, pairs[i], pairs[i+1])
		}
		f, err := abi.ParseFields(b)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	const accepted = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
	tests := []struct {
		name     string
		decision lane.Decision
		want     string
	}{
		{"accepted", lane.Decision{Session: 1}, accepted + "\r\n"},
		{"accepted with a subprotocol and a header", lane.Decision{Session: 1, Fields: fields(":protocol", "chat", "x-room", "7")},
			accepted + "Sec-WebSocket-Protocol: chat\r\nX-Room: 7\r\n\r\n"},
		{"accepted with much to say", lane.Decision{Session: 1, Fields: fields("x-long", strings.Repeat("x", 4096))},
			accepted + "X-Long: " + strings.Repeat("x", 4096) + "\r\n\r\n"},
		{"refused", lane.Decision{Status: 403, Body: []byte("members only")},
			"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 12\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nmembers only"},
		{"refused with headers", lane.Decision{Status: 302, Fields: fields("location", "/login", "content-type", "text/html")},
			"HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\nContent-Type: text/html\r\nLocation: /login\r\n\r\n"},
		{"not modified has no body", lane.Decision{Status: 304, Body: []byte("x")},
			"HTTP/1.1 304 Not Modified\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"},
		{"status without a name", lane.Decision{Status: 599}, "HTTP/1.1 599 status code 599\r\nConnection: close\r\nContent-Length: 0\r\n" +
			"Content-Type: text/plain; charset=utf-8\r\n\r\n"},
		{"plugin is down", lane.Decision{Err: lane.ErrDown}, "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 26\r\n" +
			"Content-Type: text/plain; charset=utf-8\r\nRetry-After: 1\r\nX-Content-Type-Options: nosniff\r\n\r\nthe plugin is not running\n"},
	}
	h := newHall()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 2 { // the second has what the first used
				got := string(h.visit(t, []byte("before"), plainHead, tt.decision))
				got, ok := strings.CutPrefix(got, "before")
				if before, after, dated := strings.Cut(got, "Date: "); dated {
					date, rest, _ := strings.Cut(after, "\r\n")
					if _, err := http.ParseTime(date); err != nil {
						t.Errorf("date: %v", err)
					}
					got = before + rest
				} else if tt.decision.Session == 0 {
					t.Error("no date, RFC 9110 section 6.6.1")
				}
				if !ok || got != tt.want {
					t.Errorf("got\n%q, want\n%q", got, tt.want)
				}
			}
		})
	}
}

// What is not a handshake in good form is left to net/http.
func TestHandshakeOrNot(t *testing.T) {
	p := newHeadParser()
	if p.read(plainHead) == nil || p.read(browserHead) == nil {
		t.Fatal("parse: got nil, want a request")
	}
	for name, change := range map[string][2]string{
		"no host":              {"Host: example.com\r\n", ""},
		"empty host":           {"Host: example.com", "Host:"},
		"two hosts":            {"Host: example.com", "Host: example.com\r\nHost: example.com"},
		"bad host":             {"Host: example.com", "Host: exa mple.com"},
		"absolute form":        {"GET /chat", "GET http://example.com/chat"},
		"HTTP/2":               {"HTTP/1.1", "HTTP/2.0"},
		"no version":           {" HTTP/1.1", ""},
		"upgrade to h2c":       {"websocket", "h2c"},
		"expectation":          {"Host", "Expect: 100-continue\r\nHost"},
		"NUL in a value":       {"example.com", "example.com\r\nX: \x00"},
		"space before a colon": {"Upgrade:", "Upgrade :"},
		"no colon":             {"Upgrade:", "Upgrade"},
		"line without a name":  {"Upgrade:", ": x\r\nUpgrade:"},
	} {
		head := strings.Replace(plainHead, change[0], change[1], 1)
		if r := p.read(head); r != nil || head == plainHead {
			t.Errorf("%s: parse(%q): got %+v, want nil", name, head, r)
		}
	}
}

// Budget of the handshake: what net/http allocates for a request, gorilla for a
// connection, and a little of ours: 29 and 53, and some more under the race
// detector, which makes pools forgetful.
func TestVisitAllocations(t *testing.T) {
	h := newHall()
	var dst []byte
	for _, tt := range []struct {
		name, head string
		budget     float64
	}{{"plain", plainHead, 36}, {"browser", browserHead, 60}} {
		got := testing.AllocsPerRun(100, func() { dst = h.visit(t, dst[:0], tt.head, lane.Decision{Session: 1}) })
		if got > tt.budget {
			t.Errorf("%s: got %v allocations, want at most %v", tt.name, got, tt.budget)
		}
	}
}

func BenchmarkVisit(b *testing.B) {
	h := newHall()
	for name, head := range map[string]string{"plain": plainHead, "browser": browserHead} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var dst []byte
			for b.Loop() {
				dst = h.visit(b, dst[:0], head, lane.Decision{Session: 1})
			}
		})
	}
}
