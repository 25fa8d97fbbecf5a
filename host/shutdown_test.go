package host_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/leak"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// Lines of witness about closes with 1001 by the host, answered or not, and about its end.
const (
	loggedClean   = "msg=0583e903"
	loggedUnclean = "msg=0503e903"
	loggedStop    = "msg=02000000"
)

// shutdown begins to shut the host down; the function it returns waits for the end.
func (s *server) shutdown(t testing.TB, want error) (wait func()) {
	done := make(chan struct{})
	go func() { defer close(done); s.stop(t, want) }()
	return func() { <-done }
}

// Shutdown says 1001 to every session and waits for the answers; plugins hear of
// each close and of their own end; then nothing is left.
func TestShutdown(t *testing.T) { eachTransport(t, testShutdown) }

func testShutdown(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{}, wat(t, "witness"), echo(t, ""))
	var peers []*peer
	for i := range 40 {
		peers = append(peers, s.open(t, []string{"/witness", "/echo"}[i%2]))
		peers[i].alive()
	}
	wait := s.shutdown(t, nil)
	for _, p := range peers {
		for f := p.frame(); ; f = p.frame() {
			if f.Flags == 0x82 {
				continue // the first on /witness is told of the others
			}
			if code, ok := closeCode(f); !ok || code != 1001 {
				t.Fatalf("got %v, want close 1001", f)
			}
			break
		}
		p.text("too late")
		p.close(1001)
		p.wantEOF()
		p.Close() // else the host would wait for that
	}
	wait()
	s.log.balanced(t, 20)
	log := s.log.String()
	if n := strings.Count(log, loggedClean); n != 20 {
		t.Errorf("log: got %d clean closes with 1001, want 20", n)
	}
	if strings.Count(log, loggedStop) != 1 || strings.LastIndex(log, loggedStop) < strings.LastIndex(log, loggedClean) {
		t.Error("log: the stop event must be the last that the guest hears")
	}
	if c, err := net.Dial("tcp", s.addr); err == nil {
		c.Close()
		t.Error("the port still answers")
	}
}

// Peers that never answer end with the time for closing handshakes, without force.
func TestShutdownSilentPeers(t *testing.T) { eachWaits(t, testShutdownSilentPeers) }

func testShutdownSilentPeers(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{CloseTime: 50 * time.Millisecond}, wat(t, "witness"))
	p, q := s.open(t, "/witness"), s.open(t, "/witness")
	q.alive()
	s.stop(t, nil)
	q.wantClose(1001)
	q.wantEOF()
	p.wantCut()
	s.log.balanced(t, 2)
	if n := strings.Count(s.log.String(), loggedUnclean); n != 2 {
		t.Errorf("log: got %d closes with 1001, not clean, want 2", n)
	}
}

// What does not end in time is cut, and the error says so.
func TestShutdownForced(t *testing.T) { eachWaits(t, testShutdownForced) }

func testShutdownForced(t *testing.T, on transport) {
	for name, limits := range map[string]host.Limits{
		"drain":   {CloseTime: time.Minute, Drain: 50 * time.Millisecond},
		"context": {CloseTime: time.Minute, Drain: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			s := on.serve(t, limits, wat(t, "witness"), wat(t, "never_answers"), wat(t, "holds"))
			p := s.open(t, "/witness")
			p.alive()
			request := s.dial(t)
			request.write([]byte("GET /never_answers HTTP/1.1\r\nHost: h\r\n\r\n"))
			s.log.wait(t, "asked")
			held := s.dial(t)
			held.write(rawws.Handshake(s.addr, "/holds"))
			half := s.dial(t)
			half.write([]byte("GET / HTTP/1.1\r\n"))

			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if name == "context" {
				cancel()
			}
			s.over = true
			if err := s.Shutdown(ctx); !errors.Is(err, host.ErrForced) {
				t.Errorf("Shutdown: got %v, want ErrForced", err)
			}
			if err := <-s.served; err != nil {
				t.Errorf("Serve: got %v, want nil", err)
			}
			for _, p := range []*peer{p, request, held, half} {
				p.wantCut()
			}
			s.log.balanced(t, 1)
			if n := strings.Count(s.log.String(), loggedUnclean); n != 1 {
				t.Errorf("log: got %d closes with 1001, not clean, want 1", n)
			}
		})
	}
}

// An upgrade that is not decided yet is turned away.
func TestShutdownHeldUpgrade(t *testing.T) {
	s := auto.serve(t, host.Limits{CloseTime: 200 * time.Millisecond}, wat(t, "holds"), wat(t, "never_answers"))
	p := s.dial(t)
	p.write(rawws.Handshake(s.addr, "/holds"))
	// A second connection that got an answer shows that the first one's request,
	// sent before, is under way as well; if it is not, it is refused all the same.
	q := s.dial(t)
	q.write([]byte("GET /holds HTTP/1.1\r\nHost: h\r\n\r\n"))
	q.answer("GET")
	wait := s.shutdown(t, nil)
	if a, err := p.ReadAnswer("GET"); err == nil && a.Status != 503 {
		t.Errorf("got %s, want 503 or the end of the connection", a.Line)
	}
	wait()
}

