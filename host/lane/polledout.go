package lane

import (
	"syscall"

	"github.com/yimmo-host/yimmo-host/host/backlog"
	"github.com/yimmo-host/yimmo-host/host/poll"
)

// Write implements [Link].
func (c *polled) Write(p []byte) (waiting int) {
	if c.leaving || c.broken {
		return 0
	}
	if c.Waiting() == 0 {
		n, errno := c.send(p)
		if errno != 0 && errno != poll.Again {
			c.broken = true // the socket is readable now, and reading tells why
			return 0
		}
		if p = p[n:]; len(p) == 0 {
			return 0
		}
		c.needSide().moved = c.lane.clock
	}
	d := c.side
	d.out.Add(p)
	d.pong = 0
	c.lane.hot.queued += int64(len(p))
	c.want()
	c.watch(c.lane.cfg.Limits.WriteTime)
	return d.out.Len()
}

// send sends a close frame together with the end of the stream, in one segment.
func (c *polled) send(p []byte) (int, syscall.Errno) {
	if c.parting {
		return poll.SendMore(int(c.fd), p)
	}
	return poll.Send(int(c.fd), p)
}

// Pong implements [Link].
func (c *polled) Pong(p []byte) (waiting int) {
	if d := c.side; d != nil && d.pong > 0 && d.out.Len() > PongRoom {
		d.out.Cut(d.pong)
		d.out.Add(p)
		c.lane.hot.queued += int64(len(p) - d.pong)
		d.pong = len(p)
		return d.out.Len()
	}
	before := c.Waiting()
	waiting = c.Write(p)
	if waiting == before+len(p) {
		c.side.pong = len(p)
	}
	return waiting
}

// Busy implements [Link].
func (c *polled) Busy() bool { return c.side != nil && c.side.since != 0 }

// Waiting implements [Link].
func (c *polled) Waiting() int {
	if c.side == nil {
		return 0
	}
	return c.side.out.Len()
}

// drain sends more of what is waiting.
func (c *polled) drain() {
	waiting := c.Waiting()
	if waiting == 0 {
		return
	}
	d := c.side
	left := c.sendSome(d)
	if left == waiting {
		return
	}
	d.moved = c.lane.clock
	c.lane.hot.queued -= int64(waiting - left)
	if left < d.pong {
		d.pong = 0
	}
	c.want()
	if mark := c.lane.cfg.Limits.Mark(); waiting > mark && left <= mark {
		c.lane.drained(c.id)
	}
	if c.Waiting() > 0 {
		return
	}
	if c.leaving {
		c.halfClose()
		return
	}
	c.tidy()
}

// drainShare is how many pieces of what is waiting a socket may take at a time.
const drainShare = 4

// sendSome sends of d's bytes what the socket takes and returns how many are left:
// none if it fails.
func (c *polled) sendSome(d *side) (left int) {
	for range drainShare {
		p := d.out.Front()
		if len(p) == 0 {
			break
		}
		n, errno := poll.Send(int(c.fd), p)
		if errno != 0 && errno != poll.Again {
			c.broken = true
			d.out = backlog.Queue{}
			break
		}
		d.out.Drop(n)
		if n < len(p) {
			break
		}
	}
	return d.out.Len()
}

// want tells the set what the socket is wanted for. A peer that does not take
// what waits for it is read no further: its own socket fills and it notices. Of one
// that has closed its half there is nothing to read.
func (c *polled) want() {
	waiting := 0
	if c.side != nil {
		waiting = c.side.out.Len()
	}
	read, write := !c.parted && (waiting <= c.lane.cfg.Limits.Mark() || c.leaving), waiting > 0
	if read == c.reading && write == c.writing {
		return
	}
	if d := c.side; read != c.reading && d != nil {
		c.lane.halt(d, !read)
	}
	c.reading, c.writing = read, write
	if c.lane.polls.Change(int(c.fd), c.id, read, write) != nil {
		c.broken = true
	}
}

// halt notes that a socket is read no further, or again: the message that is
// unfinished has that much more time.
func (l *Lane) halt(d *side, on bool) {
	switch {
	case on:
		d.still = l.clock
	case d.since != 0:
		d.since += l.clock - max(d.still, d.since)
	}
}
