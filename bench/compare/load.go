//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// A load is all connections to one server. It belongs to one goroutine, which
// waits for them all in one epoll set: a client that costs less than what it
// measures can keep it busy.
type load struct {
	addr  *net.TCPAddr
	msgs  *messages
	epoll int
	conns []*conn // by descriptor
	open  int     // connections that are upgraded and not leaving
	left  int     // connections still to be made, each when one is open
	ever  int     // connections made
	ready []unix.EpollEvent
	in    []byte

	// What to do with a connection that has been upgraded, and when messages or
	// a pong have come on it. nil = nothing.
	opened  func(c *conn) error
	message func(c *conn, n int) error
	ponged  func(c *conn) error

	// What to do when the server has closed a connection that was to leave.
	ended func() error
}

type phase int

const (
	dialing phase = iota
	upgrading
	talking
	leaving
)

// conn is one connection.
type conn struct {
	judge
	fd    int
	phase phase
	path  string
	head  []byte // of the server's answer to the upgrade request
	sent  uint32 // messages
	owed  int    // messages to send when out is empty
	out   []byte // what the socket would not take
	polls uint32 // what the set looks for
}

func newLoad(addr string, size int) (*load, error) {
	tcp, err := net.ResolveTCPAddr("tcp4", addr)
	if err != nil {
		return nil, err
	}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll_create1: %w", err)
	}
	return &load{
		addr: tcp, msgs: newMessages(size), epoll: epoll,
		ready: make([]unix.EpollEvent, 512), in: make([]byte, 256<<10),
	}, nil
}

func (l *load) close() {
	for _, c := range l.conns {
		if c != nil {
			unix.Close(c.fd)
		}
	}
	unix.Close(l.epoll)
}

// dial begins a connection to path.
func (l *load) dial(path string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	c := &conn{fd: fd, path: path, polls: unix.EPOLLOUT}
	for len(l.conns) <= fd {
		l.conns = append(l.conns, nil)
	}
	l.conns[fd] = c
	// Many addresses of this machine, else those who come and go run out of ports.
	local := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 1, byte(1 + l.ever%200)}}
	l.ever++
	unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	if err := unix.Bind(fd, local); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	to := &unix.SockaddrInet4{Addr: [4]byte(l.addr.IP.To4()), Port: l.addr.Port}
	if err := unix.Connect(fd, to); err != nil && err != unix.EINPROGRESS {
		return fmt.Errorf("connect: %w", err)
	}
	return unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: c.polls, Fd: int32(fd)})
}

// atOnce is how many handshakes are under way while connections are made.
const atOnce = 64

// connect makes n connections and returns when all are open.
func (l *load) connect(n int, path string) error {
	want, first := l.open+n, min(n, atOnce)
	l.left = n - first
	for range first {
		if err := l.dial(path); err != nil {
			return err
		}
	}
	return l.until(func() bool { return l.open == want })
}

// errStalled is a server from which nothing comes any more.
var errStalled = errors.New("nothing has come for 5 s")

// until works through what becomes ready until over says that it is enough.
func (l *load) until(over func() bool) error {
	for waited := 0; !over(); {
		n, err := unix.EpollWait(l.epoll, l.ready, 100)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("epoll_wait: %w", err)
		}
		if waited++; n > 0 {
			waited = 0
		} else if waited == 50 {
			return errStalled
		}
		for i := range l.ready[:n] {
			e := &l.ready[i]
			if c := l.conns[e.Fd]; c != nil {
				if err := l.serve(c, e.Events); err != nil {
					return fmt.Errorf("connection %d: %w", c.fd, err)
				}
			}
		}
	}
	return nil
}

// during is until the time is over.
func (l *load) during(d time.Duration) error {
	end := time.Now().Add(d)
	return l.until(func() bool { return time.Now().After(end) })
}

