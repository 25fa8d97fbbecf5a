package host

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yimmo-host/yimmo-host/host/poll"
)

// door accepts plain TCP connections where lanes poll their sockets, and reads
// their first request up to the empty line. A WebSocket handshake goes to a lane
// as it is; any other connection, with what was read of it, to net/http.
//
//	accept --> head complete? --handshake--> lane (see lane.Call)
//	             |        |
//	             |        +--anything else--> net/http --handshake--> lane
//	             +--no--> callers, until it is
//
// One goroutine does all of this. A connection has a buffer of its own only
// while a part of a head has come in. The door itself answers what is no request
// of HTTP/1.1, or none in time; whatever else is to be refused net/http refuses.
type door struct {
	// Set by newDoor, never changed.
	host     *Host
	set      *poll.Set
	listener int
	http     *handoff
	most     int // callers there may be
	headTime time.Duration
	headSize int // bytes that a head may have

	// Owned by run.
	callers callers
	parser  *headParser
	out     answerWriter
	buf     []byte
	again   time.Time   // when to accept again; zero: now
	warned  time.Time   // when the operator last heard of that
	alarm   *time.Timer // wakes run
	due     time.Time   // when it will; zero: it is not set

	mu      sync.Mutex
	stopped bool
	done    chan struct{} // closed by run; nil before it
}

const (
	listenerID = 0 // in the set; callers' ids begin behind it

	mostArrivals = 64 // accepted before callers are looked at
	doorBatch    = 128

	// acceptPause is how long nothing is accepted when there are no descriptors
	// and no callers who could give theirs up.
	acceptPause = 50 * time.Millisecond

	// warnPause is how often at most the operator is warned of that.
	warnPause = 10 * time.Second
)

// newDoor takes the host's listener over, which begins to listen. It returns nil
// if there is to be no door.
func newDoor(h *Host) (*door, error) {
	if !h.opens() {
		return nil, nil
	}
	fd, err := poll.Listener(h.listener.(*net.TCPListener))
	if err != nil {
		return nil, err
	}
	set, err := poll.New(doorBatch)
	if err == nil {
		if err = set.Add(fd, listenerID); err != nil {
			set.Close()
		}
	}
	if err != nil {
		poll.Close(fd)
		return nil, err
	}
	h.listener.Close()                                                       // of the original
	unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsent) // handed down, see boundUnsent
	limits := &h.cfg.Limits
	d := &door{
		host: h, set: set, listener: fd,
		most: limits.Handshakes, headTime: limits.HeaderTime, headSize: limits.HeaderBytes,
		parser: newHeadParser(),
	}
	d.out.init()
	d.http = newHandoff(h.listener.Addr(), func(nc net.Conn) { nc.Close(); h.gate.leave(nc) })
	d.callers.init()
	d.buf = make([]byte, max(d.headSize+1, 32<<10))
	d.alarm = time.AfterFunc(time.Hour, d.wake)
	d.alarm.Stop()
	return d, nil
}

// open begins to accept. It does nothing after close.
func (d *door) open() net.Listener {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.stopped && d.done == nil {
		d.done = make(chan struct{})
		go d.run()
	}
	return d.http
}

// close closes the listener and all connections of which no request is complete,
// and waits until that is done. A door that is nil is closed.
func (d *door) close() {
	if d == nil {
		return
	}
	d.mu.Lock()
	if !d.stopped {
		d.stopped = true
		if d.done == nil {
			d.end()
		} else {
			d.set.Wake()
		}
	}
	done := d.done
	d.mu.Unlock()
	if done != nil {
		<-done
	}
}

// wake makes run look.
func (d *door) wake() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.stopped {
		d.set.Wake()
	}
}

func (d *door) isStopped() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stopped
}

