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

// Go builds the guest in a directory, once for each process. The module must not
// be changed. Errors have the compiler's output. Safe for concurrent use.
func Go(dir string) ([]byte, error) {
	return once(dir, func(file string) *exec.Cmd {
		cmd := exec.Command("go", "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-o", file, ".")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
		return cmd
	})
}

// C is [Go] for a directory whose Makefile builds the file OUT.
func C(dir string) ([]byte, error) {
	return once(dir, func(file string) *exec.Cmd { return exec.Command("make", "-s", "-C", dir, "OUT="+file) })
}

var built sync.Map // functions that return a module, by directory

func once(dir string, command func(file string) *exec.Cmd) ([]byte, error) {
	f, ok := built.Load(dir)
	if !ok {
		f, _ = built.LoadOrStore(dir, sync.OnceValues(func() ([]byte, error) { return build(command) }))
	}
	return f.(func() ([]byte, error))()
}

func build(command func(file string) *exec.Cmd) ([]byte, error) {
	dir, err := os.MkdirTemp("", "testguest-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "guest.wasm")
	cmd := command(file)
	if output, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%v: %w\n%s\nwhat builds guests \"make tools\" installs", cmd, err, output)
	}
	return os.ReadFile(file)
}
