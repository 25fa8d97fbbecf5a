package meter_test

import (
	"testing"

	"github.com/yimmo-host/yimmo-host/host/meter"
)

// What the meter costs: each piece of work in the original guest and in the
// rewritten one, armed before each call.
func BenchmarkOverhead(b *testing.B) {
	guests := []struct {
		name  string
		build func() ([]byte, error)
		calls []call
	}{
		{"C", cGuest, []call{
			{"sum", 65536}, {"fib", 24}, {"matrix", 64}, {"sort", 10000}, {"machine", 100000}, {"vector", 65536}, {"turn", 1}, {"turn", 64}, {"fill", 16},
		}},
		{"Go", goGuest, []call{
			{"sum", 65536}, {"fib", 24}, {"sort", 10000}, {"encode", 10}, {"turn", 1}, {"turn", 64},
		}},
		{"Rust", file("rust.wasm"), []call{{"sum", 65536}, {"fib", 24}, {"sort", 10000}, {"encode", 10}}},
		{"AssemblyScript", file("assemblyscript.wasm"), []call{{"sum", 65536}, {"fib", 24}, {"sort", 10000}, {"encode", 10}}},
	}
	for _, g := range guests {
		wasm, err := g.build()
		if err != nil {
			b.Fatal(err)
		}
		plain, metered := start(b, wasm), start(b, rewrite(b, wasm, meter.Options{}))
		for _, c := range g.calls {
			b.Run(g.name+"/"+c.String()+"/plain", func(b *testing.B) { c.run(b, plain, nil) })
			b.Run(g.name+"/"+c.String()+"/metered", func(b *testing.B) { c.run(b, metered, controls(b, metered)) })
		}
	}
}

func BenchmarkRewrite(b *testing.B) {
	wasm, err := goGuest()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(wasm)))
	b.ReportAllocs()
	for b.Loop() {
		rewrite(b, wasm, meter.Options{})
	}
}
