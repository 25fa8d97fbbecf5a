package host_test

import (
	"context"
	"errors"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/leak"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
	"github.com/yimmo-host/yimmo-host/internal/testguest"
)

// patience is how long a test waits for anything that the host owes it.
const patience = 30 * time.Second

// A server is a host under test, on a port of its own.
type server struct {
	*host.Host
	addr   string
	log    *logbook
	served chan error // what Serve returned
	over   bool
}

// A transport is how a host under test reads and writes its sessions: a value of
// [host.Config.Transport].
type transport string

// auto is for tests that are about something else.
const auto transport = host.TransportAuto

// eachTransport runs a test once for each transport there is.
func eachTransport(t *testing.T, test func(t *testing.T, on transport)) {
	all := []transport{host.TransportStream}
	if runtime.GOOS == "linux" {
		all = append(all, host.TransportPoll)
	}
	for _, on := range all {
		t.Run(string(on), func(t *testing.T) { test(t, on) })
	}
}

// eachWaits is eachTransport for a test that mostly waits.
func eachWaits(t *testing.T, test func(t *testing.T, on transport)) {
	waits(t)
	eachTransport(t, func(t *testing.T, on transport) {
		waits(t)
		test(t, on)
	})
}

// waits marks a test that mostly waits: it runs beside others of its kind when
// those that work have been run.
func waits(t *testing.T) { t.Helper(); leak.Parallel(t) }

// serve starts a host with plugins. It is shut down when t ends, must not need
// force for that, and must leave nothing behind.
func (on transport) serve(t testing.TB, limits host.Limits, plugins ...host.Plugin) *server {
	t.Helper()
	return on.serveWith(t, func(*host.Config) {}, limits, plugins...)
}

// serveConfig is serve for a configuration that change has had a say in.
func serveConfig(t testing.TB, change func(c *host.Config), plugins ...host.Plugin) *server {
	t.Helper()
	return auto.serveWith(t, change, host.Limits{}, plugins...)
}

// serveWith is serve for a configuration that change has had a say in.
func (on transport) serveWith(t testing.TB, change func(*host.Config), limits host.Limits, plugins ...host.Plugin) *server {
	t.Helper()
	leak.Check(t)
	log := newLogbook(t)
	c := config(log, limits, plugins...)
	c.Transport = string(on)
	change(&c)
	h, err := host.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{Host: h, addr: h.Addr().String(), log: log, served: make(chan error, 1)}
	go func() { s.served <- h.Serve() }()
	t.Cleanup(func() {
		if !s.over {
			s.stop(t, nil)
		}
	})
	return s
}

// config is what a host under test gets told. Time for guests is plenty unless
// limits says how much: the tests share a machine with others.
func config(log *logbook, limits host.Limits, plugins ...host.Plugin) host.Config {
	if limits.Turn == 0 {
		limits.Turn = patience
	}
	if limits.Start == 0 {
		limits.Start = patience
	}
	return host.Config{Listen: "127.0.0.1:0", CacheDir: testguest.CacheDir(), TraceDir: "off", Plugins: plugins, Limits: limits, Log: log.logger()}
}

// stop shuts the host down, which must end with the error want.
func (s *server) stop(t testing.TB, want error) {
	t.Helper()
	s.over = true
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, want) || want == nil && err != nil {
		t.Errorf("Shutdown: got %v, want %v", err, want)
	}
	if err := <-s.served; err != nil {
		t.Errorf("Serve: got %v, want nil", err)
	}
}

// A peer is a client of a host that fails its test when something is not as its
// methods say.
type peer struct {
	*rawws.Conn
	t testing.TB
}

// until waits until something has come true.
func (s *server) until(t testing.TB, done func() bool) {
	t.Helper()
	retry := time.NewTicker(5 * time.Millisecond)
	defer retry.Stop()
	for late := time.Now().Add(patience); !done(); <-retry.C {
		if time.Now().After(late) {
			t.Fatalf("not after %v", patience)
		}
	}
}

// dial connects and sends nothing. The connection ends with the test.
func (s *server) dial(t testing.TB) *peer {
	t.Helper()
	c, err := rawws.Dial(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.Patience = patience
	return &peer{c, t}
}

// open makes a session on a plugin's route.
func (s *server) open(t testing.TB, route string, lines ...string) *peer {
	t.Helper()
	p := s.dial(t)
	if _, err := p.Upgrade(route, nil, lines...); err != nil {
		t.Fatalf("upgrade on %s: %v", route, err)
	}
	return p
}

func (p *peer) write(b []byte) {
	p.t.Helper()
	if _, err := p.Write(b); err != nil {
		p.t.Fatalf("peer: write %d bytes: %v", len(b), err)
	}
}

func (p *peer) send(flags byte, payload string) {
	p.t.Helper()
	p.write(rawws.AppendFrame(nil, rawws.Frame{Flags: flags, Payload: payload}))
}

func (p *peer) text(s string) { p.t.Helper(); p.send(0x81, s) }

func (p *peer) close(code uint16) { p.t.Helper(); p.send(0x88, rawws.ClosePayload(code, "")) }

// answer reads the answer to a request of that method.
func (p *peer) answer(method string) *rawws.Answer {
	p.t.Helper()
	a, err := p.ReadAnswer(method)
	if err != nil {
		p.t.Fatalf("peer: %v", err)
	}
	return a
}

func (p *peer) frame() rawws.Frame {
	p.t.Helper()
	f, err := p.ReadFrame()
	if err != nil {
		p.t.Fatalf("peer: read frame: %v", err)
	}
	return f
}

// want reads frames, which must be these.
func (p *peer) want(frames ...rawws.Frame) {
	p.t.Helper()
	for _, want := range frames {
		if got := p.frame(); got != want {
			p.t.Fatalf("peer: got %v, want %v", got, want)
		}
	}
}

func (p *peer) wantText(s string) { p.t.Helper(); p.want(rawws.Frame{Flags: 0x81, Payload: s}) }

// wantClose reads a close frame with that code, 0 = none, and any reason.
func (p *peer) wantClose(code uint16) {
	p.t.Helper()
	f := p.frame()
	if got, ok := closeCode(f); !ok || got != code {
		p.t.Fatalf("peer: got %v, want close %d", f, code)
	}
}

func closeCode(f rawws.Frame) (code uint16, ok bool) {
	if f.Flags != 0x88 || len(f.Payload) == 1 {
		return 0, false
	}
	if len(f.Payload) > 1 {
		code = uint16(f.Payload[0])<<8 | uint16(f.Payload[1])
	}
	return code, true
}

// wantEOF reads the end of the connection, and nothing before it.
func (p *peer) wantEOF() {
	p.t.Helper()
	if rest, err := p.Rest(); err != nil || len(rest) > 0 {
		p.t.Fatalf("peer: got %.60q, %v, want the end of the connection", rest, err)
	}
}

// wantCut reads whatever there is until the connection ends in any way.
func (p *peer) wantCut() {
	p.t.Helper()
	var late net.Error
	if _, err := p.Rest(); errors.As(err, &late) && late.Timeout() {
		p.t.Fatalf("peer: still connected after %v", patience)
	}
}

// alive proves that nothing more was sent to p and that its session goes on.
func (p *peer) alive() {
	p.t.Helper()
	p.send(0x89, "still there?")
	p.want(rawws.Frame{Flags: 0x8a, Payload: "still there?"})
}

// leave is the closing handshake of a peer that is content.
func (p *peer) leave() {
	p.t.Helper()
	p.close(1000)
	p.wantClose(1000)
	p.wantEOF()
	p.Close()
}

// readAll is the text of a file that belongs to the tests.
func readAll(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
