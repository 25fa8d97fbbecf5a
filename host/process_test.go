package host_test

import (
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// openFiles is how many descriptors are open; 0 where it cannot be told.
func openFiles(t testing.TB) int {
	t.Helper()
	open, err := os.ReadDir("/dev/fd")
	if err != nil {
		return 0
	}
	return len(open)
}

// watchTimes watches what one session of the echo notices, until stop is called, and
// how late the process is to do what it wants to do each millisecond. Both are for
// reading only: the machine has other work. bench/failures measures them.
func watchTimes(t *testing.T, s *server) (stop func()) {
	t.Helper()
	p := s.open(t, "/echo")
	over, gap, trips := make(chan struct{}), make(chan time.Duration), make(chan []time.Duration)
	go func() {
		most, last := time.Duration(0), time.Now()
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				most = max(most, time.Since(last))
				last = time.Now()
			case <-over:
				gap <- most
				return
			}
		}
	}()
	go func() {
		var all []time.Duration
		want := rawws.Frame{Flags: 0x81, Payload: "how long?"}
		for {
			began := time.Now()
			err := p.Send(want.Flags, want.Payload)
			got, e := p.ReadFrame()
			if err != nil || e != nil || got != want {
				t.Errorf("echo: sent with %v, got %v, %v", err, got, e)
				<-over
			}
			all = append(all, time.Since(began))
			select {
			case <-over:
				trips <- all
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	stop = sync.OnceFunc(func() {
		close(over)
		longest, all := <-gap, <-trips
		slices.Sort(all)
		t.Logf("longest gap of a ticker %v; %d round trips: median %v, p99 %v",
			longest, len(all), all[len(all)/2], all[len(all)*99/100])
		p.leave()
	})
	t.Cleanup(stop)
	return stop
}
