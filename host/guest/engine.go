package guest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"

	"github.com/tetratelabs/wazero"

	"github.com/yimmo-host/yimmo-host/host/meter"
)

// An Engine compiles modules and keeps the result on disk. One per host; safe
// for concurrent use.
type Engine struct {
	cache   *cache
	log     *slog.Logger
	process *Process      // nil = in this process
	slots   chan struct{} // compilations at a time
	closed  atomic.Bool
}

// atOnce is how many modules an engine compiles at a time: each may take all
// the memory that [Process] allows.
const atOnce = 2

// NewEngine opens the cache of compiled code in dir, which is made with mode
// 0700. "" means yimmo-host below the user's cache directory, [CacheOff] memory
// only. A directory that cannot be used, or that others may write to, is logged
// and not used; that is no error. A nil log means [slog.Default].
//
// Modules are compiled in this process, with nothing that bounds the time and
// memory it takes but the limits of limits.go: see [Engine.CompileIn].
func NewEngine(dir string, log *slog.Logger) (*Engine, error) {
	if log == nil {
		log = slog.Default()
	}
	return &Engine{cache: openCache(dir, log), log: log, slots: make(chan struct{}, atOnce)}, nil
}

// CompileIn makes the engine compile modules in processes of their own. It is to
// be called before the first Compile. The error is that of a setting out of bounds.
func (e *Engine) CompileIn(p Process) error {
	p, err := p.withDefaults()
	if err != nil {
		return err
	}
	e.process = &p
	return nil
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
// The errors are those of [Inspect], [Module.Check] and [Process], or wazero's
// when validation of a function fails. It blocks for as long as compiling takes,
// about 0.6 s per MB. A process of its own ends when ctx is done; without one ctx
// is looked at before that only.
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
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
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
	metered, err := meter.Rewrite(wasm, metering)
	if err != nil {
		return nil, err
	}
	code := &Code{name: name, module: m, globals: metered.Globals, unsaved: metered.Unsaved, functions: metered.Functions, slice: metered.Options.Slice}
	if err := e.fetch(ctx, code, metered.Wasm); err != nil {
		return nil, err
	}
	return code, nil
}

// fetch gives code its machine: from the cache, else compiled into the cache,
// else, when that cannot be used, compiled without it.
func (e *Engine) fetch(ctx context.Context, code *Code, wasm []byte) error {
	if e.cache.dir == "" {
		return e.compileUnkept(ctx, code, wasm)
	}
	s := sha256.Sum256(wasm)
	digest := hex.EncodeToString(s[:])
	dir, found := e.cache.find(digest)
	if !found {
		var err error
		dir, err = e.cache.add(digest, func(stage string) error { return e.compileTo(ctx, stage, wasm) })
		if err != nil {
			if !isDisk(err) {
				return err
			}
			e.log.Warn("compiled plugin is not kept", "plugin", code.name, "err", err)
			return e.compileUnkept(ctx, code, wasm)
		}
	}
	return code.load(ctx, dir, wasm)
}

// compileUnkept compiles without the cache. Another process hands its code over
// in a directory that is gone afterwards.
func (e *Engine) compileUnkept(ctx context.Context, code *Code, wasm []byte) error {
	if e.process == nil {
		return code.build(ctx, nil, wasm)
	}
	dir, err := os.MkdirTemp("", "yimmo-host-") // mode 0700
	if err != nil {
		return fmt.Errorf("%w: nowhere to hand over compiled code: %w: set a cache directory or TMPDIR", ErrCompiler, err)
	}
	defer os.RemoveAll(dir)
	if err := e.compileTo(ctx, dir, wasm); err != nil {
		return err
	}
	return code.load(ctx, dir, wasm)
}

// compileTo leaves a module's code in dir.
func (e *Engine) compileTo(ctx context.Context, dir string, wasm []byte) error {
	if e.process == nil {
		return compileInto(dir, wasm)
	}
	return e.process.compile(ctx, dir, wasm)
}

// load makes the code ready to run whose machine code is in dir.
func (c *Code) load(ctx context.Context, dir string, wasm []byte) error {
	disk, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return err
	}
	return c.build(ctx, disk, wasm)
}

func (c *Code) build(ctx context.Context, disk wazero.CompilationCache, wasm []byte) error {
	c.machine.disk = disk
	err := c.machine.compile(context.WithoutCancel(ctx), wasm)
	if err != nil {
		c.machine.discard()
	}
	return err
}
