package meter_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"

	hostguest "github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/meter"
)

// Any bytes end in an error or in a module that has a meter, which therefore
// cannot be rewritten again.
func FuzzRewrite(f *testing.F) {
	seedModules(f)
	f.Fuzz(func(t *testing.T, wasm []byte) {
		res, err := meter.Rewrite(wasm, meter.Options{})
		if err != nil {
			if !errors.Is(err, meter.ErrMalformed) && !errors.Is(err, meter.ErrUnsupported) && !errors.Is(err, meter.ErrReserved) {
				t.Errorf("Rewrite: error of no kind: %v", err)
			}
			return
		}
		if _, err := meter.Rewrite(res.Wasm, meter.Options{}); !errors.Is(err, meter.ErrReserved) {
			t.Errorf("Rewrite, twice: got %v, want %v", err, meter.ErrReserved)
		}
	})
}

// What wazero refuses, it refuses rewritten; what it takes, it takes rewritten,
// unless Rewrite refuses it.
func FuzzValidity(f *testing.F) {
	seedModules(f)
	f.Fuzz(func(t *testing.T, wasm []byte) {
		if len(wasm) > 4096 {
			return
		}
		if _, err := hostguest.Inspect(wasm); err != nil {
			return // wazero must not see everything: it allocates what a file declares
		}
		res, err := meter.Rewrite(wasm, meter.Options{})
		if err != nil {
			return
		}
		rt := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigCompiler())
		defer rt.Close(t.Context())
		_, want := rt.CompileModule(t.Context(), wasm)
		if want != nil && strings.Contains(want.Error(), "custom section") {
			return // wazero refuses empty ones; the rewritten module may do without
		}
		if _, got := rt.CompileModule(t.Context(), res.Wasm); (got == nil) != (want == nil) {
			t.Errorf("wazero says of the original: %v; rewritten: %v", want, got)
		}
	})
}

func seedModules(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(generate(seed).build())
	}
	for _, r := range runaways()[:8] {
		f.Add(r.wasm(f))
	}
	dir := filepath.Join(specDir(f), "v2", "testdata")
	for _, name := range []string{"br_table.0", "call_indirect.0", "bulk.5", "elem.0", "table_grow.0", "simd_lane.0", "global.0", "data.0", "loop.0", "select.0"} {
		wasm, err := os.ReadFile(filepath.Join(dir, name+".wasm"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wasm)
	}
}
