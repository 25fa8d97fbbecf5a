package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/pki"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"yimmo-host": main})
}

// The scripts run the real program, each in a directory of its own. Besides the
// commands of testscript they have those of this table.
func TestScripts(t *testing.T) {
	module, err := embeddedModule("echo")
	if err != nil {
		t.Fatal(err)
	}
	minimal, err := os.ReadFile("../../abi/abitest/guests/good/minimal.wasm") // says nothing
	if err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir() // one for all, and filled: compiling takes a second, many with the race detector
	if _, err := host.Probe(t.Context(), module, host.Config{CacheDir: filepath.Join(cache, "yimmo-host"), Limits: host.Limits{Start: time.Minute}}); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("GORACE", "atexit_sleep_ms=0") // else each race-enabled program ends a second late
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("XDG_CACHE_HOME", cache)
			for name, b := range map[string][]byte{"module.wasm": module, "minimal.wasm": minimal, "empty.wasm": module[:8]} { // magic and version
				if err := os.WriteFile(filepath.Join(e.WorkDir, name), b, 0o666); err != nil {
					return err
				}
			}
			return setUpServers(e)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"refuses": refuses,
			"serve":   serveInBackground,
			"logged":  logged,
			"signal":  sendSignal,
			"ended":   ended,
			"deaf":    connectDeaf,
			"get":     get,
			"pair":    makePair,
			"post":    post,
		},
	})
}

// makePair writes a certificate that is good for a year, and its key.
//
//	pair CERT KEY SERIAL
func makePair(ts *testscript.TestScript, neg bool, args []string) {
	serial, err := strconv.ParseInt(args[2], 10, 64)
	ts.Check(err)
	p, err := pki.New(serial, time.Now().Add(365*24*time.Hour))
	ts.Check(err)
	ts.Check(p.Write(ts.MkAbs(args[0]), ts.MkAbs(args[1])))
}

// refuses checks that `validate -c FILE` fails with exactly the errors that the
// file announces in comments on the lines to blame:
//
//	turn = 5 # ERROR limits.turn: 5: a duration has a unit, write "5s"
//
// Several errors of one line are separated by " ERROR ".
//
//	refuses FILE...
func refuses(ts *testscript.TestScript, neg bool, files []string) {
	if neg || len(files) == 0 {
		ts.Fatalf("usage: refuses FILE...")
	}
	for _, file := range files {
		if err := ts.Exec("yimmo-host", "validate", "-c", file); err == nil {
			ts.Fatalf("validate -c %s: got no error", file)
		}
		got := strings.Split(strings.TrimSuffix(ts.ReadFile("stderr"), "\n"), "\n")
		var want []string
		for i, line := range strings.Split(ts.ReadFile(file), "\n") {
			_, errs, ok := strings.Cut(line, "# ERROR ")
			for _, e := range strings.Split(errs, " ERROR ") {
				if ok {
					want = append(want, fmt.Sprintf("yimmo-host: %s:%d: %s", file, i+1, e))
				}
			}
		}
		if len(want) == 0 {
			ts.Fatalf("%s announces no error", file)
		}
		if slices.Sort(want); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
			ts.Fatalf("validate -c %s: got\n%s\nwant\n%s", file, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if out := ts.ReadFile("stdout"); out != "" {
			ts.Fatalf("validate -c %s: got output %q, want none", file, out)
		}
	}
}

func TestPrintErrors(t *testing.T) {
	_, missing := os.Open("/no/such/file")
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"none", nil, ""},
		{"one", missing, "yimmo-host: open /no/such/file: no such file or directory\n"},
		{"several lines", fmt.Errorf("trap\n\tat main"), "yimmo-host: trap; at main\n"},
		{"two causes in one line", fmt.Errorf("%w: %w", os.ErrExist, os.ErrClosed), "yimmo-host: file already exists: file already closed\n"},
	}
	for _, tt := range tests {
		var b bytes.Buffer
		if printErrors(&b, tt.err); b.String() != tt.want {
			t.Errorf("printErrors(%s): got %q, want %q", tt.name, b.String(), tt.want)
		}
	}
}
