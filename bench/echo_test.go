package bench_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/yimmo-host/yimmo-host/bench"
	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
	"github.com/yimmo-host/yimmo-host/internal/testguest"
)

// The layers, from the fewest to the most. Each serves an echo and returns its
// address.
var layers = []struct {
	name  string
	serve func(testing.TB) string
}{
	{"gorilla", serveGorilla}, // as most programs do it: default buffers, ReadMessage and WriteMessage
	{"host-native", func(t testing.TB) string { return serveHost(t, host.Plugin{Native: bench.Echo}) }},
	{"host-wasm", func(t testing.TB) string { return serveHost(t, host.Plugin{Module: echoModule(t, module)}) }},
	{"host-wasm-c", func(t testing.TB) string { return serveHost(t, host.Plugin{Module: echoModule(t, moduleInC)}) }},
}

func serveGorilla(t testing.TB) string {
	u := websocket.Upgrader{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := u.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		for {
			kind, data, err := c.ReadMessage()
			if err != nil || c.WriteMessage(kind, data) != nil {
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// patience is how long a server may owe an answer.
const patience = 30 * time.Second

func serveHost(t testing.TB, p host.Plugin) string {
	p.Name, p.Route, p.Config = "echo", "/", map[string]string{"greeting": ""}
	h, err := host.New(t.Context(), host.Config{
		Listen: "127.0.0.1:0", CacheDir: testguest.CacheDir(), Plugins: []host.Plugin{p}, Log: slog.New(slog.DiscardHandler),
		Limits: host.Limits{Start: 2 * patience, Turn: patience},
	})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- h.Serve() }()
	t.Cleanup(func() {
		if err := h.Shutdown(t.Context()); err != nil && t.Context().Err() == nil {
			t.Errorf("shutdown: %v", err)
		}
		<-served
	})
	return h.Addr().String()
}

// module is the plugin echo, moduleInC is echo-c.
func module() ([]byte, error)    { return testguest.Go("../plugins/echo") }
func moduleInC() ([]byte, error) { return testguest.C("../plugins/echo-c") }

func echoModule(t testing.TB, build func() ([]byte, error)) []byte {
	t.Helper()
	wasm, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// peer is one connection that sends the same frame again and again, and
// allocates nothing for it.
type peer struct {
	conn                *rawws.Conn
	frame, answer, want []byte
}

func connect(t testing.TB, addr string, size int) *peer {
	t.Helper()
	c, err := rawws.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.Patience = patience
	if _, err := c.Upgrade("/", nil); err != nil {
		t.Fatal(err)
	}
	payload := bytes.Repeat([]byte("0123456789abcde\n"), size/16)
	masked := rawws.AppendFrame(nil, rawws.Frame{Flags: 0x82, Payload: string(payload)})
	head := len(masked) - size - 4
	want := append(bytes.Clone(masked[:head]), payload...)
	want[1] &^= 0x80 // a server does not mask
	return &peer{conn: c, frame: masked, answer: make([]byte, len(want)), want: want}
}

func (p *peer) echo(t testing.TB) {
	if _, err := p.conn.TCPConn.Write(p.frame); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(p.conn.TCPConn, p.answer); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(p.answer, p.want) {
		t.Fatal("the echo is not what was sent")
	}
}

// BenchmarkEcho is one round trip of one frame over loopback. MB/s counts the
// frames' bytes on the wire, both ways. The client is in the same process: its
// time is in ns/op, but it allocates nothing.
func BenchmarkEcho(b *testing.B) {
	for _, l := range layers {
		for _, size := range []int{128, 16 << 10} {
			b.Run(fmt.Sprintf("%s/%s", l.name, map[int]string{128: "128B", 16 << 10: "16KiB"}[size]), func(b *testing.B) {
				p := connect(b, l.serve(b), size)
				b.SetBytes(int64(len(p.frame) + len(p.answer)))
				b.ReportAllocs()
				for b.Loop() {
					p.echo(b)
				}
			})
		}
	}
}
