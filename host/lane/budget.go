package lane

import (
	"math"
	"sync/atomic"
)

// A Budget bounds what waits for the peers of many lanes together. The closer it
// gets to its end, the less any one of them may have waiting: no more than what is
// still free. So many that read slowly share it, one alone has half of it, and who
// reads never notices. Safe for concurrent use; a nil Budget has no end.
type Budget struct {
	Most int64 // bytes
	used atomic.Int64
}

// Add notes that n bytes more are waiting.
func (b *Budget) Add(n int64) {
	if b != nil {
		b.used.Add(n)
	}
}

// modest is how many bytes one peer may have waiting whatever the others have.
const modest = 16 << 10

// free is how many bytes more may wait: as many as one peer may have waiting.
func (b *Budget) free() int64 {
	if b == nil {
		return math.MaxInt64 / 2 // something may be added
	}
	return b.Most - b.used.Load()
}
