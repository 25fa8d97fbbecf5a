// Package testguest makes the modules that tests run, and keeps what is compiled
// of them from one run of the tests to the next, as Go keeps what it builds: a
// guest in Go takes a second, and ten under the race detector.
package testguest

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
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

// Go builds the guest in a directory, once for each process, and watches what it is
// made of. The module must not be changed. Errors have the compiler's output. Safe for
// concurrent use.
func Go(dir string) ([]byte, error) {
	return once(dir, func() ([]byte, error) {
		if err := watchPackages(dir); err != nil {
			return nil, err
		}
		return build(func(file string) *exec.Cmd {
			return forWasm(dir, "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-o", file, ".")
		})
	})
}

// forWasm is a go command in the directory of a guest.
func forWasm(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	return cmd
}

// watchPackages watches the packages of which the guest in a directory is made: its
// own, those of the SDK, and what they say in their go.mod files.
func watchPackages(dir string) error {
	list := forWasm(dir, "list", "-deps", "-f", "{{if not .Standard}}{{.Dir}}\n{{with .Module}}{{.GoMod}}{{end}}{{end}}", ".")
	var errs strings.Builder
	list.Stderr = &errs
	out, err := list.Output()
	if err != nil {
		return fmt.Errorf("%v: %w\n%s", list, err, &errs)
	}
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	names := strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' })
	for i := range names {
		if names[i], err = filepath.Rel(here, names[i]); err != nil {
			return err
		}
	}
	slices.Sort(names)
	return Watch(slices.Compact(names)...)
}

// C is [Go] for a directory of plugins whose Makefile builds the file OUT with the C SDK.
func C(dir string) ([]byte, error) {
	return once(dir, func() ([]byte, error) {
		sdk := dir + "/../../guest-sdk/c"
		if err := Watch(dir, sdk+"/include", sdk+"/src", sdk+"/yimmo.mk"); err != nil {
			return nil, err
		}
		return build(func(file string) *exec.Cmd { return exec.Command("make", "-s", "-C", dir, "OUT="+file) })
	})
}

// Watch has go test run again when one of these files has changed, or one below these
// directories. It repeats the last result while all that the test itself looked at is
// the same, and does not see what a compiler reads. The names are relative to where the
// test runs; only what is watched while tests run counts, not in TestMain.
func Watch(names ...string) error {
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	for _, name := range names {
		// Go leaves out what lies outside of the test's module, by how the name begins.
		// So this one begins inside, and the dots in it stay.
		name = here + string(filepath.Separator) + name
		info, err := os.Stat(name)
		if err == nil && info.IsDir() {
			err = fs.WalkDir(os.DirFS(name), ".", func(_ string, _ fs.DirEntry, err error) error { return err })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

var built sync.Map // functions that return a module, by directory

func once(dir string, make func() ([]byte, error)) ([]byte, error) {
	f, ok := built.Load(dir)
	if !ok {
		f, _ = built.LoadOrStore(dir, sync.OnceValues(make))
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
