package host_test

import (
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host"
)

// Every plain request that gets no answer of its plugin, or not all of it, is
// counted and logged by its reason.
func TestUnanswered(t *testing.T) { eachTransport(t, testUnanswered) }

func testUnanswered(t *testing.T, on transport) {
	waits(t)
	odd := inGo("odd", func(g *native, e abi.Event, payload string) {
		if e.Kind != abi.EventHTTPRequest {
			return
		}
		fields, _ := abi.ParseFields([]byte(payload))
		switch path, _ := fields.Get(abi.FieldPath); string(path) {
		case "/odd/much":
			g.head(e.ID, 0, 200)
			for range 40 { // faster than anybody fetches it
				g.body(e.ID, 0, strings.Repeat("x", 32<<10))
			}
		case "/odd/begun":
			g.head(e.ID, abi.FlagFlush, 200)
			g.log("begun")
		}
	})
	odd.Route = "/odd/"
	down := host.Plugin{Name: "down", Module: []byte("none")}
	s := on.serveAdmin(t, func(c *host.Config) {
		c.Limits.Body, c.Limits.Queue = 4096, 64<<10
		c.Limits.MessageTime, c.Limits.Answer = 200*time.Millisecond, 200*time.Millisecond
	}, odd, down, wat(t, "trap_in_http"))
	const end = " HTTP/1.1\r\nHost: h\r\n"
	tests := []struct {
		request string
		status  int
		plugin  string
		reason  string
	}{
		{"GET /odd/never" + end + "\r\n", 504, "odd", "undecided"},
		{"POST /odd/" + end + "Content-Length: 4097\r\n\r\n", 413, "odd", "body_size"},
		{"POST /odd/" + end + "Content-Length: 4096\r\n\r\n", 408, "odd", "body_time"},
		{"POST /odd/" + end + "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400, "odd", "body"},
		{"GET /odd/much" + end + "\r\n", 0, "odd", "queue"},
		{"GET /odd/begun" + end + "\r\n", 0, "odd", "gone"},
		{"GET /down" + end + "\r\n", 503, "down", "down"},
		{"GET /trap_in_http" + end + "\r\n", 500, "trap_in_http", "failed"},
	}
	want := map[string]float64{}
	for _, tt := range tests {
		p := s.dial(t)
		p.write([]byte(tt.request))
		if tt.status != 0 {
			if a := p.answer("GET"); a.Status != tt.status {
				t.Errorf("%q: got %s, want %d", tt.request, a.Line, tt.status)
			}
		} else if tt.reason == "gone" {
			s.log.wait(t, "msg=begun")
			p.Close()
		}
		want[`yimmo_http_requests_failed_total{plugin="`+tt.plugin+`",reason="`+tt.reason+`"}`] = 1
		want[`yimmo_http_requests_total{plugin="`+tt.plugin+`"}`]++
	}
	s.wantSamples(t, want)
	s.log.wait(t, `msg="request not answered: the plugin did not answer in time" plugin=odd`)
}
