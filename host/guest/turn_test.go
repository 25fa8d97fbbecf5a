package guest_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// The echo guest answers each frame with a command that points back into the
// receive area, and skips what is not a frame.
func TestTurnEcho(t *testing.T) {
	i := start(t, wat(t, "echo"), guest.Options{})
	n := give(i, abi.FlagFIN|abi.OpBinary, "a", "", "ccc")
	abi.PutEvent(i.Events()[n*abi.RecordSize:], &abi.Event{Kind: abi.EventTimer, ID: 1})
	m, consumed, more, err := i.Turn(0, n+1, guest.Header{Turn: 1})
	if m != n || consumed != n+1 || more || err != nil {
		t.Fatalf("Turn: got %d, %d, %v, %v, want %d, %d, false, nil", m, consumed, more, err, n, n+1)
	}
	for at, want := range []string{"a", "", "ccc"} {
		c, _ := abi.ParseCommand(i.Commands()[at*abi.RecordSize:])
		p, ok := c.Range(i.Memory())
		if c.Kind != abi.CommandSend || c.Flags != 0x82 || c.ID != 7 || c.Tag != uint32(at) || !ok || string(p) != want {
			t.Errorf("command %d: got %+v with %q, want a send of %q", at, c, p, want)
		}
	}
	if m, consumed, _, err := i.Turn(2, 3, guest.Header{Turn: 2}); m != 1 || consumed != 3 || err != nil {
		t.Errorf("Turn(2, 3): got %d, %d, %v, want 1, 3", m, consumed, err)
	}
}

// The header of the turn stands in the control block.
func TestTurnHeader(t *testing.T) {
	i := start(t, wat(t, "echo"), guest.Options{})
	want := guest.Header{Now: 1, Mono: 2, Seed: 3, Turn: 4}
	if _, _, _, err := i.Turn(0, 0, want); err != nil {
		t.Fatal(err)
	}
	c, err := abi.ParseControl(i.Memory()[64:])
	if got := (guest.Header{Now: c.Now, Mono: c.Mono, Seed: c.Seed, Turn: c.Turn}); err != nil || got != want {
		t.Errorf("control block: got %v, %v, want %v", got, err, want)
	}
}

// More commands than fit come in further calls, which need not consume events.
func TestTurnMore(t *testing.T) {
	i := start(t, wat(t, "more"), guest.Options{})
	for call, want := range []bool{true, true, false} {
		first := 0
		if call > 0 {
			first = 5
		}
		m, consumed, more, err := i.Turn(first, 5, guest.Header{})
		if m != 1 || consumed != 5 || more != want || err != nil {
			t.Errorf("call %d: got %d, %d, %v, %v, want 1, 5, %v", call, m, consumed, more, err, want)
		}
	}
}

// Whatever a guest does wrong ends it: the turn is an error of the right kind,
// and the next one does not call it.
func TestTurnTraps(t *testing.T) {
	tests := []struct {
		guest string
		first int
		kind  guest.Kind
		says  string
	}{
		{"trap_in_turn", 0, guest.KindTrap, "deep"},
		{"loop", 0, guest.KindDeadline, "too long"},
		{"overflow", 0, guest.KindOverflow, "stack overflow"},
		{"exit", 0, guest.KindExit, "proc_exit(3)"},
		{"bad_consumed", 0, guest.KindMistake, "consumed is 6"},
		{"consumed_back", 2, guest.KindMistake, "consumed is 1"},
		{"too_many_commands", 0, guest.KindMistake, "1025 commands"},
		{"negative_commands", 0, guest.KindMistake, "4294967295 commands"},
		{"moves_ring", 0, guest.KindMistake, "control block has changed"},
		{"writes_reserved", 0, guest.KindMistake, "reserved"},
		{"no_progress", 0, guest.KindMistake, "no progress"},
		{"more_of_nothing", 5, guest.KindMistake, "no progress"},
	}
	for _, tt := range tests {
		t.Run(tt.guest, func(t *testing.T) {
			// Overflowing takes up to 300 ms, more under the race detector.
			limit := time.Minute
			if tt.kind == guest.KindDeadline {
				limit = 10 * time.Millisecond
			}
			i := start(t, wat(t, tt.guest), guest.Options{TurnTime: limit, StartTime: limit})
			mem := i.Memory()
			_, _, _, err := i.Turn(tt.first, 5, guest.Header{})
			trap := (*guest.TrapError)(nil)
			if !errors.As(err, &trap) || trap.Kind != tt.kind || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("Turn: got %v, want %v saying %q", err, tt.kind, tt.says)
			}
			if _, _, _, err := i.Turn(tt.first, 5, guest.Header{}); !errors.Is(err, guest.ErrDead) {
				t.Errorf("Turn after that: got %v, want %v", err, guest.ErrDead)
			}
			if mem[64] != 'Y' || &mem[0] != &i.Memory()[0] {
				t.Error("memory moved or changed when the guest died")
			}
		})
	}
}

// A guest grows up to its quota, in place; beyond it memory.grow says -1.
func TestTurnGrow(t *testing.T) {
	i := start(t, wat(t, "grow"), guest.Options{MemoryMax: (6+2*16+15)<<16 + 100})
	base := &i.Memory()[0]
	for _, want := range []int64{6, 22, -1, -1} {
		if _, _, _, err := i.Turn(0, 0, guest.Header{}); err != nil {
			t.Fatal(err)
		}
		if got := int64(binary.LittleEndian.Uint64(i.Commands()[abi.RecordOffsetArg:])); got != want {
			t.Errorf("memory.grow(16): got %d, want %d", got, want)
		}
	}
	if len(i.Memory()) != 38<<16 || &i.Memory()[0] != base {
		t.Errorf("Memory: %d pages, moved %v, want 38 in place", len(i.Memory())>>16, &i.Memory()[0] != base)
	}
	if !bytes.Equal(i.Memory()[6<<16:], make([]byte, 32<<16)) {
		t.Error("memory is not zero where it grew")
	}
}

