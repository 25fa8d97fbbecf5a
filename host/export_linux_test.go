package host

import (
	"net/netip"

	"github.com/yimmo-host/yimmo-host/host/poll"
)

// TakeSocket does what the door does with a handshake that has come in on a stream
// socket, with whatever followed it. It closes the socket and reports false if that
// is for net/http to answer.
func (h *Host) TakeSocket(fd int, in []byte) bool {
	var head head
	c := &caller{fd: fd, peer: netip.AddrPortFrom(netip.IPv4Unspecified(), 0)}
	n := head.scan(in)
	r, _ := newHeadParser().parse(&head, in[:n])
	if h.gate.admit(c.addr) == accepted {
		if r != nil && h.door.receive(c, r, in[n:]) {
			return true
		}
		h.gate.depart(c.addr)
	}
	poll.Close(fd)
	return false
}
