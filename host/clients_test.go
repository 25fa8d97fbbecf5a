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
func TestGorillaClient(t *testing.T) { eachTransport(t, testGorillaClient) }

func testGorillaClient(t *testing.T, on transport) {
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
	for _, m := range messages {
		kind := gorilla.BinaryMessage
		if m.text {
			kind = gorilla.TextMessage
		}
		if err := c.WriteMessage(kind, []byte(m.data)); err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		if got, data, err := c.ReadMessage(); got != kind || string(data) != m.data || err != nil {
			t.Errorf("%s: got %d, %d bytes, %v", m.name, got, len(data), err)
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

// iotest hides what a reader can do beyond reading, so that a copy comes in pieces.
type iotest struct{ io.Reader }

func TestCoderClient(t *testing.T) { eachTransport(t, testCoderClient) }

func testCoderClient(t *testing.T, on transport) {
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
	for _, m := range messages {
		kind := coder.MessageBinary
		if m.text {
			kind = coder.MessageText
		}
		if err := c.Write(ctx, kind, []byte(m.data)); err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		if got, data, err := c.Read(ctx); got != kind || string(data) != m.data || err != nil {
			t.Errorf("%s: got %d, %d bytes, %v", m.name, got, len(data), err)
		}
	}
	if err := c.Close(coder.StatusCode(4321), "done"); err != nil {
		t.Errorf("close: got %v, want nil", err)
	}
}

// A plugin's sessions do not get each other's data, however they interleave.
func TestManyClients(t *testing.T) { eachTransport(t, testManyClients) }

func testManyClients(t *testing.T, on transport) {
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
