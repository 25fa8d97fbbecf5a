package lane

import (
	crand "crypto/rand"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// A pending event was made by a command and waits for the next turn.
type pending struct {
	event   abi.Event
	payload []byte
}

// batch is what lies in the ring and the area for the next turn.
type batch struct {
	n           int       // events in the ring
	first       int       // of them that the guest has not taken in, while it is called
	used        int       // bytes of the area in use
	floor       int       // bytes of it that outlast the turn at hand
	later       []pending // events made by commands; they go into the next turn
	refused     int       // how many of those are refusals
	lastRefused int       // index of the last of them
	asked       []uint64  // sessions whose connect event is in the ring
	ended       []uint64  // sessions whose close event is in the ring
	seeds       *rand.ChaCha8
	turns       uint64
}

var (
	errEndless = errors.New("the guest asked to be called again without end")
	errKilled  = errors.New("the lane was to end at once, and the guest had not come to the end of its turn")
)

// room makes sure that the ring has a free record and the area size free
// bytes, by running a turn if need be. It reports false when there is no guest
// to hear of anything, or none with an area of that size. The turn may end
// sessions: look at them afterwards.
func (l *Lane) room(size int) bool {
	if l.guest != nil && (l.n == len(l.ring)/abi.RecordSize || size > len(l.area)-l.used) {
		l.turn()
	}
	return l.guest != nil && size <= len(l.area)-l.used
}

// put writes one event into the ring and copies its payload into the area.
// There must be room.
func (l *Lane) put(e abi.Event, payload []byte) {
	at := l.used
	copy(l.area[at:], payload)
	l.used = align(at+len(payload), len(l.area))
	l.putAt(&e, at, len(payload))
}

// putAt writes one event whose payload lies in the area already.
func (l *Lane) putAt(e *abi.Event, at, size int) {
	e.Addr, e.Len = l.areaAddr+uint32(at), uint32(size)
	abi.PutEvent(l.ring[l.n*abi.RecordSize:], e)
	l.n++
}

// align rounds up to where the next payload begins.
func align(at, limit int) int { return min((at+7)&^7, limit) }

// turn hands all waiting events to the guest and carries out what it answers.
func (l *Lane) turn() {
	l.addLater()
	if l.n == 0 {
		l.used = l.floor
		return
	}
	if err := l.call(); err != nil {
		l.trapped(err)
		return
	}
	l.settle()
}

// call calls the guest until it has consumed the ring and has nothing more to
// say. What it said before a trap has been carried out, the rest never happens.
// An error means that the instance is lost; events from l.first on it has not heard.
func (l *Lane) call() error {
	now := time.Now()
	l.turnClock = now.Sub(l.began)
	defer func() {
		took := time.Since(now)
		l.countTurn(took)
		l.throttle(took)
	}()
	h := guest.Header{Now: now.UnixNano(), Mono: int64(l.turnClock)}
	l.first, l.careful, l.said = 0, 0, said{}
	l.allow(l.n)
	since, more := now, false
	var idle idleTime
	for calls := 0; l.first < l.n || more; calls++ {
		if calls > 0 && l.killed.Load() {
			l.stopping = true
			return errKilled
		}
		n := l.step(l.first, more)
		l.turns++
		h.Seed, h.Turn = l.seeds.Uint64(), l.turns
		idle.begin()
		commands, consumed, again, err := l.guest.Turn(l.first, n, h)
		idle.end(consumed > l.first)
		if err == nil && (calls >= abi.MaxCalls+l.n || idle.exceeds(l.cfg.Limits.Turn)) {
			err = l.undoEndless()
		}
		if err != nil {
			if more, err = l.undone(l.first, n, err, time.Since(since)); err != nil {
				return err
			}
			l.allow(l.n - l.first) // what failed has no part in it
			since, calls, idle = time.Now(), 0, idleTime{}
			continue
		}
		if err := l.commitNew(commands, more, again); err != nil {
			return err
		}
		l.first, more = consumed, again
		if l.careful > 0 { // what the next one may lose begins here
			since = time.Now()
		}
	}
	if l.said.old > 0 {
		return errSaysOther
	}
	l.n, l.used, l.turned = 0, l.floor, l.tick
	return nil
}

// idleTime is that of calls in a row that took no event in, all but the first: a
// guest that was given something may take the time of a call for it, and as much
// again to say what it has to say.
type idleTime struct {
	is    bool // the last call was one
	since time.Time
	took  time.Duration
}

func (i *idleTime) begin() {
	if i.is {
		i.since = time.Now()
	}
}

func (i *idleTime) end(consumed bool) {
	if consumed {
		*i = idleTime{}
		return
	}
	if i.is {
		i.took += time.Since(i.since)
	}
	i.is = true
}

func (i *idleTime) exceeds(limit time.Duration) bool { return limit > 0 && i.took > limit }

// addLater moves pending events into the ring, as many as fit.
func (l *Lane) addLater() {
	taken := 0
	for _, p := range l.later {
		if l.guest == nil || l.n == len(l.ring)/abi.RecordSize || len(p.payload) > len(l.area)-l.used {
			break
		}
		l.put(p.event, p.payload)
		taken++
	}
	l.later = append(l.later[:0], l.later[taken:]...)
	if len(l.later) == 0 {
		l.refused, l.ownWaiting, l.ownBytes, l.ownDropped = 0, 0, 0, false
	} else {
		l.lastRefused -= taken
	}
}

// settle follows a turn: connects that nobody refused are accepted, and
// sessions whose close event the guest has had are freed.
func (l *Lane) settle() {
	for _, id := range l.asked {
		s := l.sessions.find(id)
		switch {
		case s == nil || s.state != connecting:
		case !s.held:
			l.accept(id, s, nil)
		case s.asker != nil && s.asker.call != nil:
			l.holdCall(id, s)
		}
	}
	l.asked = l.asked[:0]
	for _, id := range l.ended {
		if s := l.sessions.find(id); s != nil {
			l.release(id, s)
		}
	}
	l.ended = l.ended[:0]
}

func newSeeds() *rand.ChaCha8 {
	var seed [32]byte
	crand.Read(seed[:]) // never fails, says its documentation
	return rand.NewChaCha8(seed)
}
