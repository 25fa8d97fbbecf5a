package host

import (
	"container/list"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// gate bounds what may be connected at all, before a plugin has a say: all
// connections together, those of one address, and those that have not sent a
// whole request yet. When the latter are too many, or there is no room left, the
// oldest of them gives up its place: an honest client sends its request at once,
// a slow one is slow on purpose. It learns of connections from [http.Server.ConnState].
type gate struct {
	// Set by newGate, never changed.
	limits   *Limits
	log      *slog.Logger
	refusals *refusals
	tally    *tally

	mu       sync.Mutex
	changed  sync.Cond             // of what follows; on mu
	visitors map[net.Conn]*visitor // connections that are HTTP so far
	waiting  list.List             // of *visitor: those without a request, the oldest first
	sessions map[tenant]netip.Addr // what address a session's connection has
	of       map[netip.Addr]int    // connections of an address; empty without a limit
	total    int                   // connections, sessions' included
	closed   bool
}

// visitor is a connection that is HTTP so far.
type visitor struct {
	nc    net.Conn
	addr  netip.Addr
	since time.Time
	waits *list.Element // nil once its first request is there
	mute  bool          // of the request it is sending nobody but net/http knows
}

// tenant names a session of a plugin.
type tenant struct {
	plugin  *plugin
	session uint64
}

func newGate(limits *Limits, log *slog.Logger, r *refusals, t *tally) *gate {
	g := &gate{
		limits: limits, log: log, refusals: r, tally: t,
		visitors: map[net.Conn]*visitor{}, sessions: map[tenant]netip.Addr{}, of: map[netip.Addr]int{},
	}
	g.changed.L = &g.mu
	return g
}

// state is the server's ConnState.
func (g *gate) state(nc net.Conn, s http.ConnState) {
	switch s {
	case http.StateNew:
		if g.knows(nc) {
			return
		}
		if o := g.enter(nc); o != accepted {
			g.tally[o].Add(1)
			g.refusals.log(g.log, o, nc.RemoteAddr().String())
			turnAway(nc, o)
		}
	case http.StateActive: // its request is there
		g.settle(nc, true)
	case http.StateIdle, http.StateHijacked:
		g.settle(nc, false)
	case http.StateClosed:
		if g.leave(nc) {
			g.tally[badRequest].Add(1)
			g.refusals.log(g.log, badRequest, nc.RemoteAddr().String())
		}
	}
}

// hears has the gate know of requests that net/http has found to be some: what it
// refuses it keeps to itself.
func (g *gate) hears(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if nc, ok := r.Context().Value(connKey{}).(net.Conn); ok {
			g.settle(nc, false)
		}
		next.ServeHTTP(w, r)
	})
}

// grace is how long a connection keeps its place in any case. Who comes
// meanwhile waits to be accepted: a burst of honest clients is no attack.
const grace = 200 * time.Millisecond

// enter lets a connection in, or says why not. It may wait for a place.
func (g *gate) enter(nc net.Conn) outcome {
	addr := addressOf(nc)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.limits.PerAddress > 0 && g.of[addr] >= g.limits.PerAddress {
		return tooManyOfAddress
	}
	for g.waiting.Len() >= g.limits.Handshakes || g.total >= g.limits.Connections {
		oldest := g.waiting.Front()
		if g.closed || oldest == nil {
			return tooManyConnections
		}
		v := oldest.Value.(*visitor)
		if left := grace - time.Since(v.since); left > 0 {
			g.pause(left)
			continue
		}
		g.tally[tooSlow].Add(1)
		g.refusals.log(g.log, tooSlow, v.nc.RemoteAddr().String())
		cut(v.nc)
		g.forget(v)
	}
	v := &visitor{nc: nc, addr: addr, since: time.Now()}
	v.waits = g.waiting.PushBack(v)
	g.visitors[nc] = v
	g.count(addr, 1)
	return accepted
}

// pause waits for a change, or that long. g.mu is held and let go meanwhile.
func (g *gate) pause(d time.Duration) {
	alarm := time.AfterFunc(d, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.changed.Broadcast()
	})
	defer alarm.Stop()
	g.changed.Wait()
}

// settle notes that a connection has sent a whole request, or what net/http takes
// for one so far: then it is mute.
func (g *gate) settle(nc net.Conn, mute bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	v := g.visitors[nc]
	if v == nil {
		return
	}
	v.mute = mute
	if v.waits != nil {
		g.waiting.Remove(v.waits)
		v.waits = nil
		g.changed.Broadcast()
	}
}

// leave forgets a connection that is closed. It may not be known any more. It
// reports whether the last it sent was no request.
func (g *gate) leave(nc net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	v := g.visitors[nc]
	if v == nil {
		return false
	}
	g.forget(v)
	return v.mute && !g.closed
}

func (g *gate) forget(v *visitor) {
	if v.waits != nil {
		g.waiting.Remove(v.waits)
		v.waits = nil
	}
	delete(g.visitors, v.nc)
	g.count(v.addr, -1)
}

// count adds n connections. g.mu is held.
func (g *gate) count(addr netip.Addr, n int) {
	g.total += n
	if g.limits.PerAddress > 0 {
		if g.of[addr] += n; g.of[addr] == 0 {
			delete(g.of, addr)
		}
	}
	if n < 0 {
		g.changed.Broadcast()
	}
}

// moveIn counts a connection as a session's, whose end is moveOut.
func (g *gate) moveIn(nc net.Conn, p *plugin, session uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.limits.PerAddress > 0 {
		g.sessions[tenant{p, session}] = g.visitors[nc].addr
	}
	delete(g.visitors, nc)
}

// moveOut forgets the connection of a session that is closed.
func (g *gate) moveOut(p *plugin, session uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := tenant{p, session}
	g.count(g.sessions[t], -1)
	delete(g.sessions, t)
}

// connections is how many there are, sessions included.
func (g *gate) connections() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.total
}

// close lets nobody wait any longer.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	g.changed.Broadcast()
}

// addressOf is whom a connection counts for: an IPv4 address, or the /64 network
// of an IPv6 address, which is what one subscriber has at least.
func addressOf(nc net.Conn) netip.Addr {
	tcp, ok := nc.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return countedAs(tcp.AddrPort().Addr().Unmap())
}

func countedAs(a netip.Addr) netip.Addr {
	if a.Is6() {
		if network, err := a.WithZone("").Prefix(64); err == nil {
			a = network.Addr()
		}
	}
	return a
}

// turnAway answers a connection that is not let in, as far as that takes no
// time, and closes it.
func turnAway(nc net.Conn, o outcome) {
	if _, ok := nc.(*replay); ok { // in TLS an answer would take a handshake
		nc.SetWriteDeadline(time.Now().Add(time.Millisecond))
		nc.Write(o.answer())
	}
	cut(nc)
}

// answer is what a connection that is not let in is told.
func (o outcome) answer() []byte {
	body := o.text() + "\n"
	return fmt.Appendf(nil, "HTTP/1.1 503 Service Unavailable\r\nContent-Type: %s\r\nContent-Length: %d\r\nRetry-After: 1\r\n"+
		"Connection: close\r\n\r\n%s", plainText, len(body), body)
}

// cut closes a connection without a word, whatever others do with it.
func cut(nc net.Conn) {
	if t, ok := nc.(interface{ NetConn() net.Conn }); ok { // TLS would have some
		nc = t.NetConn()
	}
	nc.Close()
}
