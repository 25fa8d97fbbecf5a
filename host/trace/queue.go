package trace

import (
	"sync"

	"github.com/yimmo-host/yimmo-host/host/guest"
)

// DefaultBuffer is how many bytes of records may wait for the disk.
const DefaultBuffer = 16 << 20

// An item is something for the goroutine that writes: records, a checkpoint to be
// packed, or the beginning of another file.
type item struct {
	data  []byte
	state *guest.Checkpoint // belongs to the writer until it is given back
	next  *Header           // of the file that begins
}

// A queue takes records from a lane, which never waits, and hands them to the
// goroutine that writes them.
type queue struct {
	limit int

	mu     sync.Mutex
	filled sync.Cond // items or closed
	items  []item
	size   int // bytes of records in items and in what the writer has taken
	taken  int // of these, what the writer has
	closed bool
	spare  [][]byte          // buffers to be used again
	image  *guest.Checkpoint // the same of checkpoints; nil while the writer has it
}

func newQueue(limit int) *queue {
	q := &queue{limit: limit, image: &guest.Checkpoint{}}
	q.filled.L = &q.mu
	return q
}

// push adds a record and reports whether there was room.
func (q *queue) push(record []byte) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.size+len(record) > q.limit && q.size > 0 { // one of any size fits an empty queue
		return false
	}
	q.size += len(record)
	last := len(q.items) - 1
	if last < 0 || q.items[last].data == nil {
		q.items = append(q.items, item{data: q.buffer()})
		last++
	}
	q.items[last].data = append(q.items[last].data, record...)
	q.filled.Signal()
	return true
}

// buffer is an empty one. The lock is held.
func (q *queue) buffer() []byte {
	if n := len(q.spare); n > 0 {
		b := q.spare[n-1]
		q.spare = q.spare[:n-1]
		return b[:0]
	}
	return make([]byte, 0, 4<<10)
}

// add adds what is not a record. It always fits: there are few.
func (q *queue) add(i item) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.items = append(q.items, i)
	q.filled.Signal()
}

// empty says whether less than half of the room is in use.
func (q *queue) empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.size <= q.limit/2
}

// borrow returns the buffer for a checkpoint, nil while the writer has it.
func (q *queue) borrow() *guest.Checkpoint {
	q.mu.Lock()
	defer q.mu.Unlock()
	c := q.image
	q.image = nil
	return c
}

// giveBack ends what borrow began.
func (q *queue) giveBack(c *guest.Checkpoint) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.image = c
}

// take waits for items and exchanges them for those of the last time, whose
// buffers are used again. ok is false when there will be no more.
func (q *queue) take(done []item) (items []item, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.size -= q.taken
	q.taken = 0
	for i := range done {
		if b := done[i].data; b != nil && cap(b) <= q.limit && len(q.spare) < 2 {
			q.spare = append(q.spare, b)
		}
		done[i] = item{}
	}
	for len(q.items) == 0 && !q.closed {
		q.filled.Wait()
	}
	items, q.items, q.taken = q.items, done[:0], q.size
	return items, len(items) > 0
}

// close lets take end when all has been taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.filled.Signal()
}
