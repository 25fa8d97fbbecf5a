package guest

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
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
