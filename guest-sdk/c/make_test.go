package c_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A program's path is relative to where make was started.
func TestMakePaths(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "mine.c"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"PROGRAM=mine.c", "PLUGIN=mine.c", "PROGRAM=" + dir + "/mine.c"} {
		make := exec.Command("make", "-n", "-C", here, what)
		make.Dir = dir
		make.Env = append(os.Environ(), "PWD="+dir)
		if out, err := make.CombinedOutput(); err != nil || !strings.Contains(string(out), filepath.Join(dir, "mine.wasm")) {
			t.Errorf("make %s: %v\n%s", what, err, out)
		}
	}
}

// A plugin is built anew when any file of the SDK has changed, however deep it lies.
func TestMakeDepends(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"mine.c", "mine.wasm"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct{ in, sdk, arg string }{
		{".", "", "PROGRAM=" + filepath.Join(dir, "mine.c")},
		{".", "", "PLUGIN=" + filepath.Join(dir, "mine.c")},
		{"../../plugins/echo-c", "../../guest-sdk/c", "OUT=" + filepath.Join(dir, "mine.wasm")},
	}
	for _, tt := range tests {
		// -q only asks, -W takes a file for a new one.
		isBuilt := func(args ...string) bool {
			return exec.Command("make", append([]string{"-q", "-C", tt.in, tt.arg}, args...)...).Run() == nil
		}
		if !isBuilt() {
			t.Errorf("make -C %s %s: builds again although nothing has changed", tt.in, tt.arg)
		}
		for _, file := range onePerFolder(t, "src", "include") {
			if isBuilt("-W", filepath.Join(tt.sdk, file)) {
				t.Errorf("make -C %s %s: does not build although %s has changed", tt.in, tt.arg, file)
			}
		}
	}
}

// onePerFolder names one C file of each folder at or below these.
func onePerFolder(t *testing.T, dirs ...string) []string {
	t.Helper()
	var files []string
	seen := map[string]bool{}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if in := filepath.Dir(path); err == nil && d.Type().IsRegular() && !seen[in] {
				seen[in] = true
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}
