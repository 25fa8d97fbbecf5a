package guest

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// A machine is what wazero made of one module. Each module has its own: closing
// it gives back all that the module cost, and what wazero shares inside a
// runtime is never compiled into and instantiated from at the same time.
type machine struct {
	disk     wazero.CompilationCache // where code is, or goes; nil = memory only
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
}

// compile translates a module that is rewritten already, or fetches its code
// from disk. What it made before an error is the caller's to discard.
func (m *machine) compile(ctx context.Context, wasm []byte) (err error) {
	defer func() {
		if r := recover(); r != nil { // wazero's compiler is not the host's bug
			err = fmt.Errorf("compiler panic: %v", r)
		}
	}()
	config := wazero.NewRuntimeConfig().
		WithMemoryLimitPages(maxPages).
		WithDebugInfoEnabled(false) // else the module's DWARF goes through debug/dwarf, which trusts it
	if m.disk != nil {
		config = config.WithCompilationCache(m.disk)
	}
	m.runtime = wazero.NewRuntimeWithConfig(ctx, config)
	if err := wasi(ctx, m.runtime); err != nil {
		return err
	}
	m.compiled, err = m.runtime.CompileModule(ctx, wasm)
	return err
}

// wasi instantiates preview 1, but for the one function of it that would change
// something outside of the guest's memory, where no checkpoint has it: a guest
// that could close its output would go on otherwise when it is put back.
func wasi(ctx context.Context, r wazero.Runtime) error {
	const badDescriptor = 8
	b := r.NewHostModuleBuilder(wasi_snapshot_preview1.ModuleName)
	wasi_snapshot_preview1.NewFunctionExporter().ExportFunctions(b)
	b.NewFunctionBuilder().WithGoFunction(api.GoFunc(func(_ context.Context, stack []uint64) { stack[0] = badDescriptor }),
		[]api.ValueType{api.ValueTypeI32}, []api.ValueType{api.ValueTypeI32}).Export("fd_close")
	_, err := b.Instantiate(ctx)
	return err
}

// discard gives everything back.
func (m *machine) discard() error {
	ctx := context.Background()
	var errs []error
	if m.compiled != nil {
		errs = append(errs, m.compiled.Close(ctx))
	}
	if m.runtime != nil {
		errs = append(errs, m.runtime.Close(ctx))
	}
	if m.disk != nil {
		errs = append(errs, m.disk.Close(ctx))
	}
	*m = machine{}
	return errors.Join(errs...)
}
