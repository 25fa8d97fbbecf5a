package guest_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/host/guest"
)

// runs compiles the echo guest in a fresh engine over dir, runs one turn of it
// and returns what the engine logged.
func runs(t *testing.T, dir string) (log string) {
	t.Helper()
	var b bytes.Buffer
	e, err := guest.NewEngine(dir, slog.New(slog.NewTextHandler(&b, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	c, err := e.Compile(context.Background(), "echo", wat(t, "echo"))
	if err != nil {
		t.Fatalf("Compile: %v", err)
	}
	defer c.Close()
	i, err := c.Start(context.Background(), guest.Options{})
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	defer i.Close()
	if m, _, _, err := i.Turn(0, give(i, 0x82, "x"), guest.Header{}); m != 1 || err != nil {
		t.Fatalf("Turn: %d commands, %v", m, err)
	}
	return b.String()
}

// entry is the one compiled module below dir.
func entry(t *testing.T, dir string) string {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(dir, "*", "*", "wazero-*", "*"))
	if len(found) != 2 || found[0]+".sum" != found[1] {
		t.Fatalf("cache holds %q, want an entry and its sum", found)
	}
	return found[0]
}

func TestCacheKeeps(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if log := runs(t, dir); log != "" {
		t.Errorf("first start: log %q, want none", log)
	}
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if info, err := os.Stat(d); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: mode %v, %v, want 0700", d, info.Mode(), err)
		}
	}
	before, err := os.Stat(entry(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	if log := runs(t, dir); log != "" {
		t.Errorf("second start: log %q, want none", log)
	}
	if after, err := os.Stat(entry(t, dir)); err != nil || !os.SameFile(before, after) {
		t.Errorf("second start wrote the entry again: %v", err)
	}
}

func TestCacheDefault(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", home)
	t.Setenv("HOME", home)
	t.Setenv("LocalAppData", home)
	runs(t, "")
	user, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	entry(t, filepath.Join(user, "yimmo-host"))
}

// A damaged entry is compiled anew and replaced, wherever the damage is: wazero
// would reject some, run some and allocate gigabytes for others.
func TestCacheDamaged(t *testing.T) {
	dir := t.TempDir()
	runs(t, dir)
	path := entry(t, dir)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damage := func(t *testing.T, b []byte) {
		t.Helper()
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if log := runs(t, dir); !strings.Contains(log, "damaged cache entry") {
			t.Errorf("log %q does not tell of the damage", log)
		}
		if got, _ := os.ReadFile(entry(t, dir)); !bytes.Equal(got, good) {
			t.Error("the entry was not rebuilt")
		}
	}
	for n := range 50 {
		damage(t, good[:len(good)*n/50])
	}
	for n := range 50 {
		b := bytes.Clone(good)
		b[len(b)*n/50] ^= 0x80
		damage(t, b)
	}
	damage(t, append(bytes.Clone(good), 0))

	for name, spoil := range map[string]func() error{
		"sum is gone":    func() error { return os.Remove(path + ".sum") },
		"sum is cut off": func() error { return os.Truncate(path+".sum", 10) },
		"entry is gone":  func() error { return os.Remove(path) },
		"everything is":  func() error { return os.RemoveAll(filepath.Dir(filepath.Dir(path))) },
		"a file is in its place": func() error {
			digest := filepath.Dir(filepath.Dir(path))
			return errors.Join(os.RemoveAll(digest), os.WriteFile(digest, nil, 0o600))
		},
		"leftover of crash": func() error { return os.WriteFile(path+".123.tmp", nil, 0o600) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		runs(t, dir)
		_ = os.Remove(path + ".123.tmp")
		if got, _ := os.ReadFile(entry(t, dir)); !bytes.Equal(got, good) {
			t.Errorf("%s: the entry was not rebuilt", name)
		}
	}
}

// A cache that cannot be used costs a warning, never the start.
func TestCacheUnusable(t *testing.T) {
	tests := []struct {
		name string
		make func(t *testing.T, dir string) // spoils dir, which holds an entry
		says string
	}{
		{"directory is a file", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(dir))
			must(t, os.WriteFile(dir, nil, 0o600))
		}, "not kept"},
		{"directory is below a file", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(filepath.Dir(dir)))
			must(t, os.WriteFile(filepath.Dir(dir), nil, 0o600))
		}, "not kept"},
		{"others may write to it", func(t *testing.T, dir string) { must(t, os.Chmod(dir, 0o770)) }, "chmod 700"},
		{"entry is a directory", func(t *testing.T, dir string) {
			path := entry(t, dir)
			must(t, os.Remove(path))
			must(t, os.MkdirAll(filepath.Join(path, "x"), 0o700))
		}, "damaged cache entry"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "a", "b")
			runs(t, dir)
			tt.make(t, dir)
			if log := runs(t, dir); !strings.Contains(log, tt.says) || strings.Count(log, "\n") != 1 {
				t.Errorf("log %q, want one line saying %q", log, tt.says)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// What killed processes left in the making is removed in time; what is young may
// be in the making still.
func TestCacheSweeps(t *testing.T) {
	dir := t.TempDir()
	old, young := filepath.Join(dir, "stage-old"), filepath.Join(dir, "stage-young")
	must(t, os.MkdirAll(filepath.Join(old, "wazero"), 0o700))
	must(t, os.Mkdir(young, 0o700))
	long := time.Now().Add(-2 * time.Hour)
	must(t, os.Chtimes(old, long, long))
	runs(t, dir)
	if _, err := os.Stat(old); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s: got %v, want it removed", old, err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("%s: %v", young, err)
	}
}

// The code of a module that nobody has used for a month goes when that of another
// comes, and that of one that somebody uses stays.
func TestCacheForgets(t *testing.T) {
	dir := t.TempDir()
	runs(t, dir)
	used := filepath.Dir(filepath.Dir(entry(t, dir)))
	unused := filepath.Join(filepath.Dir(used), "unused")
	must(t, os.Mkdir(unused, 0o700))
	long := time.Now().Add(-31 * 24 * time.Hour)
	must(t, os.Chtimes(used, long, long))
	must(t, os.Chtimes(unused, long, long))
	runs(t, dir)
	if _, err := os.Stat(unused); err != nil {
		t.Errorf("gone although nothing was compiled: %v", err)
	}
	e, err := guest.NewEngine(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	c, err := e.Compile(context.Background(), "other", wat(t, "count"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := os.Stat(unused); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("unused: got %v, want it removed", err)
	}
	if _, err := os.Stat(used); err != nil {
		t.Errorf("used: %v", err)
	}
}

// Engines that share a directory and compile the same module at the same time
// all get it, and one copy of it remains.
func TestCacheShared(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			e, err := guest.NewEngine(dir, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Error(err)
				return
			}
			defer e.Close()
			c, err := e.Compile(context.Background(), "echo", wat(t, "echo"))
			if err != nil {
				t.Errorf("Compile: %v", err)
				return
			}
			defer c.Close()
			if _, err := c.Probe(context.Background(), guest.Options{}); err != nil {
				t.Errorf("Probe: %v", err)
			}
		})
	}
	all.Wait()
	entry(t, dir)
	if left, _ := filepath.Glob(filepath.Join(dir, "stage-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestCacheOff(t *testing.T) {
	if log := runs(t, guest.CacheOff); log != "" {
		t.Errorf("log %q, want none", log)
	}
	if _, err := os.Stat(guest.CacheOff); err == nil {
		t.Errorf("%q was taken for a directory", guest.CacheOff)
	}
}
