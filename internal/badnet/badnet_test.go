package badnet_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/internal/badnet"
	"github.com/yimmo-host/yimmo-host/internal/leak"
)

// through connects to a server that echoes, through a network with these faults.
func through(t *testing.T, up, down badnet.Faults) *net.TCPConn {
	t.Helper()
	leak.Check(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		nc, err := l.Accept()
		if err == nil {
			io.Copy(struct{ io.Writer }{nc}, struct{ io.Reader }{nc}) // not spliced: that keeps pipes
			nc.Close()
		}
	}()
	p, err := badnet.Listen(l.Addr().String(), up, down)
	if err != nil {
		t.Fatal(err)
	}
	nc, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close(); p.Close(); l.Close(); <-served })
	nc.SetDeadline(time.Now().Add(10 * time.Second))
	return nc.(*net.TCPConn)
}

// Whatever the pieces, what comes out is what went in.
func TestPieces(t *testing.T) {
	data := []byte(strings.Repeat("0123456789abcdef", 1000))
	for name, f := range map[string]badnet.Faults{"none": {}, "pieces": {Piece: 7}, "delay": {Delay: time.Millisecond}} {
		t.Run(name, func(t *testing.T) {
			nc := through(t, f, f)
			go func() { nc.Write(data); nc.CloseWrite() }()
			if got, err := io.ReadAll(nc); err != nil || !bytes.Equal(got, data) {
				t.Errorf("got %d bytes, %v, want %d", len(got), err, len(data))
			}
		})
	}
}

// A fault comes at its byte, not before and not behind.
func TestFaultAt(t *testing.T) {
	for _, at := range []int{1, 2, 5, 6} {
		nc := through(t, badnet.Faults{}, badnet.Faults{Reset: at})
		nc.Write([]byte("hello"))
		nc.CloseWrite()
		got, err := io.ReadAll(nc)
		if at == 6 {
			if string(got) != "hello" || err != nil {
				t.Errorf("reset at byte 6 of 5: got %q, %v, want all and the end", got, err)
			}
			continue
		}
		// What came right before a reset may be lost with it.
		if !errors.Is(err, syscall.ECONNRESET) || !strings.HasPrefix("hello"[:at-1], string(got)) {
			t.Errorf("reset at byte %d: got %q, %v, want %q at most and a reset", at, got, err, "hello"[:at-1])
		}
	}
	nc := through(t, badnet.Faults{Freeze: 3}, badnet.Faults{})
	nc.Write([]byte("hello"))
	nc.CloseWrite()
	nc.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if got, err := io.ReadAll(nc); len(got) > 2 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("freeze at byte 3: got %q, %v, want silence behind two", got, err)
	}
}
