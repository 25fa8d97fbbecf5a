package host_test

import (
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// A handshake that is refused is counted by its reason, and logged in a line that
// says it, whoever refuses it: the host, its door or net/http.
func TestRefusalsTold(t *testing.T) { eachTransport(t, testRefusalsTold) }

func testRefusalsTold(t *testing.T, on transport) {
	echoes, pages := wat(t, "witness"), wat(t, "counts")
	echoes.Name, pages.RequireOrigin = "echo", true
	s := on.serveAdmin(t, unchanged, echoes, pages, wat(t, "refuses"))
	tests := []struct {
		name    string
		request string
		status  int
		metric  string // without its name
		reason  string // in the log
	}{
		{"no key", handshake("-Sec-WebSocket-Key"), 400, `plugin="echo",result="key"`, "the handshake's Sec-WebSocket-Key"},
		{"bad key", handshake("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA"), 400, `plugin="echo",result="key"`, "the handshake's Sec-WebSocket-Key"},
		{"two keys", handshake("+Sec-WebSocket-Key: " + rawws.Key), 400, `plugin="echo",result="key"`, "the handshake's Sec-WebSocket-Key"},
		{"no version", handshake("-Sec-WebSocket-Version"), 426, `plugin="echo",result="version"`, "the handshake is not of version 13"},
		{"version 8", handshake("Sec-WebSocket-Version: 8"), 426, `plugin="echo",result="version"`, "the handshake is not of version 13"},
		{"HTTP/1.0", handshake("GET /echo HTTP/1.0"), 400, `plugin="echo",result="http_version"`, "the handshake is not of HTTP/1.1"},
		{"no connection", handshake("-Connection"), 400, `plugin="echo",result="connection"`, "the handshake's Connection header lacks Upgrade"},
		{"body", handshake("Content-Length: 5") + "hello", 400, `plugin="echo",result="upgrade_body"`, "the handshake has a body"},
		{"body in chunks", handshake("Transfer-Encoding: chunked") + "0\r\n\r\n", 400, `plugin="echo",result="upgrade_body"`, "the handshake has a body"},
		{"POST", handshake("POST /echo HTTP/1.1"), 405, `plugin="echo",result="method"`, "nobody answers this method"},
		{"another origin", handshake("Origin: http://evil.example.com"), 403, `plugin="echo",result="origin"`, "this origin"},
		{"no origin", handshake("GET /counts HTTP/1.1"), 403, `plugin="counts",result="origin"`, "this origin"},
		{"fields", handshake("Sec-WebSocket-Protocol: " + strings.Repeat("a,", 7<<10)), 431, `plugin="echo",result="headers"`, "the headers are more than"},
		{"refused by the plugin", handshake("GET /refuses HTTP/1.1"), 403, `plugin="refuses",result="plugin"`, "refused by the plugin"},

		{"another path", handshake("GET /elsewhere HTTP/1.1"), 404, `reason="route"`, "no plugin has this path"},
		{"no host", handshake("-Host"), 400, `reason="request"`, "not a request of HTTP/1.1"},
		{"two hosts", handshake("+Host: h"), 400, `reason="request"`, "not a request of HTTP/1.1"},
		{"header that is none", handshake("X Y: 1"), 400, `reason="request"`, "not a request of HTTP/1.1"},
		{"two lengths", handshake("Content-Length: 1", "+Content-Length: 2"), 400, `reason="request"`, "not a request of HTTP/1.1"},
		{"HTTP/2", handshake("GET /echo HTTP/2.0"), 505, `reason="request"`, "not a request of HTTP/1.1"},
		{"too long", handshake("X: " + strings.Repeat("x", 64<<10)), 431, `reason="request"`, "not a request of HTTP/1.1"},
	}
	want := map[string]float64{}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := s.dial(t)
			p.write([]byte(tt.request))
			if a := p.answer("GET"); a.Status != tt.status {
				t.Errorf("got %s %q, want %d", a.Line, a.Body, tt.status)
			}
			p.Close()
			name := "yimmo_connections_refused_total{" + tt.metric + "}"
			if strings.HasPrefix(tt.metric, "plugin=") {
				name = "yimmo_ws_connections_total{" + tt.metric + "}"
			}
			want[name]++
			s.wantSamples(t, want)
			if n := s.refusals(t); n != float64(i+1) {
				t.Errorf("%v are counted, want %d", n, i+1)
			}
			s.log.wait(t, "connection refused: "+tt.reason)
		})
	}
	t.Run("a flood", func(t *testing.T) {
		before := strings.Count(s.log.String(), "refusal=version")
		for range 50 {
			p := s.dial(t)
			p.write([]byte(handshake("Sec-WebSocket-Version: 8")))
			p.answer("GET")
			p.Close()
		}
		if n := strings.Count(s.log.String(), "refusal=version") - before; n > 10 {
			t.Errorf("%d lines in the log, want a few", n)
		}
	})
}

// refusals are all that the host has counted.
func (s *server) refusals(t *testing.T) (n float64) {
	for name, v := range s.samples(t) {
		if strings.HasPrefix(name, "yimmo_connections_refused_total") ||
			strings.HasPrefix(name, "yimmo_ws_connections_total") && !strings.Contains(name, `result="accepted"`) {
			n += v
		}
	}
	return n
}
