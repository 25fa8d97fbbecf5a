package host

import (
	"net"
	"net/netip"
	"time"
)

// What the gate does for connections that the [door] accepts. Those that have not
// sent a whole request are the door's, which gives up the oldest of them.

// admit counts a connection of an address, as countedAs has it, or says why it is
// not let in.
func (g *gate) admit(addr netip.Addr) outcome {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.limits.PerAddress > 0 && g.of[addr] >= g.limits.PerAddress:
		return tooManyOfAddress
	case g.total >= g.limits.Connections:
		return tooManyConnections
	}
	g.count(addr, 1)
	return accepted
}

// full says whether admit would turn anybody away.
func (g *gate) full() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.total >= g.limits.Connections
}

// depart takes an admitted connection off the count.
func (g *gate) depart(addr netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.count(addr, -1)
}

// adopt makes a visitor of an admitted connection: it goes to net/http.
func (g *gate) adopt(nc net.Conn, addr netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.visitors[nc] = &visitor{nc: nc, addr: addr, since: time.Now()}
}

// knows says whether a connection has been let in.
func (g *gate) knows(nc net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.visitors[nc] != nil
}

// lodge counts an admitted connection as a session's, whose end is moveOut.
func (g *gate) lodge(addr netip.Addr, p *plugin, session uint64) {
	if g.limits.PerAddress == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sessions[tenant{p, session}] = addr
}
