package host_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	coder "github.com/coder/websocket"
	gorilla "github.com/gorilla/websocket"

	"github.com/yimmo-host/yimmo-host/host"
)

// messages are what real clients exchange with the echo plugin.
var messages = []struct {
	name string
	text bool
	data string
}{
	{"empty text", true, ""},
	{"empty binary", false, ""},
	{"text", true, "Grüße, 世界 😀"},
	{"binary", false, "\x00\xff\xfe"},
	{"125 bytes", true, strings.Repeat("x", 125)},
	{"126 bytes", true, strings.Repeat("x", 126)},
	{"64 KiB", false, strings.Repeat("\xa5", 64<<10)},
	{"1 MiB", true, strings.Repeat("0123456789abcdef", 1<<16)},
}

// Two clients that share no code with the host, nor with each other, get back
// what they send, closes included.
func TestGorillaClient(t *testing.T) { eachEcho(t, testGorillaClient) }

func testGorillaClient(t *testing.T, on transport, echo echoPlugin) {
	s := on.serve(t, host.Limits{}, echo(t, "Hello!"))
	dialer := gorilla.Dialer{Subprotocols: []string{"chat"}, EnableCompression: true}
	c, answer, err := dialer.Dial("ws://"+s.addr+"/echo", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetReadDeadline(time.Now().Add(patience))
	if got := answer.Header.Get("Sec-WebSocket-Extensions") + c.Subprotocol(); got != "" {
		t.Errorf("negotiated %q, want nothing", got)
	}
	if _, greeting, err := c.ReadMessage(); string(greeting) != "Hello!" {
		t.Errorf("greeting: got %q, %v", greeting, err)
	}
	exchangeGorilla(t, c)
	t.Run("ping", func(t *testing.T) {
		pong := ""
		c.SetPongHandler(func(data string) error { pong = data; return nil })
		c.WriteControl(gorilla.PingMessage, []byte("ping"), time.Now().Add(patience))
		c.WriteMessage(gorilla.TextMessage, []byte("behind it"))
		if _, data, err := c.ReadMessage(); string(data) != "behind it" || pong != "ping" {
			t.Errorf("got %q, %v and pong %q", data, err, pong)
		}
	})
	c.WriteControl(gorilla.CloseMessage, gorilla.FormatCloseMessage(4321, "done"), time.Now().Add(patience))
	if _, _, err := c.ReadMessage(); !gorilla.IsCloseError(err, 4321) {
		t.Errorf("close: got %v, want 4321", err)
	}
}

// exchangeGorilla sends messages, whole and in fragments, and gets them back.
func exchangeGorilla(t *testing.T, c *gorilla.Conn) {
	t.Helper()
	for _, m := range messages {
		kind := gorilla.BinaryMessage
		if m.text {
			kind = gorilla.TextMessage
		}
		if err := c.WriteMessage(kind, []byte(m.data)); err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		if got, data, err := c.ReadMessage(); got != kind || string(data) != m.data || err != nil {
			t.Fatalf("%s: got %d, %d bytes, %v", m.name, got, len(data), err)
		}
	}
	t.Run("fragments", func(t *testing.T) {
		w, err := c.NextWriter(gorilla.TextMessage)
		if err != nil {
			t.Fatal(err)
		}
		long := strings.Repeat("fragment ", 10000)
		_, err = io.Copy(w, iotest{strings.NewReader(long)})
		if err := errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		if _, data, err := c.ReadMessage(); string(data) != long || err != nil {
			t.Errorf("got %d bytes, %v, want %d", len(data), err, len(long))
		}
	})
}

// exchangeCoder does the same; that client sends no fragments.
func exchangeCoder(t *testing.T, ctx context.Context, c *coder.Conn) {
	t.Helper()
	for _, m := range messages {
		kind := coder.MessageBinary
		if m.text {
			kind = coder.MessageText
		}
		if err := c.Write(ctx, kind, []byte(m.data)); err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		if got, data, err := c.Read(ctx); got != kind || string(data) != m.data || err != nil {
			t.Fatalf("%s: got %d, %d bytes, %v", m.name, got, len(data), err)
		}
	}
}

// iotest hides what a reader can do beyond reading, so that a copy comes in pieces.
type iotest struct{ io.Reader }

func TestCoderClient(t *testing.T) { eachEcho(t, testCoderClient) }

func testCoderClient(t *testing.T, on transport, echo echoPlugin) {
	s := on.serve(t, host.Limits{}, echo(t, "Hello!"))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	options := &coder.DialOptions{Subprotocols: []string{"chat"}, CompressionMode: coder.CompressionContextTakeover}
	c, _, err := coder.Dial(ctx, "ws://"+s.addr+"/echo", options)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	c.SetReadLimit(-1)
	if _, greeting, err := c.Read(ctx); string(greeting) != "Hello!" {
		t.Errorf("greeting: got %q, %v", greeting, err)
	}
	exchangeCoder(t, ctx, c)
	if err := c.Close(coder.StatusCode(4321), "done"); err != nil {
		t.Errorf("close: got %v, want nil", err)
	}
}

// A plugin's sessions do not get each other's data, however they interleave.
func TestManyClients(t *testing.T) { eachEcho(t, testManyClients) }

func testManyClients(t *testing.T, on transport, echo echoPlugin) {
	two := echo(t, "")
	two.Lanes = 2
	s := on.serve(t, host.Limits{}, two)
	const clients, rounds = 20, 50
	done := make(chan error, clients)
	for n := range clients {
		go func() { done <- s.converse(n, rounds) }()
	}
	for range clients {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func (s *server) converse(n, rounds int) error {
	c, _, err := gorilla.DefaultDialer.Dial("ws://"+s.addr+"/echo", nil)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetReadDeadline(time.Now().Add(patience))
	for i := range rounds {
		mine := bytes.Repeat([]byte(fmt.Sprintf("<client %d, round %d>", n, i)), 1+i*i)
		if err := c.WriteMessage(gorilla.TextMessage, mine); err != nil {
			return err
		}
		if _, got, err := c.ReadMessage(); err != nil || !bytes.Equal(got, mine) {
			return fmt.Errorf("client %d, round %d: got %.60q, %w", n, i, got, err)
		}
	}
	return nil
}

// Both clients compress with a host that does, with context takeover and without.
func TestCompressingClients(t *testing.T) { eachEcho(t, testCompressingClients) }

func testCompressingClients(t *testing.T, on transport, echo echoPlugin) {
	for _, takeover := range []bool{false, true} {
		s := on.serveWith(t, packing(host.Compression{Takeover: takeover}), host.Limits{}, echo(t, ""))
		t.Run(fmt.Sprintf("gorilla/takeover=%t", takeover), func(t *testing.T) { s.compressGorilla(t) })
		for name, mode := range map[string]coder.CompressionMode{
			"context": coder.CompressionContextTakeover, "no context": coder.CompressionNoContextTakeover,
		} {
			want := none
			if takeover && mode == coder.CompressionContextTakeover {
				want = pmd
			}
			t.Run(fmt.Sprintf("coder, %s/takeover=%t", name, takeover), func(t *testing.T) { s.compressCoder(t, mode, want) })
		}
	}
}

func (s *server) compressGorilla(t *testing.T) {
	dialer := gorilla.Dialer{EnableCompression: true}
	c, answer, err := dialer.Dial("ws://"+s.addr+"/echo", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := answer.Header.Get("Sec-WebSocket-Extensions"); got != none { // all that gorilla can do
		t.Errorf("negotiated %q, want %q", got, none)
	}
	c.SetReadDeadline(time.Now().Add(patience))
	for range 3 {
		exchangeGorilla(t, c)
	}
}

func (s *server) compressCoder(t *testing.T, mode coder.CompressionMode, want string) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, answer, err := coder.Dial(ctx, "ws://"+s.addr+"/echo", &coder.DialOptions{CompressionMode: mode, CompressionThreshold: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if got := answer.Header.Get("Sec-WebSocket-Extensions"); got != want {
		t.Errorf("negotiated %q, want %q", got, want)
	}
	c.SetReadLimit(-1)
	for range 3 {
		exchangeCoder(t, ctx, c)
	}
	if err := c.Close(coder.StatusCode(4321), "done"); err != nil {
		t.Errorf("close: got %v, want nil", err)
	}
}
