package lane

import (
	"container/heap"
	"math"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
)

// A timer is one that the guest armed.
type timer struct {
	id     uint64
	at     time.Duration // on the lane's clock
	period time.Duration // 0 = once
	index  int           // in the heap
}

// timers are the guest's, the earliest first. They end with the instance.
type timers struct {
	heap timerHeap
	byID map[uint64]*timer
}

type timerHeap []*timer

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].at < h[j].at }
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *timerHeap) Push(x any) {
	t := x.(*timer)
	t.index = len(*h)
	*h = append(*h, t)
}

func (h *timerHeap) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	*h = (*h)[:last]
	return t
}

func (l *Lane) timerSet(c *abi.Command) abi.Status {
	after := time.Duration(c.Arg) // Check has refused what is negative
	t := l.timers.byID[c.ID]
	if t == nil {
		if len(l.timers.heap) == abi.MaxTimers {
			return abi.StatusQuota
		}
		t = &timer{id: c.ID}
		if l.timers.byID == nil {
			l.timers.byID = map[uint64]*timer{}
		}
		l.timers.byID[c.ID] = t
		heap.Push(&l.timers.heap, t)
	}
	t.period = 0
	if c.Flags&abi.FlagRepeat != 0 {
		t.period = after
	}
	t.at = l.turnClock + after
	if t.at < l.turnClock { // too far away to be told apart from never
		t.at = math.MaxInt64
	}
	heap.Fix(&l.timers.heap, t.index)
	return 0
}

func (l *Lane) timerClear(c *abi.Command) abi.Status {
	l.timers.drop(c.ID)
	return 0
}

// drop forgets a timer, if there is one of that id.
func (t *timers) drop(id uint64) {
	if x := t.byID[id]; x != nil {
		heap.Remove(&t.heap, x.index)
		delete(t.byID, id)
	}
}

// runTimers makes events of the timers that have run out. One that repeats and was
// late comes once and says how many periods it has missed.
func (l *Lane) runTimers() {
	for len(l.timers.heap) > 0 && l.timers.heap[0].at <= l.clock {
		if !l.room(0) {
			return // an instance's timers end with it
		}
		if len(l.timers.heap) == 0 || l.timers.heap[0].at > l.clock {
			return // making room ran a turn, and that cleared it
		}
		t := l.timers.heap[0]
		e := abi.Event{Kind: abi.EventTimer, ID: t.id}
		if t.period > 0 {
			missed := (l.clock - t.at) / t.period
			e.User = uint64(missed)
			t.at += (missed + 1) * t.period
			heap.Fix(&l.timers.heap, t.index)
		} else {
			heap.Pop(&l.timers.heap)
			delete(l.timers.byID, t.id)
		}
		l.put(e, nil)
	}
}
