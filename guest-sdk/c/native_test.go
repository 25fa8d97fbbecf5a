package c_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// The same sources, compiled for this machine with address and undefined
// behaviour sanitizers, a host of a few lines around them (test/native).

const nativeAptLine = "the native tests of the C SDK need clang with its sanitizers; on Debian: apt-get install clang libclang-rt-14-dev"

var natives sync.Map // of *native by arguments

type native struct {
	once sync.Once
	file string
	err  error
}

func cc() string {
	if c := os.Getenv("YIMMO_NATIVE_CC"); c != "" {
		return c
	}
	return "clang"
}

// buildNative compiles for this machine.
func buildNative(args ...string) (string, error) {
	v, _ := natives.LoadOrStore(strings.Join(args, " "), new(native))
	n := v.(*native)
	n.once.Do(func() {
		if n.err = watchSources(); n.err != nil {
			return
		}
		file, err := os.CreateTemp(scratch, "*.native")
		if err != nil {
			n.err = err
			return
		}
		file.Close()
		n.file = file.Name()
		line := append([]string{"-std=gnu11", "-D_GNU_SOURCE", "-gline-tables-only", "-O1", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined",
			"-fno-sanitize-recover=all", "-fuse-ld=lld", "-Wno-unused-command-line-argument", "-Iinclude", "-Itest/native"}, args...)
		out, err := exec.Command(cc(), append(line, "-o", n.file)...).CombinedOutput()
		if err != nil {
			n.err = fmt.Errorf("%s %s: %w\n%s%s", cc(), strings.Join(line, " "), err, out, hint(err, out, nativeAptLine))
		}
	})
	return n.file, n.err
}

const sanitizers = "ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0"

// runNative runs what was built; anything but success fails the test.
func runNative(t *testing.T, file string, args ...string) string {
	t.Helper()
	c := exec.Command(file, args...)
	c.Env = append(os.Environ(), sanitizers, "TZ=UTC", "LC_ALL=C")
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Run(); err != nil {
		text := out.String()
		t.Fatalf("%s %v: %v\n%s", filepath.Base(file), args, err, text[:min(len(text), 6000)])
	}
	return out.String()
}

// The small C library says what the system's says.
func TestUnits(t *testing.T) {
	t.Parallel()
	file, err := buildNative("test/native/units.c", "-lm", "-Wno-format")
	if err != nil {
		t.Fatal(err)
	}
	for seed := range 3 {
		runNative(t, file, fmt.Sprint(seed+1), "10000")
	}
}

func TestHeap(t *testing.T) {
	t.Parallel()
	file, err := buildNative("test/native/heap.c")
	if err != nil {
		t.Fatal(err)
	}
	for seed := range 3 {
		t.Log(strings.TrimSpace(runNative(t, file, fmt.Sprint(seed+1), "60000")))
	}
}

// linkNative compiles parts, each once, and with them one more file.
func linkNative(parts []string, args ...string) (string, error) {
	var objects []string
	for _, p := range parts {
		o, err := buildNative("-c", p)
		if err != nil {
			return "", err
		}
		objects = append(objects, o)
	}
	return buildNative(append(slices.Clone(args), objects...)...)
}

// Programs and plugins live through long, random and partly wrong lives.
func TestSoak(t *testing.T) {
	t.Parallel()
	host := []string{"test/native/native.c", "test/native/soak.c"}
	slack := map[string]string{"big": "20000000", "kv": "20000000"} // keep what they hear
	names, err := filepath.Glob("test/programs/*.c")
	if err != nil {
		t.Fatal(err)
	}
	for seed, path := range names { // the seed decides about the rings' size, too
		name := strings.TrimSuffix(filepath.Base(path), ".c")
		switch name {
		case "gives_up", "exits", "includes", "logging": // they end, or do not serve
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program, err := buildNative("-c", "-Dmain=program_main", "-Dgetenv=yimmo_getenv", "-Datexit=yimmo_atexit", path)
			if err != nil {
				t.Fatal(err)
			}
			file, err := linkNative(append(slices.Clip(host), "src/libyimmo.c", "src/libc/uuid.c", "test/native/main_native.c"), program)
			if err != nil {
				t.Fatal(err)
			}
			runNative(t, file, fmt.Sprint(seed+1), "16000", or(slack[name], "50000"))
		})
	}
	for _, path := range []string{"test/plugins/probe.c", "../../plugins/echo-c/echo.c"} {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			file, err := linkNative(append(slices.Clip(host), "src/yimmo.c"), path)
			if err != nil {
				t.Fatal(err)
			}
			runNative(t, file, "1", "16000")
		})
	}
}

func or(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

// The small C library as it is in a module says what the system's says.
func TestTranscript(t *testing.T) {
	t.Parallel()
	file, err := buildNative("test/transcript.c")
	if err != nil {
		t.Fatal(err)
	}
	for _, how := range []string{"", "-O0", "-O3"} {
		sdk, err := object("yimmo.c", strings.Fields(how)...)
		if err != nil {
			t.Fatal(err)
		}
		m := compile(append(strings.Fields(how), "test/transcript.c", sdk)...)
		if m.err != nil {
			t.Fatal(m.err)
		}
		d := begin(t, m, options{})
		for seed := 1; seed < 4; seed++ {
			d.text(1, strings.Repeat("x", seed))
			d.turn()
			want := strings.Split(runNative(t, file, fmt.Sprint(seed)), "\n")
			got, err := strconv.Unquote(strings.TrimPrefix(d.said[0], "send 1 82 "))
			if err != nil {
				t.Fatal(err)
			}
			d.said = nil
			for i, line := range strings.Split(got, "\n") {
				if line != want[i] {
					t.Fatalf("%s, seed %d, line %d:\ngot  %s\nwant %s", how, seed, i, line, want[i])
				}
			}
		}
	}
}
