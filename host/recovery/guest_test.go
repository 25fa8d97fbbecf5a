package recovery_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/recovery"
	"github.com/yimmo-host/yimmo-host/host/trace"
	"github.com/yimmo-host/yimmo-host/internal/testguest"
)

var engine = sync.OnceValue(func() *guest.Engine {
	e, err := guest.NewEngine(testguest.CacheDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	return e
})

// goGuest is a guest in Go that obeys orders, see its source, goEcho the plugin.
func goGuest() []byte { return build("../guest/testdata/goguest") }
func goEcho() []byte  { return build("../../plugins/echo") }

func build(dir string) []byte {
	b, err := testguest.Go(dir)
	if err != nil {
		panic(err)
	}
	return b
}

func read(path string) []byte {
	b, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	return b
}

func wat(name string) []byte { return read(filepath.Join("..", "guest", "testdata", name+".wasm")) }

// start returns an instance with enough time for everything but a loop.
func start(t testing.TB, wasm []byte) *guest.Instance {
	t.Helper()
	c, err := engine().Compile(t.Context(), "test", wasm)
	if err != nil {
		t.Fatal(err)
	}
	i, err := c.Start(t.Context(), guest.Options{MemoryMax: 32 << 20, TurnTime: 3 * time.Second, StartTime: time.Minute})
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

func recoverable(t testing.TB, wasm []byte, o recovery.Options) *recovery.Guest {
	t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	g, err := recovery.New(start(t, wasm), o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// give puts texts into the receive area and their recv events into the ring.
func give(g recovery.Instance, texts ...string) (n int) {
	area, addr := g.Area()
	used := 0
	for n, p := range texts {
		copy(area[used:], p)
		abi.PutEvent(g.Events()[n*abi.RecordSize:], &abi.Event{
			Kind: abi.EventRecv, Flags: abi.FlagFIN | abi.OpText, ID: 7, Addr: addr + uint32(used), Len: uint32(len(p)),
		})
		used += (len(p) + 7) &^ 7
	}
	return len(texts)
}

// answers are the payloads of the first m commands.
func answers(g recovery.Instance, m int) (all []string) {
	for n := range m {
		c, _ := abi.ParseCommand(g.Commands()[n*abi.RecordSize:])
		p, _ := c.Range(g.Memory())
		all = append(all, string(p))
	}
	return all
}

// clock gives headers that differ from call to call, the same in each run.
type clock struct{ turn uint64 }

func (c *clock) next() guest.Header {
	c.turn++
	return guest.Header{Now: 1e18 + int64(c.turn)*1e6, Mono: int64(c.turn) * 1e6, Seed: c.turn * 7, Turn: c.turn}
}

// feed gives a guest the orders as a lane would: in one call, and when that is
// undone one by one, without those that fail. It returns the answers to the rest.
func feed(t *testing.T, g *recovery.Guest, h guest.Header, orders ...string) (got, poison []string) {
	t.Helper()
	m, _, _, err := g.Turn(0, give(g, orders...), h)
	if err == nil {
		return answers(g, m), nil
	}
	for n := range orders {
		undone := (*guest.UndoneError)(nil)
		if !errors.As(err, &undone) {
			t.Fatalf("%q: got %v, want an UndoneError", orders, err)
		}
		m, _, _, failed := g.Turn(n, n+1, h)
		if failed == nil {
			got = append(got, answers(g, m)...)
			continue
		}
		err = failed
		poison = append(poison, orders[n])
	}
	return got, poison
}

// A guest that fails now and then is at each moment what a guest would be that
// was never told what made the other fail.
func TestGoesOn(t *testing.T) {
	good := []string{"remember %d", "recall", "now", "random", "sleep 1ms", "print %d"}
	bad := []string{"panic over", "exit", "dive", "eat"}
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 0))
			g := recoverable(t, goGuest(), recovery.Options{Events: []int{0, 3, 20, 1}[seed]})
			control := start(t, goGuest())
			var when clock
			for range 60 {
				var orders, harmless, poison []string
				for range 1 + r.IntN(5) {
					order := good[r.IntN(len(good))]
					if strings.Contains(order, "%d") {
						order = fmt.Sprintf(order, r.IntN(1000))
					}
					orders, harmless = append(orders, order), append(harmless, order)
				}
				if r.IntN(6) == 0 {
					at := r.IntN(len(orders) + 1)
					order := bad[r.IntN(len(bad))]
					orders = append(orders[:at:at], append([]string{order}, orders[at:]...)...)
					poison = []string{order}
				}
				h := when.next()
				got, failed := feed(t, g, h, orders...)
				var want []string
				for _, order := range harmless { // one by one, for what a call says depends on what comes with it
					m, _, _, err := control.Turn(0, give(control, order), h)
					if err != nil {
						t.Fatal(err)
					}
					want = append(want, answers(control, m)...)
				}
				if fmt.Sprint(failed) != fmt.Sprint(poison) {
					t.Fatalf("%q: got %q as what makes it fail", orders, failed)
				}
				if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) && poison != nil {
					t.Fatalf("%q:\ngot  %q\nwant %q", orders, got, want)
				}
			}
			m, _, _, err := g.Turn(0, give(g, "recall"), when.next())
			if err != nil {
				t.Fatal(err)
			}
			got := answers(g, m)
			m, _, _, _ = control.Turn(0, give(control, "recall"), guest.Header{})
			if want := answers(control, m); got[0] != want[0] {
				t.Errorf("in the end: got %s, want %s", got[0], want[0])
			}
		})
	}
}

