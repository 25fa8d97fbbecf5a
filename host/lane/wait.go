package lane

import (
	"runtime"
	"time"

	"github.com/yimmo-host/yimmo-host/host/poll"
)

// A waiter parks the lane until there is something to do.
type waiter interface {
	// wait returns the sockets that are ready. If idle, it waits for one, or for
	// the mailbox's wake-up.
	wait(idle bool) []poll.Event

	close()
}

// clocks are what a lane knows of the time, and what wakes it.
type clocks struct {
	due       deadlines
	alarm     *time.Timer   // for the earliest of due
	armed     time.Time     // when it will ring
	clock     time.Duration // since the lane began, as of the last look
	tick      uint32        // clock in ticks
	turned    uint32        // when the ring was last emptied by a turn
	turnClock time.Duration // clock of the turn at hand
	waiter    waiter
}

// newWaiter makes the waiter that the configuration asks for and the operating
// system has, and connects the mailbox and the alarm to it.
func (l *Lane) newWaiter() {
	if l.cfg.Poll {
		set, err := poll.New(maxReady)
		if err == nil {
			l.polls, l.waiter, l.mail.wake = set, &pollWaiter{set: set}, set.Wake
		} else {
			l.log.Warn("sockets are not polled", "err", err)
		}
	}
	if l.waiter == nil {
		w := chanWaiter(make(chan struct{}, 1))
		l.waiter, l.mail.wake = w, w.wake
	}
	l.alarm = time.AfterFunc(time.Hour, l.mail.poke)
	l.armed = l.began.Add(time.Hour)
}

// setAlarm sees to it that the lane wakes for its earliest deadline.
func (l *Lane) setAlarm() {
	var next time.Time
	if len(l.due) > 0 {
		next = l.due[0].at
	}
	if len(l.timers.heap) > 0 {
		if at := l.began.Add(l.timers.heap[0].at); next.IsZero() || at.Before(next) {
			next = at
		}
	}
	if next.IsZero() || next.Equal(l.armed) && next.Sub(l.began) > l.clock { // else it has rung already
		return
	}
	l.armed = next
	l.alarm.Reset(time.Until(next))
}

// overdue does what is due.
func (l *Lane) overdue() {
	l.runTimers()
	if len(l.due) == 0 {
		return
	}
	now := time.Now()
	for d, ok := l.due.due(now); ok; d, ok = l.due.due(now) {
		switch d.kind {
		case dueClose:
			l.closeOverdue(d.id)
		case dueAnswer:
			l.answerOverdue(d.id)
		case dueRestart:
			l.restart()
		case dueSocket:
			l.watchSocket(d.id)
		case dueMessage:
			l.watchMessage(d.id)
		case dueRound:
			l.round()
		case dueDrain:
			l.drainBatch()
		case dueRequests:
			l.endRequests()
		}
	}
}

// chanWaiter is for lanes whose sockets others read: it holds a token when the
// mailbox may not be empty.
type chanWaiter chan struct{}

func (w chanWaiter) wake() {
	select {
	case w <- struct{}{}:
	default:
	}
}

func (w chanWaiter) wait(idle bool) []poll.Event {
	if idle {
		<-w
	}
	return nil
}

func (chanWaiter) close() {}

// maxReady is how many sockets are read before a turn runs: as many as fill a
// turn well, few enough that the first does not wait long for its answer.
const maxReady = 64

// pollWaiter is for lanes that read their sockets themselves.
type pollWaiter struct{ set *poll.Set }

func (w *pollWaiter) wait(idle bool) []poll.Event {
	// Nothing on a busy lane's way enters the scheduler: without this, other
	// goroutines would wait for the runtime to take the processor away.
	runtime.Gosched()
	if !idle {
		return w.set.Poll()
	}
	return w.set.Wait()
}

func (w *pollWaiter) close() { w.set.Close() }
