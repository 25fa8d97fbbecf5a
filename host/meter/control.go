package meter

import (
	"fmt"
	"runtime"
	"sync/atomic"
)

// Controls are the host's hands on one instance of a rewritten module.
//
//	c.Arm(budget)
//	err := call into the guest
//	reason := c.Disarm(err != nil)
//
// and, from a watchdog in any goroutine,
//
//	running := c.Running()
//	if the call has run for too long {
//		c.Stop(running)
//	}
//
// Arm and Disarm belong to the goroutine that calls the guest. A guest that is
// called without Arm runs on what the last call left.
//
// Setting a global while the guest runs is a plain store of a machine word into
// memory that compiled code reads again at each safe point. It is the only word
// that two goroutines touch, and only Stop and Disarm do, one after the other.
// wazero's interpreter reads it in Go, where the race detector rightly objects.
type Controls struct {
	globals Globals

	fullSlice, fullDepth uint64

	// state is the number of the running call, times four, and one of:
	state atomic.Uint64
}

const (
	stateIdle     = 0
	stateRunning  = 1
	stateStopping = 2 // Stop is about to set the global
	stateStopped  = 3 // it has
	stateCall     = 4 // what the next call adds
)

// Bind finds the controls of an instance. opt are the options of its rewrite;
// global returns an exported mutable global by name, or nil.
func Bind(opt Options, global func(name string) Global) (*Controls, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return nil, err
	}
	g, err := Find(global)
	if err != nil {
		return nil, fmt.Errorf("bind meter: %w", err)
	}
	return &Controls{globals: g, fullSlice: uint64(opt.Slice), fullDepth: uint64(opt.MaxDepth)}, nil
}

// Arm gives the next call its budget in units, of which the first come as a
// slice. A negative budget is none.
func (c *Controls) Arm(budget int64) {
	slice := min(max(budget, 0), int64(c.fullSlice))
	c.globals.Slice.Set(uint64(slice))
	c.globals.Budget.Set(uint64(max(budget, 0) - slice))
	c.state.Store(c.state.Load()&^3 + stateCall + stateRunning)
}

// Running returns a number for the running call, 0 when there is none. A
// watchdog reads it first and then looks at the clock, so that what it stops is
// what it looked at. Safe for concurrent use.
func (c *Controls) Running() uint64 {
	if s := c.state.Load(); s&3 == stateRunning {
		return s
	}
	return 0
}

// Stop ends the call with that number at its next safe point and reports
// whether it still ran. It does not wait. Safe for concurrent use.
func (c *Controls) Stop(running uint64) bool {
	if running == 0 || !c.state.CompareAndSwap(running, running&^3+stateStopping) {
		return false
	}
	c.globals.Stop.Set(1)
	c.state.Store(running&^3 + stateStopped)
	return true
}

// Disarm ends the call: no Stop reaches the guest any more. It makes the
// instance ready for the next Arm and says whether it was the meter that
// trapped, and why. A call that returned although it was to stop, because it
// reached its end first, has no reason.
func (c *Controls) Disarm(trapped bool) Reason {
	s := c.state.Load()
	if s&3 == stateRunning && !c.state.CompareAndSwap(s, s&^3+stateIdle) || s&3 > stateRunning {
		for s = c.state.Load(); s&3 != stateStopped; s = c.state.Load() {
			runtime.Gosched() // the other goroutine is between two lines of Stop
		}
		c.globals.Stop.Set(0)
		c.state.Store(s&^3 + stateIdle)
	}
	if !trapped {
		return ReasonNone
	}
	reason := Reason(c.globals.Reason.Get())
	c.globals.Reason.Set(uint64(ReasonNone))
	c.globals.Depth.Set(c.fullDepth)
	return reason
}

// Spent returns how many units the last call took of a budget. After a trap
// it may be off by what the trapping functions had not booked yet.
func (c *Controls) Spent(budget int64) int64 {
	return budget - int64(c.globals.Budget.Get()) - int64(int32(uint32(c.globals.Slice.Get())))
}
