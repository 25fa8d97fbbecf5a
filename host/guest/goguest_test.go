package guest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// patient leaves a Go guest time under the race detector on a busy machine.
func patient(o guest.Options) guest.Options {
	o.TurnTime, o.StartTime = time.Minute, time.Minute
	return o
}

// What WASI shows a Go guest is the header of the running turn, and nothing
// of the machine.
func TestGoGuestSees(t *testing.T) {
	wasm := goGuest(t)
	m, err := guest.Inspect(wasm)
	if err != nil {
		t.Fatal(err)
	}
	limit := (32<<20 - int(m.Memory.Min)<<16) / 8 * 7
	i := start(t, wasm, patient(guest.Options{MemoryMax: 32 << 20}))
	h := guest.Header{Now: 1767225600123456789, Mono: 5e9, Seed: 42, Turn: 1}
	random, err := ask(i, h, "random")
	if err != nil || len(random) != 32 {
		t.Fatalf("random: got %q, %v", random, err)
	}
	other := h
	other.Seed++
	tests := []struct {
		order string
		h     guest.Header
		want  string
	}{
		{"now", h, "1767225600123456789"},
		{"now", guest.Header{Now: 99, Mono: 5e9}, "99"},
		{"random", h, random},
		{"environment", h, fmt.Sprintf("0 [GOMEMLIMIT=%d]", limit)},
		{"read /etc/hostname", h, "open /etc/hostname: Bad file number"},
	}
	for _, tt := range tests {
		if got, err := ask(i, tt.h, tt.order); err != nil || got != tt.want {
			t.Errorf("%s at %+v: got %q, %v, want %q", tt.order, tt.h, got, err, tt.want)
		}
	}
	if got, err := ask(i, other, "random"); err != nil || got == random {
		t.Errorf("random with another seed: got %q, %v, as before", got, err)
	}
}

// Two instances that get the same events give the same bytes.
func TestGoGuestRepeats(t *testing.T) {
	var got [2][]string
	for n := range got {
		i := start(t, goGuest(t), patient(guest.Options{Boot: guest.Header{Now: 1e18, Seed: 5}}))
		for turn := range uint64(5) {
			h := guest.Header{Now: 1e18 + int64(turn), Mono: int64(turn), Seed: turn, Turn: turn}
			for _, order := range []string{"random", "now", "sleep 1ms", "now"} {
				answer, err := ask(i, h, order)
				if err != nil {
					t.Fatal(err)
				}
				got[n] = append(got[n], answer)
			}
		}
	}
	if a, b := strings.Join(got[0], " "), strings.Join(got[1], " "); a != b {
		t.Errorf("same events, different answers:\n%s\n%s", a, b)
	}
}

// A guest that sleeps for a year is back at once, a year later by its own clock.
func TestGoGuestSleeps(t *testing.T) {
	i := start(t, goGuest(t), patient(guest.Options{}))
	if got, err := ask(i, guest.Header{Now: 1e18, Mono: 1}, "sleep 8760h"); got != "true" || err != nil {
		t.Errorf("sleep: got %q, %v, want true", got, err)
	}
	if got, err := ask(i, guest.Header{Now: 1e18 + 5, Mono: 6}, "sleep 10ms"); got != "true" || err != nil {
		t.Errorf("sleep in the next turn: got %q, %v, want true", got, err)
	}
}

func TestGoGuestEnds(t *testing.T) {
	tests := []struct {
		order string
		kind  guest.Kind
		log   string
		level string
	}{
		{"panic in the middle", guest.KindTrap, "panic: in the middle", "warn "},
		{"exit", guest.KindExit, "", ""},
		{"eat", guest.KindMemory, "out of memory", "warn "},
	}
	for _, tt := range tests {
		t.Run(tt.order, func(t *testing.T) {
			var r recorder
			i := start(t, goGuest(t), patient(guest.Options{MemoryMax: 16 << 20, Log: r.log}))
			_, err := ask(i, guest.Header{}, tt.order)
			trap := (*guest.TrapError)(nil)
			if !errors.As(err, &trap) || trap.Kind != tt.kind {
				t.Fatalf("Turn: got %v, want %v", err, tt.kind)
			}
			if !r.has(tt.level) || !r.has(tt.log) {
				t.Errorf("log: got %q, want %q", r.lines, tt.log)
			}
			if _, err := ask(i, guest.Header{}, "now"); !errors.Is(err, guest.ErrDead) {
				t.Errorf("Turn after that: got %v, want %v", err, guest.ErrDead)
			}
		})
	}
}

func TestGoGuestPrints(t *testing.T) {
	var r recorder
	i := start(t, goGuest(t), patient(guest.Options{Log: r.log}))
	if _, err := ask(i, guest.Header{}, "print grüß dich"); err != nil {
		t.Fatal(err)
	}
	if len(r.lines) != 1 || r.lines[0] != "info grüß dich" {
		t.Errorf("log: got %q", r.lines)
	}
}

// The capacities the host proposes are what this guest uses.
func TestGoGuestCapacities(t *testing.T) {
	c := compile(t, goGuest(t))
	got, err := c.Probe(context.Background(), patient(guest.Options{Rings: 64, Area: 1 << 20}))
	if err != nil || got.Events.Cap != 64 || got.Commands.Cap != 64 || got.Area.Cap != 1<<20 || got.Minor != abi.Minor {
		t.Errorf("Probe: got %+v, %v", got, err)
	}
}
