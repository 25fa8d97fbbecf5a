package guest

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
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
	i.turn, i.spare = dawdler{stopped: stopped}, 0
	_, _, _, err := i.Turn(0, 0, Header{})
	if trap := (*TrapError)(nil); !errors.As(err, &trap) || trap.Kind != KindDeadline {
		t.Errorf("Turn: got %v, want %v", err, KindDeadline)
	}
}

// The first turn has what starting left of its time, the next ones have theirs.
func TestTurnFirstHasSpare(t *testing.T) {
	i := startEcho(t, Options{TurnTime: time.Second, StartTime: time.Hour})
	if first, next := i.limit(), i.limit(); first < 50*time.Minute || next != time.Second {
		t.Errorf("limit: got %v and %v, want almost an hour and a second", first, next)
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
