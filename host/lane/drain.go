package lane

import (
	"math/rand/v2"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
)

// Drain closes every session with 1001, spread over that time, refuses what is
// new and stops the lane when the last one is over. Plain requests have as long as
// a closing handshake to come to their end: streams have none. The instance hears of
// its end last. Sessions whose turn has not come are served as before: thousands of
// clients that come back somewhere else do not do so at once.
func (l *Lane) Drain(over time.Duration) { l.mail.post(mail{kind: mailDrain, id: uint64(over)}) }

// drainPause is the least pause between two batches of sessions that are told to
// go, on average.
const drainPause = 20 * time.Millisecond

// farewell is what is left to do of a drain.
type farewell struct {
	ids   []uint64 // sessions in no order, those that are not over yet among them
	batch int
	pause time.Duration // on average
}

func (l *Lane) drain(over time.Duration) {
	if l.stopping {
		return
	}
	l.stopping = true
	if len(l.exchanges) > 0 {
		l.due.set(l.cfg.Limits.CloseTime, dueRequests, 0)
	}
	f := &l.farewell
	l.sessions.all(func(id uint64, s *session) {
		if s.state == connecting {
			l.answer(s, Decision{Err: ErrDown})
			l.end(id, s, abi.CloseGoingAway, abi.WhoHost, false, nil)
			return
		}
		f.ids = append(f.ids, id)
	})
	rand.Shuffle(len(f.ids), func(i, j int) { f.ids[i], f.ids[j] = f.ids[j], f.ids[i] })
	steps := max(1, min(int(over/drainPause), len(f.ids)))
	f.batch, f.pause = (len(f.ids)+steps-1)/steps, max(over/time.Duration(steps), 1)
	l.drainBatch()
}

// drainBatch tells some of the sessions to go, and others after a pause of half
// to one and a half times the usual.
func (l *Lane) drainBatch() {
	f := &l.farewell
	n := min(f.batch, len(f.ids))
	for _, id := range f.ids[:n] {
		if s := l.sessions.find(id); s != nil && (s.state == accepted || s.state == open) {
			l.startClose(id, s, abi.CloseGoingAway, "server is going away", abi.WhoHost)
		}
	}
	if f.ids = f.ids[n:]; len(f.ids) > 0 {
		l.due.set(f.pause/2+rand.N(f.pause), dueDrain, 0)
	}
}

// endRequests ends what plain requests there are. The guest hears of each.
func (l *Lane) endRequests() {
	for id, x := range l.exchanges {
		x.fail(ErrEnding)
		l.left(id)
	}
}
