package meter_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/yimmo-host/yimmo-host/host/meter"
)

// Random guests do the same with and without a meter, are charged at least what
// they do, and come to the same point with the same budget.
func TestRandomGuests(t *testing.T) {
	var sum genCount
	for seed := range uint64(300) {
		sum.add(compareSeed(t, seed))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Logf("%+v", sum)
	if sum.Calls < 500 || sum.Traps < 50 || sum.Cut < 50 {
		t.Errorf("too little was compared: %+v", sum)
	}
}

func FuzzRandomGuests(f *testing.F) {
	for seed := range uint64(10) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) { compareSeed(t, seed) })
}

// A genCount counts what was compared.
type genCount struct {
	Calls, Traps, Cut int // returned; trapped by themselves; cut by a budget
	Units, Done       int64
}

func (c *genCount) add(d genCount) {
	c.Calls += d.Calls
	c.Traps += d.Traps
	c.Cut += d.Cut
	c.Units += d.Units
	c.Done += d.Done
}

func compareSeed(t *testing.T, seed uint64) (count genCount) {
	t.Helper()
	g := generate(seed)
	wasm := g.build()
	rt := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigCompiler())
	defer rt.Close(t.Context())
	boot := func(wasm []byte) api.Module {
		m, err := rt.InstantiateWithConfig(t.Context(), wasm, wazero.NewModuleConfig().WithName(""))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		return m
	}
	opt := meter.Options{Slice: 1000, MaxDepth: 1 << 17}
	rewritten := rewrite(t, wasm, opt)
	plain, metered := boot(wasm), boot(rewritten)
	c := bind(t, metered, opt)
	for _, f := range g.funs {
		args := make([]uint64, len(strings.Fields(f.params)))
		for i := range args {
			args[i] = seed >> i
		}
		for _, m := range []api.Module{plain, metered} {
			m.ExportedGlobal("fuel").(api.MutableGlobal).Set(genFuel)
		}
		before := metered.ExportedGlobal("work").Get()
		want, wantErr := plain.ExportedFunction(f.export).Call(t.Context(), args...)
		c.Arm(unlimited)
		got, gotErr := metered.ExportedFunction(f.export).Call(t.Context(), args...)
		reason := c.Disarm(gotErr != nil)
		if firstLine(gotErr) != firstLine(wantErr) || reason != meter.ReasonNone {
			t.Errorf("seed %d: %s: got %v (%v), want %v", seed, f.export, firstLine(gotErr), reason, firstLine(wantErr))
		}
		if gotErr == nil && !sameValues(got, want, plain.ExportedFunction(f.export).Definition().ResultTypes(), nil) {
			t.Errorf("seed %d: %s: got %x, want %x", seed, f.export, got, want)
		}
		sameState(t, seed, metered, plain)
		spent := c.Spent(unlimited)
		done := int64(metered.ExportedGlobal("work").Get() - before)
		if spent+genLeaf < done {
			t.Errorf("seed %d: %s: charged %d units for at least %d", seed, f.export, spent, done)
		}
		count.Calls++
		count.Units += spent
		count.Done += done
		if wantErr != nil {
			count.Traps++
		}
		if spent > 3 {
			count.Cut += compareBudgets(t, seed, boot, rewritten, opt, f.export, args, spent/3)
		}
	}
	return count
}

// compareBudgets cuts a call short twice and compares where it got to.
func compareBudgets(t *testing.T, seed uint64, boot func([]byte) api.Module, wasm []byte, opt meter.Options, name string, args []uint64, budget int64) int {
	t.Helper()
	var stopped [2]api.Module
	for i := range stopped {
		m := boot(wasm)
		c := bind(t, m, opt)
		c.Arm(budget)
		_, err := m.ExportedFunction(name).Call(t.Context(), args...)
		if got := c.Disarm(err != nil); err == nil || got != meter.ReasonBudget {
			if err == nil && c.Spent(budget) <= budget {
				return 0 // on fresh memory it does less
			}
			if got == meter.ReasonNone {
				return 0 // or something else
			}
			t.Errorf("seed %d: %s on %d units: got %v, %v, want a trap by the budget", seed, name, budget, err, got)
		}
		stopped[i] = m
	}
	sameState(t, seed, stopped[0], stopped[1])
	return 1
}

// sameState compares memories and globals.
func sameState(t *testing.T, seed uint64, got, want api.Module) {
	t.Helper()
	a, _ := got.Memory().Read(0, got.Memory().Size())
	b, _ := want.Memory().Read(0, want.Memory().Size())
	if !bytes.Equal(a, b) {
		t.Errorf("seed %d: memories of %d and %d bytes differ", seed, len(a), len(b))
	}
	for _, name := range []string{"fuel", "work"} {
		if a, b := got.ExportedGlobal(name).Get(), want.ExportedGlobal(name).Get(); a != b {
			t.Errorf("seed %d: global %s: got %d, want %d", seed, name, a, b)
		}
	}
}

// bind binds the controls of an instance that was rewritten with options.
func bind(tb testing.TB, m api.Module, opt meter.Options) *meter.Controls {
	tb.Helper()
	c, err := meter.Bind(opt, func(name string) meter.Global {
		g, _ := m.ExportedGlobal(name).(api.MutableGlobal)
		if g == nil {
			return nil
		}
		return g
	})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}
