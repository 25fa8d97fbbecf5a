package lane

import (
	"fmt"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
)

// Pauses before an instance is started again. The first restart is immediate;
// an instance that ran for calm begins anew.
const (
	firstPause = 100 * time.Millisecond
	longPause  = 30 * time.Second
	calm       = time.Minute
)

// start makes an instance and gives it its start event.
func (l *Lane) start() error {
	g, err := l.cfg.Start()
	if err != nil {
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
		l.guest.Close()
		l.guest, l.n, l.used = nil, 0, 0
		return fmt.Errorf("start: %w", err)
	}
	l.counters.Up.Store(true)
	return nil
}

// trapped throws the instance away. It is never called again, so its sessions
// cannot go on: they close with 1011.
func (l *Lane) trapped(err error) {
	l.logTrap(err)
	l.guest.Close()
	l.guest, l.ring, l.area = nil, nil, nil // their memory is gone
	l.n, l.used, l.refused = 0, 0, 0
	l.ownWaiting, l.ownBytes, l.ownDropped = 0, 0, false
	l.timers = timers{}
	l.dropOwnTopics()
	l.later, l.asked, l.ended = l.later[:0], l.asked[:0], l.ended[:0]
	l.openCalls() // those it accepted in this turn learn of both
	l.counters.Traps[trapKind(err)].Add(1)
	l.counters.Up.Store(false)
	l.sessions.all(func(id uint64, s *session) {
		l.answer(s, Decision{Err: ErrDown})
		if s.state != connecting && s.state != over {
			l.counters.Closes[closeIndex(abi.CloseInternal)].Add(1)
		}
		if s.state == open {
			l.writeClose(s, abi.CloseInternal, "plugin failed")
		}
		s.last = s.last && s.state == over
		l.release(id, s)
	})
	for id, x := range l.exchanges {
		x.fail(ErrDown)
		delete(l.exchanges, id)
	}
	l.scheduleRestart()
}

func (l *Lane) scheduleRestart() {
	if time.Since(l.started) > calm {
		l.backoff = 0
	}
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
	l.log.Info("plugin runs again")
}

func (l *Lane) logTrap(err error) {
	l.log.Error("plugin trapped; its sessions close with 1011", "kind", trapKind(err).String(), "err", err,
		"sessions", l.sessions.count, "requests", len(l.exchanges))
}
