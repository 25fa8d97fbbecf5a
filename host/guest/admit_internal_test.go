package guest

import (
	"context"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/yimmo-host/yimmo-host/abi"
)

// The list of granted imports is what wazero has: names and types.
func TestWASIFunctions(t *testing.T) {
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	defer r.Close(ctx)
	wasi_snapshot_preview1.MustInstantiate(ctx, r)
	have := r.Module(abi.ImportWASI).ExportedFunctionDefinitions()
	if len(have) != len(wasiFunctions) {
		t.Errorf("wasiFunctions: got %d, wazero has %d", len(wasiFunctions), len(have))
	}
	text := func(types []api.ValueType) string {
		b := make([]byte, len(types))
		for i := range types {
			b[i] = byte(types[i])
		}
		return string(b)
	}
	for name, d := range have {
		if want := (signature{text(d.ParamTypes()), text(d.ResultTypes())}).String(); wasiFunctions[name] != want {
			t.Errorf("wasiFunctions[%s]: got %q, want %q", name, wasiFunctions[name], want)
		}
	}
}
