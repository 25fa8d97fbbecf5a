package meter_test

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/yimmo-host/yimmo-host/host/meter"
)

// Guests that the tests build from testdata.
var (
	cGuest = sync.OnceValues(func() ([]byte, error) {
		return build(func(out string) *exec.Cmd {
			return exec.Command("clang", "--target=wasm32", "-O2", "-nostdlib", "-mbulk-memory", "-msimd128",
				"-Wl,--no-entry", "-o", out, "testdata/guest.c")
		})
	})
	goGuest = sync.OnceValues(func() ([]byte, error) {
		return build(func(out string) *exec.Cmd {
			cmd := exec.Command("go", "build", "-buildmode=c-shared", "-o", out, "./testdata/goguest")
			cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "CGO_ENABLED=0")
			return cmd
		})
	})
)

func build(command func(out string) *exec.Cmd) ([]byte, error) {
	dir, err := os.MkdirTemp("", "meter")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "guest.wasm")
	cmd := command(out)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	return os.ReadFile(out)
}

// cache spares the tests and benchmarks to compile one guest several times.
var cache = wazero.NewCompilationCache()

// start makes an instance of wasm and calls its _initialize.
func start(tb testing.TB, wasm []byte) api.Module {
	tb.Helper()
	m, err := instantiate(tb, wasm)
	if err != nil {
		tb.Fatalf("instantiate: %v", err)
	}
	return m
}

func tryStart(tb testing.TB, wasm []byte) error {
	_, err := instantiate(tb, wasm)
	return err
}

func instantiate(tb testing.TB, wasm []byte) (api.Module, error) {
	ctx := tb.Context()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().WithCompilationCache(cache))
	tb.Cleanup(func() { rt.Close(context.Background()) })
	wasi_snapshot_preview1.MustInstantiate(ctx, rt)
	config := wazero.NewModuleConfig().WithStartFunctions("_initialize").WithStderr(io.Discard).
		WithNanotime(func() int64 { return 1 }, 1). // a clock that stands, for guests to do the same twice
		WithWalltime(func() (int64, int32) { return 1, 1 }, 1)
	return rt.InstantiateWithConfig(ctx, wasm, config)
}

func rewrite(tb testing.TB, wasm []byte, opt meter.Options) []byte {
	tb.Helper()
	r, err := meter.Rewrite(wasm, opt)
	if err != nil {
		tb.Fatalf("Rewrite: %v", err)
	}
	return r.Wasm
}
