package lane

import (
	"testing"
	"time"
)

// A duration is counted in the first bucket whose bound it does not exceed.
func TestBucketOf(t *testing.T) {
	for _, d := range []time.Duration{0, 1, time.Microsecond - 1, time.Microsecond, time.Microsecond + 1, 4 * time.Microsecond, 4*time.Microsecond + 1,
		15 * time.Microsecond, time.Millisecond, 100 * time.Millisecond, time.Second, 2 * time.Second, time.Hour} {
		want := 0
		for want < Buckets-1 && d > Bound(want) {
			want++
		}
		if got := bucketOf(d); got != want {
			t.Errorf("bucketOf(%v): got %d, want %d", d, got, want)
		}
	}
}

func TestCloseIndex(t *testing.T) {
	for code, want := range map[uint16]int{1000: 1000, 1001: 1001, 1006: 1006, 1011: 1011, 1015: 1015, 3000: 3000, 3999: 3000, 4000: 4000, 4999: 4000} {
		if got := CloseCode(closeIndex(code)); got != want {
			t.Errorf("closeIndex(%d): got that of %d, want %d", code, got, want)
		}
	}
}

// Publishing costs no memory.
func TestShowCountersAllocates(t *testing.T) {
	l := &Lane{counters: &Counters{}}
	if n := testing.AllocsPerRun(100, func() {
		l.hot.received.add(0x81, 10)
		l.countSent(0x81, 10)
		l.countTurn(time.Millisecond)
		l.showCounters()
	}); n != 0 {
		t.Errorf("showCounters: got %v allocations, want 0", n)
	}
}

// BenchmarkShowCounters is what counters add to a turn.
func BenchmarkShowCounters(b *testing.B) {
	l := &Lane{counters: &Counters{}}
	for b.Loop() {
		l.hot.received.add(0x81, 10)
		l.countSent(0x81, 10)
		l.countTurn(time.Millisecond)
		l.showCounters()
	}
}
