package meter_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/yimmo-host/yimmo-host/host/meter"
)

// controls binds the controls of an instance that was rewritten with defaults.
func controls(tb testing.TB, m api.Module) *meter.Controls {
	tb.Helper()
	return bind(tb, m, meter.Options{})
}

// A runaway is a guest that does not end in any reasonable time.
type runaway struct {
	name string
	wasm func(testing.TB) []byte
	call call
}

func built(g guest) func(testing.TB) []byte { return func(testing.TB) []byte { return g.build() } }

func compiled(build func() ([]byte, error)) func(testing.TB) []byte {
	return func(tb testing.TB) []byte {
		wasm, err := build()
		if err != nil {
			tb.Fatal(err)
		}
		return wasm
	}
}

func runaways() []runaway {
	f := call{"f", 60}
	bigMemory := single("i32", "", "", "loop void i32.const 0 i32.const 1 i32.const 0x3f00000 memory.fill br 0 end")
	bigMemory.pages = 1024
	bigMemory.funs[0].code = append(asm("i32.const 1020 memory.grow drop"), bigMemory.funs[0].code...)
	bigCopy := bigMemory
	bigCopy.funs = []fun{{"i32", "", "", append(asm("i32.const 1020 memory.grow drop"),
		asm("loop void i32.const 1 i32.const 0 i32.const 0x3f00000 memory.copy br 0 end")...), "f"}}
	tables := single("i32", "", "", "loop void i32.const 0 i32.const 1 i32.const 99998 table.copy 0 0 br 0 end")
	tables.tables = []uint64{100000}
	grow := single("i32", "", "", "loop void i32.const 0 memory.grow drop br 0 end")
	giant := single("i32", "i32", "", "loop i32 local.get 0 %s local.set 0 br 0 end", strings.Repeat("i32.const 3 i32.mul ", 200_000))
	tail := single("i32", "", "", "local.get 0 i32.const 0 call_indirect 0 0")
	tail.tables, tail.elements = []uint64{1}, [][]uint64{{0}}
	values := single("i32", "i32", "", "local.get 0 loop 0 i32.const 1 i32.add br 0 end")
	bare := single("i32", "", "", "loop void br 0 end")
	bare.bare = true
	return []runaway{
		{"endless loop", built(single("i32", "", "", "loop void br 0 end")), f},
		{"endless loop without a memory", built(bare), f},
		{"endless br_table", built(single("i32", "", "", "loop void block void local.get 0 br_table 2 0 1 1 1 end br 0 end")), f},
		{"loop with a condition", built(single("i32", "", "", "loop void local.get 0 br_if 0 end")), f},
		{"loop with values", built(values), f},
		{"double recursion without a loop", built(single("i32", "i32", "",
			"local.get 0 i32.const 2 i32.lt_u if i32 local.get 0 else local.get 0 i32.const 1 i32.sub call 0 local.get 0 i32.const 2 i32.sub call 0 i32.add end")), f},
		{"small functions called in a row", built(guest{funs: []fun{
			{"i32", "", "", asm("loop void %s br 0 end", strings.Repeat("local.get 0 call 1 drop ", 500)), "f"},
			{"i32", "i32", "", asm("local.get 0 i32.const 1 i32.add"), ""},
		}}), f},
		{"huge fill", built(bigMemory), f},
		{"huge copy", built(bigCopy), f},
		{"table.copy", built(tables), f},
		{"memory.grow 0", built(grow), f},
		{"straight-line giant in a loop", built(giant), f},
		{"C: endless loop", compiled(cGuest), call{"forever", 0}},
		{"C: fib", compiled(cGuest), call{"fib", 60}},
		{"C: fill", compiled(cGuest), call{"fill", 1 << 20}},
		{"Go: endless loop", compiled(goGuest), call{"forever", 0}},
		{"Go: fib", compiled(goGuest), call{"fib", 60}},
	}
}

// Whatever a guest does, it ends soon after the host says stop, and nothing
// that needs all of Go to stand still waits for it meanwhile.
func TestStop(t *testing.T) {
	for _, r := range runaways() {
		t.Run(r.name, func(t *testing.T) {
			m := start(t, rewrite(t, r.wasm(t), meter.Options{}))
			c := controls(t, m)
			c.Arm(unlimited)
			begin, collected := time.Now(), make(chan time.Duration, 1)
			runtime.GC()
			alone := time.Since(begin)
			begin = time.Now()
			time.AfterFunc(25*time.Millisecond, func() {
				now := time.Now()
				runtime.GC()
				collected <- time.Since(now)
			})
			var stopped time.Time
			time.AfterFunc(50*time.Millisecond, func() {
				stopped = time.Now()
				c.Stop(c.Running())
			})
			_, err := m.ExportedFunction(r.call.name).Call(t.Context(), r.call.args(m)...)
			if got := c.Disarm(err != nil); err == nil || got != meter.ReasonStop {
				t.Errorf("%s: got %v, %v, want a trap by stop", r.call, err, got)
			}
			t.Logf("ran %v, %v after the stop; GC took %v, %v alone", time.Since(begin), time.Since(stopped), <-collected, alone)
		})
	}
}

