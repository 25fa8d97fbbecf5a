package plugintest

import (
	"fmt"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
	guest "github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/guesttest"
)

// Benchmark measures what one recv event of a binary frame costs at the boundary,
// natively and as wasm, for turns of one and of 64 events: record and payload
// are written, the plugin runs, and what its commands point at is copied out.
// Sockets, checks and frames are not in it.
func Benchmark(b *testing.B, newHandler func() guest.Handler) {
	machines := map[string]func(b *testing.B) guesttest.Machine{
		"native": func(b *testing.B) guesttest.Machine {
			return guesttest.NewNative(b, newHandler(), guesttest.Sizes{})
		},
		"wasm": func(b *testing.B) guesttest.Machine { return newMachine(b, guesttest.Sizes{}) },
	}
	for _, name := range []string{"native", "wasm"} {
		for _, size := range []int{16, 1 << 10} {
			for _, events := range []int{1, 64} {
				b.Run(fmt.Sprintf("%s/%dB/%d", name, size, events), func(b *testing.B) {
					m := machines[name](b)
					defer m.Close()
					benchmark(b, m, events, make([]byte, size))
				})
			}
		}
	}
}

func benchmark(b *testing.B, m guesttest.Machine, events int, payload []byte) {
	out := make([]byte, 0, 256<<10)
	h := guesttest.Header(guesttest.Boot)
	turn := func(e abi.Event, n int) {
		area, addr := m.Area()
		for i := range n {
			e.Addr, e.Len = addr+uint32(i*len(payload)), uint32(len(payload))
			copy(area[i*len(payload):], payload)
			abi.PutEvent(m.Events()[i*abi.RecordSize:], &e)
		}
		h.Turn++
		commands, consumed, more, err := m.Turn(0, n, h)
		if err != nil || consumed != n || more {
			b.Fatalf("turn of %d events: consumed %d, more %v, %v", n, consumed, more, err)
		}
		out = out[:0]
		ring, mem := m.Commands(), m.Memory()
		for i := range commands {
			c, _ := abi.ParseCommand(ring[i*abi.RecordSize:])
			if p, ok := c.Range(mem); ok {
				out = append(out, p...)
			}
		}
	}
	recv := abi.Event{Kind: abi.EventRecv, Flags: abi.FlagFIN | abi.OpBinary, ID: 1}
	fields := payload
	payload = abi.AppendFields(nil)
	turn(abi.Event{Kind: abi.EventStart}, 1)
	payload = fields
	b.ReportAllocs()
	for b.Loop() {
		turn(recv, events)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(events), "ns/event")
}
