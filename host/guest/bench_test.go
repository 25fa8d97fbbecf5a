package guest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// BenchmarkTurn is the boundary: n recv events of 16 bytes in, n sends out that
// point back at them. Writing events and reading commands is not part of it.
func BenchmarkTurn(b *testing.B) {
	guests := []struct {
		name string
		wasm func(testing.TB) []byte
	}{
		{"wat", func(b testing.TB) []byte { return wat(b, "echo") }},
		{"go", goGuest},
	}
	for _, g := range guests {
		for _, n := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("%s/%d", g.name, n), func(b *testing.B) {
				i := start(b, g.wasm(b), guest.Options{TurnTime: time.Minute})
				frames := make([]string, n)
				for at := range frames {
					frames[at] = "sixteen bytes of"
				}
				give(i, abi.FlagFIN|abi.OpBinary, frames...)
				b.ReportAllocs()
				for b.Loop() {
					if m, _, _, err := i.Turn(0, n, guest.Header{}); m != n || err != nil {
						b.Fatal(m, err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/event")
			})
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	off, _ := guest.NewEngine(guest.CacheOff, nil)
	for _, e := range []struct {
		name   string
		engine *guest.Engine
	}{{"cold", off}, {"warm", engine()}} {
		for name, wasm := range map[string][]byte{"wat": wat(b, "echo"), "go": goGuest(b)} {
			b.Run(e.name+"/"+name, func(b *testing.B) {
				if e.name == "warm" {
					compile(b, wasm)
				}
				for b.Loop() {
					c, err := e.engine.Compile(context.Background(), name, wasm)
					if err != nil {
						b.Fatal(err)
					}
					_ = c.Close()
				}
			})
		}
	}
}

func BenchmarkStart(b *testing.B) {
	for name, wasm := range map[string][]byte{"wat": wat(b, "echo"), "go": goGuest(b)} {
		c := compile(b, wasm)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				i, err := c.Start(context.Background(), guest.Options{})
				if err != nil {
					b.Fatal(err)
				}
				_ = i.Close()
			}
		})
	}
}

func BenchmarkInspect(b *testing.B) {
	wasm := goGuest(b)
	b.SetBytes(int64(len(wasm)))
	for b.Loop() {
		if _, err := guest.Inspect(wasm); err != nil {
			b.Fatal(err)
		}
	}
}
