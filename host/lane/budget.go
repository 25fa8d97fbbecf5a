package lane

import (
	"math"
	"sync/atomic"
)

// A Budget bounds what is kept of or for the peers of many lanes together: what waits
// until they take it, or what has come of messages that are unfinished. The closer it
// gets to its end, the less any one of them may have: no more than what is still free.
// So many that are slow share it, one alone has half of it, and who is not never
// notices. Safe for concurrent use; a nil Budget has no end.
type Budget struct {
	Most int64 // bytes
	used atomic.Int64
}

// Add notes that n bytes more are kept.
func (b *Budget) Add(n int64) {
	if b != nil {
		b.used.Add(n)
	}
}

// Used is how many bytes are kept.
func (b *Budget) Used() int64 { return b.used.Load() }

// modest is how many bytes one peer may have whatever the others have.
const modest = 16 << 10

// Allows says whether one peer may have n bytes, those noted already.
func (b *Budget) Allows(n int64) bool { return n <= modest || n <= b.free() }

// free is how many bytes more may wait: as many as one peer may have waiting.
func (b *Budget) free() int64 {
	if b == nil {
		return math.MaxInt64 / 2 // something may be added
	}
	return b.Most - b.used.Load()
}
