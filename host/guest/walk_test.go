package guest_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/yimmo-host/yimmo-host/host/guest"
)

// module puts sections behind the magic number.
func module(sections ...[]byte) []byte {
	return slices.Concat(append([][]byte{[]byte("\x00asm\x01\x00\x00\x00")}, sections...)...)
}

func section(id byte, body ...byte) []byte {
	return slices.Concat([]byte{id}, leb(uint32(len(body))), body)
}

func leb(v uint32) (b []byte) {
	for ; v >= 0x80; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v))
}

var (
	huge     = []byte{0xff, 0xff, 0xff, 0xff, 0x0f} // 2^32 - 1
	voidFunc = section(1, 1, 0x60, 0, 0)
	oneFunc  = slices.Concat(voidFunc, section(3, 1, 0))
	oneBody  = section(10, 1, 2, 0, 0x0b)
)

func join(head []byte, rest ...byte) []byte { return append(slices.Clip(head), rest...) }

// Whatever a file declares, refusing it costs no more than its size.
func TestWalkRefuses(t *testing.T) {
	tests := []struct {
		name string
		wasm []byte
		want error
	}{
		{"section longer than the file", module([]byte{1, 5, 0}), guest.ErrMalformed},
		{"section of 4 GiB", module(slices.Concat([]byte{1}, huge)), guest.ErrMalformed},
		{"unknown section", module(section(13)), guest.ErrMalformed},
		{"sections out of order", module(oneBody, oneFunc), guest.ErrMalformed},
		{"section twice", module(voidFunc, voidFunc), guest.ErrMalformed},
		{"data count after code", module(oneFunc, oneBody, section(12, 0)), guest.ErrMalformed},
		{"bytes after the last type", module(section(1, 0, 0)), guest.ErrMalformed},
		{"number of 6 bytes", module(section(1, 0x80, 0x80, 0x80, 0x80, 0x80, 0)), guest.ErrMalformed},
		{"number of 33 bits", module(section(1, 0x80, 0x80, 0x80, 0x80, 0x10)), guest.ErrMalformed},
		{"number cut off", module(section(1, 0x80)), guest.ErrMalformed},

		{"2^32-1 types", module(section(1, huge...)), guest.ErrMalformed},
		{"2^32-1 parameters", module(section(1, join([]byte{1, 0x60}, huge...)...)), guest.ErrMalformed},
		{"2^32-1 imports", module(section(2, huge...)), guest.ErrMalformed},
		{"2^32-1 functions", module(voidFunc, section(3, huge...)), guest.ErrMalformed},
		{"2^32-1 tables", module(section(4, huge...)), guest.ErrMalformed},
		{"2^32-1 memories", module(section(5, huge...)), guest.ErrMalformed},
		{"2^32-1 globals", module(section(6, huge...)), guest.ErrMalformed},
		{"2^32-1 exports", module(section(7, huge...)), guest.ErrMalformed},
		{"2^32-1 element segments", module(section(9, huge...)), guest.ErrMalformed},
		{"2^32-1 elements", module(section(9, join([]byte{1, 0, 0x41, 0, 0x0b}, huge...)...)), guest.ErrMalformed},
		{"2^32-1 element expressions", module(section(9, join([]byte{1, 5, 0x70}, huge...)...)), guest.ErrMalformed},
		{"2^32-1 bodies", module(section(10, huge...)), guest.ErrMalformed},
		{"body of 4 GiB", module(oneFunc, section(10, join([]byte{1}, huge...)...)), guest.ErrMalformed},
		{"2^32-1 groups of locals", module(oneFunc, section(10, join([]byte{1, 6}, huge...)...)), guest.ErrMalformed},
		{"2^32-1 locals", module(oneFunc, section(10, join(join([]byte{1, 8, 1}, huge...), 0x7f, 0x0b)...)), guest.ErrLimit},
		{"2^32-1 data segments", module(section(11, huge...)), guest.ErrMalformed},
		{"data of 4 GiB", module(section(11, join([]byte{1, 1}, huge...)...)), guest.ErrMalformed},
		{"name of 4 GiB", module(section(7, join([]byte{1}, huge...)...)), guest.ErrMalformed},
		{"custom section's name of 4 GiB", module(section(0, huge...)), guest.ErrMalformed},
		{"2^32-1 function names", module(section(0, slices.Concat([]byte("\x04name\x01\x05"), huge)...)), guest.ErrMalformed},
		{"2^32-1 functions with named locals", module(section(0, slices.Concat([]byte("\x04name\x02\x05"), huge)...)), guest.ErrMalformed},
		{"2^32-1 local names", module(section(0, slices.Concat([]byte("\x04name\x02\x07\x01\x00"), huge)...)), guest.ErrMalformed},

		{"rec group", module(section(1, 1, 0x4e, 1, 0x60, 0, 0)), guest.ErrMalformed},
		{"value type of a later version", module(section(1, 1, 0x60, 1, 0x63, 0)), guest.ErrMalformed},
		{"1001 parameters", module(section(1, slices.Concat([]byte{1, 0x60}, leb(1001), bytes.Repeat([]byte{0x7f}, 1001), []byte{0})...)), guest.ErrLimit},
		{"import of a tag", module(section(2, 1, 0, 0, 4, 0, 0)), guest.ErrMalformed},
		{"function of an unknown type", module(voidFunc, section(3, 1, 1)), guest.ErrMalformed},
		{"function without body", module(oneFunc), guest.ErrMalformed},
		{"body without function", module(oneBody), guest.ErrMalformed},
		{"table of 100001", module(section(4, join([]byte{1, 0x70, 0}, leb(100_001)...)...)), guest.ErrLimit},
		{"tables of 100001 together", module(section(4, slices.Concat([]byte{2, 0x70, 0}, leb(60_000), []byte{0x6f, 0}, leb(40_001))...)), guest.ErrLimit},
		{"10001 globals", module(section(6, slices.Concat(leb(10_001), bytes.Repeat([]byte{0x7f, 0, 0x41, 0, 0x0b}, 10_001))...)), guest.ErrLimit},
		{"10001 types", module(section(1, slices.Concat(leb(10_001), bytes.Repeat([]byte{0x60, 0, 0}, 10_001))...)), guest.ErrLimit},
		{"10001 exports", module(oneFunc, section(7, slices.Concat(leb(10_001), bytes.Repeat([]byte{0, 0, 0}, 10_001))...)), guest.ErrLimit},
		{"1001 imports", module(voidFunc, section(2, slices.Concat(leb(1001), bytes.Repeat([]byte{0, 0, 0, 0}, 1001))...)), guest.ErrLimit},
		{"200001 elements", module(section(9, slices.Concat([]byte{1, 1, 0}, leb(200_001), make([]byte, 200_001))...)), guest.ErrLimit},
		{"function of 1 MiB and a byte", module(oneFunc, section(10, slices.Concat([]byte{1}, leb(1<<20+1), make([]byte, 1<<20+1))...)), guest.ErrLimit},
		{"9 tables", module(section(4, join([]byte{9}, bytes.Repeat([]byte{0x70, 0, 0}, 9)...)...)), guest.ErrLimit},
		{"table with an initializer", module(section(4, 1, 0x40, 0, 0x70, 0, 0, 0xd0, 0x70, 0x0b)), guest.ErrMalformed},
		{"memory of 65536 pages", module(section(5, join([]byte{1, 0}, leb(65536)...)...)), guest.ErrLimit},
		{"memory up to 65537 pages", module(section(5, join([]byte{1, 1, 0}, leb(65537)...)...)), guest.ErrMalformed},
		{"memory that may only shrink", module(section(5, 1, 1, 2, 1)), guest.ErrMalformed},
		{"shared memory", module(section(5, 1, 3, 1, 1)), guest.ErrMalformed},
		{"64-bit memory", module(section(5, 1, 4, 1)), guest.ErrMalformed},
		{"2 memories", module(section(5, 2, 0, 1, 0, 1)), guest.ErrLimit},
		{"mutability 2", module(section(6, 1, 0x7f, 2, 0x41, 0, 0x0b)), guest.ErrMalformed},
		{"i32 of 6 bytes", module(section(6, 1, 0x7f, 0, 0x41, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 0x0b)), guest.ErrMalformed},
		{"i32 of 33 bits", module(section(6, 1, 0x7f, 0, 0x41, 0x80, 0x80, 0x80, 0x80, 0x08, 0x0b)), guest.ErrMalformed},
		{"i64 of 65 bits", module(section(6, 1, 0x7e, 0, 0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02, 0x0b)), guest.ErrMalformed},
		{"expression without end", module(section(6, 1, 0x7f, 0, 0x41, 0)), guest.ErrMalformed},
		{"expression of additions", module(section(6, 1, 0x7f, 0, 0x41, 0, 0x41, 0, 0x6a, 0x0b)), guest.ErrMalformed},
		{"expression of 1001 instructions", module(section(6, slices.Concat([]byte{1, 0x7f, 0}, bytes.Repeat([]byte{0x23, 0}, 1001), []byte{0x0b})...)), guest.ErrLimit},
		{"vector other than a constant", module(section(6, 1, 0x7b, 0, 0xfd, 0x0d, 0x0b)), guest.ErrMalformed},
		{"export twice", module(oneFunc, section(7, 2, 1, 'f', 0, 0, 1, 'f', 0, 0), oneBody), guest.ErrMalformed},
		{"export of no function", module(oneFunc, section(7, 1, 1, 'f', 0, 1), oneBody), guest.ErrMalformed},
		{"export of kind 4", module(section(7, 1, 1, 'f', 4, 0)), guest.ErrMalformed},
		{"name is not UTF-8", module(section(7, 1, 1, 0xff, 3, 0)), guest.ErrMalformed},
		{"start of no function", module(section(8, 0)), guest.ErrMalformed},
		{"element segment of form 8", module(section(9, 1, 8, 0)), guest.ErrMalformed},
		{"element kind 1", module(section(9, 1, 1, 1, 0)), guest.ErrMalformed},
		{"element type of a later version", module(section(9, 1, 5, 0x63, 0x70, 0)), guest.ErrMalformed},
		{"data segment of form 3", module(section(11, 1, 3, 0)), guest.ErrMalformed},
		{"50001 locals", module(oneFunc, section(10, join(join([]byte{1, 6, 1}, leb(50_001)...), 0x7f, 0x0b)...)), guest.ErrLimit},
		{"1001 custom sections", module(bytes.Repeat(section(0, 1, 'x'), 1001)), guest.ErrLimit},
		{"names longer than their section", module(section(0, []byte("\x04name\x00\x09\x01x")...)), guest.ErrMalformed},
		{"module over 64 MiB", module(section(0, make([]byte, 64<<20)...)), guest.ErrLimit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := guest.Inspect(tt.wasm)
			runtime.ReadMemStats(&after)
			if !errors.Is(err, tt.want) {
				t.Errorf("Inspect: got %v, want %v", err, tt.want)
			}
			if cost := after.TotalAlloc - before.TotalAlloc; cost > 256<<10 {
				t.Errorf("Inspect of %d bytes allocated %d", len(tt.wasm), cost)
			}
		})
	}
}

