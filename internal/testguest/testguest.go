// Package testguest makes the modules that tests run, and keeps what is compiled
// of them from one run of the tests to the next, as Go keeps what it builds: a
// guest in Go takes a second, and ten under the race detector.
package testguest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// CacheDir is a directory of machine code, see [host.Config.CacheDir], that all
// tests may share. Tests of the cache itself have directories of their own.
func CacheDir() string {
	user, err := os.UserCacheDir()
	if err != nil {
		user = os.TempDir()
	}
	return filepath.Join(user, "yimmo-host-tests")
}

var built sync.Map // functions that return a module, by directory

// Go builds the guest in a directory, once for each process. The module must not
// be changed. Errors have the compiler's output. Safe for concurrent use.
func Go(dir string) ([]byte, error) {
	f, ok := built.Load(dir)
	if !ok {
		f, _ = built.LoadOrStore(dir, sync.OnceValues(func() ([]byte, error) { return build(dir) }))
	}
	return f.(func() ([]byte, error))()
}

func build(dir string) ([]byte, error) {
	out, err := os.MkdirTemp("", "testguest-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(out)
	file := filepath.Join(out, "guest.wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-o", file, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%v: %w\n%s", cmd, err, output)
	}
	return os.ReadFile(file)
}
