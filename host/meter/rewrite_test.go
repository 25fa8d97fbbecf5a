package meter_test

import (
	"bytes"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/yimmo-host/yimmo-host/host/meter"
)

// What is refused, and what the error says about where.
func TestRefused(t *testing.T) {
	two := func(code string) []byte { // the second function has the code
		return guest{funs: []fun{{"", "", "", nil, "a"}, {"i32", "", "i64", asm("%s", code), "b"}}, tables: []uint64{1}, globals: []glob{{"i32", true, asm("i32.const 0")}}}.build()
	}
	header := "\x00asm\x01\x00\x00\x00"
	tests := []struct {
		name string
		wasm []byte
		want error
		says string
	}{
		{"nothing", nil, meter.ErrMalformed, "offset 0x0: no header"},
		{"text", []byte("(module)"), meter.ErrMalformed, "no header"},
		{"component", []byte("\x00asm\x0d\x00\x01\x00"), meter.ErrMalformed, "no header"},
		{"unknown section", []byte(header + "\x0e\x00"), meter.ErrUnsupported, "offset 0x8: section 14"},
		{"tag section", []byte(header + "\x0d\x01\x00"), meter.ErrUnsupported, "offset 0x8: section 13"},
		{"section twice", []byte(header + "\x01\x01\x00\x01\x01\x00"), meter.ErrMalformed, "offset 0xb: type section out of order"},
		{"section longer than the file", []byte(header + "\x01\x05\x00"), meter.ErrMalformed, "5 bytes wanted, 1 left"},
		{"section longer than its content", []byte(header + "\x01\x02\x00\x00"), meter.ErrMalformed, "type section has 1 bytes too many"},
		{"2^32-1 types", []byte(header + "\x01\x05\xff\xff\xff\xff\x0f"), meter.ErrMalformed, "4294967295 types declared, 0 bytes left"},
		{"body missing", []byte(header + "\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00"), meter.ErrMalformed, "1 functions, 0 bodies"},
		{"shared memory", []byte(header + "\x05\x04\x01\x03\x01\x01"), meter.ErrUnsupported, "memory of kind 0x3"},
		{"two memories", []byte(header + "\x05\x05\x02\x00\x01\x00\x01"), meter.ErrUnsupported, "more than one memory"},
		{"reserved export", guest{funs: []fun{{"", "", "", nil, meter.ExportStop}}}.build(), meter.ErrReserved, `"yimmo_meter_stop"`},

		{"added global", two("global.get 1 drop"), meter.ErrMalformed, "function 1, offset"},
		{"added global, set", two("i32.const 1000 global.set 1"), meter.ErrMalformed, "global 1 of 1"},
		{"added function", two("call 2"), meter.ErrMalformed, "function 2 of 2"},
		{"added local", two("local.get 2 drop"), meter.ErrMalformed, "local 2 of 2"},
		{"added label", two("block void br 2 end"), meter.ErrMalformed, "label 2 of 2"},
		{"added label in a table", two("block void local.get 0 br_table 1 0 2 end"), meter.ErrMalformed, "label 2 of 2"},
		{"added type", two("local.get 0 call_indirect 2 0"), meter.ErrMalformed, "type 2 of 2"},
		{"added block type", two("block 2 end"), meter.ErrUnsupported, "block type 0x2 of 2 types"},
		{"added function in a table", guest{funs: []fun{{}}, tables: []uint64{1}, elements: [][]uint64{{1}}}.build(), meter.ErrMalformed, "function 1 of 1"},
		{"added global, exported", guest{funs: []fun{{}}, exports: named("g", 3, 0), more: 1}.build(), meter.ErrMalformed, "global 0 of 0"},
		{"added function, exported", guest{funs: []fun{{}}, exports: named("g", 0, 1), more: 1}.build(), meter.ErrMalformed, "function 1 of 1"},
		{"added start function", guest{funs: []fun{{}}, hasStart: true, start: 1}.build(), meter.ErrMalformed, "function 1 of 1"},
		{"added memory", guest{bare: true, funs: []fun{{code: asm("i32.const 0 i32.load 0 0 drop")}}}.build(), meter.ErrMalformed, "there is no memory"},
		{"added memory, grown", guest{bare: true, funs: []fun{{code: asm("i32.const 0 memory.grow drop")}}}.build(), meter.ErrMalformed, "there is no memory"},

		{"atomics", two("block void end"), meter.ErrUnsupported, "opcode 0xfe: threads"},
		{"exceptions", two("block void end"), meter.ErrUnsupported, "opcode 0x8: exception handling"},
		{"typed references", two("block void end"), meter.ErrUnsupported, "opcode 0x14: typed function references"},
		{"padded vector opcode", two("block void end"), meter.ErrUnsupported, "vector opcode of more than 8 bits"},
		{"code behind the end", two("end end"), meter.ErrMalformed, "body goes on behind its end"},
		{"else without if", two("block void else end"), meter.ErrMalformed, "else without if"},
		{"nothing but loops", single("", "", "", "%s", strings.Repeat("loop void end ", 1_000_000)).build(), meter.ErrUnsupported, "grows to more than 4 times"},
		{"10001 nested blocks", two(strings.Repeat("block void ", 10_001) + strings.Repeat("end ", 10_001)), meter.ErrLimit, "nested deeper than 10000"},
		{"br_table of 30001", two("block void local.get 0 br_table 30001 " + strings.Repeat("0 ", 30_002) + "end"), meter.ErrLimit, "30001 labels"},
		{"block without end", two("block void"), meter.ErrMalformed, "function 1"},
	}
	patches := map[string][]byte{"atomics": {0xfe, 0x03, 0}, "exceptions": {0x08, 0, 0}, "typed references": {0x14, 0, 0}, "padded vector opcode": {0xfd, 0x8c, 0}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if patch, ok := patches[tt.name]; ok { // over the last instructions
				copy(tt.wasm[len(tt.wasm)-len(patch)-1:], patch)
			}
			_, err := meter.Rewrite(tt.wasm, meter.Options{})
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("Rewrite: got %v, want %v: ... %s", err, tt.want, tt.says)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	for _, opt := range []meter.Options{
		{Slice: -1}, {Slice: 999}, {Slice: 1<<30 + 1}, {MaxDepth: -1}, {MaxDepth: 1<<17 + 1}, {MaxTable: -1}, {MaxTable: 1<<27 + 1},
		{MaxNesting: -1}, {MaxNesting: 1<<20 + 1}, {MaxLabels: -1}, {MaxLabels: 1<<20 + 1},
	} {
		if _, err := meter.Rewrite(guest{}.build(), opt); !errors.Is(err, meter.ErrOptions) {
			t.Errorf("Rewrite with %+v: got %v, want %v", opt, err, meter.ErrOptions)
		}
		if _, err := meter.Bind(opt, nil); !errors.Is(err, meter.ErrOptions) {
			t.Errorf("Bind with %+v: got %v, want %v", opt, err, meter.ErrOptions)
		}
	}
	res, err := meter.Rewrite(guest{}.build(), meter.Options{Slice: 5000})
	want := meter.Options{Slice: 5000, MaxDepth: 50_000, MaxTable: 100_000, MaxNesting: 10_000, MaxLabels: 30_000}
	if err != nil || res.Options != want {
		t.Errorf("options: got %+v, %v, want %+v", res.Options, err, want)
	}
}

// A module that was not rewritten cannot be bound, and one that was cannot be
// rewritten again.
func TestOnce(t *testing.T) {
	g := single("", "", "", "nop")
	if _, err := meter.Bind(meter.Options{}, func(string) meter.Global { return nil }); err == nil || !strings.Contains(err.Error(), "was not rewritten") {
		t.Errorf("Bind: got %v, want that the module was not rewritten", err)
	}
	if _, err := meter.Rewrite(rewrite(t, g.build(), meter.Options{}), meter.Options{}); !errors.Is(err, meter.ErrReserved) {
		t.Errorf("Rewrite, twice: got %v, want %v", err, meter.ErrReserved)
	}
}

// Globals and Unsaved say what a checkpoint can hold.
func TestResult(t *testing.T) {
	i32 := asm("i32.const 0")
	g := guest{
		funs: []fun{{"", "", "", asm("loop void loop void end end"), ""}, {"", "", "", asm("loop void end"), ""}},
		globals: []glob{
			{"i32", true, i32}, {"i32", false, i32}, {"i64", true, asm("i64.const 0")}, {"f32", true, []byte{0x43, 0, 0, 0, 0}},
			{"f64", true, []byte{0x44, 0, 0, 0, 0, 0, 0, 0, 0}},
		},
	}
	res, err := meter.Rewrite(g.build(), meter.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"yimmo_meter_global_0", "yimmo_meter_global_2", "yimmo_meter_global_3", "yimmo_meter_global_4"}
	if !slices.Equal(res.Globals, want) || len(res.Unsaved) > 0 || res.Loops != 3 || res.Functions != 2 {
		t.Errorf("got %q, unsaved %q, %d loops, %d functions, want %q, none, 3, 2", res.Globals, res.Unsaved, res.Loops, res.Functions, want)
	}
	if m := start(t, res.Wasm); m.ExportedGlobal(want[3]) == nil {
		t.Errorf("no export %s", want[3])
	}
	unsaved := []struct {
		says string
		g    guest
	}{
		{"global 0 is of type 0x7b", guest{globals: []glob{{"v128", true, append([]byte{0xfd, 12}, make([]byte, 16)...)}}}},
		{"global 0 is of type 0x6f", guest{globals: []glob{{"externref", true, asm("ref.null externref")}}}},
		{"table 0 is written by function 0", guest{tables: []uint64{1}, funs: []fun{{code: asm("i32.const 0 ref.null funcref table.set 0")}}}},
		{"table 0 is grown by function 0", guest{tables: []uint64{1}, funs: []fun{{code: asm("ref.null funcref i32.const 0 table.grow 0 drop")}}}},
		{"segment 0 is dropped by function 0", guest{data: []string{"x"}, funs: []fun{{code: asm("data.drop 0")}}}},
	}
	for _, tt := range unsaved {
		res, err := meter.Rewrite(tt.g.build(), meter.Options{})
		if err != nil || !slices.Equal(res.Unsaved, []string{tt.says}) {
			t.Errorf("unsaved: got %q, %v, want %q", res.Unsaved, err, tt.says)
		}
		start(t, res.Wasm)
	}
}

// Sections that speak of offsets in the code go, the others stay as they are.
func TestCustomSections(t *testing.T) {
	for name, stays := range map[string]bool{
		"name": true, "producers": true, "target_features": true, "anything": true,
		".debug_line": false, ".debug_info": false, "reloc.CODE": false, "linking": false, "sourceMappingURL": false, "metadata.code.branch_hint": false,
	} {
		g := single("", "", "", "nop")
		g.customs = map[string][]byte{name: []byte("\x01\x02\x01\x00")}
		section := append(sized([]byte(name)), g.customs[name]...)
		if got := bytes.Contains(rewrite(t, g.build(), meter.Options{}), section); got != stays {
			t.Errorf("custom section %s: there is %v, want %v", name, got, stays)
		}
	}
}

// A table grows no further than it may, however large a maximum it has.
func TestTableBound(t *testing.T) {
	g := single("i32", "i32", "", "ref.null funcref local.get 0 table.grow 0")
	g.tables = []uint64{10}
	m := start(t, rewrite(t, g.build(), meter.Options{MaxTable: 100}))
	for _, step := range []struct{ by, want uint64 }{{90, 10}, {1, 0xffffffff}, {0xffffffff, 0xffffffff}, {0, 100}} {
		if got, err := m.ExportedFunction("f").Call(t.Context(), step.by); err != nil || got[0] != step.want {
			t.Errorf("table.grow(%d): got %v, %v, want %d", step.by, got, err, step.want)
		}
	}
}

// Tables share what they may grow by.
func TestTableShares(t *testing.T) {
	g := single("i32", "i32", "", "ref.null funcref local.get 0 table.grow 1")
	g.tables = []uint64{10, 20, 70}
	m := start(t, rewrite(t, g.build(), meter.Options{MaxTable: 160}))
	for _, step := range []struct{ by, want uint64 }{{21, 0xffffffff}, {20, 20}, {1, 0xffffffff}} {
		if got, err := m.ExportedFunction("f").Call(t.Context(), step.by); err != nil || got[0] != step.want {
			t.Errorf("table.grow(%d): got %v, %v, want %d", step.by, got, err, step.want)
		}
	}
}

// What just fits the limits is let through.
func TestWithinLimits(t *testing.T) {
	for name, code := range map[string]string{
		"10000 nested blocks": strings.Repeat("block void ", 9_999) + strings.Repeat("end ", 9_999),
		"br_table of 30000":   "block void i32.const 0 br_table 30000 " + strings.Repeat("0 ", 30_001) + "end",
	} {
		if _, err := meter.Rewrite(single("", "", "", "%s", code).build(), meter.Options{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What work costs, to the unit.
func TestUnits(t *testing.T) {
	// Up to 128 units one charge pays for all, and looks whether it may.
	tests := []struct {
		name string
		g    guest
		want int64
	}{
		{"empty function", single("i32", "", "", ""), 0},
		{"small function", single("i32", "", "", "%s", strings.Repeat("i32.const 1 drop ", 8)), 0},
		{"straight code", single("i32", "", "", "%s", strings.Repeat("i32.const 1 drop ", 10)), 20},
		{"long straight code", single("i32", "", "", "%s", strings.Repeat("i32.const 1 drop ", 1000)), 2000},
		{"loop", single("i32", "", "", "loop void end"), 1},
		{"loop with a little before", single("i32", "", "", "i32.const 1 drop loop void end"), 3},
		{"loop with more before", single("i32", "", "", "%s loop void end", strings.Repeat("i32.const 1 drop ", 10)), 21},
		{"five rounds", single("i32", "", "", "loop void local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end"), 5 * 6},
		{"both branches are paid for", single("i32", "", "", "local.get 0 if void %s else %[1]s end", strings.Repeat("i32.const 1 drop ", 20)), 82},
		{"a later case pays for itself", single("i32", "", "", "block void block void local.get 0 br_table 1 0 1 end %s end %[1]s", strings.Repeat("i32.const 1 drop ", 100)), 128 + 200},
		{"division", single("i32", "", "", "%s", strings.Repeat("i32.const 6 i32.const 3 i32.div_u drop ", 10)), 110},
		{"call of a small function", guest{funs: []fun{{"i32", "", "", asm("call 1"), "f"}, {}}}, 16},
		{"call of a larger function", guest{funs: []fun{{"i32", "", "", asm("call 1"), "f"}, {code: asm("%s", strings.Repeat("i32.const 1 drop ", 10))}}}, 36},
		{"fill", single("i32", "", "", "i32.const 0 i32.const 0 i32.const 4000 memory.fill"), 19 + 1000},
		{"copy", single("i32", "", "", "i32.const 0 i32.const 0 i32.const 4000 memory.copy"), 19 + 1000},
		{"grow", single("i32", "", "", "i32.const 1 memory.grow drop"), 66 + 16384},
		{"grow too far", single("i32", "", "", "i32.const 1000 memory.grow drop"), 66},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := start(t, rewrite(t, tt.g.build(), meter.Options{}))
			c := controls(t, m)
			for _, budget := range []int64{unlimited, tt.want, tt.want - 1} {
				c.Arm(budget)
				_, err := m.ExportedFunction("f").Call(t.Context(), 5)
				got := c.Disarm(err != nil)
				if budget < tt.want && budget >= 0 && tt.want <= 128 && got != meter.ReasonBudget || budget >= tt.want && got != meter.ReasonNone {
					t.Errorf("on %d of %d units: got %v, %v", budget, tt.want, err, got)
				}
				if got := c.Spent(budget); budget == unlimited && got != tt.want {
					t.Errorf("spent: got %d, want %d", got, tt.want)
				}
				if tt.name == "grow" {
					break // the next time is too far
				}
			}
		})
	}
}

// Fills and copies of more than a piece do what one instruction would.
func TestPieces(t *testing.T) {
	g := guest{
		funs: []fun{
			{"i32 i32 i32", "", "", asm("local.get 0 local.get 1 local.get 2 memory.fill"), "fill"},
			{"i32 i32 i32", "", "", asm("local.get 0 local.get 1 local.get 2 memory.copy"), "copy"},
		},
		pages: 128,
	}
	g.funs = append(g.funs, fun{"", "i32", "", asm("i32.const 127 memory.grow"), "grow"})
	plain, metered := start(t, g.build()), start(t, rewrite(t, g.build(), meter.Options{}))
	const mib = 1 << 20
	size := uint64(8 * mib)
	type step struct {
		call    string
		a, b, n uint64
	}
	steps := []step{{call: "grow"}}
	for i := range uint64(16) { // something to tell places apart
		steps = append(steps, step{"fill", i * mib / 2, i + 1, mib/2 + i})
	}
	for _, n := range []uint64{0, 1, mib, mib + 1, 3*mib + 7, 5 * mib} {
		steps = append(steps,
			step{"copy", mib / 2, 0, n}, step{"copy", 0, mib / 2, n}, step{"copy", 3, 1, n}, step{"copy", 1, 3, n}, step{"copy", 7, 7, n},
			step{"fill", 100, 7, n}, step{"copy", size - n, 0, n}, step{"fill", size - n, 9, n},
			step{"copy", size - n + 1, 0, n}, step{"copy", 0, size - n + 1, n}, step{"fill", size - n + 1, 3, n})
	}
	steps = append(steps, step{"fill", 1 << 31, 1, 1<<32 - 1}, step{"copy", 1<<32 - 1, 1, 1<<32 - 1}, step{"copy", 1, 1<<32 - 1, 1<<32 - 1})
	for _, s := range steps {
		var args []uint64
		if s.call != "grow" {
			args = []uint64{s.a, s.b, s.n}
		}
		_, wantErr := plain.ExportedFunction(s.call).Call(t.Context(), args...)
		arm(metered, unlimited)
		_, gotErr := metered.ExportedFunction(s.call).Call(t.Context(), args...)
		if firstLine(gotErr) != firstLine(wantErr) {
			t.Errorf("%+v: got %v, want %v", s, firstLine(gotErr), firstLine(wantErr))
		}
		got, _ := metered.Memory().Read(0, metered.Memory().Size())
		want, _ := plain.Memory().Read(0, plain.Memory().Size())
		if !bytes.Equal(got, want) {
			t.Fatalf("%+v: memories differ", s)
		}
	}
}

// Stack traces of a guest's own traps still name its functions.
func TestTraceNames(t *testing.T) {
	wasm, err := goGuest()
	if err != nil {
		t.Fatal(err)
	}
	m := start(t, rewrite(t, wasm, meter.Options{}))
	c := controls(t, m)
	c.Arm(unlimited)
	_, err = m.ExportedFunction("explode").Call(t.Context())
	if got := c.Disarm(err != nil); err == nil || got != meter.ReasonNone || !strings.Contains(err.Error(), "runtime.gopanic") {
		t.Errorf("explode: got %v, %v, want a trap in runtime.gopanic", got, err)
	}
}

// Metered guests of each language compute what the originals do.
func TestCompiledGuests(t *testing.T) {
	tests := []struct {
		name  string
		build func() ([]byte, error)
		calls []call
	}{
		{"C", cGuest, []call{{"sum", 1000}, {"fib", 15}, {"deep", 100}, {"matrix", 20}, {"sort", 500}, {"machine", 1000}, {"vector", 4096}, {"turn", 64}, {"fill", 4096}}},
		{"Go", goGuest, []call{{"sum", 1000}, {"fib", 15}, {"deep", 100}, {"sort", 500}, {"encode", 100}, {"nest", 50}, {"turn", 64}}},
		{"Rust", file("rust.wasm"), []call{{"sum", 1000}, {"fib", 15}, {"sort", 500}, {"encode", 100}, {"yimmo_v1_turn", 0}}},
		{"AssemblyScript", file("assemblyscript.wasm"), []call{{"sum", 1000}, {"fib", 15}, {"sort", 500}, {"encode", 100}, {"yimmo_v1_turn", 0}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wasm, err := tt.build()
			if err != nil {
				t.Fatal(err)
			}
			res, err := meter.Rewrite(wasm, meter.Options{})
			if err != nil || len(res.Unsaved) > 0 {
				t.Fatalf("Rewrite: unsaved %q, %v", res.Unsaved, err)
			}
			t.Logf("%d bytes, rewritten %d; %d loops, %d functions, globals %q", len(wasm), len(res.Wasm), res.Loops, res.Functions, res.Globals)
			plain, metered := start(t, wasm), start(t, res.Wasm)
			c := controls(t, metered)
			for _, call := range tt.calls {
				want, wantErr := plain.ExportedFunction(call.name).Call(t.Context(), call.args(plain)...)
				c.Arm(unlimited)
				got, err := metered.ExportedFunction(call.name).Call(t.Context(), call.args(metered)...)
				if c.Disarm(err != nil); err != nil || wantErr != nil || !slices.Equal(got, want) {
					t.Errorf("%s: got %v, %v, want %v, %v", call, got, err, want, wantErr)
				}
			}
		})
	}
}

// Memory and globals put back, an instance does again what it did, also after
// a trap in the middle of something.
func TestCheckpoint(t *testing.T) {
	tests := []struct {
		name   string
		build  func() ([]byte, error)
		work   call
		broken call
	}{
		{"C", cGuest, call{"machine", 5000}, call{"forever", 0}},
		{"Go", goGuest, call{"encode", 50}, call{"forever", 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wasm, err := tt.build()
			if err != nil {
				t.Fatal(err)
			}
			res, err := meter.Rewrite(wasm, meter.Options{})
			if err != nil {
				t.Fatal(err)
			}
			m := start(t, res.Wasm)
			c := controls(t, m)
			run := func(call call, budget int64) (meter.Reason, int64) {
				c.Arm(budget)
				_, err := m.ExportedFunction(call.name).Call(t.Context(), call.args(m)...)
				return c.Disarm(err != nil), c.Spent(budget)
			}
			run(tt.work, unlimited)
			saved := save(m, res.Globals)
			_, spent := run(tt.work, unlimited)
			want := save(m, res.Globals)
			for range 3 {
				if got, _ := run(tt.broken, 1_000_000); got != meter.ReasonBudget {
					t.Fatalf("%s: got %v, want %v", tt.broken, got, meter.ReasonBudget)
				}
				saved.restore(m)
				if why, again := run(tt.work, unlimited); why != meter.ReasonNone || again != spent {
					t.Errorf("%s after a rollback: got %v and %d units, want none and %d", tt.work, why, again, spent)
				}
				if got := save(m, res.Globals); !got.equal(want) {
					t.Errorf("%s after a rollback left another state", tt.work)
				}
			}
		})
	}
}

// The compiler is what all this is for; in the interpreter it works as well.
func TestInterpreter(t *testing.T) {
	rt := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
	defer rt.Close(t.Context())
	m, err := rt.Instantiate(t.Context(), rewrite(t, single("i32", "", "", "loop void br 0 end").build(), meter.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	c := controls(t, m)
	c.Arm(1_000_000)
	_, err = m.ExportedFunction("f").Call(t.Context(), 0)
	if got := c.Disarm(err != nil); got != meter.ReasonBudget {
		t.Errorf("endless loop: got %v, %v, want %v", got, err, meter.ReasonBudget)
	}
}

// A rewrite takes little more memory than what it returns: nothing of a large module
// is there twice.
func TestRewriteAllocates(t *testing.T) {
	wasm, err := goGuest()
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	res, err := meter.Rewrite(wasm, meter.Options{})
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if got, most := after.TotalAlloc-before.TotalAlloc, uint64(len(res.Wasm)*3/2); got > most {
		t.Errorf("a module of %d bytes: %d allocated, want at most %d", len(res.Wasm), got, most)
	}
}
