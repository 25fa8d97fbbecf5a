// Package badnet is a network that fails on purpose: a proxy between a client and
// a server that slows down, tears or silently stops what passes, at the byte it is
// told to. RATIONALE.md says why it is our own.
package badnet

import (
	"io"
	"net"
	"sync"
	"time"
)

// Faults are what happens to the bytes of one direction. The zero value is a good
// network.
type Faults struct {
	// Piece is the most bytes that are passed on at once, each piece in a segment
	// of its own. 0 = as they come.
	Piece int

	// Delay is how long each piece is kept. The next waits until it is gone.
	Delay time.Duration

	// Reset resets both connections in the place of the byte with that number,
	// from 1. 0 = never.
	Reset int

	// Freeze lets nothing pass any more, either way, from the byte with that number
	// on, from 1: nobody is told, both connections stay open. 0 = never.
	Freeze int
}

// A Proxy passes connections on to a server until it is closed.
type Proxy struct {
	target   string
	up, down Faults
	listener net.Listener
	all      sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
	ended bool
}

// Listen begins to pass connections on to target. up is done to what clients send,
// down to what they get. The caller must call [Proxy.Close].
func Listen(target string, up, down Faults) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{target: target, up: up, down: down, listener: l}
	p.all.Go(p.accept)
	return p, nil
}

// Addr is where clients connect.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Close ends all connections and waits until their goroutines are gone.
func (p *Proxy) Close() {
	p.listener.Close()
	p.mu.Lock()
	p.ended = true
	for _, nc := range p.conns {
		nc.Close()
	}
	p.mu.Unlock()
	p.all.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil || !p.keep(client, server) {
			client.Close()
			continue
		}
		w := &wire{client: client.(*net.TCPConn), server: server.(*net.TCPConn), frozen: make(chan struct{})}
		p.all.Go(func() { w.pass(w.server, w.client, p.up) })
		p.all.Go(func() { w.pass(w.client, w.server, p.down) })
	}
}

// keep notes connections that Close has to end. It reports false if it is too late.
func (p *Proxy) keep(client, server net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		server.Close()
		return false
	}
	p.conns = append(p.conns, client, server)
	return true
}

// wire is one client with its server.
type wire struct {
	client, server *net.TCPConn
	freeze         sync.Once
	frozen         chan struct{} // closed when nothing passes any more
}

// pass moves bytes until there are none or a fault ends it.
func (w *wire) pass(to, from *net.TCPConn, f Faults) {
	buf := make([]byte, 32<<10)
	passed := 0
	for {
		n, err := from.Read(buf)
		for b := buf[:n]; len(b) > 0; {
			piece := b
			if f.Piece > 0 {
				piece = b[:min(len(b), f.Piece)]
			}
			fault := 0
			for _, at := range []int{f.Reset, f.Freeze} {
				if at > 0 && passed+len(piece) >= at {
					piece, fault = piece[:at-1-passed], at
				}
			}
			time.Sleep(f.Delay)
			if w.isFrozen() {
				return
			}
			if _, err := to.Write(piece); err != nil {
				from.CloseRead()
				return
			}
			if fault > 0 {
				w.fail(fault == f.Freeze)
				return
			}
			passed += len(piece)
			b = b[len(piece):]
		}
		if err != nil && !w.isFrozen() {
			w.end(to, err)
		}
		if err != nil {
			return
		}
	}
}

func (w *wire) isFrozen() bool {
	select {
	case <-w.frozen:
		return true
	default:
		return false
	}
}

func (w *wire) fail(freeze bool) {
	if freeze {
		w.freeze.Do(func() { close(w.frozen) })
		return
	}
	for _, nc := range []*net.TCPConn{w.client, w.server} {
		nc.SetLinger(0)
		nc.Close()
	}
}

// end passes on how the other side ended: in order, or by a reset.
func (w *wire) end(to *net.TCPConn, err error) {
	if err == io.EOF {
		to.CloseWrite()
		return
	}
	to.SetLinger(0)
	to.Close()
}
