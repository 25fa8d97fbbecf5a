package guest

import (
	"testing"
	"testing/synctest"
	"time"
)

// flagged is a watchdog whose flag, when set, can be received.
func flagged() (*watchdog, <-chan bool) {
	w, flags := newWatchdog(), make(chan bool, 1)
	w.stops(func(flag uint32) {
		if flag != 0 {
			flags <- true
		}
	})
	return w, flags
}

// Calls that are in time are never stopped, however the timer's rounds and the
// calls overlap; one that is not is stopped at its own deadline.
func TestWatchdog(t *testing.T) {
	type call struct{ pause, limit, run time.Duration } // milliseconds
	tests := []struct {
		name  string
		calls []call
		late  bool // the last one
	}{
		{"in time", []call{{0, 10, 9}}, false},
		{"late", []call{{0, 10, 11}}, true},
		{"second begins before the timer of the first rings", []call{{0, 10, 9}, {0, 10, 9}, {0, 10, 9}}, false},
		{"second late on the timer of the first", []call{{0, 10, 9}, {0, 10, 11}}, true},
		{"idle until the timer has rung", []call{{0, 10, 1}, {20, 10, 9}}, false},
		{"late after idle", []call{{0, 10, 1}, {20, 10, 11}}, true},
		{"begins when the timer rings", []call{{0, 10, 9}, {1, 10, 9}, {1, 10, 9}}, false},
		{"late from when the timer rings", []call{{0, 10, 9}, {1, 10, 11}}, true},
		{"shorter limit in time", []call{{0, 2000, 1}, {0, 10, 9}}, false},
		{"late by a shorter limit", []call{{0, 2000, 1}, {0, 10, 11}}, true},
		{"late by a longer limit", []call{{0, 10, 9}, {0, 2000, 2001}}, true},
		{"long, short, long", []call{{0, 2000, 1}, {0, 10, 9}, {0, 2000, 1999}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, flags := flagged()
				defer w.close()
				for n, c := range tt.calls {
					time.Sleep(c.pause * time.Millisecond) // bubble time
					w.begin(c.limit * time.Millisecond)
					began, inTime := time.Now(), true
					select {
					case <-flags:
						inTime = false
						if d := time.Since(began); d != c.limit*time.Millisecond {
							t.Errorf("call %d: stopped after %v, want %v", n, d, c.limit*time.Millisecond)
						}
					case <-time.After(c.run * time.Millisecond):
					}
					if got := w.end(); got != inTime || inTime == (tt.late && n == len(tt.calls)-1) {
						t.Errorf("call %d: end() = %v, stopped %v", n, got, !inTime)
					}
				}
			})
		})
	}
}

// A call without time left is stopped at once, even in the first moments.
func TestWatchdogNoTime(t *testing.T) {
	w, flags := flagged()
	defer w.close()
	w.begin(-time.Hour)
	<-flags
	if w.end() {
		t.Error("end(): got in time, want late")
	}
}

// Many short calls in real time race with the timer, and the timer is never lost:
// the last one is stopped.
func TestWatchdogHammer(t *testing.T) {
	w, flags := flagged()
	defer w.close()
	for n := range 100_000 {
		w.begin(time.Hour + time.Duration(n%7)*time.Minute)
		if n%100 == 0 {
			w.timer.Reset(0) // rings now
		}
		if !w.end() {
			t.Fatalf("call %d was stopped", n)
		}
	}
	w.begin(time.Millisecond)
	<-flags
}

func BenchmarkWatchdog(b *testing.B) {
	b.Run("lazy", func(b *testing.B) {
		w := newWatchdog()
		defer w.close()
		b.ReportAllocs()
		for b.Loop() {
			w.begin(100 * time.Millisecond)
			w.end()
		}
	})
	b.Run("reset", func(b *testing.B) {
		t := time.AfterFunc(time.Hour, func() {})
		b.ReportAllocs()
		for b.Loop() {
			t.Reset(100 * time.Millisecond)
			t.Stop()
		}
	})
}
