package guest_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// tell gives a Go guest orders that it must obey, and returns its answers.
func tell(t *testing.T, i *guest.Instance, h guest.Header, orders ...string) string {
	t.Helper()
	var answers []string
	for _, order := range orders {
		answer, err := ask(i, h, order)
		if err != nil {
			t.Fatalf("%s: %v", order, err)
		}
		answers = append(answers, answer)
	}
	return strings.Join(answers, "; ")
}

// Whatever ends a Go guest, a checkpoint brings it back, and it goes on like one
// that nothing has ever happened to.
func TestLoad(t *testing.T) {
	now := guest.Header{Now: 1e18, Mono: 1e9, Seed: 3}
	later := guest.Header{Now: 2e18, Mono: 2e9, Seed: 4}
	tests := []struct {
		order string
		kind  guest.Kind
	}{
		{"panic over", guest.KindTrap},
		{"exit", guest.KindExit},
		{"eat", guest.KindMemory},
		{"spin", guest.KindDeadline},
		{"dive", guest.KindOverflow},
	}
	control := start(t, goGuest(t), patient(guest.Options{MemoryMax: 32 << 20}))
	tell(t, control, now, "remember one", "random", "sleep 1h")
	want := tell(t, control, later, "recall", "remember three", "recall", "random", "now")
	for _, tt := range tests {
		t.Run(tt.order, func(t *testing.T) {
			t.Parallel()
			o := patient(guest.Options{MemoryMax: 32 << 20})
			if tt.order == "spin" {
				o.TurnTime = 2 * time.Second
			}
			i := start(t, goGuest(t), o)
			tell(t, i, now, "remember one", "random", "sleep 1h")
			var c guest.Checkpoint
			if err := i.Save(&c); err != nil {
				t.Fatal(err)
			}
			for round := range 2 {
				tell(t, i, now, "remember two")
				_, err := ask(i, now, tt.order)
				if trap := (*guest.TrapError)(nil); !errors.As(err, &trap) || trap.Kind != tt.kind {
					t.Fatalf("%s: got %v, want %v", tt.order, err, tt.kind)
				}
				if err := i.Save(&guest.Checkpoint{}); !errors.Is(err, guest.ErrDead) {
					t.Errorf("Save of a dead instance: got %v, want %v", err, guest.ErrDead)
				}
				if err := i.Load(&c); err != nil {
					t.Fatal(err)
				}
				if len(i.Memory()) != len(c.Memory) {
					t.Errorf("memory after Load: got %d bytes, want %d", len(i.Memory()), len(c.Memory))
				}
				if got := tell(t, i, later, "recall", "remember three", "recall", "random", "now"); got != want {
					t.Errorf("round %d: got %s, want %s", round, got, want)
				}
				if err := i.Load(&c); err != nil { // of one that lives
					t.Fatal(err)
				}
			}
		})
	}
}

// A checkpoint can be loaded into another instance of the module.
func TestLoadElsewhere(t *testing.T) {
	c := compile(t, goGuest(t))
	var got [2]string
	var saved guest.Checkpoint
	for n := range got {
		i, err := c.Start(t.Context(), patient(guest.Options{}))
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
		if n == 0 {
			tell(t, i, guest.Header{}, "remember one", "remember two")
			err = i.Save(&saved)
		} else {
			err = i.Load(&saved)
		}
		if err != nil {
			t.Fatal(err)
		}
		got[n] = tell(t, i, guest.Header{}, "recall", "random")
	}
	if got[0] != got[1] {
		t.Errorf("got %s, then %s", got[0], got[1])
	}
}

// What the host writes, the event ring and the receive area, is not of a checkpoint.
func TestSaveLeavesHostsOut(t *testing.T) {
	i := start(t, wat(t, "echo"), guest.Options{})
	area, addr := i.Area()
	fill := func(b byte) {
		for _, s := range [][]byte{area, i.Events()} {
			for n := range s {
				s[n] = b
			}
		}
	}
	fill('x')
	var c guest.Checkpoint
	if err := i.Save(&c); err != nil {
		t.Fatal(err)
	}
	if bytes.IndexByte(c.Memory, 'x') >= 0 {
		t.Error("Save: copied what the host wrote")
	}
	if err := i.Load(&c); err != nil {
		t.Fatal(err)
	}
	if area[0] != 'x' || i.Memory()[addr] != 'x' {
		t.Error("Load: wrote into the receive area")
	}
}

