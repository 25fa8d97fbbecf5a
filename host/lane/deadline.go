package lane

import (
	"container/heap"
	"time"
)

// A deadline is something the lane does later, unless it has become pointless
// by then: whoever set it does not take it back, the lane looks when it is due.
type deadline struct {
	at   time.Time
	kind deadlineKind
	id   uint64
}

type deadlineKind uint8

const (
	dueClose    deadlineKind = iota + 1 // the closing handshake of session id has taken too long
	dueRestart                          // try to start the instance again
	dueAnswer                           // the plugin has taken too long to decide about id
	dueSocket                           // look whether the socket of id gets on
	dueMessage                          // look whether its peer's message does
	dueRound                            // look at some sessions for silence
	dueDrain                            // tell some more sessions to go
	dueRequests                         // end the plain requests that a drain has found
)

// deadlines is a heap, the earliest first.
type deadlines []deadline

func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(i, j int) bool { return d[i].at.Before(d[j].at) }
func (d deadlines) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *deadlines) Push(x any)        { *d = append(*d, x.(deadline)) }

// Pop gives up the last one; container/heap has moved the earliest there.
func (d *deadlines) Pop() any {
	last := len(*d) - 1
	x := (*d)[last]
	*d = (*d)[:last]
	return x
}

func (d *deadlines) set(after time.Duration, kind deadlineKind, id uint64) {
	heap.Push(d, deadline{time.Now().Add(after), kind, id})
}

// due takes the earliest deadline off the heap if it has passed.
func (d *deadlines) due(now time.Time) (deadline, bool) {
	if len(*d) == 0 || (*d)[0].at.After(now) {
		return deadline{}, false
	}
	return heap.Pop(d).(deadline), true
}
