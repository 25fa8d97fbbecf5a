//go:build unix

package yimmo_test

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const root = "github.com/yimmo-host/yimmo-host"

// tracked lists the files that git knows.
func tracked(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("git", "ls-files", "-z").Output()
	if err != nil {
		t.Fatalf("git ls-files: %v: these tests want a clone", err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

// Packages depend one way: cmd on host on abi, plugins on the SDK. The host knows
// neither SDK nor TOML, contract and codec nothing but the standard library.
func TestDependencyDirections(t *testing.T) {
	tests := []struct {
		of    string   // packages
		never []string // beginnings of what they may not depend on
	}{
		{"./abi", []string{root, "github.com/", "golang.org/x/"}},
		{"./host/frame", []string{root, "github.com/", "golang.org/x/"}},
		{"./host/...", []string{root + "/guest-sdk", root + "/cmd", root + "/plugins", "github.com/BurntSushi", "github.com/spf13"}},
		{"./guest-sdk/go", []string{root + "/host", root + "/abi", "github.com/", "golang.org/x/"}},
		{"./plugins/echo", []string{root + "/host", root + "/abi", "github.com/tetratelabs"}},
	}
	for _, tt := range tests {
		t.Run(tt.of, func(t *testing.T) {
			out, err := exec.Command("go", "list", "-deps", tt.of).Output()
			if err != nil {
				t.Fatal(err)
			}
			of := root + strings.TrimPrefix(tt.of, ".")
			for dep := range strings.FieldsSeq(string(out)) {
				if dep == of || strings.HasPrefix(dep, of+"/internal/") {
					continue
				}
				for _, prefix := range tt.never {
					if strings.HasPrefix(dep, prefix) {
						t.Errorf("depends on %s", dep)
					}
				}
			}
		})
	}
}

// What is imported in one place only, tests included.
func TestImportedOnlyBy(t *testing.T) {
	tests := []struct {
		of string   // beginning of import paths
		by []string // directories
	}{
		{"github.com/BurntSushi/toml", []string{"cmd/yimmo-host"}},
		{"github.com/spf13/cobra", []string{"cmd/yimmo-host"}},
		{"github.com/tetratelabs/wazero", []string{"host/guest", "host/meter", "abi/abitest"}},
		{root + "/cmd/", nil},
		{root + "/guest-sdk/", []string{"guest-sdk", "plugins"}},
		{root + "/plugins/", []string{"plugins"}},
	}
	imports := map[string][]string{} // by directory
	eachGoFile(t, func(name string, f *ast.File) {
		for _, i := range f.Imports {
			what, _ := strconv.Unquote(i.Path.Value)
			imports[path.Dir(name)] = append(imports[path.Dir(name)], what)
		}
	})
	for _, tt := range tests {
		for dir, all := range imports {
			allowed := slices.ContainsFunc(tt.by, func(by string) bool { return dir == by || strings.HasPrefix(dir, by+"/") })
			for _, what := range all {
				if !allowed && strings.HasPrefix(what, tt.of) {
					t.Errorf("%s imports %s, which only %v may", dir, what, tt.by)
				}
			}
		}
	}
}

// Every package says what it is, in one file.
func TestPackageComments(t *testing.T) {
	comments := map[string][]string{}
	eachGoFile(t, func(name string, f *ast.File) {
		dir := path.Dir(name)
		if strings.HasSuffix(name, "_test.go") {
			return
		}
		if comments[dir] == nil {
			comments[dir] = []string{}
		}
		if f.Doc != nil {
			comments[dir] = append(comments[dir], name)
		}
	})
	for dir, files := range comments {
		if len(files) != 1 {
			t.Errorf("%s: got package comments in %v, want one", dir, files)
		}
	}
}

// eachGoFile parses every Go file that git knows, but for testdata.
func eachGoFile(t *testing.T, do func(name string, f *ast.File)) {
	t.Helper()
	for _, name := range tracked(t) {
		if !strings.HasSuffix(name, ".go") || strings.Contains(name, "testdata/") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		do(name, f)
	}
}

// No file has marks of unfinished work or paths of one machine, and all Go is
// formatted.
func TestFiles(t *testing.T) {
	marks := []string{"TO" + "DO", "FIX" + "ME", "/wo" + "rk/", "/far" + "m/", "/ro" + "ot/", "/ho" + "me/", "/Us" + "ers/"}
	for _, name := range tracked(t) {
		text, err := os.ReadFile(name)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		if bytes.IndexByte(text, 0) < 0 { // not a binary
			for _, mark := range marks {
				if at := bytes.Index(text, []byte(mark)); at >= 0 {
					t.Errorf("%s:%d: has %q", name, 1+bytes.Count(text[:at], []byte("\n")), mark)
				}
			}
		}
		if strings.HasSuffix(name, ".go") {
			if formatted, err := format.Source(text); err != nil || !bytes.Equal(formatted, text) {
				t.Errorf("%s: not formatted: gofmt -w %s", name, name)
			}
		}
	}
}
