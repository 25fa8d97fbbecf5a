package memconn_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/internal/memconn"
)

func TestConn(t *testing.T) {
	l := memconn.Listen()
	defer l.Close()
	near := make(chan net.Conn, 1)
	go func() {
		nc, _ := l.Dial()
		near <- nc
	}()
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c := <-near
	var b [8]byte
	read := func(nc net.Conn, want string, fails error) {
		t.Helper()
		if n, err := nc.Read(b[:]); string(b[:n]) != want || !errors.Is(err, fails) {
			t.Errorf("Read: got %q, %v, want %q, %v", b[:n], err, want, fails)
		}
	}
	c.Write([]byte("one"))
	c.Write([]byte("another one"))
	read(far, "one", nil)
	read(far, "another ", nil)
	read(far, "one", nil)

	far.SetReadDeadline(time.Now().Add(time.Millisecond))
	read(far, "", os.ErrDeadlineExceeded)
	far.SetReadDeadline(time.Time{})
	c.Write([]byte("last"))
	c.(interface{ CloseWrite() error }).CloseWrite()
	read(far, "last", nil)
	read(far, "", io.EOF)
	far.Write([]byte("answer"))
	far.Close()
	read(far, "", net.ErrClosed)
	read(c, "answer", nil)
	read(c, "", io.EOF)
	if _, err := c.Write([]byte("x")); err == nil {
		t.Error("Write to nobody: got no error")
	}
}
