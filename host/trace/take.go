package trace

import (
	"slices"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// Chosen fills in what the instance chose.
func (h *Header) Chosen(g Guest) {
	h.Granted = g.Features()
	h.EventsCap, h.CommandsCap = uint32(len(g.Events())/recordSize), uint32(len(g.Commands())/recordSize)
	area, addr := g.Area()
	h.AreaAt.Addr, h.AreaAt.Cap = addr, uint32(len(area))
}

// Take makes a [Call] of what lies in the ring for a call that is about to be
// made. It copies: the call is the caller's.
func Take(g Guest, first, n int, h guest.Header) *Call {
	area, addr := g.Area()
	c := &Call{Turn: h, First: first, N: n, Written: true, Area: abi.Span{Addr: addr, Cap: uint32(len(area))}}
	c.Events = slices.Clone(g.Events()[first*recordSize : n*recordSize])
	for records := c.Events; len(records) > 0; records = records[recordSize:] {
		e, _ := abi.ParseEvent(records)
		if n := given(&e, c.Area); n > 0 {
			c.Payloads = append(c.Payloads, area[e.Addr-addr:][:n]...)
		}
	}
	return c
}

// Answered adds what the guest said to the call, before the next one.
func (c *Call) Answered(g Guest, commands, consumed int, more bool) {
	mem := g.Memory()
	c.Count, c.Consumed, c.More, c.Memory = commands, consumed, more, uint64(len(mem))
	all := appendCommands(nil, g.Commands(), commands, mem)
	c.Full, c.Commands, c.Data = true, all[:commands*recordSize], all[commands*recordSize:]
	c.Digest = digest(c.Commands, c.Data, c.Memory)
}

// Failed says how the call ended instead.
func (c *Call) Failed(g Guest, err error) {
	c.Memory = uint64(len(g.Memory()))
	c.Trap, c.Text = trapOf(err)
}