func (l *load) serve(c *conn, events uint32) error {
	if events&unix.EPOLLOUT != 0 {
		if c.phase == dialing {
			return l.upgrade(c)
		}
		if err := l.flush(c); err != nil {
			return err
		}
	}
	if events&^unix.EPOLLOUT == 0 {
		return nil
	}
	n, err := unix.Read(c.fd, l.in)
	switch {
	case err == unix.EAGAIN:
		return nil
	case c.phase == leaving && (n <= 0 || err != nil):
		return l.end(c)
	case err != nil:
		return fmt.Errorf("read: %w", err)
	case n == 0:
		return errors.New("the server cut it")
	}
	p := l.in[:n]
	if c.phase == upgrading {
		if p, err = l.answered(c, p); err != nil || c.phase == upgrading {
			return err
		}
	}
	return l.heard(c, p)
}

func (l *load) upgrade(c *conn) error {
	if n, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR); err != nil || n != 0 {
		return fmt.Errorf("connect: %w", unix.Errno(n))
	}
	c.phase = upgrading
	return l.write(c, rawws.Handshake(l.addr.String(), c.path))
}

// answered reads the answer to the upgrade request and returns what follows it.
func (l *load) answered(c *conn, p []byte) (rest []byte, err error) {
	c.head = append(c.head, p...)
	head, rest, whole := bytes.Cut(c.head, []byte("\r\n\r\n"))
	if !whole {
		return nil, nil
	}
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) || !bytes.Contains(head, []byte(rawws.Accept)) {
		return nil, fmt.Errorf("upgrade answered %q", c.head)
	}
	c.phase, c.head = talking, nil
	l.open++
	if l.left > 0 {
		l.left--
		if err := l.dial(c.path); err != nil {
			return nil, err
		}
	}
	if l.opened == nil {
		return rest, nil
	}
	return rest, l.opened(c)
}

func (l *load) heard(c *conn, p []byte) error {
	if c.phase == leaving {
		return nil // its close frame
	}
	pongs := c.pongs
	n, err := c.feed(p, l.msgs)
	if err != nil {
		return err
	}
	if c.pongs > pongs && l.ponged != nil {
		if err := l.ponged(c); err != nil {
			return err
		}
	}
	if n == 0 || l.message == nil {
		return nil
	}
	return l.message(c, n)
}

// send sends the next n messages, now or as soon as the socket takes them.
func (l *load) send(c *conn, n int) error {
	c.owed += n
	if len(c.out) > 0 {
		return nil
	}
	return l.flush(c)
}

// leave sends a close frame and waits for the server to close the connection.
func (l *load) leave(c *conn) error {
	c.phase = leaving
	l.open--
	return l.write(c, rawws.AppendFrame(nil, rawws.Frame{Flags: fin | opClose, Payload: "\x03\xe8"}))
}

func (l *load) end(c *conn) error {
	l.conns[c.fd] = nil
	unix.Close(c.fd)
	if l.ended == nil {
		return nil
	}
	return l.ended()
}

// write sends p, which must stay as it is until c.out is empty.
func (l *load) write(c *conn, p []byte) error {
	c.out = p
	return l.flush(c)
}

func (l *load) flush(c *conn) error {
	for len(c.out) > 0 || c.owed > 0 {
		if len(c.out) == 0 {
			n := min(c.owed, mostInFlight)
			c.out = l.msgs.run(c.sent, n)
			c.sent, c.owed = c.sent+uint32(n), c.owed-n
		}
		n, err := unix.Write(c.fd, c.out)
		if err == unix.EAGAIN {
			break
		}
		if err != nil {
			return fmt.Errorf("write: %w", err)
		}
		c.out = c.out[n:]
	}
	want := uint32(unix.EPOLLIN)
	if len(c.out) > 0 {
		want |= unix.EPOLLOUT
	}
	if c.polls == want {
		return nil
	}
	c.polls = want
	return unix.EpollCtl(l.epoll, unix.EPOLL_CTL_MOD, c.fd, &unix.EpollEvent{Events: want, Fd: int32(c.fd)})
}
