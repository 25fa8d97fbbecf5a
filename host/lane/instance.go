package lane

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// Pauses before an instance is started again. The first restart is immediate;
// an instance that ran for calm begins anew.
const (
	firstPause = 100 * time.Millisecond
	longPause  = 30 * time.Second
	calm       = time.Minute

	// mostFailures in a row, pauses and all, and it stays down.
	mostFailures = 10
)

// revivals are how often sessions may go on in a fresh instance: five times at
// once, and then every twelve seconds. More often they close with 1013, for what
// fails like that serves nobody.
var revivals = Rate{PerSecond: 1, AtOnce: 60}

const revivalPause = 12 * time.Second

// instance is what there is of the running guest.
type instance struct {
	guest    Guest // nil while there is none
	ring     []byte
	area     []byte
	areaAddr uint32
	started  time.Time
	messages bool // it takes whole messages
	marked   bool // its memory has passed the mark, and that was said
	small    bool // the mark is less than it began with
}

// restarts are how often instances have failed of late.
type restarts struct {
	again    atomic.Int64  // since the lane began, in nanoseconds: when an instance is tried for if there is none; or never. Any goroutine
	backoff  time.Duration // before the next
	failures int           // in a row
	revivals pace
}

// start makes an instance and gives it its start event.
func (l *Lane) start() error {
	g, err := l.cfg.Start()
	if err != nil {
		if trap := (*guest.TrapError)(nil); errors.As(err, &trap) {
			l.counters.Traps[trap.Kind].Add(1)
		}
		return err
	}
	l.guest, l.ring, l.started = g, g.Events(), time.Now()
	l.messages = l.cfg.Messages || g.Features()&abi.FeatureMessages != 0
	l.frames = l.frameLimits(g)
	l.area, l.areaAddr = g.Area()
	settings := l.cfg.Settings(l.frames.Message)
	if len(settings) > len(l.area) {
		l.guest.Close()
		l.guest = nil
		return fmt.Errorf("configuration of %d bytes does not fit the receive area of %d", len(settings), len(l.area))
	}
	l.put(abi.Event{Kind: abi.EventStart}, settings)
	if err := l.call(); err != nil {
		l.counters.Traps[trapKind(err)].Add(1)
		l.guest.Close()
		l.guest, l.n, l.used = nil, 0, 0
		return fmt.Errorf("start: %w", err)
	}
	l.counters.Up.Store(true)
	return nil
}

// trapped throws the instance away, which is never called again. If its sessions
// may go on in a fresh one they do, all but those it has not heard the last of.
// Else they close.
func (l *Lane) trapped(err error) {
	if time.Since(l.started) > calm {
		l.backoff, l.failures = 0, 0
	}
	l.counters.Traps[trapKind(err)].Add(1)
	alive := l.cfg.Revive && !l.stopping && l.revivals.take(&revivals, int64(revivalPause/time.Second), l.clock)
	l.logTrap(err, alive)
	unheard := l.unheard()
	l.discard()
	if alive {
		if err = l.start(); err == nil {
			l.counters.Restarts.Add(1)
			l.failRequests()
			l.announce(unheard)
			return
		}
		l.log.Error("plugin does not start again", "err", err)
	}
	l.scheduleRestart()
	l.failRequests()
	l.openCalls() // those it accepted in this turn learn of both
	code := uint16(abi.CloseInternal)
	if l.cfg.Revive && !l.stopping {
		code = abi.CloseTryAgain
	}
	l.sessions.all(func(id uint64, s *session) { l.loseSession(id, s, code) })
}

// discard ends the instance and forgets what was of it alone.
func (l *Lane) discard() {
	l.guest.Close()
	l.guest, l.ring, l.area = nil, nil, nil // their memory is gone
	l.n, l.used, l.floor, l.refused = 0, 0, 0, 0
	l.ownWaiting, l.ownBytes, l.ownDropped = 0, 0, false
	l.timers = timers{}
	l.dropOwnTopics()
	l.later, l.asked, l.ended = l.later[:0], l.asked[:0], l.ended[:0]
	l.counters.Up.Store(false)
}

func (l *Lane) failRequests() {
	for id, x := range l.exchanges {
		x.fail(ErrDown)
		delete(l.exchanges, id)
	}
}

// loseSession ends a session of an instance that is no more. Nobody hears of it
// but its peer.
func (l *Lane) loseSession(id uint64, s *session, code uint16) {
	l.answer(s, Decision{Err: l.down()})
	if s.state != connecting && s.state != over {
		l.counters.Closes[closeIndex(code)].Add(1)
	}
	if s.state == open || s.state == accepted {
		l.writeClose(s, code, pluginFailed)
	}
	s.last = s.last && s.state == over
	l.release(id, s)
}

// scheduleRestart sees to the next attempt, if there is to be one.
func (l *Lane) scheduleRestart() {
	if l.failures++; l.failures > mostFailures {
		l.log.Error("plugin stays down until an operator resets it", "failures", l.failures)
		l.again.Store(never)
		return
	}
	l.again.Store(int64(time.Since(l.began) + l.backoff))
	l.due.set(l.backoff, dueRestart, 0)
	l.backoff = min(max(firstPause, l.backoff*2), longPause)
}

func (l *Lane) restart() {
	if l.guest != nil || l.stopping {
		return
	}
	if err := l.start(); err != nil {
		l.log.Error("plugin does not start again", "err", err, "next_try", l.backoff)
		l.started = time.Now()
		l.scheduleRestart()
		return
	}
	l.counters.Restarts.Add(1)
	l.log.Info("plugin runs again")
}

// Reset makes a plugin that stays down try again, at once.
func (l *Lane) Reset() { l.mail.post(mail{kind: mailReset}) }

func (l *Lane) reset() {
	l.backoff, l.failures, l.revivals, l.lost = 0, 0, 0, 0
	l.restart()
}

func (l *Lane) logTrap(err error, alive bool) {
	what := "plugin trapped; its sessions close"
	if alive {
		what = "plugin trapped; its sessions go on in a fresh instance"
	}
	l.log.Error(what, "kind", trapKind(err).String(), "err", err,
		"sessions", l.sessions.count, "requests", len(l.exchanges))
}
