package meter_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/yimmo-host/yimmo-host/host/meter"
	"github.com/yimmo-host/yimmo-host/internal/testguest"
)

// Guests that the tests build from testdata.
var cGuest = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "meter")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "guest.wasm")
	cmd := exec.Command("clang", "--target=wasm32", "-O2", "-nostdlib", "-mbulk-memory", "-msimd128",
		"-Wl,--no-entry", "-o", out, "testdata/guest.c")
	if output, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%v: %w\n%s", cmd, err, output)
	}
	return os.ReadFile(out)
})

func goGuest() ([]byte, error) { return testguest.Go("testdata/goguest") }

// file reads a guest that testdata/build.sh has made.
func file(name string) func() ([]byte, error) {
	return func() ([]byte, error) { return os.ReadFile(filepath.Join("testdata", name)) }
}

// Sources and results in testdata are those of one run of build.sh.
func TestSums(t *testing.T) {
	list, err := os.ReadFile("testdata/SUMS")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(list)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(b)); got != sum {
			t.Errorf("%s: sum is %s, SUMS says %s: run testdata/build.sh", name, got, sum)
		}
	}
}

// shared is the runtime of all instances that start makes, so that each guest
// is compiled once.
var shared = sync.OnceValue(func() wazero.Runtime {
	rt := wazero.NewRuntimeWithConfig(context.Background(), wazero.NewRuntimeConfigCompiler())
	wasi_snapshot_preview1.MustInstantiate(context.Background(), rt)
	return rt
})

var compiledGuests = map[[32]byte]wazero.CompiledModule{} // by SHA-256; tests run one at a time

// start makes an instance of wasm and calls its _initialize.
func start(tb testing.TB, wasm []byte) api.Module {
	tb.Helper()
	m, err := instantiate(tb, wasm)
	if err != nil {
		tb.Fatalf("instantiate: %v", err)
	}
	return m
}

func instantiate(tb testing.TB, wasm []byte) (api.Module, error) {
	ctx, rt := tb.Context(), shared()
	code, ok := compiledGuests[sha256.Sum256(wasm)]
	if !ok {
		var err error
		if code, err = rt.CompileModule(ctx, wasm); err != nil {
			return nil, err
		}
		compiledGuests[sha256.Sum256(wasm)] = code
	}
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions(meter.ExportStart, "_initialize").WithStderr(io.Discard).
		WithNanotime(func() int64 { return 1 }, 1). // a clock that stands, for guests to do the same twice
		WithWalltime(func() (int64, int32) { return 1, 1 }, 1)
	m, err := rt.InstantiateModule(ctx, code, config)
	if err == nil {
		tb.Cleanup(func() { m.Close(context.Background()) })
	}
	return m, err
}

func rewrite(tb testing.TB, wasm []byte, opt meter.Options) []byte {
	tb.Helper()
	r, err := meter.Rewrite(wasm, opt)
	if err != nil {
		tb.Fatalf("Rewrite: %v", err)
	}
	return r.Wasm
}
