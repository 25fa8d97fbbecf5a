package lane

import (
	"math"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
)

// A lane looks at all its sessions again and again, some at a time, for those
// that are silent. So no session has a deadline of its own for that, and a frame
// costs the store of a number: the price is that a limit is noticed up to a
// round later than it passed.
const (
	roundShare  = 16                     // of the shortest limit: how long a round may take
	longRound   = 500 * time.Millisecond // however long the limits
	shortRound  = time.Millisecond
	lateShare   = 4  // of the time for an answer: a lane that comes back so late cannot judge silence
	roundBreaks = 16 // a round is cut into so many steps at most
)

// rounds is the state of the looking.
type rounds struct {
	length  time.Duration // of a round; 0 = never
	ping    uint32        // the limits in ticks
	pong    uint32
	idle    uint32
	running bool          // a deadline of kind dueRound is set
	next    int           // slab to begin with
	last    time.Duration // when the last step was, on the lane's clock
	resumed uint32        // when the lane last came back late: silence before that proves nothing
}

// ticks is a time or a span in the unit of what sessions remember, a
// millisecond. Differences are right as long as they are below 49 days.
func ticks(d time.Duration) uint32 { return uint32(d / time.Millisecond) }

// limitTicks is ticks for a limit: the shortest is one.
func limitTicks(d time.Duration) uint32 {
	if d == 0 {
		return 0
	}
	return max(1, ticks(d))
}

func newRounds(l *Limits) rounds {
	r := rounds{ping: limitTicks(l.Ping), pong: limitTicks(l.Pong), idle: limitTicks(l.Idle)}
	if r.ping == 0 && r.idle == 0 {
		return r
	}
	shortest := time.Duration(math.MaxInt64)
	for _, d := range []time.Duration{l.Ping, l.Pong, l.Idle} {
		if d > 0 {
			shortest = min(shortest, d)
		}
	}
	r.length = min(max(shortest/roundShare, shortRound), longRound)
	return r
}

// keepAlive begins to watch over the silence of a session that has just got its link.
func (l *Lane) keepAlive(s *session) {
	s.heard, s.asked, s.spoke = l.tick, l.tick, l.tick
	if l.rounds.running || l.rounds.length == 0 {
		return
	}
	l.rounds.running, l.rounds.last = true, l.clock
	l.due.set(l.rounds.step(len(l.sessions.slabs)), dueRound, 0)
}

// step is the pause between two steps of a round over n slabs.
func (r *rounds) step(n int) time.Duration { return r.length / time.Duration(min(n, roundBreaks)) }

// round looks at the next of the sessions, and goes on later while there are any.
func (l *Lane) round() {
	r, n := &l.rounds, len(l.sessions.slabs)
	if l.clock-r.last > max(2*r.length, l.cfg.Limits.Pong/lateShare) {
		r.resumed = l.tick // what was sent meanwhile may not have been read yet
	}
	r.last = l.clock
	for range (n + roundBreaks - 1) / roundBreaks {
		l.sessions.slab(r.next%n, l.silence)
		r.next = (r.next + 1) % n
	}
	r.running = l.sessions.count > 0
	if r.running {
		l.due.set(r.step(n), dueRound, 0)
	}
}

// silence pings a session whose peer has been silent, and ends it when that
// does not help or when nobody has anything to say. While a message is
// unfinished its own deadline does the watching: a peer in the middle of a
// frame cannot answer a ping.
func (l *Lane) silence(id uint64, s *session) {
	if s.state != open || s.link == nil {
		return
	}
	if s.slow { // it is not read, so it cannot be heard; it must take something instead
		s.heard, s.asked = l.tick, l.tick
		return
	}
	r := &l.rounds
	silent := l.tick - s.heard
	switch {
	case r.idle > 0 && l.tick-s.spoke >= r.idle && !s.link.Busy():
		l.fault(FaultIdle, id, abi.CloseGoingAway)
		l.startClose(id, s, abi.CloseGoingAway, "nothing was said for too long", abi.WhoHost)
	case silent < r.ping:
		if s.asked != s.heard {
			s.asked = s.heard
		}
	case r.ping == 0 || s.link.Busy():
	case l.tick-s.asked >= silent: // it has not been asked since it was last heard
		s.asked = l.tick
		s.link.Write(pingFrame)
	case l.tick-s.asked >= r.pong && l.tick-r.resumed >= r.pong:
		l.fault(FaultPong, id, abi.CloseAbnormal)
		s.link.Cut()
		l.end(id, s, abi.CloseAbnormal, abi.WhoHost, false, nil)
	}
}

// pingFrame asks a peer for a sign of life, RFC 6455 section 5.5.2.
var pingFrame = []byte{abi.FlagFIN | abi.OpPing, 0}
