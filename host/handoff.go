package host

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
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

// replay is a connection of which something may have been read already: it is
// read once more, before all else. It takes note of what net/http does not tell.
type replay struct {
	*net.TCPConn
	rest []byte   // not read again yet
	peer net.Addr // nil: the kernel knows

	lengths, codings sighting // of lengthLine and codingLine
}

func (c *replay) Read(p []byte) (n int, err error) {
	if len(c.rest) == 0 {
		n, err = c.TCPConn.Read(p)
	} else if n = copy(p, c.rest); n == len(c.rest) {
		c.rest = nil
	} else {
		c.rest = c.rest[n:]
	}
	c.note(p[:n])
	return n, err
}

// RemoteAddr implements [net.Conn], also once the peer has reset the connection.
func (c *replay) RemoteAddr() net.Addr {
	if c.peer != nil {
		return c.peer
	}
	return c.TCPConn.RemoteAddr()
}

func (c *replay) note(p []byte) {
	c.lengths.look(p, lengthLine)
	c.codings.look(p, codingLine)
}

// A sighting is of a line with a certain beginning.
type sighting struct {
	matched int // bytes of the beginning that the line under way has; -1: others
	seen    atomic.Bool
}

// look looks for a line that begins like that, in whatever p is.
func (s *sighting) look(p, beginning []byte) {
	for len(p) > 0 && !s.seen.Load() {
		switch b := p[0]; {
		case s.matched < 0:
			n := bytes.IndexByte(p, '\n')
			if n < 0 {
				return
			}
			s.matched, p = 0, p[n:]
		case b == beginning[s.matched] || b|0x20 == beginning[s.matched]:
			s.matched++
			s.seen.Store(s.matched == len(beginning))
		case b == '\n':
			s.matched = 0
		default:
			s.matched = -1
		}
		p = p[1:]
	}
}

// noting accepts connections that take note as well.
type noting struct{ *net.TCPListener }

// Accept implements [net.Listener].
func (l noting) Accept() (net.Conn, error) {
	nc, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	return &replay{TCPConn: nc}, nil
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

// connKey is that of a request's connection in its context.
type connKey struct{}

func withConn(ctx context.Context, nc net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, nc)
}

// apart ends the connection of a request whose end is disputed.
func apart(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if disputed(r) {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// disputed says whether r is in chunks and may have had a length as well, or is of
// HTTP/1.0 and may have been in chunks. net/http drops the one, and the other for
// it, without a word, and a proxy that believed it would take the rest of the body
// for the next request. RFC 9112 section 6.1 asks for the end of the connection.
func disputed(r *http.Request) bool {
	chunked, old := len(r.TransferEncoding) > 0, !r.ProtoAtLeast(1, 1)
	if !chunked && !old {
		return false
	}
	c, ok := r.Context().Value(connKey{}).(*replay)
	return !ok || chunked && c.lengths.seen.Load() || old && c.codings.seen.Load()
}