func (d *door) run() {
	defer close(d.done)
	defer d.end()
	for !d.isStopped() {
		d.arm()
		events := d.set.Wait()
		for i := range events {
			if id := events[i].ID; id == listenerID {
				d.accept()
			} else if c := d.callers.find(id); c != nil {
				d.read(c)
			}
		}
		d.expire()
		runtime.Gosched() // under a flood of connections nothing here waits
	}
}

// end gives everything back. Nothing runs any more.
func (d *door) end() {
	d.alarm.Stop()
	for c := d.callers.oldest(); c != nil; c = d.callers.oldest() {
		d.drop(c)
	}
	poll.Close(d.listener)
	d.set.Close()
}

// accept takes the connections that are waiting, some at a time.
func (d *door) accept() {
	for range mostArrivals {
		if !d.room() {
			return
		}
		fd, peer, errno := poll.Accept(d.listener)
		switch {
		case errno == 0:
			d.arrived(fd, peer)
		case errno == poll.Again:
			return
		case errno == syscall.ECONNABORTED || errno == syscall.EINTR:
		case !d.acceptFailed(errno):
			return
		}
	}
}

// room makes sure that one more may be let in. It reports false when it takes a
// moment until a caller may be cut for that.
func (d *door) room() bool {
	for d.callers.count() >= d.most || d.host.gate.full() {
		c := d.callers.oldest()
		if c == nil {
			return true // and turned away
		}
		if !d.evict(c) {
			return false
		}
	}
	return true
}

// evict cuts the oldest caller, or waits until it has had its time.
func (d *door) evict(c *caller) bool {
	if left := grace - time.Since(c.since); left > 0 {
		d.pause(left)
		return false
	}
	if !c.leaving {
		d.host.refused(tooSlow, c.peer.String())
	}
	d.drop(c)
	return true
}

// acceptFailed says whether to try again now.
func (d *door) acceptFailed(errno syscall.Errno) bool {
	if errno == poll.TooMany || errno == poll.TooManyOnHost {
		if c := d.callers.oldest(); c != nil {
			return d.evict(c)
		}
	}
	now, level := time.Now(), slog.LevelDebug
	if now.Sub(d.warned) > warnPause {
		d.warned, level = now, slog.LevelWarn
	}
	d.host.log.Log(context.Background(), level, "connections are not accepted for a moment", "err", errno, "pause", acceptPause)
	d.pause(acceptPause)
	return false
}

// pause accepts nothing for that long.
func (d *door) pause(pause time.Duration) {
	d.again = time.Now().Add(pause)
	d.set.Change(d.listener, listenerID, false, false)
}

// arrived reads a new connection for the first time: most have sent their whole
// request.
func (d *door) arrived(fd int, peer netip.AddrPort) {
	c := caller{fd: fd, peer: peer, addr: countedAs(peer.Addr())}
	if o := d.host.gate.admit(c.addr); o != accepted {
		d.host.refused(o, peer.String())
		poll.Send(fd, o.answer())
		poll.Recv(fd, d.buf) // what is not read resets the connection, perhaps before the answer is
		poll.Close(fd)
		return
	}
	n, errno := poll.Recv(fd, d.buf)
	if n == 0 && errno != poll.Again {
		d.hangUp(&c)
		return
	}
	if n > 0 && d.received(&c, d.buf[:n]) {
		return
	}
	c.buf = append(c.buf, d.buf[:n]...)
	d.wait(c)
}

// wait makes a caller of a connection.
func (d *door) wait(c caller) {
	c.since = time.Now()
	k := d.callers.add(c)
	if err := d.set.Add(k.fd, k.id); err != nil {
		d.host.log.Error("connection not polled", "peer", k.peer, "err", err)
		d.drop(k)
	}
}

// read reads on.
func (d *door) read(c *caller) {
	n, errno := poll.Recv(c.fd, d.buf)
	switch {
	case n > 0 && c.leaving: // it must not reset the connection
	case n > 0:
		c.buf = append(c.buf, d.buf[:n]...)
		d.received(c, c.buf)
	case errno == poll.Again:
	case errno == 0 && len(c.buf) > 0:
		d.refuse(c, &fault{status: http.StatusBadRequest, reason: "the request is not complete"})
	default:
		d.drop(c)
	}
}

