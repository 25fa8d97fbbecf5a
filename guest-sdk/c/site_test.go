package c_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
	"github.com/yimmo-host/yimmo-host/internal/testguest"
)

// patience is how long a test waits for anything that the host owes it.
const patience = 20 * time.Second

// A site is a host that serves one program.
type site struct {
	t    *testing.T
	addr string
	log  *lines
	end  func() // cuts the clients and shuts the host down; once
	cuts []io.Closer
}

// lines keeps what the program logs.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func serveProgram(t *testing.T, transport string, m *module, config map[string]string) *site {
	t.Helper()
	s := &site{t: t, log: &lines{}}
	h, err := host.New(t.Context(), host.Config{
		Listen: "127.0.0.1:0", CacheDir: testguest.CacheDir(), Transport: transport,
		Log:     slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug - 4})),
		Plugins: []host.Plugin{{Name: "program", Module: m.wasm, Route: "/", Config: config}},
		Limits:  host.Limits{Start: patience, Turn: patience},
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, s.log)
	}
	s.addr = h.Addr().String()
	served := make(chan error, 1)
	go func() { served <- h.Serve() }()
	s.end = sync.OnceFunc(func() {
		for _, c := range s.cuts {
			c.Close()
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := h.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(s.end)
	return s
}

// logged checks that each of these is somewhere in the log.
func (s *site) logged(want ...string) {
	s.t.Helper()
	for _, w := range want {
		if log := s.log.String(); !strings.Contains(log, w) {
			s.t.Errorf("log: %q is not in it:\n%.9000s", w, log)
		}
	}
}

// A page is a client as a browser is one: with an Origin, with an offer to compress,
// and it answers pings and closes by itself.
type page struct {
	*websocket.Conn
	t *testing.T
}

func (s *site) page(path string) *page {
	s.t.Helper()
	d := websocket.Dialer{EnableCompression: true, HandshakeTimeout: patience}
	c, _, err := d.Dial("ws://"+s.addr+path, http.Header{"Origin": {"http://" + s.addr}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.cuts = append(s.cuts, c)
	c.SetReadDeadline(time.Now().Add(patience))
	return &page{c, s.t}
}

func (p *page) say(text string) {
	p.t.Helper()
	if err := p.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *page) hears(texts ...string) {
	p.t.Helper()
	for _, want := range texts {
		if _, got, err := p.ReadMessage(); err != nil || string(got) != want {
			p.t.Fatalf("page: got %.200q, %v, want %.200q", got, err, want)
		}
	}
}

// isClosed reads the close frame, which must be next.
func (p *page) isClosed(code int) {
	p.t.Helper()
	if _, got, err := p.ReadMessage(); !websocket.IsCloseError(err, code) {
		p.t.Fatalf("page: got %q, %v, want close %d", got, err, code)
	}
}

func (p *page) leave() {
	p.t.Helper()
	p.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""))
	p.isClosed(1000)
	p.Close()
}

// A raw client writes and reads frames.
type raw struct {
	*rawws.Conn
	t *testing.T
}

func (s *site) raw(path string) *raw {
	s.t.Helper()
	c, err := rawws.Dial(s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.cuts = append(s.cuts, c)
	c.Patience = patience
	if _, err := c.Upgrade(path, nil); err != nil {
		s.t.Fatal(err)
	}
	return &raw{c, s.t}
}

// sends writes frames in one segment.
func (r *raw) sends(frames ...rawws.Frame) {
	r.t.Helper()
	var b []byte
	for _, f := range frames {
		b = rawws.AppendFrame(b, f)
	}
	if _, err := r.Write(b); err != nil {
		r.t.Fatal(err)
	}
}

func (r *raw) gets(frames ...rawws.Frame) {
	r.t.Helper()
	for _, want := range frames {
		if got, err := r.ReadFrame(); err != nil || got != want {
			r.t.Fatalf("raw client: got %v, %v, want %v", got, err, want)
		}
	}
}

func frame(flags byte, payload string) rawws.Frame {
	return rawws.Frame{Flags: flags, Payload: payload}
}

func closing(code uint16, reason string) rawws.Frame {
	return frame(0x88, rawws.ClosePayload(code, reason))
}

// turnedAway is an upgrade that is answered with that status.
func (s *site) turnedAway(path string, status int, body string) {
	s.t.Helper()
	c, err := rawws.Dial(s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	c.Patience = patience
	if _, err := c.Write(rawws.Handshake(s.addr, path)); err != nil {
		s.t.Fatal(err)
	}
	a, err := c.ReadAnswer("GET")
	if err != nil || a.Status != status || !strings.Contains(string(a.Body), body) {
		s.t.Fatalf("upgrade on %s: got %+v, %v, want %d %q", path, a, err, status, body)
	}
}

// asks makes a request; the answer must have that status and body.
func (s *site) asks(method, path, body string, status int, want string, headers ...string) http.Header {
	s.t.Helper()
	q, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.addr+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	client := http.Client{
		Timeout:       patience,
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	a, err := client.Do(q)
	if err != nil {
		s.t.Fatal(err)
	}
	defer a.Body.Close()
	got, err := io.ReadAll(a.Body)
	if err != nil || a.StatusCode != status || string(got) != want {
		s.t.Fatalf("%s %s: got %s %q, %v, want %d\n%q", method, path, a.Status, got, err, status, want)
	}
	return a.Header
}
