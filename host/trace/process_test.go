package trace_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// Two processes, one of them with other environment, arguments and processors,
// give the same module the same events and get the same bytes, however much the
// module tries not to.
func TestTwoProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("each process reads the module of a Go guest, and has one goroutine")
	}
	wasm, err := build()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "chaos.wasm")
	if err := os.WriteFile(file, wasm, 0o666); err != nil {
		t.Fatal(err)
	}
	run := func(arg string, env ...string) string {
		cmd := exec.Command(os.Args[0], arg)
		cmd.Env = append(env, "CHAOS="+file, "HOME="+t.TempDir())
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	first, second := run("one", "GOMAXPROCS=1", "NAME=first"), run("two", "GOMAXPROCS=4", "GOGC=20", "NAME=second")
	if len(first) < 1000 || first != second {
		t.Errorf("two processes: got\n%s\nand\n%s", first, second)
	}
}

// childMain is a process of TestTwoProcesses: it prints all that the guest says.
func childMain(file string) int {
	if err := child(file, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func child(file string, to io.Writer) error {
	wasm, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	engine, err := guest.NewEngine(filepath.Join(filepath.Dir(file), "cache"), slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	ctx := context.Background()
	code, err := engine.Compile(ctx, "chaos", wasm)
	if err != nil {
		return err
	}
	i, err := code.Start(ctx, options())
	if err != nil {
		return err
	}
	d := (&driver{Instance: i}).start()
	for n := range 30 {
		d.texts("one two three", fmt.Sprint("four ", n), "bytes \x00\xff")
	}
	d.texts("fill", "five")
	d.give(abi.Event{Kind: abi.EventClose, ID: 7, Code: 1006}, "")
	for _, said := range d.said {
		fmt.Fprintf(to, "%q\n", said)
	}
	if d.err != nil {
		return d.err
	}
	fmt.Fprintln(to, d.turn, "calls")
	return i.Close()
}
