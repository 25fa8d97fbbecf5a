package lane

import (
	"errors"
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// Counters are what a lane has done and has. Anyone may read them at any time;
// only the lane writes. What changes with each frame is counted in plain numbers
// and put here once a turn, the rest at once.
type Counters struct {
	Sessions atomic.Int64 // there are
	Requests atomic.Int64 // plain ones under way
	Queued   atomic.Int64 // bytes that wait in the lane for peers; a stream has its own
	Memory   atomic.Int64 // bytes of the instance
	Up       atomic.Bool  // there is an instance

	Received Traffic // from peers
	Sent     Traffic // by the guest, to each session

	Missed atomic.Uint64 // messages that a session did not get, the instance itself, or nobody in the lane, for want of room

	Inflated Packed // compressed messages of peers
	Deflated Packed // and of the guest

	Recycled atomic.Uint64 // instances ended because of their memory

	Turns Durations // time of a turn, its commands included

	Undone   atomic.Uint64 // calls that failed and were undone
	Restarts atomic.Uint64 // instances after the first

	Quota [QuotaKinds]atomic.Uint64 // what was above one

	Pings   atomic.Uint64             // of peers
	Pongs   atomic.Uint64             // of peers
	Closes  [CloseCodes]atomic.Uint64 // by the code that the guest hears, see [CloseName]
	Faults  [Faults]atomic.Uint64
	Traps   [Kinds]atomic.Uint64    // by [guest.Kind]: instances lost, and events that one failed at
	Refused [Statuses]atomic.Uint64 // commands by [abi.Status]
}

// Traffic counts messages by opcode, text then binary, and the payload of their frames.
type Traffic struct {
	Messages [2]atomic.Uint64
	Bytes    atomic.Uint64
}

// Packed counts bytes of compressed messages: those of the message, and those of
// the payload that it became.
type Packed struct{ Plain, Wire atomic.Uint64 }

// Sizes of the tables of [Counters].
const (
	Kinds    = int(guest.Kinds)
	Statuses = int(abi.StatusBadValue) + 1

	lowCode    = 1000
	highCode   = 1015
	CloseCodes = highCode - lowCode + 3
)

// closeIndex is the place of a close code in [Counters.Closes]: codes of
// applications share one for each thousand, for peers choose them.
func closeIndex(code uint16) int {
	switch {
	case code < lowCode || code > highCode && code < 4000:
		return CloseCodes - 2
	case code > highCode:
		return CloseCodes - 1
	}
	return int(code - lowCode)
}

// CloseCode is the code of a place in [Counters.Closes]: 3000 and 4000 stand for
// all of their thousand.
func CloseCode(i int) int {
	switch i {
	case CloseCodes - 2:
		return 3000
	case CloseCodes - 1:
		return 4000
	}
	return lowCode + i
}

// Durations counts times in buckets, see [Bound].
type Durations struct {
	Counts [Buckets]atomic.Uint64
	Sum    atomic.Int64 // nanoseconds
}

// Buckets is how many buckets [Durations] has.
const Buckets = 12

// Bound is the upper bound of bucket i but the last, which has none: 1us, and
// four times as much from one to the next.
func Bound(i int) time.Duration { return time.Microsecond << (2 * i) }

func bucketOf(d time.Duration) int {
	n := bits.Len64(uint64(max(0, d-1) / time.Microsecond))
	return min((n+1)/2, Buckets-1)
}

// tallies count for the lane alone, until [Lane.showCounters] shows some of them.
type tallies struct {
	hot       hot
	published hot // as of the last time
	samples   [Faults]sampler
	refusals  [Statuses]sampler
	losses    sampler // of publications
	overdraws [QuotaKinds]sampler
	allowed   allowance // of the guest's quotas
}

// hot is what changes with each frame or turn.
type hot struct {
	received, sent     traffic
	inflated, deflated packedBytes
	turns              [Buckets]uint64
	turnTime           int64
	queued             int64
	unfinished         int64
}

type packedBytes struct{ plain, wire uint64 }

func (p *packedBytes) add(plain, wire int) {
	p.plain += uint64(plain)
	p.wire += uint64(wire)
}

type traffic struct {
	messages [2]uint64
	bytes    uint64
}

// add counts a data frame.
func (t *traffic) add(flags byte, size int) {
	if op := flags & abi.MaskOpcode; op == abi.OpText || op == abi.OpBinary {
		t.messages[op-abi.OpText]++
	}
	t.bytes += uint64(size)
}

// countSent counts a frame of the guest's to one session.
func (l *Lane) countSent(flags byte, size int) {
	if flags&abi.MaskOpcode < abi.OpClose {
		l.hot.sent.add(flags, size)
	}
}

func (l *Lane) countTurn(d time.Duration) {
	l.hot.turns[bucketOf(d)]++
	l.hot.turnTime += int64(d)
}

// showCounters puts into Counters what has changed since it last did.
func (l *Lane) showCounters() {
	c, now, old := l.counters, &l.hot, &l.published
	c.Received.publish(&now.received, &old.received)
	c.Sent.publish(&now.sent, &old.sent)
	c.Inflated.publish(&now.inflated, &old.inflated)
	c.Deflated.publish(&now.deflated, &old.deflated)
	if now.turnTime != old.turnTime {
		for i, n := range now.turns {
			set(&c.Turns.Counts[i], n, old.turns[i])
		}
		c.Turns.Sum.Store(now.turnTime)
	}
	if more := l.uncounted(); more != 0 {
		l.cfg.Limits.Waiting.Add(more)
		c.Queued.Store(now.queued)
	}
	if more := now.unfinished - old.unfinished; more != 0 {
		l.cfg.Limits.Unfinished.Add(more)
	}
	gauge(&c.Sessions, int64(l.sessions.count))
	gauge(&c.Requests, int64(len(l.exchanges)))
	if l.guest != nil {
		gauge(&c.Memory, int64(len(l.guest.Memory())))
	}
	*old = *now
}

// uncounted is how many of the bytes that wait in the lane nobody else knows of yet.
func (l *Lane) uncounted() int64 { return l.hot.queued - l.published.queued }

func (t *Traffic) publish(now, old *traffic) {
	for i, n := range now.messages {
		set(&t.Messages[i], n, old.messages[i])
	}
	set(&t.Bytes, now.bytes, old.bytes)
}

func (p *Packed) publish(now, old *packedBytes) {
	set(&p.Plain, now.plain, old.plain)
	set(&p.Wire, now.wire, old.wire)
}

// set stores what is new: a store is dear, a look is not.
func set(to *atomic.Uint64, now, old uint64) {
	if now != old {
		to.Store(now)
	}
}

func gauge(to *atomic.Int64, now int64) {
	if to.Load() != now {
		to.Store(now)
	}
}

// trapKind is the kind of what ended an instance.
func trapKind(err error) guest.Kind {
	if trap := (*guest.TrapError)(nil); errors.As(err, &trap) {
		return trap.Kind
	}
	return guest.KindMistake
}
