package guest

import (
	"sync"
	"sync/atomic"
	"time"
)

// A watchdog bounds how long an instance runs at a stretch: it sets the meter's
// stop flag, and the guest traps at its next safe point (see package meter).
//
// One timer serves an instance for its life. When it rings, it looks at the
// deadline of whatever call runs then and sleeps for the rest: a busy instance
// touches it once per limit, not per call. Per call that is one look at the clock
// and three atomics, 38 ns, where resetting a timer takes 82.
type watchdog struct {
	stop  func(flag uint32) // sets the flag; called with mu held
	epoch time.Time         // what deadlines count from

	// Nanoseconds since epoch. The owner stores deadline, then loads rings; the
	// timer stores rings, then loads deadline: one of them sees the other.
	deadline atomic.Int64 // of the running call; 0 = none runs, overrun = too late
	rings    atomic.Int64 // when the timer rings, or earlier; 0 = it is not set

	mu    sync.Mutex // setting the timer, with rings, and the flag
	timer *time.Timer
}

const overrun = -1

// newWatchdog makes a watchdog that has nothing to stop yet.
func newWatchdog() *watchdog {
	w := &watchdog{epoch: time.Now(), stop: func(uint32) {}}
	w.timer = time.AfterFunc(time.Hour, w.ring)
	w.timer.Stop()
	return w
}

// stops says how a running call is stopped, once there is a way.
func (w *watchdog) stops(stop func(flag uint32)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stop = stop
	if w.deadline.Load() == overrun {
		stop(1)
	}
}

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

// end stops the time and reports whether the call was in time. If not, the flag
// has been set and is cleared again.
func (w *watchdog) end() bool {
	if w.deadline.Swap(0) != overrun {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stop(0)
	return false
}

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
			w.stop(1)
			return
		}
		// That call ended just now; look again.
	}
}

// close disarms the timer. No call may be running.
func (w *watchdog) close() { w.timer.Stop() }
