package browser_test

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/testguest"
)

// server is a host with the plugins that have something to show. It can be
// stopped and started again at the same address.
type server struct {
	cfg    host.Config
	host   *host.Host // nil while it is stopped
	served chan error
}

func startServer(t *testing.T) *server {
	t.Helper()
	var log logbook
	s := &server{cfg: host.Config{
		Listen: "127.0.0.1:0", CacheDir: testguest.CacheDir(), Log: slog.New(slog.NewTextHandler(&log, nil)),
		Plugins: []host.Plugin{
			{Name: "echo", Route: "/echo", Module: build(t, "echo"), Compression: host.CompressionOn},
			{Name: "chat", Route: "/chat/", Module: build(t, "chat")},
			{Name: "ticker", Route: "/ticker/", Module: build(t, "ticker"), Config: map[string]string{"interval": "50ms"}},
		},
	}}
	s.start(t)
	t.Cleanup(func() {
		s.stop(t)
		if t.Failed() {
			t.Logf("log of the host:\n%s", log.text())
		}
	})
	return s
}

func build(t *testing.T, plugin string) []byte {
	t.Helper()
	wasm, err := testguest.Go("../" + plugin)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// start keeps the address that the first start got.
func (s *server) start(t *testing.T) {
	t.Helper()
	h, err := host.New(t.Context(), s.cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.host, s.served, s.cfg.Listen = h, make(chan error, 1), h.Addr().String()
	go func() { s.served <- h.Serve() }()
}

func (s *server) stop(t *testing.T) {
	t.Helper()
	if s.host == nil {
		return
	}
	if err := s.host.Shutdown(context.Background()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if err := <-s.served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	s.host = nil
}

// logbook collects what the host logs.
type logbook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logbook) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