func TestTurnGrowDeclared(t *testing.T) {
	i := start(t, wat(t, "declares_max"), guest.Options{})
	for _, want := range []int64{6, 7, -1} {
		if _, _, _, err := i.Turn(0, 0, guest.Header{}); err != nil {
			t.Fatal(err)
		}
		if got := int64(binary.LittleEndian.Uint64(i.Commands()[abi.RecordOffsetArg:])); got != want {
			t.Errorf("memory.grow(1): got %d, want %d", got, want)
		}
	}
}

// A guest that dies of a refused growth is out of memory, not just trapped.
func TestTurnOutOfMemory(t *testing.T) {
	i := start(t, wat(t, "starve"), guest.Options{MemoryMax: 22 << 16})
	if _, _, _, err := i.Turn(0, 0, guest.Header{}); err != nil {
		t.Fatal(err)
	}
	_, _, _, err := i.Turn(0, 0, guest.Header{})
	trap := (*guest.TrapError)(nil)
	if !errors.As(err, &trap) || trap.Kind != guest.KindMemory || !strings.Contains(err.Error(), "1441792 bytes") {
		t.Errorf("Turn: got %v, want %v naming the quota", err, guest.KindMemory)
	}
}

func TestTurnOutput(t *testing.T) {
	var r recorder
	i := start(t, wat(t, "prints"), guest.Options{Log: r.log})
	if _, _, _, err := i.Turn(0, 0, guest.Header{}); err != nil {
		t.Fatal(err)
	}
	want := []string{"info one", "info two", "info three \ufffd", "warn half"}
	if !slices.Equal(r.lines, want) {
		t.Errorf("log: got %q, want %q", r.lines, want)
	}
	if i := start(t, wat(t, "prints"), guest.Options{}); true {
		if _, _, _, err := i.Turn(0, 0, guest.Header{}); err != nil {
			t.Errorf("Turn without a log: %v", err)
		}
	}
}

// A guest cannot close its output: no checkpoint would have that.
func TestOutputStaysOpen(t *testing.T) {
	var r recorder
	i := start(t, wat(t, "closes"), guest.Options{Log: r.log})
	for range 2 {
		if _, _, _, err := i.Turn(0, 0, guest.Header{}); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"info still open", "info still open"}; !slices.Equal(r.lines, want) {
		t.Errorf("log: got %q, want %q", r.lines, want)
	}
}

func TestTurnAfterClose(t *testing.T) {
	i := start(t, wat(t, "echo"), guest.Options{})
	for range 2 {
		if err := i.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, _, err := i.Turn(0, 0, guest.Header{}); !errors.Is(err, guest.ErrDead) {
		t.Errorf("Turn after Close: got %v, want %v", err, guest.ErrDead)
	}
}

// Bugs of the host are told by a panic, before the guest is touched.
func TestTurnPanics(t *testing.T) {
	tests := []struct{ first, n int }{{-1, 0}, {1, 0}, {0, 1025}}
	for _, tt := range tests {
		i := start(t, wat(t, "echo"), guest.Options{})
		if got := panicOf(func() { _, _, _, _ = i.Turn(tt.first, tt.n, guest.Header{}) }); !strings.Contains(got, "ring of 1024") {
			t.Errorf("Turn(%d, %d): panic %q, want one about the ring", tt.first, tt.n, got)
		}
		if _, _, _, err := i.Turn(0, 0, guest.Header{}); err != nil {
			t.Errorf("Turn after the panic: %v", err)
		}
	}
}

// A second goroutine in an instance panics instead of corrupting it.
func TestTurnOwnership(t *testing.T) {
	i := (*guest.Instance)(nil)
	var inTurn, inClose string
	c := compile(t, wat(t, "prints"))
	i, err := c.Start(context.Background(), guest.Options{Log: func(abi.Level, string) {
		inTurn = panicOf(func() { _, _, _, _ = i.Turn(0, 0, guest.Header{}) }) // the guest is running
		inClose = panicOf(func() { _ = i.Close() })
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	if _, _, _, err := i.Turn(0, 0, guest.Header{}); err != nil {
		t.Fatal(err)
	}
	if want := "guest: two goroutines in one instance"; inTurn != want || inClose != want {
		t.Errorf("panics: got %q and %q, want %q", inTurn, inClose, want)
	}
}

func panicOf(f func()) (s string) {
	defer func() {
		if r := recover(); r != nil {
			s = fmt.Sprint(r)
		}
	}()
	f()
	return ""
}

// However many events a turn has, it costs what wazero's means of interruption
// allocate in each call: three, and up to two more when the Go runtime has no
// used goroutine or waiter at hand. Nothing of it is this package's:
// see TestTurnOwnAllocations.
func TestTurnAllocations(t *testing.T) {
	i := start(t, wat(t, "echo"), guest.Options{TurnTime: time.Hour})
	for _, n := range []int{1, 64} {
		give(i, abi.FlagFIN|abi.OpText, make([]string, n)...)
		got := testing.AllocsPerRun(200, func() {
			if _, _, _, err := i.Turn(0, n, guest.Header{}); err != nil {
				t.Fatal(err)
			}
		})
		if got > 5 {
			t.Errorf("Turn of %d events: %v allocations, budget 5", n, got)
		}
	}
}