// A guest that asks its host for one thing after the other is stopped at the first
// that comes back, however long each takes.
func TestStopBehindImports(t *testing.T) {
	for _, tt := range []struct{ name, code string }{
		{"call", "loop void call 0 br 0 end"},
		{"call by reference", "loop void i32.const 0 call_indirect 1 0 br 0 end"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := single("i32", "", "", "%s", tt.code)
			g.types, g.imports, g.tables, g.elements = [][2]string{{"", ""}}, []string{"work"}, []uint64{1}, [][]uint64{{0}}
			rt := wazero.NewRuntime(t.Context())
			defer rt.Close(t.Context())
			var c *meter.Controls
			calls := 0
			work := func() { calls++; c.Stop(c.Running()) }
			if _, err := rt.NewHostModuleBuilder("env").NewFunctionBuilder().WithFunc(work).Export("work").Instantiate(t.Context()); err != nil {
				t.Fatal(err)
			}
			m, err := rt.Instantiate(t.Context(), rewrite(t, g.build(), meter.Options{}))
			if err != nil {
				t.Fatal(err)
			}
			c = controls(t, m)
			c.Arm(1_000_000)
			_, err = m.ExportedFunction("f").Call(t.Context(), 0)
			if got := c.Disarm(err != nil); got != meter.ReasonStop || calls != 1 {
				t.Errorf("got %v after %d calls of the host, %v, want a trap by stop after one", got, calls, firstLine(err))
			}
		})
	}
}

// A budget ends the same guests without anyone watching.
func TestBudget(t *testing.T) {
	for _, r := range runaways() {
		t.Run(r.name, func(t *testing.T) {
			m := start(t, rewrite(t, r.wasm(t), meter.Options{}))
			c := controls(t, m)
			c.Arm(20_000_000)
			begin := time.Now()
			_, err := m.ExportedFunction(r.call.name).Call(t.Context(), r.call.args(m)...)
			if got := c.Disarm(err != nil); err == nil || got != meter.ReasonBudget {
				t.Errorf("%s: got %v, %v, want a trap by the budget", r.call, err, got)
			}
			t.Logf("20 M units: %v", time.Since(begin))
		})
	}
}

// A start function does not run before the host calls it, under the same bounds as
// everything else.
func TestStartFunction(t *testing.T) {
	begin := func(code string, args ...any) (m api.Module, start func() error) {
		g := guest{
			funs:     []fun{{"", "", "", asm(code, args...), ""}, {"", "i32", "", asm("global.get 0"), "f"}},
			globals:  []glob{{"i32", true, asm("i32.const 0")}},
			hasStart: true,
		}
		m, err := shared().InstantiateWithConfig(t.Context(), rewrite(t, g.build(), meter.Options{}), wazero.NewModuleConfig().WithName(""))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close(context.Background()) })
		return m, func() error { _, err := m.ExportedFunction(meter.ExportStart).Call(t.Context()); return err }
	}
	m, endless := begin("loop void br 0 end")
	c := controls(t, m)
	c.Arm(1_000_000)
	if err := endless(); c.Disarm(err != nil) != meter.ReasonBudget {
		t.Errorf("endless start function: got %v, want a trap by the budget", err)
	}
	m, brief := begin("i32.const 7 global.set 0")
	for _, want := range []uint64{0, 7} {
		if got, err := m.ExportedFunction("f").Call(t.Context()); err != nil || got[0] != want {
			t.Errorf("what the start function left: got %v, %v, want %d", got, err, want)
		}
		if err := brief(); err != nil {
			t.Error(err)
		}
	}
}

