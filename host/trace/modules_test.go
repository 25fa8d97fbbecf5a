package trace_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/host/trace"
)

// Modules that no trace names go with the last one that did, but for those that
// were kept a moment ago and may be waiting for their first.
func TestPruneModules(t *testing.T) {
	digest := func(c string) string { return strings.Repeat(c, 64) }
	old := time.Now().Add(-2 * time.Hour)
	tests := []struct {
		name string
		put  func(put func(name string, at time.Time, content []byte))
		want []string
	}{
		{"named and not", func(put func(string, time.Time, []byte)) {
			put(digest("a")+".wasm", old, nil)
			put(digest("b")+".wasm", old, nil)
			put("echo.0.x.trace", old, trace.AppendHeader(trace.AppendPreamble(nil), &trace.Header{Digest: digest("a")}))
		}, []string{digest("a") + ".wasm", "echo.0.x.trace"}},
		{"kept now", func(put func(string, time.Time, []byte)) {
			put(digest("a")+".wasm", time.Now(), nil)
		}, []string{digest("a") + ".wasm"}},
		{"somebody else's", func(put func(string, time.Time, []byte)) {
			put("plugin.wasm", old, nil)
			put(digest("x")+".wasm", old, nil)
			put(digest("a")+".txt", old, nil)
		}, []string{digest("a") + ".txt", "plugin.wasm", digest("x") + ".wasm"}},
		{"a trace that begins", func(put func(string, time.Time, []byte)) {
			put(digest("a")+".wasm", old, nil)
			put("echo.0.x.trace", time.Now(), trace.AppendPreamble(nil))
		}, []string{digest("a") + ".wasm", "echo.0.x.trace"}},
		{"a trace that never did", func(put func(string, time.Time, []byte)) {
			put(digest("a")+".wasm", old, nil)
			put("echo.0.x.trace", old, trace.AppendPreamble(nil))
		}, []string{"echo.0.x.trace"}},
	}
	for _, tt := range tests {
		dir := t.TempDir()
		tt.put(func(name string, at time.Time, content []byte) {
			name = filepath.Join(dir, name)
			if err := os.WriteFile(name, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(name, at, at); err != nil {
				t.Fatal(err)
			}
		})
		if err := trace.PruneModules(dir); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		got, _ := fs.Glob(os.DirFS(dir), "*")
		slices.Sort(tt.want)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// A ring that drops the last trace of a module drops the module, too.
func TestRingDropsModules(t *testing.T) {
	c := wat(t, "echo")
	r := recorded(t, c, trace.RecordOptions{Ring: 64 << 10})
	gone := filepath.Join(r.dir, strings.Repeat("0", 64)+".wasm")
	if err := os.WriteFile(gone, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(gone, long, long); err != nil {
		t.Fatal(err)
	}
	d := r.start().start()
	for range 300 {
		d.texts(strings.Repeat("x", 1000))
		d.written()
	}
	d.close()
	r.files()
	if _, err := os.Stat(gone); err == nil {
		t.Error("the module is there")
	}
}
