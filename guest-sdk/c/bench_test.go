package c_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

func benched(b *testing.B) map[string]*module {
	return map[string]*module{
		"echo-c":  plugin(b, filepath.Join("..", "..", "plugins", "echo-c", "echo.c")),
		"program": program(b, "echo"),
	}
}

// BenchmarkStart is a new instance up to the end of its start event, main included.
func BenchmarkStart(b *testing.B) {
	for name, m := range benched(b) {
		load(b, m, options{}) // compiles it
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				i, err := m.code.Start(context.Background(), guest.Options{})
				if err != nil {
					b.Fatal(err)
				}
				abi.PutEvent(i.Events(), &abi.Event{Kind: abi.EventStart})
				if _, _, _, err := i.Turn(0, 1, guest.Header{}); err != nil {
					b.Fatal(err)
				}
				if err := i.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkTurn is a turn of n frames of 16 bytes that are echoed. Writing events
// and reading commands is not part of it.
func BenchmarkTurn(b *testing.B) {
	for name, m := range benched(b) {
		for _, n := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				d := begin(b, m, options{})
				d.connect(1)
				d.turn()
				area, addr := d.i.Area()
				copy(area, "sixteen bytes of")
				for at := range n {
					abi.PutEvent(d.i.Events()[at*abi.RecordSize:], &abi.Event{
						Kind: abi.EventRecv, Flags: 0x82, ID: 1, Addr: addr, Len: 16, Seq: uint32(at) + 2,
					})
				}
				b.ReportAllocs()
				for b.Loop() {
					if got, _, _, err := d.i.Turn(0, n, guest.Header{}); got < n || err != nil {
						b.Fatal(got, err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/event")
			})
		}
	}
}
