package recovery_test

import (
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/recovery"
)

// BenchmarkTurn is what a call of 64 echoes costs with and without a journal.
func BenchmarkTurn(b *testing.B) {
	for _, size := range []int{16, 128, 4096} {
		texts := make([]string, 32)
		for i := range texts {
			texts[i] = strings.Repeat("x", size)
		}
		run := func(name string, g recovery.Instance) {
			b.Run(name, func(b *testing.B) {
				n := give(g, texts...)
				for i := range b.N {
					if _, _, _, err := g.Turn(0, n, guest.Header{Mono: int64(i) * 1e4}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/event")
			})
		}
		name := map[int]string{16: "16B", 128: "128B", 4096: "4KiB"}[size]
		run(name+"/plain", start(b, goEcho()))
		run(name+"/journal", recoverable(b, goEcho(), recovery.Options{}))
	}
}

// BenchmarkUndo is what it costs to undo a call of a guest in Go, with so many
// events in the journal.
func BenchmarkUndo(b *testing.B) {
	for _, events := range []int{0, 1024, 4096} {
		b.Run(map[int]string{0: "none", 1024: "1024", 4096: "4096"}[events], func(b *testing.B) {
			g := recoverable(b, goGuest(), recovery.Options{Events: 1 << 20})
			for range b.N {
				b.StopTimer()
				n := give(g, strings.Fields(strings.Repeat("some ", 32))...)
				for range events / n {
					if _, _, _, err := g.Turn(0, n, guest.Header{}); err != nil {
						b.Fatal(err)
					}
				}
				n = give(g, "panic over")
				b.StartTimer()
				if _, _, _, err := g.Turn(0, n, guest.Header{}); err == nil {
					b.Fatal("did not fail")
				}
			}
		})
	}
}
