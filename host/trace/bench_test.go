package trace_test

import (
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/trace"
)

// BenchmarkRecord is what a call of 64 echoes costs, recorded and not.
func BenchmarkRecord(b *testing.B) {
	for _, size := range []int{16, 1024} {
		for _, how := range []string{"off", "all", "digests"} {
			b.Run(map[int]string{16: "16B", 1024: "1KiB"}[size]+"/"+how, func(b *testing.B) {
				c := wat(b, "echo")
				i, err := c.Start(b.Context(), options())
				if err != nil {
					b.Fatal(err)
				}
				var g trace.Guest = i
				if how != "off" {
					g = recorded(b, c, trace.RecordOptions{DigestsOnly: how == "digests", Buffer: 1 << 30}).Record(i, headerOf(c, options()))
				}
				defer g.Close()
				area, addr := g.Area()
				copy(area, strings.Repeat("x", size))
				for n := range 64 {
					abi.PutEvent(g.Events()[n*abi.RecordSize:], &abi.Event{Kind: abi.EventRecv, Flags: 0x82, ID: 7, Addr: addr, Len: uint32(size)})
				}
				for b.Loop() {
					if _, _, _, err := g.Turn(0, 64, guest.Header{}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*64), "ns/event")
			})
		}
	}
}
