package poll_test

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yimmo-host/yimmo-host/host/poll"
	"github.com/yimmo-host/yimmo-host/internal/leak"
)

// listen listens on addr with the options of [poll.Listener].
func listen(t *testing.T, addr string) (fd int, at net.Addr) {
	t.Helper()
	leak.Check(t)
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if fd, err = poll.Listener(l.(*net.TCPListener)); err != nil {
		t.Fatalf("Listener(%s): got %v", addr, err)
	}
	l.Close()
	t.Cleanup(func() { poll.Close(fd) })
	return fd, l.Addr()
}

// A silent listener refuses connections and keeps its address.
func TestSilence(t *testing.T) {
	leak.Check(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	_, port, _ := net.SplitHostPort(free.Addr().String())
	l, err := net.Listen("tcp", "127.8.9.10:"+port) // where nobody else looks for ports
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	tcp := l.(*net.TCPListener)
	if err := poll.Silence(tcp); err != nil {
		t.Fatal(err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("Dial: got %v, want %v", err, syscall.ECONNREFUSED)
	}
	fd, err := poll.Listener(tcp)
	if err != nil {
		t.Fatal(err)
	}
	defer poll.Close(fd)
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write([]byte("x"))
	if _, peer := accept(t, fd); peer != c.LocalAddr().String() {
		t.Errorf("Accept: got peer %s, want %s", peer, c.LocalAddr())
	}
}

// accept waits for a connection.
func accept(t *testing.T, listener int) (fd int, peer string) {
	t.Helper()
	set, err := poll.New(4)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	if err := set.Add(listener, 7); err != nil {
		t.Fatal(err)
	}
	if got := set.Wait(); len(got) != 1 || got[0].ID != 7 || !got[0].Readable {
		t.Fatalf("Wait: got %+v, want the listener", got)
	}
	fd, from, errno := poll.Accept(listener)
	if errno != 0 {
		t.Fatal(errno)
	}
	t.Cleanup(func() { poll.Close(fd) })
	return fd, from.String()
}

// Accept tells who the peer is, in the words of package net.
func TestAccept(t *testing.T) {
	for _, tt := range []struct{ name, listen, dial string }{
		{"IPv4", "127.0.0.1:0", "127.0.0.1"},
		{"IPv6", "[::1]:0", "::1"},
		{"IPv4 on both", "[::]:0", "127.0.0.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			listener, at := listen(t, tt.listen)
			if _, _, errno := poll.Accept(listener); errno != poll.Again {
				t.Errorf("Accept without a connection: got %v, want %v", errno, poll.Again)
			}
			_, port, _ := net.SplitHostPort(at.String())
			c, err := net.Dial("tcp", net.JoinHostPort(tt.dial, port))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			c.Write([]byte("x"))
			fd, peer := accept(t, listener)
			if peer != c.LocalAddr().String() {
				t.Errorf("Accept: got peer %s, want %s", peer, c.LocalAddr())
			}
			var b [8]byte
			if n, errno := poll.Recv(fd, b[:]); n != 1 || errno != 0 {
				t.Errorf("Recv: got %d, %v, want what was sent", n, errno)
			}
			if n, errno := poll.Recv(fd, b[:]); n != 0 || errno != poll.Again {
				t.Errorf("Recv: got %d, %v, want a socket that does not block", n, errno)
			}
		})
	}
}

// Accepted connections have the options of those that package net accepts.
func TestAcceptedOptions(t *testing.T) {
	listener, at := listen(t, "127.0.0.1:0")
	c, err := net.Dial("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write([]byte("x"))
	fd, _ := accept(t, listener)
	for _, o := range []struct {
		name          string
		level, option int
		want          int
	}{
		{"no delay", unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
		{"keep-alive", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		{"first probe", unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 15},
		{"next probe", unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 15},
		{"probes", unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 9},
	} {
		if got, err := unix.GetsockoptInt(fd, o.level, o.option); got != o.want || err != nil {
			t.Errorf("%s: got %d, %v, want %d", o.name, got, err, o.want)
		}
	}
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); flags&unix.FD_CLOEXEC == 0 || err != nil {
		t.Errorf("descriptor: got flags %#x, %v, want close on exec", flags, err)
	}
}

// A quiet socket is reported when its peer leaves, not when it sends.
func TestAddQuiet(t *testing.T) {
	listener, at := listen(t, "127.0.0.1:0")
	c, err := net.Dial("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write([]byte("x"))
	fd, _ := accept(t, listener)
	set, err := poll.New(4)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	if err := set.AddQuiet(fd, 1); err != nil {
		t.Fatal(err)
	}
	if got := set.Poll(); len(got) != 0 {
		t.Errorf("Poll with data unread: got %+v, want nothing", got)
	}
	c.(*net.TCPConn).CloseWrite()
	if got := set.Wait(); len(got) != 1 || got[0].ID != 1 {
		t.Errorf("Wait: got %+v, want the socket", got)
	}
	if err := set.Remove(fd); err != nil {
		t.Fatal(err)
	}
	if got := set.Poll(); len(got) != 0 {
		t.Errorf("Poll after Remove: got %+v, want nothing", got)
	}
}

// What SendMore wrote leaves with the end of the stream.
func TestSendMore(t *testing.T) {
	listener, at := listen(t, "127.0.0.1:0")
	c, err := net.Dial("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write([]byte("x"))
	fd, _ := accept(t, listener)
	if n, errno := poll.SendMore(fd, []byte("last words")); n != 10 || errno != 0 {
		t.Fatalf("SendMore: got %d, %v", n, errno)
	}
	poll.HalfClose(fd)
	b := make([]byte, 100)
	if n, err := c.Read(b); string(b[:n]) != "last words" || err != nil {
		t.Errorf("Read: got %q, %v", b[:n], err)
	}
	if n, err := c.Read(b); n != 0 || err == nil {
		t.Errorf("Read: got %d bytes, %v, want the end", n, err)
	}
}
