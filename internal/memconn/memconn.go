// Package memconn is connections in memory that behave as TCP does: each side can
// end its half, and what is written does not wait for a reader. What was written at
// once is read at once, so that who writes decides how a stream is cut.
package memconn

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// Pair returns the two ends of a connection.
func Pair() (net.Conn, net.Conn) {
	a, b := newHalf(), newHalf()
	return &conn{in: a, out: b}, &conn{in: b, out: a}
}

// conn is one end.
type conn struct{ in, out *half }

func (c *conn) Read(p []byte) (int, error)  { return c.in.read(p) }
func (c *conn) Write(p []byte) (int, error) { return c.out.write(p) }

// CloseWrite ends what the other end can read.
func (c *conn) CloseWrite() error { c.out.end(false); return nil }

// Close ends both halves. What has been written stays to be read.
func (c *conn) Close() error { c.out.end(false); c.in.end(true); return nil }

func (c *conn) SetDeadline(t time.Time) error      { c.in.setDeadline(t); return nil }
func (c *conn) SetReadDeadline(t time.Time) error  { c.in.setDeadline(t); return nil }
func (c *conn) SetWriteDeadline(t time.Time) error { return nil } // nobody waits to write
func (c *conn) LocalAddr() net.Addr                { return addr{} }
func (c *conn) RemoteAddr() net.Addr               { return addr{} }

type addr struct{}

func (addr) Network() string { return "memory" }
func (addr) String() string  { return "memory" }

// half is one direction.
type half struct {
	mu       sync.Mutex
	change   sync.Cond // of what follows
	segments [][]byte
	ended    bool // nothing more will be written
	closed   bool // nobody will read any more
	late     bool // the reader's deadline has passed
	deadline *time.Timer
}

func newHalf() *half {
	h := &half{}
	h.change.L = &h.mu
	return h
}

func (h *half) read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.closed:
			return 0, net.ErrClosed
		case h.late:
			return 0, os.ErrDeadlineExceeded
		case len(p) == 0:
			return 0, nil
		case len(h.segments) > 0:
			n := copy(p, h.segments[0])
			if h.segments[0] = h.segments[0][n:]; len(h.segments[0]) == 0 {
				h.segments = h.segments[1:]
			}
			return n, nil
		case h.ended:
			return 0, io.EOF
		}
		h.change.Wait()
	}
}

func (h *half) write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended || h.closed {
		return 0, io.ErrClosedPipe
	}
	if len(p) > 0 {
		h.segments = append(h.segments, append([]byte(nil), p...))
		h.change.Broadcast()
	}
	return len(p), nil
}

// end is the end of the writer or, if closed, of the reader.
func (h *half) end(closed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended, h.closed = true, h.closed || closed
	if h.closed {
		h.segments = nil
		h.stop()
	}
	h.change.Broadcast()
}

func (h *half) stop() {
	if h.deadline != nil {
		h.deadline.Stop()
		h.deadline = nil
	}
}

func (h *half) setDeadline(t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stop()
	left := time.Until(t)
	h.late = !t.IsZero() && left <= 0
	if h.late {
		h.change.Broadcast()
	} else if !t.IsZero() && !h.closed {
		var alarm *time.Timer
		alarm = time.AfterFunc(left, func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			if h.deadline == alarm { // it has not been moved since
				h.late = true
				h.change.Broadcast()
			}
		})
		h.deadline = alarm
	}
}

// Listener accepts what is dialled.
type Listener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

// Listen returns a listener that nobody else knows.
func Listen() *Listener {
	return &Listener{conns: make(chan net.Conn), done: make(chan struct{})}
}

// Dial connects to whoever accepts.
func (l *Listener) Dial() (net.Conn, error) {
	near, far := Pair()
	select {
	case l.conns <- far:
		return near, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Accept implements [net.Listener].
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case nc := <-l.conns:
		return nc, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener].
func (l *Listener) Close() error { l.once.Do(func() { close(l.done) }); return nil }

// Addr implements [net.Listener].
func (l *Listener) Addr() net.Addr { return addr{} }
