package guest

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// A watchdog bounds how long an instance runs at a stretch, by cancelling the
// context of the running call: wazero then ends the guest at its next loop
// header. Cancelling is the only way that is safe from outside: closing the
// module from another goroutine would pull its resources away under its feet.
//
// One timer serves an instance for its life. When it rings, it looks at the
// deadline of whatever call runs then and sleeps for the rest: a busy instance
// touches it once per limit, not per call. Per call that is one look at the clock
// and three atomics, 38 ns, where resetting a timer takes 82; wazero's own share
// of a bounded call is 450 ns and three allocations (a goroutine that waits for
// the context, its channel and its stop function).
//
// This file is all that knows about wazero's means of interruption: what
// replaces it needs begin, end and a context to call with.
type watchdog struct {
	stop  stopContext
	epoch time.Time // what deadlines count from

	// Nanoseconds since epoch. The owner stores deadline, then loads rings; the
	// timer stores rings, then loads deadline: one of them sees the other.
	deadline atomic.Int64 // of the running call; 0 = none runs, overrun = too late
	rings    atomic.Int64 // when the timer rings, or earlier; 0 = it is not set

	mu    sync.Mutex // setting the timer, with rings
	timer *time.Timer
}

const overrun = -1

func newWatchdog() *watchdog {
	w := &watchdog{stop: stopContext{done: make(chan struct{})}, epoch: time.Now()}
	w.timer = time.AfterFunc(time.Hour, w.ring)
	w.timer.Stop()
	return w
}

// context is what calls of the guest run under.
func (w *watchdog) context() context.Context { return &w.stop }

// begin starts the time of a call. Calls do not overlap.
func (w *watchdog) begin(limit time.Duration) {
	d := max(1, int64(time.Since(w.epoch)+limit))
	w.deadline.Store(d)
	if r := w.rings.Load(); r == 0 || r > d {
		w.mu.Lock()
		w.set(d)
		w.mu.Unlock()
	}
}

// end stops the time and reports whether the call was in time. After false the
// context is cancelled for good.
func (w *watchdog) end() bool { return w.deadline.Swap(0) != overrun }

// set makes the timer ring at d. mu is held.
func (w *watchdog) set(d int64) {
	w.rings.Store(d)
	w.timer.Reset(time.Duration(d) - time.Since(w.epoch))
}

// ring is called by the timer.
func (w *watchdog) ring() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rings.Store(0)
	for {
		d := w.deadline.Load()
		switch {
		case d <= 0: // idle, or stopped before
			return
		case time.Duration(d) > time.Since(w.epoch):
			w.set(d)
			return
		case w.deadline.CompareAndSwap(d, overrun):
			close(w.stop.done)
			return
		}
		// That call ended just now; look again.
	}
}

// close disarms the timer. No call may be running.
func (w *watchdog) close() { w.timer.Stop() }

// A stopContext is done when its channel is closed, with the error by which
// wazero knows a deadline. It carries no values, so that wazero's look for some
// in each call is short.
type stopContext struct{ done chan struct{} }

func (*stopContext) Deadline() (time.Time, bool) { return time.Time{}, false }
func (c *stopContext) Done() <-chan struct{}     { return c.done }
func (*stopContext) Value(any) any               { return nil }

func (c *stopContext) Err() error {
	select {
	case <-c.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}
