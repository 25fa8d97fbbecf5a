package guest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/host/guest"
)

// roles are what this test binary does when its first argument names one: that
// of a compiler, and of programs that are none.
var roles = map[string]func(){
	"compile": func() {
		if err := guest.CompilerMain(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	},
	"hang":   func() { select {} },
	"babble": func() { fmt.Println("hello"); _, _ = io.Copy(io.Discard, os.Stdin) },
	"crash":  func() { fmt.Fprintln(os.Stderr, "oh no\nindeed"); os.Exit(3) },
	"flood":  func() { _, _ = io.Copy(os.Stdout, zeroes{}) },
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { return len(p), nil }

// in is an engine over dir that compiles in processes, and what it logs.
func in(t *testing.T, dir string, p guest.Process) (*guest.Engine, *strings.Builder) {
	t.Helper()
	log := &strings.Builder{}
	e, err := guest.NewEngine(dir, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if err := e.CompileIn(p); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e, log
}

func role(name string) []string { return []string{os.Args[0], name} }

// patientProcess has time for everything, race detector included.
func patientProcess() guest.Process {
	return guest.Process{Command: role("compile"), Time: 5 * time.Minute, Memory: 4 << 30}
}

func TestProcess(t *testing.T) {
	kept, tmp := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", tmp)
	before := descriptors(t)
	for _, dir := range []string{kept, kept, guest.CacheOff} {
		e, log := in(t, dir, patientProcess())
		c, err := e.Compile(t.Context(), "echo", wat(t, "echo"))
		if err != nil {
			t.Fatalf("Compile into %s: %v", dir, err)
		}
		if _, err := c.Probe(t.Context(), guest.Options{}); err != nil {
			t.Errorf("Probe from %s: %v", dir, err)
		}
		must(t, c.Close())
		if log.Len() > 0 {
			t.Errorf("log of %s: %s", dir, log)
		}
	}
	entry(t, kept)
	// What is kept needs no process.
	e, _ := in(t, kept, guest.Process{Command: []string{"/no/such/program"}})
	c, err := e.Compile(t.Context(), "echo", wat(t, "echo"))
	if err != nil {
		t.Fatalf("Compile of what is kept: %v", err)
	}
	must(t, c.Close())
	if left, _ := filepath.Glob(filepath.Join(tmp, "*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	noChildren(t)
	if after := descriptors(t); after > before {
		t.Errorf("descriptors: %d, before %d", after, before)
	}
}

// However a process ends, it is the module's error or the operator's, says what
// to do, and leaves nothing behind.
func TestProcessFails(t *testing.T) {
	invalid := wat(t, "trap_in_init")
	at := strings.LastIndex(string(invalid), "\x03\x00\x00\x0b")
	invalid[at+2] = 0x6a // i32.add of nothing
	heavy := loops(4000)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name string
		wasm []byte
		p    guest.Process
		ctx  context.Context
		want error
		says []string
	}{
		{"body that is not valid", invalid, patientProcess(), t.Context(), nil, []string{"i32.add"}},
		{"too much memory", heavy, guest.Process{Command: role("compile"), Time: time.Minute, Memory: 64 << 20}, t.Context(), guest.ErrLimit, []string{"64 MiB", "limits.compile_memory"}},
		{"too much of a processor", heavy, guest.Process{Command: role("compile"), Time: time.Second}, t.Context(), guest.ErrLimit, []string{"limits.compile_time"}},
		{"too long", wat(t, "echo"), guest.Process{Command: role("hang"), Time: 100 * time.Millisecond}, t.Context(), guest.ErrLimit, []string{"400ms", "limits.compile_time"}},
		{"interrupted", wat(t, "echo"), guest.Process{Command: role("hang")}, canceled, context.Canceled, nil},
		{"no program", wat(t, "echo"), guest.Process{Command: []string{"/no/such/program"}}, t.Context(), guest.ErrCompiler, []string{"/no/such/program"}},
		{"another program", wat(t, "echo"), guest.Process{Command: role("babble")}, t.Context(), guest.ErrCompiler, []string{"hello", "CompilerMain"}},
		{"crash", wat(t, "echo"), guest.Process{Command: role("crash")}, t.Context(), guest.ErrCompiler, []string{"exit status 3", "oh no"}},
		{"answer without end", wat(t, "echo"), guest.Process{Command: role("flood"), Time: 100 * time.Millisecond}, t.Context(), guest.ErrLimit, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if runtime.GOOS != "linux" && strings.HasPrefix(tt.name, "too much") {
				tt.want = nil // there are no such limits
			}
			before := descriptors(t)
			dir := t.TempDir()
			e, _ := in(t, dir, tt.p)
			_, err := e.Compile(tt.ctx, "chat", tt.wasm)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Fatalf("Compile: got %v, want %v", err, tt.want)
			}
			for _, part := range append(tt.says, "compile chat: ") {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("Compile: error %q does not say %q", err, part)
				}
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
			noChildren(t)
			if after := descriptors(t); after > before {
				t.Errorf("descriptors: %d, before %d", after, before)
			}
		})
	}
}

func TestProcessOptions(t *testing.T) {
	e, _ := guest.NewEngine(guest.CacheOff, nil)
	for _, p := range []guest.Process{{}, {Command: []string{"x"}, Time: -1}, {Command: []string{"x"}, Memory: 1}} {
		if err := e.CompileIn(p); !errors.Is(err, guest.ErrOptions) {
			t.Errorf("CompileIn(%+v): got %v, want %v", p, err, guest.ErrOptions)
		}
	}
}

// A person who calls the verb is told that it is not for people.
func TestCompilerMainAlone(t *testing.T) {
	for _, in := range []string{"", "\n", "{}\n", `{"Dir":"x","Size":-1}` + "\n"} {
		if err := guest.CompilerMain(strings.NewReader(in), io.Discard); err == nil || !strings.Contains(err.Error(), "no order") {
			t.Errorf("CompilerMain(%q): got %v", in, err)
		}
	}
}

// loops is a plugin with a function of n loops over as many locals: small to
// write, and a lot of work to compile.
func loops(n int) []byte {
	body := slices.Concat([]byte{1}, leb(uint32(n)), []byte{0x7f})
	for i := range n {
		k := leb(uint32(i))
		body = slices.Concat(body, []byte{0x03, 0x40, 0x20}, k, []byte{0x41, 1, 0x6a, 0x21}, k, []byte{0x20}, k, []byte{0x0d, 0, 0x0b})
	}
	return plugin(append(body, 0x0b)...)
}

// plugin is one that does nothing, with a further function that nobody calls.
func plugin(body ...byte) []byte {
	zero := []byte{4, 0, 0x41, 0, 0x0b}
	return module(
		section(1, 3, 0x60, 0, 0, 0x60, 3, 0x7f, 0x7f, 0x7f, 1, 0x7f, 0x60, 2, 0x7f, 0x7f, 1, 0x7f),
		section(3, 3, 1, 2, 0), section(5, 1, 0, 1),
		section(7, []byte("\x03\x06memory\x02\x00\x0dyimmo_v1_init\x00\x00\x0dyimmo_v1_turn\x00\x01")...),
		section(10, slices.Concat([]byte{3}, zero, zero, leb(uint32(len(body))), body)...))
}

// descriptors counts those that this process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil { // not on this system
		return 0
	}
	return len(open)
}

// noChildren fails when there is a process that nobody has waited for.
func noChildren(t *testing.T) {
	t.Helper()
	if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); !errors.Is(err, syscall.ECHILD) {
		t.Errorf("there is a child left: %d, %v", pid, err)
	}
}
