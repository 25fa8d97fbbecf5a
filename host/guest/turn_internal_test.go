package guest

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/yimmo-host/yimmo-host/abi"
)

// A returner stands for a guest that consumes everything and says nothing.
type returner struct {
	api.Function
	block []byte
}

func (r returner) CallWithStack(_ context.Context, stack []uint64) error {
	binary.LittleEndian.PutUint32(r.block[abi.OffsetConsumed:], uint32(stack[1]))
	stack[0] = 0
	return nil
}

// A dawdler returns in good order, just after it was stopped.
type dawdler struct {
	api.Function
	stopped <-chan uint32
}

func (d dawdler) CallWithStack(context.Context, []uint64) error {
	<-d.stopped
	return nil
}

// A turn that is over its time is over, whatever it returns.
func TestTurnReturnsLate(t *testing.T) {
	i := startEcho(t, Options{TurnTime: 1, StartTime: time.Minute})
	stopped := make(chan uint32, 2) // set, then cleared
	i.dog.stops(func(flag uint32) { stopped <- flag })
	i.turn, i.begun = dawdler{stopped: stopped}, true
	_, _, _, err := i.Turn(0, 0, Header{})
	if trap := (*TrapError)(nil); !errors.As(err, &trap) || trap.Kind != KindDeadline {
		t.Errorf("Turn: got %v, want %v", err, KindDeadline)
	}
}

// The first turn has what starting left of its time, hooks have theirs, the
// others have that of a turn.
func TestTurnLimits(t *testing.T) {
	i := startEcho(t, Options{TurnTime: time.Second, StartTime: time.Hour, HookTime: time.Minute})
	tests := []struct {
		kind        abi.EventKind
		n           int
		least, most time.Duration
		whole       time.Duration
	}{
		{abi.EventStart, 1, 50 * time.Minute, time.Hour, time.Hour},
		{abi.EventRecv, 1, time.Second, time.Second, time.Second},
		{abi.EventStateExport, 1, time.Minute, time.Minute, time.Minute},
		{abi.EventStateImport, 1, time.Minute, time.Minute, time.Minute},
		{abi.EventStop, 1, time.Minute, time.Minute, time.Minute},
		{abi.EventStop, 0, time.Second, time.Second, time.Second}, // left from before
	}
	for _, tt := range tests {
		abi.PutEvent(i.events, &abi.Event{Kind: tt.kind})
		if limit, whole := i.limit(0, tt.n); limit < tt.least || limit > tt.most || whole != tt.whole {
			t.Errorf("limit of %v, %d events: got %v of %v, want %v to %v of %v", tt.kind, tt.n, limit, whole, tt.least, tt.most, tt.whole)
		}
	}
	short := startEcho(t, Options{TurnTime: time.Second, HookTime: time.Millisecond})
	short.begun = true
	abi.PutEvent(short.events, &abi.Event{Kind: abi.EventStop})
	if limit, _ := short.limit(0, 1); limit != time.Second {
		t.Errorf("limit of a hook that has less than a turn: got %v, want %v", limit, time.Second)
	}
}

// The name of a function is told as the module gives it, wherever wazero's trace
// has it; what is no trace has none.
func TestWhere(t *testing.T) {
	c := &Code{functions: 10, module: Module{Imports: make([]Import, 2)}}
	const head = "wasm error: unreachable\nwasm stack trace:\n"
	tests := []struct {
		name  string
		trace string
		want  string
	}{
		{"name", head + "\t.down(i32) i32\n\t.up(i32) i32", "down"},
		{"method", head + "\t.main.(*echo).Recv(i32,i64) i32", "main.(*echo).Recv"},
		{"no parameters, no result", head + "\t.f()", "f"},
		{"several results", head + "\t.f(v128) (i32,externref)", "f"},
		{"number", head + "\t.$11()", "function 11"},
		{"behind the meter's own", head + "\t.$12()\n\t.$3(i32) i32", "function 3"},
		{"nothing but the meter's own", head + "\t.$12()\n\t.$13()", ""},
		{"import", head + "\twasi_snapshot_preview1.fd_write(i32,i32,i32,i32) i32\n\t.write()", "write"},
		{"name that is no number", head + "\t.$x()", "$x"},
		{"control characters", head + "\t.a\rb\x1b(i32)", "a\ufffdb\ufffd"},
		{"long", head + "\t." + strings.Repeat("ü", 101) + "()", strings.Repeat("ü", 100) + "..."},
		{"no trace", "ran too long", ""},
	}
	for _, tt := range tests {
		if got := c.where(errors.New(tt.trace)); got != tt.want {
			t.Errorf("where, %s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := c.where(nil); got != "" {
		t.Errorf("where(nil): got %q", got)
	}
}

func startEcho(t *testing.T, o Options) *Instance {
	t.Helper()
	wasm, err := os.ReadFile("testdata/echo.wasm")
	if err != nil {
		t.Fatal(err)
	}
	e, _ := NewEngine(CacheOff, nil)
	c, err := e.Compile(context.Background(), "echo", wasm)
	if err != nil {
		t.Fatal(err)
	}
	i, err := c.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(i.Close(), c.Close()); err != nil {
			t.Error(err)
		}
	})
	return i
}

// What this package adds to a call of the guest allocates nothing.
func TestTurnOwnAllocations(t *testing.T) {
	i := startEcho(t, Options{Log: func(abi.Level, string) {}})
	i.turn = returner{block: i.block}
	got := testing.AllocsPerRun(1000, func() {
		if _, _, _, err := i.Turn(0, 64, Header{Now: 1}); err != nil {
			t.Fatal(err)
		}
	})
	if got != 0 {
		t.Errorf("Turn without wazero: %v allocations, want 0", got)
	}
}
