package host

import (
	"io"
	"net"
	"sync"
)

// handoff is the listener from which net/http gets the connections that are
// accepted elsewhere.
type handoff struct {
	addr net.Addr
	drop func(net.Conn) // closes what nobody takes

	mu     sync.Mutex
	change sync.Cond // of what follows
	conns  []net.Conn
	closed bool
}

func newHandoff(addr net.Addr, drop func(net.Conn)) *handoff {
	h := &handoff{addr: addr, drop: drop}
	h.change.L = &h.mu
	return h
}

// put passes a connection on. It does not wait for anyone to take it.
func (h *handoff) put(nc net.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		h.drop(nc)
		return
	}
	h.conns = append(h.conns, nc)
	h.change.Signal()
}

// Accept implements [net.Listener].
func (h *handoff) Accept() (net.Conn, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.conns) == 0 && !h.closed {
		h.change.Wait()
	}
	if h.closed {
		return nil, net.ErrClosed
	}
	nc := h.conns[0]
	h.conns[0] = nil
	h.conns = h.conns[1:]
	return nc, nil
}

// Close implements [net.Listener]. What nobody has taken is closed.
func (h *handoff) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, nc := range h.conns {
		h.drop(nc)
	}
	h.conns = nil
	h.change.Broadcast()
	return nil
}

// Addr implements [net.Listener].
func (h *handoff) Addr() net.Addr { return h.addr }

// replay is a connection of which something has been read already: it is read
// once more, before all else.
type replay struct {
	*net.TCPConn
	rest []byte // not read again yet
}

func (c *replay) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		return c.TCPConn.Read(p)
	}
	n := copy(p, c.rest)
	if c.rest = c.rest[n:]; len(c.rest) == 0 {
		c.rest = nil
	}
	return n, nil
}

// WriteTo hides that of the TCP connection, which knows nothing of the rest.
func (c *replay) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{c})
}

// unwrap returns the connection itself and what of it is still to be read again.
func unwrap(nc net.Conn) (net.Conn, []byte) {
	if c, ok := nc.(*replay); ok {
		return c.TCPConn, c.rest
	}
	return nc, nil
}
