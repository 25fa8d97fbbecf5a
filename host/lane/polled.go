package lane

import (
	"time"

	"github.com/yimmo-host/yimmo-host/host/backlog"
	"github.com/yimmo-host/yimmo-host/host/frame"
	"github.com/yimmo-host/yimmo-host/host/poll"
)

// sockets are those that the lane reads and writes itself.
type sockets struct {
	polls     *poll.Set // nil unless it does
	lingering map[uint64]*polled
	sides     []*side // to be used again
	decoders  []*frame.Decoder
	opening   []opening // until the turn is over
	scratch   []byte    // for the answer to a call
}

// polled is the link of a session whose socket the lane reads and writes
// itself. It is all that an idle connection costs beside its session.
type polled struct {
	lane    *Lane
	id      uint64
	side    *side          // nil while nothing is unfinished
	dec     *frame.Decoder // nil between messages
	fd      int32
	reading bool // the socket is wanted for reading
	writing bool // and for writing
	quiet   bool // it is in the set, but not wanted yet: nobody has decided
	packs   bool // its messages may be compressed
	watched bool // a deadline of kind dueSocket is set
	parting bool // Close follows the next Write
	timed   bool // one of kind dueMessage is
	leaving bool // the session has let go: half-close when out is empty
	broken  bool // the socket failed; the next look at it tells
	parted  bool // the peer has closed its half
}

// side is what a connection needs only while something is unfinished.
type side struct {
	in      []byte        // the beginning of a frame
	counted int           // bytes of it, as far as they are counted
	since   time.Duration // on the lane's clock: when the unfinished message began, 0 = none is
	out     backlog.Queue // what the socket would not take
	pong    int           // out ends in a whole pong of so many bytes; 0 = it does not
	moved   time.Duration // when it last took something
	still   time.Duration // since when it has been read no further
	leave   time.Duration // when it must have taken the rest, then when it must have closed its half
}

// socket is a descriptor on its way to the lane.
type socket struct {
	fd    int
	early []byte
}

// Polls says whether the lane takes sockets, see [Lane.AttachSocket].
func (l *Lane) Polls() bool { return l.polls != nil }

// AttachSocket is [Lane.Attach] with a connected, non-blocking TCP socket, which
// belongs to the lane from now on. early is what has been read from it already.
// The lane must poll.
func (l *Lane) AttachSocket(session uint64, fd int, early []byte) {
	k := &socket{fd, early}
	if !l.mail.post(mail{kind: mailSocket, id: session, what: k}) {
		l.refuseSocket(session, k)
	}
}

func (l *Lane) refuseSocket(session uint64, k *socket) {
	poll.Close(k.fd)
	l.socketClosed(session)
}

func (l *Lane) socketClosed(session uint64) {
	if l.cfg.SocketClosed != nil {
		l.cfg.SocketClosed(session)
	}
}

func (l *Lane) attachSocket(id uint64, k *socket) {
	if l.stopping && l.sessions.find(id) == nil {
		l.refuseSocket(id, k)
		return
	}
	c := &polled{lane: l, id: id, fd: int32(k.fd), reading: true}
	if err := l.polls.Add(k.fd, id); err != nil {
		l.log.Error("socket not polled", "session", sessionID(id), "err", err)
		l.refuseSocket(id, k)
		l.gone(id)
		return
	}
	l.attach(id, c, nil)
	if len(k.early) > 0 && !c.leaving {
		c.needSide().in = k.early
		l.decodeEarly(c)
	}
}

// decodeEarly takes what came before the link was there.
func (l *Lane) decodeEarly(c *polled) {
	if c.side != nil && len(c.side.in) > 0 && l.guest != nil && l.linked(c.id) == c {
		l.decodeKept(c, false)
		l.countKept(c)
	}
}

// linked is the polled link of a session, or one that outlived it.
func (l *Lane) linked(id uint64) *polled {
	if s := l.sessions.find(id); s != nil {
		c, _ := s.link.(*polled)
		return c
	}
	return l.lingering[id]
}

// socketReady does what a socket is ready for. An event of a socket that has
// been closed since finds nobody: ids are not used again.
func (l *Lane) socketReady(e *poll.Event) {
	c := l.linked(e.ID)
	if c == nil {
		l.callerLeft(e.ID)
		return
	}
	if e.Writable {
		c.drain()
	}
	if !e.Readable || l.linked(e.ID) != c {
		return
	}
	if c.leaving {
		c.waste()
		return
	}
	l.receive(c)
	l.countKept(c)
}

// decoder is that of the message at hand.
func (c *polled) decoder() *frame.Decoder {
	if c.dec == nil {
		l := c.lane
		if n := len(l.decoders); n > 0 {
			c.dec, l.decoders = l.decoders[n-1], l.decoders[:n-1]
		} else {
			c.dec = &frame.Decoder{}
		}
		c.dec.Init(&l.frames)
		c.dec.AllowRSV1(c.packs)
	}
	return c.dec
}

