package guest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/yimmo-host/yimmo-host/host/meter"
)

// An Engine compiles modules and keeps the result on disk. One per host; safe
// for concurrent use.
type Engine struct {
	cache  *cache
	log    *slog.Logger
	closed atomic.Bool
}

// NewEngine opens the cache of compiled code in dir, which is made with mode
// 0700. "" means yimmo-host below the user's cache directory, [CacheOff] memory
// only. A directory that cannot be used, or that others may write to, is logged
// and not used; that is no error. A nil log means [slog.Default].
func NewEngine(dir string, log *slog.Logger) (*Engine, error) {
	if log == nil {
		log = slog.Default()
	}
	return &Engine{cache: openCache(dir, log), log: log}, nil
}

// Close makes [Engine.Compile] fail. Code that is compiled already lives on
// until it is closed itself.
func (e *Engine) Close() error {
	e.closed.Store(true)
	return nil
}

// Compile admits a module and translates it to machine code, or fetches that
// from the cache. It does not keep wasm. name identifies the plugin in errors
// and logs.
//
// The errors are those of [Inspect] and [Module.Check], or wazero's when
// validation of a function fails. It blocks for as long as compiling takes,
// about 0.3 s per MB; ctx is looked at before that only.
func (e *Engine) Compile(ctx context.Context, name string, wasm []byte) (*Code, error) {
	code, err := e.compile(ctx, name, wasm)
	if err != nil {
		return nil, fmt.Errorf("compile %s: %w", name, err)
	}
	return code, nil
}

func (e *Engine) compile(ctx context.Context, name string, wasm []byte) (*Code, error) {
	if e.closed.Load() {
		return nil, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m, err := Inspect(wasm)
	if err == nil {
		err = m.Check()
	}
	if err != nil {
		return nil, err
	}
	code := &Code{name: name, module: m}
	if code.disk = e.cache.open(m.Digest); code.disk != nil {
		if err = code.build(wasm); err == nil {
			e.cache.seal(m.Digest)
			return code, nil
		}
		code.discard()
	}
	// Without the disk it must succeed, or the module itself is at fault.
	hadDisk := code.disk != nil
	code.disk = nil
	if again := code.build(wasm); again != nil {
		code.discard()
		return nil, again
	}
	if hadDisk {
		e.log.Warn("compiled plugin is not kept", "plugin", name, "err", err)
		e.cache.forget(m.Digest)
	}
	return code, nil
}

// build makes the runtime of one module. Each has its own: closing it gives
// back all that the module cost, and what wazero shares inside a runtime is
// never compiled into and instantiated from at the same time.
func (c *Code) build(wasm []byte) (err error) {
	defer func() {
		if r := recover(); r != nil { // wazero's compiler is not the host's bug
			err = fmt.Errorf("compiler panic: %v", r)
		}
	}()
	ctx := context.Background()
	config := wazero.NewRuntimeConfig().
		WithMemoryLimitPages(maxPages).
		WithDebugInfoEnabled(false) // else the module's DWARF goes through debug/dwarf, which trusts it
	if c.disk != nil {
		config = config.WithCompilationCache(c.disk)
	}
	c.runtime = wazero.NewRuntimeWithConfig(ctx, config)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, c.runtime); err != nil {
		return err
	}
	metered, err := meter.Rewrite(wasm, metering)
	if err != nil {
		return err
	}
	c.globals, c.unsaved = metered.Globals, metered.Unsaved
	c.compiled, err = c.runtime.CompileModule(ctx, metered.Wasm)
	return err
}

// discard gives back what build made.
func (c *Code) discard() error {
	ctx := context.Background()
	var errs []error
	if c.compiled != nil {
		errs = append(errs, c.compiled.Close(ctx))
	}
	if c.runtime != nil {
		errs = append(errs, c.runtime.Close(ctx))
	}
	if c.disk != nil {
		errs = append(errs, c.disk.Close(ctx))
	}
	c.compiled, c.runtime = nil, nil
	return errors.Join(errs...)
}
