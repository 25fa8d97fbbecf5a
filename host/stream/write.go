package stream

import (
	"errors"
	"net"
	"os"
	"time"

	"github.com/yimmo-host/yimmo-host/host/backlog"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

// chunk is the most that is written under one deadline, in bytes: a peer that
// takes this much in time is slow, not dead.
const chunk = 64 << 10

// Write implements [lane.Link].
func (c *conn) Write(p []byte) (waiting int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead || c.closing {
		return 0
	}
	c.pong = 0
	return c.push(p)
}

// Pong implements [lane.Link].
func (c *conn) Pong(p []byte) (waiting int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead || c.closing {
		return 0
	}
	if c.queue.Len() > lane.PongRoom {
		c.queue.Cut(c.pong)
		c.queued(-c.pong)
	}
	c.pong = len(p)
	return c.push(p)
}

// queued counts n bytes more that wait. c.mu is held.
func (c *conn) queued(n int) {
	c.opt.Queued.Add(int64(n))
	c.opt.Waiting.Add(int64(n))
}

// push queues p. c.mu is held.
func (c *conn) push(p []byte) (waiting int) {
	c.queue.Add(p)
	c.queued(len(p))
	c.high = c.high || c.queue.Len() > c.opt.Mark()
	c.start()
	return c.queue.Len()
}

// Waiting implements [lane.Link].
func (c *conn) Waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queue.Len()
}

// Busy implements [lane.Link].
func (c *conn) Busy() bool { return c.busy.Load() }

// Close implements [lane.Link].
func (c *conn) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead || c.closing {
		return
	}
	c.closing = true
	c.start() // write half-closes: with TLS that is a record of its own and may block
}

// Cut implements [lane.Link].
func (c *conn) Cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kill()
}

// kill makes the connection useless to everyone. c.mu is held.
func (c *conn) kill() {
	if c.dead {
		return
	}
	nc := below(c.nc) // TLS would say good-bye, and wait for five seconds until that is taken
	if c.queue.Len() > 0 {
		abort(nc)
	}
	c.queued(-c.queue.Len())
	c.dead, c.queue = true, backlog.Queue{}
	nc.Close()
	if !c.writing {
		close(c.flushed)
	}
}

// below is the connection that TLS runs on, or nc itself.
func below(nc net.Conn) net.Conn {
	if t, ok := nc.(interface{ NetConn() net.Conn }); ok {
		return t.NetConn()
	}
	return nc
}

// abort has the kernel drop what it still holds for the peer when the connection
// is closed, which it would otherwise go on offering for minutes.
func abort(nc net.Conn) {
	if tcp, ok := nc.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
}

// start makes sure that write is running. c.mu is held.
func (c *conn) start() {
	if !c.writing {
		c.writing = true
		go c.write()
	}
}

// write sends the queue until it is empty, then ends.
func (c *conn) write() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.dead && c.queue.Len() > 0 {
		p := c.queue.Front()
		p, c.pong = p[:min(len(p), chunk)], 0
		c.mu.Unlock()
		err := c.send(p)
		c.mu.Lock()
		switch {
		case err != nil:
			c.kill()
		case !c.dead:
			c.sent(len(p))
		}
	}
	c.writing = false
	c.queue = backlog.Queue{} // an idle connection keeps no buffer
	if c.closing && !c.dead {
		c.halfClose()
	}
	if c.dead {
		close(c.flushed)
	}
}

// lost tells the lane why nothing more can be written. Reading cannot: it may be
// waiting for the lane, which waits for the peer to take something.
func (c *conn) lost(err error) {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.lane.Stalled(c.session)
		return
	}
	c.lane.Gone(c.session)
}

// send writes p. It fails when the peer is gone or takes nothing; the lane knows then.
func (c *conn) send(p []byte) error {
	c.nc.SetWriteDeadline(time.Now().Add(c.opt.WriteTime))
	_, err := c.nc.Write(p)
	if err != nil {
		c.lost(err)
	}
	return err
}

// sent takes n bytes off the queue. c.mu is held.
func (c *conn) sent(n int) {
	c.queue.Drop(n)
	c.queued(-n)
	if c.high && c.queue.Len() <= c.opt.Mark() {
		c.high = false
		c.lane.Drained(c.session)
	}
}

// halfClose says that nothing more will come. c.mu is held and let go meanwhile.
func (c *conn) halfClose() {
	c.writing, c.dead = true, true
	c.mu.Unlock()
	c.nc.SetReadDeadline(time.Now().Add(c.opt.CloseTime))
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	} else {
		c.nc.Close()
	}
	c.mu.Lock()
	c.writing = false
}