func TestLoadUnfit(t *testing.T) {
	i := start(t, wat(t, "more"), guest.Options{MemoryMax: 1 << 20})
	var good guest.Checkpoint
	if err := i.Save(&good); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		c    guest.Checkpoint
		want string
	}{
		{"nothing", guest.Checkpoint{}, "memory of 0 bytes"},
		{"half a page", guest.Checkpoint{Memory: good.Memory[:1000], Globals: good.Globals}, "memory of 1000 bytes"},
		{"less than the module begins with", guest.Checkpoint{Memory: good.Memory[:65536], Globals: good.Globals}, "memory of 65536 bytes"},
		{"beyond the quota", guest.Checkpoint{Memory: make([]byte, 2<<20), Globals: good.Globals}, "memory of 2097152 bytes"},
		{"no globals", guest.Checkpoint{Memory: good.Memory}, "0 globals, the module 1"},
	}
	for _, tt := range tests {
		if err := i.Load(&tt.c); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
	if err := i.Load(&good); err != nil {
		t.Error(err)
	}
}

// A memory that has grown is as small again, and zero where it grows anew.
func TestLoadShrinks(t *testing.T) {
	i := start(t, wat(t, "grow"), guest.Options{MemoryMax: 8 << 20})
	var c guest.Checkpoint
	if err := i.Save(&c); err != nil {
		t.Fatal(err)
	}
	before := len(i.Memory())
	for range 2 {
		if _, _, _, err := i.Turn(0, 1, guest.Header{}); err != nil {
			t.Fatal(err)
		}
		fresh := i.Memory()[before:]
		if len(fresh) == 0 || slices.Max(fresh) != 0 {
			t.Fatalf("grown memory: %d bytes, not all zero", len(fresh))
		}
		fresh[0], fresh[len(fresh)-1] = 1, 1
		if err := i.Load(&c); err != nil {
			t.Fatal(err)
		}
	}
}

// A call that is repeated says nothing a second time.
func TestAgainIsQuiet(t *testing.T) {
	var r recorder
	i := start(t, goGuest(t), patient(guest.Options{Log: r.log}))
	n := give(i, abi.FlagFIN|abi.OpText, "print once")
	for _, call := range []func(first, n int, h guest.Header) (int, int, bool, error){i.Turn, i.Again} {
		if _, _, _, err := call(0, n, guest.Header{}); err != nil {
			t.Fatal(err)
		}
	}
	tell(t, i, guest.Header{}, "print twice")
	if got := strings.Join(r.lines, ", "); got != "info once, info twice" {
		t.Errorf("log: got %s", got)
	}
}

// A call that is repeated has time enough on a machine that has become busy.
func TestAgainIsPatient(t *testing.T) {
	const limit = 10 * time.Millisecond
	i := start(t, wat(t, "loop"), guest.Options{TurnTime: limit, StartTime: limit})
	var c guest.Checkpoint
	if err := i.Save(&c); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := i.Turn(0, 0, guest.Header{}); err == nil {
		t.Fatal("a loop has ended")
	}
	if err := i.Load(&c); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_, _, _, err := i.Again(0, 0, guest.Header{})
	trap := (*guest.TrapError)(nil)
	if took := time.Since(began); !errors.As(err, &trap) || trap.Kind != guest.KindDeadline || took < 5*limit {
		t.Errorf("Again: got %v after %v, want to be stopped, later than Turn", err, took)
	}
}

// Saving and loading take no memory of their own.
func TestCheckpointAllocates(t *testing.T) {
	i := start(t, wat(t, "echo"), guest.Options{})
	var c guest.Checkpoint
	i.Save(&c)
	if got := testing.AllocsPerRun(100, func() { i.Save(&c) }); got > 0 {
		t.Errorf("Save: %v allocations, want 0", got)
	}
}
