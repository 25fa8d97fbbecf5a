package guest_test

import (
	"context"
	"encoding/binary"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// An instance that overruns says what it overran and in which function, to its
// owner and in the error.
func TestOverruns(t *testing.T) {
	const short = 10 * time.Millisecond
	tests := []struct {
		guest string
		o     guest.Options
		kind  guest.Kind
		in    string
	}{
		{"loop", guest.Options{TurnTime: short, StartTime: short}, guest.KindDeadline, "function 1"},
		{"loop", patient(guest.Options{Units: 1_000_000}), guest.KindBudget, "function 1"},
		{"count", patient(guest.Options{Units: 1_000_000}), guest.KindBudget, "count"},
		{"overflow", patient(guest.Options{}), guest.KindOverflow, "down"},
		{"loop_in_initialize", guest.Options{StartTime: short}, guest.KindDeadline, "function 2"},
		{"loop_in_initialize", patient(guest.Options{Units: 1_000_000}), guest.KindBudget, "function 2"},
	}
	for _, tt := range tests {
		t.Run(tt.guest+" "+tt.kind.String(), func(t *testing.T) {
			var heard []*guest.TrapError
			tt.o.Trapped = func(e *guest.TrapError) { heard = append(heard, e) }
			i, err := compile(t, wat(t, tt.guest)).Start(context.Background(), tt.o)
			if err == nil {
				_, _, _, err = i.Turn(0, 0, guest.Header{})
				must(t, i.Close())
			}
			trap := (*guest.TrapError)(nil)
			if !errors.As(err, &trap) || trap.Kind != tt.kind || trap.Function != tt.in {
				t.Fatalf("got %v, want %v in %s", err, tt.kind, tt.in)
			}
			if len(heard) != 1 || heard[0] != trap {
				t.Errorf("Trapped: got %v, want the error once", heard)
			}
		})
	}
}

// With a budget a guest ends at the same instruction each time, and one that
// keeps to it has it anew in each turn.
func TestBudget(t *testing.T) {
	code := compile(t, wat(t, "count"))
	count := func(units int64) uint32 {
		i, err := code.Start(context.Background(), guest.Options{Units: units, TurnTime: time.Minute, StartTime: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
		_, _, _, err = i.Turn(0, 0, guest.Header{})
		if trap := (*guest.TrapError)(nil); !errors.As(err, &trap) || trap.Kind != guest.KindBudget {
			t.Fatalf("Turn with %d units: got %v, want %v", units, err, guest.KindBudget)
		}
		return binary.LittleEndian.Uint32(i.Memory())
	}
	one, again, twice := count(1_234_567), count(1_234_567), count(2*1_234_567)
	if one == 0 || one != again || twice < 2*one-1 || twice > 2*one+1 {
		t.Errorf("the guest counted to %d, %d, and with twice the budget %d", one, again, twice)
	}
	i := start(t, wat(t, "echo"), patient(guest.Options{Units: 5000}))
	n := give(i, abi.FlagFIN|abi.OpBinary, "x")
	for turn := range 1000 {
		if _, _, _, err := i.Turn(0, n, guest.Header{}); err != nil {
			t.Fatalf("turn %d: %v", turn, err)
		}
	}
}

// A recursion without end is over long before the engine's own stack is full,
// which would take 80 MB.
func TestDepth(t *testing.T) {
	i := start(t, wat(t, "overflow"), patient(guest.Options{}))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, _, err := i.Turn(0, 0, guest.Header{})
	runtime.ReadMemStats(&after)
	if trap := (*guest.TrapError)(nil); !errors.As(err, &trap) || trap.Kind != guest.KindOverflow {
		t.Errorf("Turn: got %v, want %v", err, guest.KindOverflow)
	}
	if cost := after.TotalAlloc - before.TotalAlloc; cost > 16<<20 {
		t.Errorf("the recursion took %d MiB", cost>>20)
	}
}
