package host

import (
	"sync"

	"github.com/yimmo-host/yimmo-host/host/guest"
)

// maxOverruns is how many functions of one plugin have a number of their own:
// their names are the plugin's invention. The others share one.
const maxOverruns = 32

// An overrun is a call of a plugin that took or did more than it may, and where.
type overrun struct {
	kind     guest.Kind
	function string
}

// overruns counts them for one plugin. Safe for concurrent use.
type overruns struct {
	mu     sync.Mutex
	counts map[overrun]uint64
}

// trapped is [guest.Options.Trapped].
func (o *overruns) trapped(e *guest.TrapError) {
	switch e.Kind {
	case guest.KindDeadline, guest.KindBudget, guest.KindOverflow:
	default:
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	key := overrun{e.Kind, e.Function}
	if _, known := o.counts[key]; !known && len(o.counts) >= maxOverruns {
		key.function = "other"
	}
	if o.counts == nil {
		o.counts = map[overrun]uint64{}
	}
	o.counts[key]++
}

// each visits the counts in no order.
func (o *overruns) each(visit func(o overrun, count uint64)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for key, n := range o.counts {
		visit(key, n)
	}
}