// Ring and area are as before the failed call, what is not of that call too.
func TestUndoneLeavesEventsAlone(t *testing.T) {
	g := recoverable(t, goGuest(), recovery.Options{})
	if _, _, _, err := g.Turn(0, give(g, "remember before"), guest.Header{}); err != nil {
		t.Fatal(err)
	}
	n := give(g, "panic over", "the next", "unfinished")
	area, _ := g.Area()
	wantArea, wantRing := bytes.Clone(area), bytes.Clone(g.Events())
	if _, _, _, err := g.Turn(0, n-1, guest.Header{}); err == nil {
		t.Fatal("the call succeeded")
	}
	if !bytes.Equal(area, wantArea) || !bytes.Equal(g.Events(), wantRing) {
		t.Error("ring or area changed")
	}
}

// A guest whose answers depend on more than its events cannot be put back, and
// that is said.
func TestDiverges(t *testing.T) {
	var log strings.Builder
	var stats recovery.Stats
	g := recoverable(t, wat("peeks"), recovery.Options{Stats: &stats, Log: slog.New(slog.NewTextHandler(&log, nil))})
	area, _ := g.Area()
	for n := range byte(3) {
		area[0x10000] = n
		if _, _, _, err := g.Turn(0, give(g, "fine"), guest.Header{Turn: uint64(n)}); err != nil {
			t.Fatal(err)
		}
	}
	n := give(g, "!", "unheard")
	wantArea, wantRing := bytes.Clone(area), bytes.Clone(g.Events())
	_, _, _, err := g.Turn(0, n, guest.Header{})
	undone, trap := (*guest.UndoneError)(nil), (*guest.TrapError)(nil)
	if errors.As(err, &undone) || !errors.As(err, &trap) {
		t.Errorf("Turn: got %v, want the trap itself", err)
	}
	if !bytes.Equal(area, wantArea) || !bytes.Equal(g.Events(), wantRing) {
		t.Error("ring or area are not what the failed call was given")
	}
	if stats.Diverged.Load() != 1 || !strings.Contains(log.String(), "differently") {
		t.Errorf("diverged %d times, log %q", stats.Diverged.Load(), log.String())
	}
}

// When a checkpoint is made.
func TestCheckpoints(t *testing.T) {
	tests := []struct {
		name string
		o    recovery.Options
		step time.Duration // between calls
		size int           // of a payload
		want uint64        // after 100 calls of 2 events, the first included
	}{
		{"by events", recovery.Options{Events: 20, Time: time.Hour}, time.Second, 8, 10},
		{"by events, too often", recovery.Options{Events: 1, Time: time.Hour}, 1, 8, 13},
		{"by bytes", recovery.Options{Bytes: 20000, Time: time.Hour}, 1, 1000, 10},
		{"by time", recovery.Options{Time: 10 * time.Second}, time.Second, 8, 11},
		{"never", recovery.Options{Time: time.Hour}, time.Second, 8, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stats recovery.Stats
			tt.o.Stats = &stats
			g := recoverable(t, wat("echo"), tt.o)
			p := strings.Repeat("x", tt.size)
			for n := range 100 {
				h := guest.Header{Mono: int64(n+1) * int64(tt.step)}
				if _, _, _, err := g.Turn(0, give(g, p, p), h); err != nil {
					t.Fatal(err)
				}
			}
			if got := stats.Checkpoints.Load(); got != tt.want {
				t.Errorf("got %d checkpoints, want %d", got, tt.want)
			}
		})
	}
}

// What is told of a failure makes a trace that shows it again.
func TestFailure(t *testing.T) {
	in := start(t, goGuest())
	var file bytes.Buffer
	failures := 0
	g, err := recovery.New(in, recovery.Options{
		Wanted: func() bool { return true },
		Failed: func(f *recovery.Failure) {
			failures++
			area, addr := in.Area()
			w, err := trace.NewWriter(&file, &trace.Header{
				Memory: 32 << 20, Continuation: true, EventsCap: abi.DefaultRing, CommandsCap: abi.DefaultRing,
				AreaAt: abi.Span{Addr: addr, Cap: uint32(len(area))},
			})
			err = errors.Join(err, w.Checkpoint(f.From))
			for _, c := range f.Calls {
				err = errors.Join(err, w.Call(c))
			}
			if err := errors.Join(err, w.End(trace.EndTrap)); err != nil {
				t.Fatal(err)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	feed(t, g, guest.Header{}, "remember one")
	feed(t, g, guest.Header{}, "remember two", "panic over", "recall")
	p := trace.Player{Start: func(guest.Options) (trace.Instance, error) { return start(t, goGuest()), nil }}
	result, err := p.Replay(t.Context(), bytes.NewReader(file.Bytes()))
	if err != nil || result.Difference != nil || result.Incomplete != nil || failures != 1 || result.Calls != 2 {
		t.Errorf("%d failures, replay: %+v, %v, want no difference in 2 calls", failures, result, err)
	}
}

// A guest that has run out of memory for good is given up.
func TestLeak(t *testing.T) {
	g := recoverable(t, goGuest(), recovery.Options{})
	for range 20 {
		_, _, _, err := g.Turn(0, give(g, "eat"), guest.Header{})
		if undone := (*guest.UndoneError)(nil); !errors.As(err, &undone) {
			return
		}
	}
	t.Error("undone without end")
}

func TestAllocates(t *testing.T) {
	g := recoverable(t, wat("echo"), recovery.Options{})
	give(g, "one", "two")
	call := func() {
		if _, _, _, err := g.Turn(0, 2, guest.Header{Mono: 1}); err != nil {
			t.Fatal(err)
		}
	}
	for range 3000 { // until the journal has its size
		call()
	}
	if got := testing.AllocsPerRun(3000, call); got > 0 {
		t.Errorf("Turn: %v allocations, want 0", got)
	}
}