// Plain requests that have no end do not hold up that of the host for long, nor
// does it take force.
func TestShutdownRequests(t *testing.T) { eachWaits(t, testShutdownRequests) }

func testShutdownRequests(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{CloseTime: 200 * time.Millisecond}, room())
	stream, poll := s.dial(t), s.dial(t)
	stream.write([]byte("GET /room/events HTTP/1.1\r\nHost: h\r\n\r\n"))
	s.log.wait(t, "msg=streaming")
	poll.write([]byte("GET /room/ HTTP/1.1\r\nHost: h\r\n\r\n"))
	s.log.wait(t, "msg=polling")
	s.stop(t, nil)
	if a := poll.answer("GET"); a.Status != 503 || !strings.Contains(a.Body, "going away") {
		t.Errorf("got %s %q, want 503 and why", a.Line, a.Body)
	}
	if all, _ := stream.Rest(); !strings.HasPrefix(string(all), "HTTP/1.1 200 ") || strings.HasSuffix(string(all), "0\r\n\r\n") {
		t.Errorf("got %q, want an answer that is cut short", all)
	}
	for _, path := range []string{"/room/", "/room/events"} {
		s.log.wait(t, "gone from "+path)
	}
}

// A guest that traps on its way out does not hold up the end.
func TestShutdownTrap(t *testing.T) { eachWaits(t, testShutdownTrap) }

func testShutdownTrap(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{CloseTime: 100 * time.Millisecond}, failing(wat(t, "trap_in_close")))
	var peers []*peer
	for range 10 {
		p := s.open(t, "/trap_in_close")
		p.alive()
		peers = append(peers, p)
	}
	wait := s.shutdown(t, nil)
	for _, p := range peers {
		p.wantClose(1001)
		p.Write(rawws.AppendFrame(nil, rawws.Frame{Flags: 0x88, Payload: rawws.ClosePayload(1001, "")}))
		p.wantCut()
	}
	wait()
}

// A host that was never served still ends, and leaves nothing.
func TestShutdownUnserved(t *testing.T) {
	leak.Check(t)
	log := newLogbook(t)
	h, err := host.New(t.Context(), config(log, host.Limits{}, wat(t, "witness")))
	if err != nil {
		t.Fatal(err)
	}
	c, err := rawws.Dial(h.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write(rawws.Handshake("h", "/witness"))
	if err := h.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: got %v, want nil", err)
	}
	c.Patience = patience
	(&peer{c, t}).wantCut()
}

// A plugin that does not start leaves its route at 503; the others serve.
func TestPluginDoesNotStart(t *testing.T) {
	broken := host.Plugin{Name: "broken", Module: []byte("\x00asm\x01\x00\x00\x00")}
	missing := host.Plugin{Name: "missing", Path: "testdata/guests/no_such.wasm"}
	s := auto.serve(t, host.Limits{}, broken, echo(t, ""), missing)
	for _, route := range []string{"/broken", "/missing"} {
		for _, request := range []string{string(rawws.Handshake("h", route)), "GET " + route + " HTTP/1.1\r\nHost: h\r\n\r\n"} {
			p := s.dial(t)
			p.write([]byte(request))
			if a := p.answer("GET"); a.Status != 503 || a.Header.Get("Retry-After") == "" {
				t.Errorf("%.30q: got %s, Retry-After %q, want 503 with one", request, a.Line, a.Header.Get("Retry-After"))
			}
		}
	}
	p := s.open(t, "/echo")
	p.text("hello")
	p.wantText("hello")
	p.leave()
	for _, want := range []string{"plugin=broken", "plugin=missing", "no_such.wasm"} {
		if !strings.Contains(s.log.String(), want) {
			t.Errorf("log: want %q in it", want)
		}
	}
}

// New says why there is no host, and leaves nothing behind then.
func TestNewFails(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	broken := host.Plugin{Name: "broken", Module: []byte("\x00asm\x01\x00\x00\x00")}
	tests := []struct {
		name   string
		change func(c *host.Config)
		want   string
		is     error
	}{
		{"port taken", func(c *host.Config) { c.Listen = taken.Addr().String() }, "address already in use", nil},
		{"no address", func(c *host.Config) { c.Listen = "nonsense" }, "listen", nil},
		{"no plugin", func(c *host.Config) { c.Plugins = nil }, "plugin", nil},
		{"two of one name", func(c *host.Config) { c.Plugins = append(c.Plugins, c.Plugins[0]) }, "rename", nil},
		{"no plugin starts", func(c *host.Config) { c.Plugins = []host.Plugin{broken} }, "plugin broken", host.ErrNoPlugin},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			leak.Check(t)
			c := config(newLogbook(t), host.Limits{}, wat(t, "witness"))
			tt.change(&c)
			h, err := host.New(t.Context(), c)
			if err == nil {
				h.Shutdown(t.Context())
				t.Fatal("got a host, want an error")
			}
			if !strings.Contains(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("got %q, want %q in it", err, tt.want)
			}
		})
	}
}