// What compilers make of every corner of the format is let through.
func TestWalkAdmits(t *testing.T) {
	tests := []struct {
		name string
		wasm []byte
	}{
		{"nothing", module()},
		{"all value types", module(section(1, 1, 0x60, 7, 0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f, 2, 0x7f, 0x7e))},
		{"imports of all kinds", module(voidFunc, section(2, 4, 1, 'a', 1, 'b', 0, 0, 1, 'a', 0, 1, 0x70, 0, 0, 1, 'a', 0, 2, 0, 1, 1, 'a', 0, 3, 0x7f, 1))},
		{"globals of all constants", module(section(6, slices.Concat([]byte{6},
			[]byte{0x7f, 1, 0x41, 0x80, 0x80, 0x80, 0x80, 0x78, 0x0b},
			[]byte{0x7e, 0, 0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f, 0x0b},
			[]byte{0x7d, 0, 0x43, 0, 0, 0, 0, 0x0b},
			[]byte{0x7c, 0, 0x44, 0, 0, 0, 0, 0, 0, 0, 0, 0x0b},
			[]byte{0x70, 0, 0xd0, 0x70, 0x0b},
			join([]byte{0x7b, 0, 0xfd, 0x0c}, append(make([]byte, 16), 0x0b)...))...))},
		{"elements of all forms", module(oneFunc, section(4, 1, 0x70, 0, 9), section(9, slices.Concat([]byte{8},
			[]byte{0, 0x41, 0, 0x0b, 1, 0},
			[]byte{1, 0, 1, 0},
			[]byte{2, 0, 0x41, 0, 0x0b, 0, 1, 0},
			[]byte{3, 0, 1, 0},
			[]byte{4, 0x41, 0, 0x0b, 1, 0xd2, 0, 0x0b},
			[]byte{5, 0x70, 1, 0xd0, 0x70, 0x0b},
			[]byte{6, 0, 0x41, 0, 0x0b, 0x70, 1, 0xd2, 0, 0x0b},
			[]byte{7, 0x70, 1, 0xd2, 0, 0x0b})...), oneBody)},
		{"data of all forms", module(section(5, 1, 0, 1), section(12, 3), section(11, slices.Concat([]byte{3},
			[]byte{0, 0x41, 0, 0x0b, 1, 'a'}, []byte{1, 1, 'b'}, []byte{2, 0, 0x41, 0, 0x0b, 1, 'c'})...))},
		{"50000 locals", module(oneFunc, section(10, join(join([]byte{1, 6, 1}, leb(50_000)...), 0x7f, 0x0b)...))},
		{"numbers with leading zeroes", module(section(1, 0x80, 0x80, 0x80, 0x80, 0))},
		{"custom sections anywhere", module(section(0, 1, 'x'), voidFunc, section(0, 1, 'x'))},
		{"names", module(section(0, []byte("\x04name\x00\x02\x01m\x01\x04\x01\x00\x01f\x02\x06\x01\x00\x01\x00\x01l\x09\x01?")...))},
		{"Go guest", goGuest(t)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := guest.Inspect(tt.wasm); err != nil {
				t.Errorf("Inspect: %v", err)
			}
		})
	}
	for _, tt := range tests[:len(tests)-1] {
		// wazero agrees.
		ctx := context.Background()
		r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithDebugInfoEnabled(false))
		if _, err := r.CompileModule(ctx, tt.wasm); err != nil {
			t.Errorf("wazero, %s: %v", tt.name, err)
		}
		_ = r.Close(ctx)
	}
}

// What the walk lets through, wazero decodes without allocating out of
// proportion, hanging or panicking. (Whether it validates is another matter.)
func FuzzWalk(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.wasm")
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add(module(section(9, join([]byte{1, 0, 0x41, 0, 0x0b}, huge...)...)))
	f.Add(module(section(0, slices.Concat([]byte("\x04name\x01\x05"), huge)...)))
	f.Fuzz(func(t *testing.T, wasm []byte) {
		if len(wasm) > 64<<10 {
			return
		}
		m, err := guest.Inspect(wasm)
		if err != nil {
			return
		}
		if m.Check() == nil && len(m.Exports) < 3 {
			t.Errorf("Check: a plugin with %d exports", len(m.Exports))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		ctx := context.Background()
		r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithDebugInfoEnabled(false).WithMemoryLimitPages(65535))
		defer r.Close(ctx)
		_, _ = r.CompileModule(ctx, wasm)
		runtime.ReadMemStats(&after)
		if cost := after.TotalAlloc - before.TotalAlloc; cost > 64<<20 {
			t.Errorf("wazero allocated %d bytes for %d", cost, len(wasm))
		}
	})
}
