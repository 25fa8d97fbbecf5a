package guest_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/yimmo-host/yimmo-host/host/guest"
)

// What this package does because wazero is as it is. A test that fails here may
// be good news: look whether what is named is still needed.

// raw compiles and instantiates a module with wazero alone.
func raw(t *testing.T, c wazero.RuntimeConfig, wasm []byte) api.Module {
	t.Helper()
	r := wazero.NewRuntimeWithConfig(t.Context(), c)
	t.Cleanup(func() { r.Close(context.Background()) })
	m, err := r.Instantiate(t.Context(), wasm)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// one is a module with a memory and one function f, from i32 to i32, without locals.
func one(code ...byte) []byte {
	body := slices.Concat([]byte{0}, code, []byte{0x0b})
	return module(section(1, 1, 0x60, 1, 0x7f, 1, 0x7f), section(3, 1, 0), section(5, 1, 0, 1),
		section(7, []byte("\x02\x01f\x00\x00\x01m\x02\x00")...),
		section(10, slices.Concat([]byte{1}, leb(uint32(len(body))), body)...))
}

// fib calls itself without a loop and leaves each result in its memory, the
// caller's last.
var fib = one(0x41, 0, 0x20, 0, 0x41, 2, 0x48, 0x04, 0x7f, 0x20, 0, 0x05, // n < 2: n
	0x20, 0, 0x41, 1, 0x6b, 0x10, 0, 0x20, 0, 0x41, 2, 0x6b, 0x10, 0, 0x6a, 0x0b,
	0x36, 2, 0, 0x41, 0, 0x28, 2, 0)

// rounds goes round n times; it writes 1 to its memory before and 2 behind.
var rounds = one(0x41, 0, 0x41, 1, 0x36, 2, 0,
	0x03, 0x40, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b,
	0x41, 0, 0x41, 2, 0x36, 2, 0, 0x41, 0)

// Needed for: the walker, which checks declared sizes.
func TestUpstreamDeclaredSizes(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("only Linux bounds the memory of the process that tries")
		return
	}
	wasm := module(section(6, huge...))
	head, err := json.Marshal(map[string]any{"Dir": t.TempDir(), "Size": len(wasm), "Memory": 256 << 20, "Seconds": 10})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "compile")
	cmd.Stdin = bytes.NewReader(slices.Concat(head, []byte{'\n'}, wasm))
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
		t.Errorf("got %s, %v: wazero and the walker agree on this one now", out, err)
	}
}

// Needed for: compiling in another process. What is begun is not interrupted.
func TestUpstreamCompilesOn(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := wazero.NewRuntime(t.Context())
	defer r.Close(context.Background())
	if _, err := r.CompileModule(ctx, fib); err != nil {
		t.Errorf("CompileModule under a canceled context: got %v: it can be interrupted now", err)
	}
}

// Needed for: metering function entries. wazero's own check stands at loops only.
func TestUpstreamDoesNotStopRecursion(t *testing.T) {
	m := raw(t, wazero.NewRuntimeConfig().WithCloseOnContextDone(true), fib)
	memory, _ := m.Memory().Read(0, 4)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := m.ExportedFunction("f").Call(ctx, 35)
	end, _ := ctx.Deadline()
	if got := binary.LittleEndian.Uint32(memory); got != 9227465 || time.Now().Before(end) {
		t.Errorf("fib(35) within 1 ms came to %d, %v: recursion can be stopped now", got, err)
	}
}

// Needed for: metering at all. wazero's own check costs every call.
func TestUpstreamCheckAllocates(t *testing.T) {
	for _, check := range []bool{false, true} {
		m := raw(t, wazero.NewRuntimeConfig().WithCloseOnContextDone(check), fib)
		f, stack := m.ExportedFunction("f"), make([]uint64, 1)
		ctx, cancel := context.WithCancel(t.Context())
		allocs := testing.AllocsPerRun(100, func() {
			stack[0] = 1
			if err := f.CallWithStack(ctx, stack); err != nil {
				t.Fatal(err)
			}
		})
		cancel()
		if (allocs > 0) != check {
			t.Errorf("a call with the check %v: %v allocations", check, allocs)
		}
	}
}

// Needed for: safe points. Without one the collector waits for the guest, and
// everybody for the collector.
func TestUpstreamHoldsTheCollector(t *testing.T) {
	m := raw(t, wazero.NewRuntimeConfig(), rounds)
	memory, _ := m.Memory().Read(0, 4)
	ended := make(chan error)
	go func() {
		_, err := m.ExportedFunction("f").Call(context.Background(), 100_000_000)
		ended <- err
	}()
	for binary.LittleEndian.Uint32(memory) == 0 {
		runtime.Gosched()
	}
	runtime.GC()
	if got := binary.LittleEndian.Uint32(memory); got != 2 {
		t.Errorf("the collector has run while the guest did: it no longer waits")
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

// And with one it does not: the collector is done while the guest still runs.
func TestSafePoints(t *testing.T) {
	i, err := compile(t, wat(t, "count")).Start(context.Background(), guest.Options{TurnTime: time.Minute, StartTime: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	memory, ended := i.Memory(), make(chan error)
	go func() {
		_, _, _, err := i.Turn(0, 0, guest.Header{})
		ended <- err
	}()
	for binary.LittleEndian.Uint32(memory) == 0 {
		runtime.Gosched()
	}
	runtime.GC() // or it hangs for a minute
	select {
	case err := <-ended:
		t.Errorf("the guest ended before the collector: %v", err)
	default:
		i.Stop()
		<-ended
	}
}

// Needed for: counting nested calls. The engine's own bound is a stack of 50 MB,
// which lives as long as the function that was called.
func TestUpstreamKeepsOverflownStacks(t *testing.T) {
	m := raw(t, wazero.NewRuntimeConfig(), one(0x20, 0, 0x10, 0)) // calls itself
	f := m.ExportedFunction("f")
	before := heap()
	if _, err := f.Call(t.Context(), 0); err == nil {
		t.Fatal("a recursion without end returned")
	}
	kept := heap() - before
	runtime.KeepAlive(f)
	if kept < 16<<20 {
		t.Errorf("after an overflow %d MiB remain: the engine's stack is smaller now", kept>>20)
	}
}

// heap is the live memory of this process.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Needed by: rolling back in place. A trap leaves the instance open, as it was at
// that moment.
func TestUpstreamGoesOnAfterTrap(t *testing.T) {
	m := raw(t, wazero.NewRuntimeConfig(), one(0x20, 0, 0x20, 0, 0x28, 2, 0, 0x1a)) // loads from its argument
	f := m.ExportedFunction("f")
	if _, err := f.Call(t.Context(), math.MaxUint32); err == nil {
		t.Error("a load from outside of the memory is no trap any more")
	}
	if got, err := f.Call(t.Context(), 8); err != nil || got[0] != 8 || m.IsClosed() {
		t.Errorf("a call after a trap: got %v, %v, closed %v", got, err, m.IsClosed())
	}
}
