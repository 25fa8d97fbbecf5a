package c_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/internal/testguest"
)

// What the tests of this folder build with. They fail without it.
const aptLine = "the tests of the C SDK need clang, wasm-ld and make; on Debian: apt-get install clang lld make"

var scratch string // build outputs of this run

func TestMain(m *testing.M) {
	flag.Parse()
	// Most of these tests wait, for a compiler or for a deadline.
	if err := flag.Set("test.parallel", strconv.Itoa(4*runtime.GOMAXPROCS(0))); err != nil {
		panic(err)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "yimmo-c-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	scratch = dir
	return m.Run()
}

// watchSources is for whatever builds: the compilers read out of go's sight.
var watchSources = sync.OnceValue(func() error {
	return testguest.Watch("include", "src", "test", "yimmo.mk", "Makefile", "../../plugins/echo-c")
})

// flags asks yimmo.mk, so that the tests build as everybody does.
var flags = sync.OnceValues(func() ([]string, error) {
	if err := watchSources(); err != nil {
		return nil, err
	}
	mk := exec.Command("make", "-s", "-f", "-", "print")
	mk.Stdin = strings.NewReader("include yimmo.mk\nprint:\n\t@echo $(YIMMO_CC)\n")
	out, err := mk.Output()
	if err != nil {
		return nil, fmt.Errorf("make: %w\n%s", err, aptLine)
	}
	return strings.Fields(string(out)), nil
})

// A module is what a compile gave. Compiles with the same arguments are done once.
type module struct {
	once sync.Once
	wasm []byte
	file string
	out  string // what the compiler said
	err  error

	compiled sync.Once
	code     *guest.Code
	codeErr  error
}

var modules sync.Map // of *module by arguments

// compile runs the documented line with more arguments, source files among them.
func compile(args ...string) *module {
	v, _ := modules.LoadOrStore(strings.Join(args, " "), new(module))
	m := v.(*module)
	m.once.Do(func() {
		var line []string
		if line, m.err = flags(); m.err != nil {
			return
		}
		file, err := os.CreateTemp(scratch, "*.wasm")
		if err != nil {
			m.err = err
			return
		}
		file.Close()
		line = append(append(slices.Clip(line), "-Wall", "-Wextra", "-Wno-unused-command-line-argument"), args...)
		cc := exec.Command(line[0], append(line[1:], "-o", file.Name())...)
		var out bytes.Buffer
		cc.Stdout, cc.Stderr = &out, &out
		m.err = cc.Run()
		m.out = out.String()
		if m.err != nil {
			m.err = fmt.Errorf("%s: %w\n%s%s", strings.Join(cc.Args, " "), m.err, m.out, hint(m.err, out.Bytes(), aptLine))
			return
		}
		m.file = file.Name()
		m.wasm, m.err = os.ReadFile(m.file)
	})
	return m
}

// hint is line, which tells what to install, where the compiler could not run or lacks
// a library of its own.
func hint(err error, out []byte, line string) string {
	if _, ran := err.(*exec.ExitError); ran && !bytes.Contains(out, []byte("libclang_rt")) {
		return ""
	}
	return line
}

// object compiles one file of the SDK, so that programs need not do it each time.
func object(name string, args ...string) (string, error) {
	m := compile(append([]string{"-c", filepath.Join("src", name)}, args...)...)
	return m.file, m.err
}

// program compiles a sample program in the original's style, unchanged.
func program(t testing.TB, name string, args ...string) *module {
	t.Helper()
	return linked(t, "libyimmo.c", append([]string{filepath.Join("test", "programs", name+".c")}, args...)...)
}

// plugin compiles a plugin that uses yimmo/guest.h.
func plugin(t testing.TB, args ...string) *module {
	t.Helper()
	return linked(t, "yimmo.c", args...)
}

func linked(t testing.TB, sdk string, args ...string) *module {
	t.Helper()
	o, err := object(sdk)
	if err != nil {
		t.Fatal(err)
	}
	m := compile(append(args, o)...)
	if m.err != nil {
		t.Fatal(m.err)
	}
	if m.out != "" {
		t.Fatalf("%v: the compiler complains:\n%s", args, m.out)
	}
	return m
}

// source writes a source file for one test.
func source(t testing.TB, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "source.c")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}
