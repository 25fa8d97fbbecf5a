package stream

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yimmo-host/yimmo-host/host/backlog"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

// Options are shared by all connections of a plugin.
type Options struct {
	lane.Limits
	Piece int // largest payload handed over whole, in bytes: what the guest's receive area has

	// Queued is the number of bytes that wait for the peers of all of them.
	Queued *atomic.Int64
}

// batches is how many batches of a connection may be under way to its lane: one
// that the lane works on and one behind it.
const batches = 2

// conn is one connection and the [lane.Link] of its session. Two goroutines at
// most work for it: read, and write while there is something to write.
type conn struct {
	// Set by Serve, never changed.
	nc      net.Conn
	lane    *lane.Lane
	session uint64
	opt     *Options
	credit  chan struct{} // a token for each batch under way
	flushed chan struct{} // closed when nothing more will be written

	busy atomic.Bool // a message of the peer is unfinished; set by read

	mu      sync.Mutex
	queue   backlog.Queue // frames for the peer, those that write is sending too; count changes with queued
	pong    int           // queue ends in a whole pong of so many bytes; 0 = it does not
	writing bool          // write is running
	high    bool          // the lane wants to hear when less waits than the mark
	closing bool          // half-close when the queue is empty
	dead    bool          // nothing can be written any more
}

// Serve takes over nc, on which the upgrade is complete, attaches it to the
// session and moves its bytes until both have ended. already holds what the
// peer sent right behind its request, packed says that the session has agreed on
// compression. When Serve returns the connection is closed and its goroutines
// are gone.
func Serve(nc net.Conn, l *lane.Lane, session uint64, already []byte, packed bool, opt *Options) {
	c := &conn{
		nc: nc, lane: l, session: session, opt: opt,
		credit: make(chan struct{}, batches), flushed: make(chan struct{}),
	}
	nc.SetDeadline(time.Time{}) // net/http's
	l.Attach(session, c)
	ended := c.read(already, packed)
	<-c.flushed // the lane closes or cuts every link it was given
	if !ended {
		c.linger()
	}
	nc.Close()
	for range batches {
		c.credit <- struct{}{} // all batches are back
	}
}

// linger reads and drops what the peer still sends, until it closes its half or
// the deadline that Close set has passed.
func (c *conn) linger() {
	b := buffers.get(firstRead)
	defer buffers.put(b)
	for {
		if _, err := c.nc.Read(b.bytes); err != nil {
			return
		}
	}
}
