package guest_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

func TestStart(t *testing.T) {
	i := start(t, wat(t, "echo"), guest.Options{})
	area, addr := i.Area()
	if len(i.Events()) != 1024*abi.RecordSize || len(i.Commands()) != 1024*abi.RecordSize || len(area) != 256<<10 {
		t.Errorf("capacities: got %d, %d, %d bytes", len(i.Events()), len(i.Commands()), len(area))
	}
	if addr != 0x11000 || &area[0] != &i.Memory()[addr] {
		t.Errorf("Area: address %#x is not where the slice is", addr)
	}
	if len(i.Memory()) != 6<<16 {
		t.Errorf("Memory: got %d bytes, want 6 pages", len(i.Memory()))
	}
}

func TestStartRefuses(t *testing.T) {
	tests := []struct {
		guest string
		o     guest.Options
		want  error
		says  string
	}{
		{"wrong_major", guest.Options{}, guest.ErrVersion, "speaks 2.0, this host speaks 1.0"},
		{"init_zero", guest.Options{}, guest.ErrRefused, ""},
		{"init_outside", guest.Options{}, abi.ErrShort, ""},
		{"needs_unknown", guest.Options{Offered: 0x7fffffff}, abi.ErrNeeds, ""},
		{"wants", guest.Options{Offered: abi.FeatureTimers}, abi.ErrNeeds, ""},
		{"big_memory", guest.Options{}, guest.ErrMemory, "begins with 131072000 bytes, it may have 67108864"},
		{"echo", guest.Options{Rings: 8}, guest.ErrOptions, "Rings 8"},
		{"echo", guest.Options{Rings: 1 << 20}, guest.ErrOptions, "Rings"},
		{"echo", guest.Options{Area: 1}, guest.ErrOptions, "Area"},
		{"echo", guest.Options{MemoryMax: 1 << 32}, guest.ErrOptions, "MemoryMax"},
		{"echo", guest.Options{MemoryMax: 1}, guest.ErrOptions, "MemoryMax"},
		{"echo", guest.Options{MemoryMax: 6<<16 - 1}, guest.ErrMemory, "may have 327680"},
		{"echo", guest.Options{TurnTime: -1}, guest.ErrOptions, "TurnTime"},
	}
	for _, tt := range tests {
		t.Run(tt.guest+" "+tt.says, func(t *testing.T) {
			i, err := compile(t, wat(t, tt.guest)).Start(context.Background(), tt.o)
			if i != nil || !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("Start: got %v, want %v saying %q", err, tt.want, tt.says)
			}
		})
	}
}

func TestStartTraps(t *testing.T) {
	soon := guest.Options{StartTime: 10 * time.Millisecond}
	tests := []struct {
		guest string
		o     guest.Options
		kind  guest.Kind
		call  string
	}{
		{"trap_in_init", guest.Options{}, guest.KindTrap, "yimmo_v1_init"},
		{"trap_in_start", guest.Options{}, guest.KindTrap, "instantiate"},
		{"loop_in_start", soon, guest.KindDeadline, "instantiate"},
		{"loop_in_start", guest.Options{Units: 1000}, guest.KindBudget, "instantiate"},
		{"asks_in_start", soon, guest.KindDeadline, "instantiate"},
		{"loop_in_initialize", soon, guest.KindDeadline, "_initialize"},
		{"exit_in_initialize", guest.Options{}, guest.KindExit, "_initialize"},
	}
	for _, tt := range tests {
		t.Run(tt.guest, func(t *testing.T) {
			i, err := compile(t, wat(t, tt.guest)).Start(context.Background(), tt.o)
			trap := (*guest.TrapError)(nil)
			if i != nil || !errors.As(err, &trap) || trap.Kind != tt.kind || trap.Call != tt.call {
				t.Errorf("Start: got %v, want %v in %s", err, tt.kind, tt.call)
			}
		})
	}
}

// Granted is what the guest needs or wants and the host offers, in the control
// block as in the host's copy.
func TestStartGrants(t *testing.T) {
	tests := []struct{ offered, want abi.Feature }{
		{abi.FeatureHTTP, abi.FeatureHTTP},
		{abi.FeatureHTTP | abi.FeatureTimers, abi.FeatureHTTP | abi.FeatureTimers},
		{abi.FeatureHTTP | abi.FeatureTopics, abi.FeatureHTTP},
	}
	for _, tt := range tests {
		i := start(t, wat(t, "wants"), guest.Options{Offered: tt.offered})
		if i.Features() != tt.want || i.Control().Granted != tt.want {
			t.Errorf("Features(offered %#x): got %#x, want %#x", tt.offered, i.Features(), tt.want)
		}
		if got, _ := abi.ParseControl(i.Memory()[64:]); got.Granted != tt.want {
			t.Errorf("granted in the control block: got %#x, want %#x", got.Granted, tt.want)
		}
	}
}

// A declared maximum above the quota is no fault; the quota holds.
func TestStartCapsDeclaredMaximum(t *testing.T) {
	i := start(t, wat(t, "big_memory"), guest.Options{MemoryMax: 2000 << 16})
	if len(i.Memory()) != 2000<<16 {
		t.Errorf("Memory: got %d bytes, want 2000 pages", len(i.Memory()))
	}
}

// Lanes start instances of the same code side by side, while others run and end.
func TestStartConcurrently(t *testing.T) {
	c := compile(t, wat(t, "echo"))
	var g sync.WaitGroup
	for range 4 {
		g.Go(func() {
			for range 50 {
				i, err := c.Start(context.Background(), guest.Options{TurnTime: time.Minute})
				if err != nil {
					t.Error(err)
					return
				}
				if m, _, _, err := i.Turn(0, give(i, 0x82, "x"), guest.Header{}); m != 1 || err != nil {
					t.Errorf("Turn: %d commands, %v", m, err)
				}
				if err := i.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	g.Wait()
}

func TestProbe(t *testing.T) {
	c, err := compile(t, wat(t, "wants")).Probe(context.Background(), guest.Options{Offered: ^abi.Feature(0)})
	if err != nil {
		t.Fatal(err)
	}
	if c.Needs != abi.FeatureHTTP || c.Wants != abi.FeatureTimers|1<<31 || c.Events.Cap != 1024 || c.Area.Cap != 256<<10 {
		t.Errorf("Probe: got %+v", c)
	}
}
