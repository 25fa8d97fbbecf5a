package host_test

import (
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/host"
)

// A plugin that is down says to everyone that it is, and when to ask again:
// upgrades, plain requests, and those that it would have no answer to itself.
func TestDown(t *testing.T) { eachWaits(t, testDown) }

func testDown(t *testing.T, on transport) {
	const get, post = "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
	upgrade := handshake("GET / HTTP/1.1")
	for _, tt := range []struct {
		name, trap, last string // last is sent to a session
	}{
		{"trap_in_http", get, ""},
		{"trap_in_recv", upgrade, "bad!"}, // it has nothing to say to HTTP
	} {
		t.Run(tt.name, func(t *testing.T) {
			waits(t)
			plugin := failing(wat(t, tt.name))
			plugin.Route = "/"
			s := on.serve(t, host.Limits{}, plugin)
			for traps, late := 0, time.Now().Add(patience); traps < 6; { // then the pause is 1.6 s
				if time.Now().After(late) {
					t.Fatalf("%d failures in %v, want 6", traps, patience)
				}
				p := s.dial(t)
				p.write([]byte(tt.trap))
				if a := p.answer("GET"); a.Status == 503 {
					continue
				}
				traps++
				if tt.last != "" {
					p.text(tt.last)
					p.wantClose(1011)
				}
			}
			for _, request := range []string{upgrade, get, post} {
				s.wantDown(t, request, "2")
			}
		})
	}
	t.Run("from the start", func(t *testing.T) {
		s := on.serve(t, host.Limits{}, host.Plugin{Name: "down", Route: "/", Module: []byte("none")}, echo(t, ""))
		for _, request := range []string{upgrade, get, post} {
			s.wantDown(t, request, "60")
		}
	})
}

// wantDown sends a request to a plugin that will not be up for that many seconds.
func (s *server) wantDown(t *testing.T, request, after string) {
	t.Helper()
	p := s.dial(t)
	p.write([]byte(request))
	if a := p.answer("GET"); a.Status != 503 || a.Header.Get("Retry-After") != after {
		t.Errorf("%.15q: got %s %q, Retry-After %q, want 503 and %s", request, a.Line, a.Body, a.Header.Get("Retry-After"), after)
	}
}

// While a lane has no instance, the plugin's other lanes get what is new.
func TestDownLane(t *testing.T) {
	plugin := failing(wat(t, "trap_in_recv"))
	plugin.Lanes = 2
	s := auto.serveAdmin(t, unchanged, plugin)
	down := func() float64 { return s.samples(t)[`yimmo_plugin_instances{plugin="trap_in_recv",state="down"}`] }
	for traps := 0; down() == 0; traps++ { // until the pauses are long enough to be seen
		if traps > 10 {
			t.Fatalf("%d failures, and no lane is down", traps)
		}
		p := s.open(t, "/trap_in_recv")
		p.text("bad!")
		p.wantEnd(1011)
	}
	for range 4 {
		s.open(t, "/trap_in_recv").alive()
	}
}
