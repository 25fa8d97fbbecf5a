package guest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// What a zero field of [Process] means.
const (
	DefaultCompileTime   = 30 * time.Second
	DefaultCompileMemory = 1 << 30
)

// clockFactor is how much longer than [Process.Time] it may take on the clock: the
// process gives way to everything else on the machine.
const clockFactor = 4

// ErrCompiler reports that the process which was to compile a module failed for
// a reason that is not the module's, as far as anyone can tell.
var ErrCompiler = errors.New("compiler process")

// A Process is how modules are compiled outside of the host: in a process for
// each, which ends with it. What a module does to its compiler then ends there.
//
// A module over Time or Memory is refused with [ErrLimit]; a process that does
// not come up or ends in a way of its own gives [ErrCompiler].
type Process struct {
	// Command is the program and its arguments. The program calls [CompilerMain]
	// and nothing else; it can be the host's own, with an argument that says so.
	Command []string

	// Time is how long the process may use a processor, and a quarter of how long it
	// may take on the clock. Whole seconds, rounded up. Default
	// [DefaultCompileTime].
	Time time.Duration

	// Memory is how many bytes it may use. Linux only: elsewhere the process sees
	// to it that it collects its garbage, and nothing stops one large request.
	// Default [DefaultCompileMemory], at least 64 MiB.
	Memory int64
}

func (p Process) withDefaults() (Process, error) {
	fill(&p.Time, DefaultCompileTime)
	fill(&p.Memory, DefaultCompileMemory)
	switch {
	case len(p.Command) == 0:
		return p, fmt.Errorf("%w: Command is empty", ErrOptions)
	case p.Time < 0:
		return p, fmt.Errorf("%w: Time %v", ErrOptions, p.Time)
	case p.Memory < 64<<20:
		return p, fmt.Errorf("%w: Memory %d, at least 64 MiB", ErrOptions, p.Memory)
	}
	return p, nil
}

// order is what the host tells the process on its standard input, on a line of
// its own before the module.
type order struct {
	Dir     string // where the code goes
	Size    int    // bytes of the module
	Memory  int64
	Seconds uint64
}

// verdict is what the process answers on its standard output.
type verdict struct {
	Done  bool
	Error string
	Disk  bool // Error is about files, not about the module
}

// errDisk is an error of the other process that is about files.
var errDisk = errors.New("write compiled code")

// isDisk tells whether compiling failed for want of a place to put the result.
func isDisk(err error) bool {
	var path *os.PathError
	var link *os.LinkError
	return errors.Is(err, errDisk) || errors.As(err, &path) || errors.As(err, &link)
}

// seconds of processor time.
func (p *Process) seconds() uint64 { return uint64((p.Time + time.Second - 1) / time.Second) }

// compile lets a process leave the code of wasm in dir. It returns when the
// process is gone.
func (p *Process) compile(ctx context.Context, dir string, wasm []byte) error {
	head, err := json.Marshal(order{dir, len(wasm), p.Memory, p.seconds()})
	if err != nil {
		return err
	}
	clock, cancel := context.WithTimeout(ctx, clockFactor*p.Time)
	defer cancel()
	cmd := exec.CommandContext(clock, p.Command[0], p.Command[1:]...)
	cmd.Stdin = io.MultiReader(bytes.NewReader(append(head, '\n')), bytes.NewReader(wasm))
	out, words := &head4k{}, &head4k{}
	cmd.Stdout, cmd.Stderr = out, words
	cmd.Env = append(os.Environ(), fmt.Sprintf("GOMEMLIMIT=%d", p.Memory/4*3), "GOMAXPROCS=1", "GOTRACEBACK=none")
	cmd.WaitDelay = time.Second
	apart(cmd)
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case clock.Err() != nil:
		return fmt.Errorf("%w: compiling took more than %v: raise limits.compile_time, or make the module smaller", ErrLimit, clockFactor*p.Time)
	case cmd.ProcessState == nil:
		return fmt.Errorf("%w: %w", ErrCompiler, err)
	}
	return p.judge(cmd.ProcessState, out.b, words.b, err)
}

// noMemory are the last words of a Go program that gets no more memory; the last
// ones those of the race detector.
var noMemory = regexp.MustCompile(`out of memory|cannot allocate memory|failed to allocate`)

// noTime are the last words of a process that has used up its time of a processor.
const noTime = "no processor time left"

// judge reads what a process left that has ended by itself.
func (p *Process) judge(end *os.ProcessState, out, words []byte, err error) error {
	var v verdict
	switch {
	case err == nil && json.Unmarshal(out, &v) != nil:
		return fmt.Errorf("%w: it answered %.100q: does the program call CompilerMain?", ErrCompiler, out)
	case err == nil && v.Disk:
		return fmt.Errorf("%w: %s", errDisk, v.Error)
	case err == nil && v.Error != "":
		return errors.New(v.Error)
	case err == nil && v.Done:
		return nil
	case bytes.Contains(words, []byte(noTime)):
		return fmt.Errorf("%w: compiling took more than %v of a processor: raise limits.compile_time, or make the module smaller", ErrLimit, p.Time)
	case noMemory.Match(words):
		return fmt.Errorf("%w: compiling took more than %d MiB of memory: raise limits.compile_memory, or make the module smaller", ErrLimit, p.Memory>>20)
	}
	said, _, _ := strings.Cut(strings.TrimSpace(string(words)), "\n")
	return fmt.Errorf("%w: %v: %q", ErrCompiler, end, said)
}

// head4k keeps the first 4 KiB of what is written to it.
type head4k struct{ b []byte }

func (h *head4k) Write(p []byte) (int, error) {
	h.b = append(h.b, p[:min(len(p), 4<<10-len(h.b))]...)
	return len(p), nil
}
