package c_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const wasiAptLine = "programs with wasi-libc need it and clang's part of it; on Debian: apt-get install wasi-libc libclang-rt-14-dev-wasm32"

// haveWASI tells whether clang links anything with wasi-libc: what it says about a
// program where it does not is about headers of this machine.
var haveWASI = sync.OnceValue(func() error {
	cc := exec.Command("clang", "--target=wasm32-wasi", "-mexec-model=reactor", "-x", "c", "-", "-o", os.DevNull)
	cc.Stdin = strings.NewReader("int main(void) { return 0; }\n")
	if out, err := cc.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s%s", cc, err, out, wasiAptLine)
	}
	return nil
})

// Programs build with wasi-libc as well; what differs is that main does not go on
// after ev_run.
func TestWithWASI(t *testing.T) {
	t.Parallel()
	d := begin(t, withWASI(t, "chat"), options{}, "room_title", "the den")
	d.wantLogs(`info "the program asks for port 9000, the host listens on 8081"`)
	d.connect(1)
	d.connect(2)
	d.text(1, "/nick ann!")
	d.text(1, "hello")
	d.request(1, "GET", "/", "")
	d.close(2, 1000)
	d.turn()
	d.want(`send 1 81 "Welcome to the den, guest-1!"`, `send 2 81 "Welcome to the den, guest-2!"`, `send 1 81 "*: guest-2"`,
		`send 1 81 "ann"`, `send 2 81 "ann: hello"`, `head 1 200 end "2 joined the den"`, `send 1 81 "-: guest-2"`)
	d.stop()
	d.wantLogs()

	d = begin(t, withWASI(t, "totals"), options{})
	d.connect(1)
	d.text(1, "x")
	d.turn()
	d.want(`send 1 81 "x"`)
	d.stop()
	d.wantLogs(`warn "signal 15, events 0x400"`)
}

// withWASI compiles a program with wasi-libc, as README.md says.
func withWASI(t testing.TB, name string) *module {
	t.Helper()
	if err := errors.Join(haveWASI(), watchSources()); err != nil {
		t.Fatal(err)
	}
	m := new(module)
	file := filepath.Join(scratch, name+"-wasi.wasm")
	out, err := exec.Command("clang", "--target=wasm32-wasi", "-mexec-model=reactor", "-Os", "-Wall", "-Wextra",
		"-D_WASI_EMULATED_SIGNAL", "-D_WASI_EMULATED_GETPID", "-Iinclude",
		filepath.Join("test", "programs", name+".c"), "src/libyimmo.c",
		"-lwasi-emulated-signal", "-lwasi-emulated-getpid", "-o", file).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Fatalf("%s with wasi-libc: %v\n%s", name, err, out)
	}
	if m.wasm, err = os.ReadFile(file); err != nil {
		t.Fatal(err)
	}
	return m
}