// Calls nested too deep trap by the meter, long before wazero's own stack is
// full, and the instance can be called again.
func TestDepth(t *testing.T) {
	wide := strings.Repeat("local.get 0 local.get 0 i32.mul ", 1000)
	sum := strings.Repeat("i32.add ", 1000)
	vectors := strings.Repeat("local.get 0 i32x4.splat local.get 0 i32x4.splat i32x4.mul ", 300)
	xor := strings.Repeat("v128.xor ", 300)
	tests := []struct {
		name string
		wasm func(testing.TB) []byte
		call string
		fits uint64 // a depth that a guest may well need
	}{
		{"C", compiled(cGuest), "deep", 10_000},
		{"Go", compiled(goGuest), "deep", 5_000},
		{"Go, JSON in JSON", compiled(goGuest), "nest", 500},
		{"many values on the stack", built(single("i32", "i32", "", "local.get 0 if i32 %s local.get 0 i32.const 1 i32.sub call 0 %s else i32.const 0 end", wide, sum)), "f", 100},
		{"many vectors on the stack", built(single("i32", "i32", "", "local.get 0 if i32 %s local.get 0 i32.const 1 i32.sub call 0 i32x4.splat %s i32x4.extract_lane 0 else i32.const 0 end", vectors, xor)), "f", 100},
		{"many locals", built(single("i32", "i32", strings.Repeat("i64 ", 2000), "local.get 0 if i32 local.get 0 i32.const 1 i32.sub call 0 else i32.const 0 end")), "f", 100},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := start(t, rewrite(t, tt.wasm(t), meter.Options{}))
			c := controls(t, m)
			f := m.ExportedFunction(tt.call)
			for _, step := range []struct {
				depth uint64
				want  meter.Reason
			}{{tt.fits, meter.ReasonNone}, {1_000_000, meter.ReasonDepth}, {tt.fits, meter.ReasonNone}} {
				if strings.HasPrefix(tt.name, "Go") && step.want != meter.ReasonNone {
					// Go itself gives up at a depth of its own, or is dead afterwards.
					continue
				}
				c.Arm(unlimited)
				_, err := f.Call(t.Context(), step.depth)
				if got := c.Disarm(err != nil); got != step.want || (err != nil) != (got != meter.ReasonNone) {
					t.Errorf("%s(%d): got %v, %v, want %v", tt.call, step.depth, firstLine(err), got, step.want)
				}
			}
		})
	}
}

// The reason tells the meter's traps from the guest's own.
func TestReason(t *testing.T) {
	m := start(t, rewrite(t, single("", "", "", "unreachable").build(), meter.Options{}))
	c := controls(t, m)
	c.Arm(1000)
	_, err := m.ExportedFunction("f").Call(t.Context())
	if got := c.Disarm(true); err == nil || got != meter.ReasonNone {
		t.Errorf("unreachable: got %v, %v, want a trap without a reason", err, got)
	}
	for r, want := range map[meter.Reason]string{meter.ReasonNone: "none", meter.ReasonBudget: "budget", meter.ReasonStop: "stop", meter.ReasonDepth: "depth", 9: "reason 9"} {
		if got := r.String(); got != want {
			t.Errorf("Reason(%d): got %q, want %q", uint32(r), got, want)
		}
	}
}

// Stopping one call never hits the next.
func TestStopIsOfOneCall(t *testing.T) {
	m := start(t, rewrite(t, single("i32", "i32", "", "loop void local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end local.get 0").build(), meter.Options{}))
	c := controls(t, m)
	f := m.ExportedFunction("f")
	c.Arm(unlimited)
	first := c.Running()
	if _, err := f.Call(t.Context(), 1000); err != nil {
		t.Fatal(err)
	}
	c.Disarm(false)
	if c.Running() != 0 || c.Stop(first) || c.Stop(0) {
		t.Error("Stop after the call: got true, want false")
	}
	c.Arm(unlimited)
	if c.Stop(first) {
		t.Error("Stop of the call before: got true, want false")
	}
	if _, err := f.Call(t.Context(), 10_000_000); err != nil {
		t.Errorf("call after a late Stop: %v", err)
	}
	c.Disarm(false)

	// A call that ends while it is stopped leaves no stop behind.
	c.Arm(unlimited)
	if !c.Stop(c.Running()) {
		t.Error("Stop of an armed call: got false, want true")
	}
	if _, err := f.Call(t.Context(), 10); err != nil {
		t.Errorf("a call shorter than a slice: %v", err)
	}
	if got := c.Disarm(false); got != meter.ReasonNone {
		t.Errorf("Disarm: got %v, want none", got)
	}
	c.Arm(unlimited)
	if _, err := f.Call(t.Context(), 10_000_000); err != nil {
		t.Errorf("call after a stopped one: %v", err)
	}
}

// A watchdog that barks all the time and a lane that calls all the time agree
// about which calls were stopped, under the race detector too.
func TestStopHammer(t *testing.T) {
	m := start(t, rewrite(t, single("i32", "", "", "loop void local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end").build(), meter.Options{Slice: 1000}))
	c := controls(t, m)
	done, gone := make(chan struct{}), make(chan int)
	go func() {
		stops := 0
		for {
			select {
			case <-done:
				gone <- stops
				return
			default:
				if c.Stop(c.Running()) {
					stops++
				}
				runtime.Gosched()
			}
		}
	}()
	f, trapped := m.ExportedFunction("f"), 0
	for i := range 20_000 {
		c.Arm(unlimited)
		_, err := f.Call(t.Context(), uint64(1+i%3*5000))
		if got := c.Disarm(err != nil); (got == meter.ReasonStop) != (err != nil) {
			t.Fatalf("call %d: got %v, %v", i, err, got)
		}
		if err != nil {
			trapped++
		}
	}
	close(done)
	if stops := <-gone; trapped > stops {
		t.Errorf("%d calls trapped by %d stops", trapped, stops)
	}
}