// received looks at all that has come in from c and reports whether c is off
// the hands of the caller.
func (d *door) received(c *caller, b []byte) bool {
	n := c.head.scan(b)
	if n == 0 && len(b) <= d.headSize {
		return false
	}
	if n == 0 || n > d.headSize {
		d.refuse(c, c.head.overlong(d.headSize))
		return true
	}
	r, f := d.parser.parse(&c.head, b[:n])
	if f != nil {
		d.refuse(c, f)
		return true
	}
	d.release(c)
	if r == nil || !d.receive(c, r, b[n:]) {
		d.leave(c, b)
	}
	return true
}

// refuse answers what is no request and closes the connection. What the peer
// still sends is read and dropped for a while, so that the answer arrives.
func (d *door) refuse(c *caller, f *fault) {
	d.host.refused(badRequest, c.peer.String())
	d.release(c)
	d.out.begin(d.out.dst[:0])
	f.write(&d.out)
	d.out.end()
	poll.Send(c.fd, d.out.dst) // fits an empty socket buffer
	poll.HalfClose(c.fd)
	d.wait(caller{fd: c.fd, peer: c.peer, addr: c.addr, leaving: true})
}

// leave leaves a connection of which b has been read to net/http.
func (d *door) leave(c *caller, b []byte) {
	nc, err := fileConn(c.fd)
	if err != nil {
		d.host.log.Debug("connection dropped", "peer", c.peer, "err", err)
		d.host.gate.depart(c.addr)
		return
	}
	again := &replay{TCPConn: nc, rest: append([]byte(nil), b...), peer: net.TCPAddrFromAddrPort(c.peer)}
	d.host.gate.adopt(again, c.addr)
	d.http.put(again)
}

// fileConn makes a connection of package net of a descriptor, which is gone
// then in any case.
func fileConn(fd int) (*net.TCPConn, error) {
	f := os.NewFile(uintptr(fd), "connection")
	defer f.Close() // of the original: the connection has a duplicate
	nc, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		nc.Close()
		return nil, errors.New("not a TCP connection")
	}
	return tcp, nil
}

// release lets go of a connection, which stays open.
func (d *door) release(c *caller) {
	if c.id != 0 {
		d.callers.remove(c)
		d.set.Remove(c.fd)
	}
}

// drop cuts a caller.
func (d *door) drop(c *caller) {
	d.callers.remove(c)
	d.hangUp(c)
}

// hangUp closes a connection that was let in.
func (d *door) hangUp(c *caller) {
	poll.Close(c.fd)
	d.host.gate.depart(c.addr)
}

// arm sees to it that run looks when something is due.
func (d *door) arm() {
	at := d.again
	if c := d.callers.oldest(); c != nil {
		if until := c.since.Add(d.headTime); at.IsZero() || until.Before(at) {
			at = until
		}
	}
	if !at.IsZero() && (d.due.IsZero() || at.Before(d.due)) {
		d.due = at
		d.alarm.Reset(time.Until(at))
	}
}

// expire does what is due. The alarm is not moved when somebody leaves: it finds
// less to do then.
func (d *door) expire() {
	if d.due.IsZero() {
		return
	}
	now := time.Now()
	if now.Before(d.due) {
		return
	}
	d.due = time.Time{}
	for c := d.callers.oldest(); c != nil && now.Sub(c.since) >= d.headTime; c = d.callers.oldest() {
		if len(c.buf) == 0 {
			d.drop(c)
			continue
		}
		d.refuse(c, &fault{status: http.StatusRequestTimeout, reason: "the request took too long"})
	}
	if !d.again.IsZero() && !now.Before(d.again) {
		d.again = time.Time{}
		d.set.Change(d.listener, listenerID, true, false)
	}
}
