package lane

import (
	"errors"
	"syscall"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/frame"
	"github.com/yimmo-host/yimmo-host/host/poll"
)

const (
	// leastRead is the free area there must be for reading a socket into it.
	leastRead = 16 << 10

	// mostRead is the most that one socket may put into a turn at a time: its
	// share, however much it sends.
	mostRead = 64 << 10

	// farFrame is how much of a frame must be missing for the frame to be
	// collected aside: it is copied once more then, but not at every read.
	farFrame = 4 << 10

	// spareArea is kept free behind what is read, for events that come up
	// while it is decoded: a close reason at most.
	spareArea = 1 << 10
)

// receive reads a socket straight into the receive area of guest memory, or
// goes on with a large frame aside.
func (l *Lane) receive(c *polled) {
	kept := 0
	if c.side != nil && len(c.side.in) > 0 {
		kept = len(c.side.in)
		if need := c.decoder().Need(); need-kept > farFrame || need > len(l.area)-spareArea {
			l.receiveAside(c)
			return
		}
	}
	if !l.areaFor(c, kept+leastRead) {
		return
	}
	start := l.used
	if kept > 0 {
		copy(l.area[start:], c.side.in)
	}
	end := min(len(l.area)-spareArea, start+kept+mostRead)
	n, errno := poll.Recv(int(c.fd), l.area[start+kept:end])
	if n == 0 {
		l.dry(c, errno)
		return
	}
	if kept > 0 {
		c.side.in = c.side.in[:0]
	}
	l.decode(c, start, kept+n)
}

// areaFor makes sure that the area has size free bytes, or all it can have. It
// reports false when that took a turn which ended the session.
func (l *Lane) areaFor(c *polled, size int) bool {
	if len(l.area)-spareArea-l.used < size {
		l.turn()
	}
	return l.guest != nil && !c.leaving
}

// dry follows a read that brought nothing.
func (l *Lane) dry(c *polled, errno syscall.Errno) {
	switch errno {
	case poll.Again:
		return
	case 0:
		c.parted = true // the peer has closed its half
	default:
		c.broken = true
	}
	l.gone(c.id)
}

// receiveAside reads more of a large frame into memory of its own, until it is
// complete or as long as a piece may be. That memory grows with what has come:
// what a header announces costs its sender nothing.
func (l *Lane) receiveAside(c *polled) {
	if l.guest == nil {
		return
	}
	d := c.side
	whole := min(c.decoder().Need(), len(l.area)+maxHeader)
	if len(d.in) == cap(d.in) || cap(d.in) < farFrame {
		d.in = append(make([]byte, 0, min(whole, max(farFrame, 4*len(d.in)))), d.in...)
	}
	n, errno := poll.Recv(int(c.fd), d.in[len(d.in):min(whole, cap(d.in))])
	if n == 0 {
		l.dry(c, errno)
		return
	}
	d.in = d.in[:len(d.in)+n]
	l.decodeKept(c, false)
}

// maxHeader is the longest header of a peer's frame, RFC 6455 section 5.2.
const maxHeader = 14

// decodeKept takes what is kept aside as the next of c's peer. Payloads are
// copied into the area. finished says that a message has come to its end already.
func (l *Lane) decodeKept(c *polled, finished bool) {
	b := c.side.in
	pos := 0
	for pos < len(b) {
		f, used, err := c.decoder().Next(b[pos:])
		if err != nil {
			l.faulted(c, err)
			return
		}
		if used == 0 && len(b)-pos >= len(l.area)+maxHeader {
			f, used = c.decoder().Piece(b[pos:])
		}
		if used == 0 {
			break
		}
		pos += used
		finished = finished || ends(f.Flags)
		l.frame(c.id, &f, notInArea)
		if l.guest == nil || c.leaving {
			return
		}
	}
	c.side.in = b[:copy(b, b[pos:])]
	c.tick(finished)
}

// ends says whether a frame is the last of a message.
func ends(flags byte) bool { return flags&(abi.FlagFIN|8) == abi.FlagFIN }

// decode takes the n bytes at that place in the area as the next of c's peer:
// whole frames become events where they lie, the rest is kept aside.
func (l *Lane) decode(c *polled, start, n int) {
	g, end := l.guest, start+n
	l.used = align(end, len(l.area))
	l.floor = l.used // a turn in the middle must not let anything overwrite the rest
	defer func() { l.floor = 0 }()
	finished := false
	for start < end {
		b := l.area[start:end]
		f, used, err := c.decoder().Next(b)
		if err != nil {
			l.faulted(c, err)
			return
		}
		if used == 0 {
			break
		}
		start += used
		finished = finished || ends(f.Flags)
		if (l.messages || c.packs) && l.grows(c, f.Flags) {
			l.decodeAside(c, &f, start, end)
			return
		}
		l.frame(c.id, &f, start-len(f.Payload))
		if l.guest != g && l.guest != nil {
			l.floor = 0
			l.breakOff(c.id) // what was left to decode is gone with the other instance
			return
		}
		if l.guest != g || c.leaving || c.fd < 0 {
			return // a turn in the middle ended the session, or all of them
		}
	}
	l.used = align(start, len(l.area)) // the rest is kept elsewhere
	c.keep(l.area[start:end], finished)
}

// grows says whether a frame ends a message that is put together elsewhere and may
// be larger than the frame: of a guest that takes whole messages, or a compressed one.
func (l *Lane) grows(c *polled, flags byte) bool {
	if flags&abi.FlagFIN == 0 {
		return false
	}
	if l.messages && flags&abi.MaskOpcode == abi.OpContinuation {
		return true
	}
	s := l.sessions.find(c.id)
	return s != nil && s.packing() != nil && s.packing().takes(flags)
}

// decodeAside goes on from the middle of decode, at such a frame: what is behind
// it, from start to end, makes way, for the message may need all of the area. The
// frame's own payload is copied before anything can happen to the instance.
func (l *Lane) decodeAside(c *polled, f *frame.Frame, start, end int) {
	d := c.needSide()
	d.in = append(d.in[:0], l.area[start:end]...)
	l.used, l.floor = align(start, len(l.area)), 0
	l.frame(c.id, f, notInArea)
	if l.guest != nil && !c.leaving && c.fd >= 0 {
		l.decodeKept(c, true)
	}
}

func (l *Lane) faulted(c *polled, err error) {
	var failed *frame.Error
	if s := l.sessions.find(c.id); s != nil && errors.As(err, &failed) {
		l.floor = 0
		l.fail(c.id, s, failed)
	}
}

// keep sets the beginning of a frame aside.
func (c *polled) keep(rest []byte, finished bool) {
	if len(rest) > 0 {
		d := c.needSide()
		d.in = append(d.in, rest...)
	}
	c.tick(finished)
}

// tick runs the clock of a message: from its first byte to its last, whatever
// comes in between.
func (c *polled) tick(finished bool) {
	if c.dec != nil && c.dec.Busy() {
		if finished || c.side == nil || c.side.since == 0 {
			c.needSide().since = max(c.lane.clock, 1)
			c.timeMessage(c.lane.cfg.Limits.MessageTime)
		}
		return
	}
	c.forget()
	if c.side != nil {
		c.side.since = 0
		c.tidy()
	}
}