// forget gives the decoder up.
func (c *polled) forget() {
	if l := c.lane; c.dec != nil && len(l.decoders) < mostSides {
		l.decoders = append(l.decoders, c.dec)
	}
	c.dec = nil
}

func (c *polled) needSide() *side {
	if c.side != nil {
		return c.side
	}
	l := c.lane
	if n := len(l.sides); n > 0 {
		c.side, l.sides = l.sides[n-1], l.sides[:n-1]
	} else {
		c.side = &side{}
	}
	return c.side
}

// leastRate is how many bytes the peer of a session that is over must take in
// the time that it has for taking any.
const leastRate = 64 << 10

// A lane keeps a few sides with their memory, and decoders, for those who need
// one next.
const (
	mostSides = 64
	sideSize  = 64 << 10
)

// tidy gives up the side if nothing is unfinished.
func (c *polled) tidy() {
	d := c.side
	if d == nil || len(d.in) > 0 || d.out.Len() > 0 || d.since != 0 || c.leaving {
		return
	}
	c.side = nil
	d.giveUp(c.lane)
	if l := c.lane; len(l.sides) < mostSides && cap(d.in)+d.out.Cap() <= sideSize {
		*d = side{in: d.in[:0], out: d.out}
		l.sides = append(l.sides, d)
	}
}

// Close implements [Link].
func (c *polled) Close() {
	if c.leaving {
		return
	}
	if c.broken {
		c.Cut()
		return
	}
	if c.Waiting() == 0 {
		if c.parted { // nothing unread is lost, so nothing can reset the connection
			c.Cut()
			return
		}
		poll.HalfClose(int(c.fd))
	}
	c.leaving = true
	c.forget()
	limits := &c.lane.cfg.Limits
	d := c.needSide()
	d.giveUp(c.lane)
	d.since, d.leave = 0, c.lane.clock+limits.CloseTime
	if n := d.out.Len(); n > 0 { // slow is one thing, for ever is another
		d.leave += time.Duration(1+n/leastRate) * limits.WriteTime
	}
	c.lane.lingering[c.id] = c
	c.want()
	c.watch(min(limits.CloseTime, limits.WriteTime))
}

// halfClose follows the last byte of a link that was closed meanwhile.
func (c *polled) halfClose() {
	if c.parted || c.broken {
		c.Cut()
		return
	}
	poll.HalfClose(int(c.fd))
	c.side.leave = c.lane.clock + c.lane.cfg.Limits.CloseTime
}

// Cut implements [Link].
func (c *polled) Cut() {
	if c.fd < 0 {
		return
	}
	if n := c.Waiting(); n > 0 {
		c.lane.hot.queued -= int64(n)
		poll.Abort(int(c.fd))
	} else {
		poll.Close(int(c.fd))
	}
	if c.side != nil {
		c.side.giveUp(c.lane)
	}
	c.fd, c.leaving, c.side = -1, true, nil
	c.forget()
	delete(c.lane.lingering, c.id)
	c.lane.socketClosed(c.id)
}

// waste reads and drops what a peer still sends, until it closes its half.
func (c *polled) waste() {
	var b [4 << 10]byte
	n, errno := poll.Recv(int(c.fd), b[:])
	switch {
	case n > 0 || errno == poll.Again:
	case errno == 0 && c.Waiting() > 0: // only half of it is gone: the peer may still read
		c.parted = true
		c.want()
	default:
		c.Cut()
	}
}

// watch sees to it that the socket is looked at after that time.
func (c *polled) watch(after time.Duration) {
	if !c.watched {
		c.watched = true
		c.lane.due.set(after, dueSocket, c.id)
	}
}

// watchSocket ends what takes nothing or does not go, and looks again while
// anything waits: most is over long before it is due.
func (l *Lane) watchSocket(id uint64) {
	c := l.linked(id)
	if c == nil {
		return
	}
	c.watched = false
	limits, d := &l.cfg.Limits, c.side
	if d == nil {
		return
	}
	var left time.Duration
	switch {
	case d.out.Len() > 0:
		left = d.moved + limits.WriteTime - l.clock
		if c.leaving {
			left = min(left, d.leave-l.clock)
		}
	case c.leaving:
		left = d.leave - l.clock
	default:
		return
	}
	if left > 0 {
		c.watch(left)
		return
	}
	c.broken = true
	l.stalled(id)
	c.Cut()
}

// watchMessage ends a session whose peer trickles a message.
func (l *Lane) watchMessage(id uint64) {
	c := l.linked(id)
	if c == nil {
		return
	}
	c.timed = false
	if c.side == nil || c.side.since == 0 {
		return
	}
	if !c.reading {
		c.timeMessage(l.cfg.Limits.MessageTime)
		return
	}
	if left := c.side.since + l.cfg.Limits.MessageTime - l.clock; left > 0 {
		c.timeMessage(left)
		return
	}
	l.faulted(c, ErrMessageTime)
}

// timeMessage has watchMessage look after that time.
func (c *polled) timeMessage(after time.Duration) {
	if !c.timed {
		c.timed = true
		c.lane.due.set(after, dueMessage, c.id)
	}
}
