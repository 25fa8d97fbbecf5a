package backlog_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/yimmo-host/yimmo-host/host/backlog"
)

// A queue is what a slice is that is added to, dropped from and cut.
func TestQueue(t *testing.T) {
	for seed := range uint64(50) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var q backlog.Queue
		var want []byte
		for step := range 500 {
			switch rnd.IntN(4) {
			case 0, 1:
				p := make([]byte, rnd.IntN(1<<rnd.IntN(18)))
				for i := range p {
					p[i] = byte(rnd.Uint32())
				}
				q.Add(p)
				want = append(want, p...)
			case 2:
				front := q.Front()
				if len(front) == 0 != (len(want) == 0) || !bytes.HasPrefix(want, front) {
					t.Fatalf("seed %d, step %d: the front is not what comes next", seed, step)
				}
				n := rnd.IntN(len(front) + 1)
				q.Drop(min(n, len(front)))
				want = want[n:]
			case 3:
				n := rnd.IntN(min(len(want), 1<<rnd.IntN(18)) + 1)
				q.Cut(n)
				want = want[:len(want)-n]
			}
			if q.Len() != len(want) {
				t.Fatalf("seed %d, step %d: got %d bytes, want %d", seed, step, q.Len(), len(want))
			}
		}
		for len(want) > 0 {
			front := q.Front()
			if len(front) == 0 || !bytes.HasPrefix(want, front) {
				t.Fatalf("seed %d: the rest differs", seed)
			}
			q.Drop(len(front))
			want = want[len(front):]
		}
		if q.Cap() > backlog.MostPiece {
			t.Errorf("seed %d: an empty queue keeps %d bytes", seed, q.Cap())
		}
	}
}

// However much waits, the memory for it is not much more, and what stays is not
// moved.
func TestQueueMemory(t *testing.T) {
	var q backlog.Queue
	message := make([]byte, 100)
	for range 100_000 {
		q.Add(message)
		if q.Cap() > q.Len()+backlog.MostPiece {
			t.Fatalf("%d bytes take %d", q.Len(), q.Cap())
		}
	}
	front := q.Front()
	q.Add(message)
	q.Drop(1)
	if again := q.Front(); &again[0] != &front[1] {
		t.Error("the front has moved")
	}
}

// A queue that is emptied again and again allocates nothing.
func TestQueueAllocates(t *testing.T) {
	var q backlog.Queue
	message := make([]byte, 1000)
	if n := testing.AllocsPerRun(1000, func() {
		q.Add(message)
		q.Add(message)
		q.Drop(len(q.Front()))
	}); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}
