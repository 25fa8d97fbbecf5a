package guest

import (
	"runtime"
	"sync/atomic"
)

// A yielder lets the plugin's other goroutines run, and the garbage collector's: at
// the end of a call or not at all, for once the export has returned nothing runs. It
// takes 1 µs, as long as a dozen events, so the collector alone gets it only now and
// then, and hardly ever from a plugin that makes no garbage.
type yielder struct {
	goroutines int // that are there without the plugin
	events     int // since the last yield
	clean      int // events since a collection has ended
}

const (
	yieldEvery = 64 // events; with 1024 collections take up to 50 ms, with 64 about 10

	// Without a collection in so many events the next one may begin slowly.
	cleanAfter  = 1 << 16
	yieldRarely = 1024
)

func newYielder() yielder {
	watchCollections()
	return yielder{goroutines: runtime.NumGoroutine()}
}

// yield follows that many events.
func (y *yielder) yield(events int) {
	every := yieldEvery
	if y.clean >= cleanAfter {
		every = yieldRarely
	}
	if y.events += events; y.events < every && runtime.NumGoroutine() <= y.goroutines {
		return
	}
	runtime.Gosched()
	y.clean = min(y.clean+y.events, cleanAfter)
	if collected.Swap(false) {
		y.clean = 0
	}
	y.events = 0
}

// collected says that a collection has ended since somebody last asked. The runtime's
// goroutine for finalizers sets it, which runs when the plugin yields.
var collected atomic.Bool

// watchCollections leaves something behind that each collection finds.
func watchCollections() {
	runtime.SetFinalizer(&sentinel{}, func(*sentinel) {
		collected.Store(true)
		watchCollections()
	})
}

// A sentinel has a pointer, so that it is not allocated together with others.
type sentinel struct{ _ *sentinel }
