package plugintest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/guesttest"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/internal/testguest"
)

// The collector of a Go guest gets its turn: a plugin that allocates in every
// event, one event a turn, with 16 MiB in use, does not grow without bound, and
// stays within its quota.
func TestGrowth(t *testing.T) {
	wasm, err := testguest.Go("probe")
	if err != nil {
		t.Fatal(err)
	}
	engine, err := guest.NewEngine(testguest.CacheDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	code, err := engine.Compile(context.Background(), "probe", wasm)
	if err != nil {
		t.Fatal(err)
	}
	defer code.Close()
	for _, tt := range []struct {
		name        string
		quota, most int
	}{
		{"plenty", 256 << 20, 80 << 20},
		{"tight", 40 << 20, 40 << 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			i, err := code.Start(context.Background(), guest.Options{MemoryMax: int64(tt.quota), TurnTime: time.Minute, StartTime: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			defer i.Close()
			h := guest.Header(guesttest.Boot)
			turn := func(e abi.Event, payload []byte) {
				area, addr := i.Area()
				e.Addr, e.Len = addr, uint32(copy(area, payload))
				abi.PutEvent(i.Events(), &e)
				h.Turn++
				if _, consumed, _, err := i.Turn(0, 1, h); err != nil || consumed != 1 {
					t.Fatalf("turn %d with %d bytes of memory: %d consumed, %v", h.Turn, len(i.Memory()), consumed, err)
				}
			}
			say := func(text string) {
				turn(abi.Event{Kind: abi.EventRecv, Flags: abi.FlagFIN | abi.OpText, ID: 1}, []byte(text))
			}
			turn(abi.Event{Kind: abi.EventStart}, abi.AppendFields(nil))
			say("hoard 131072")
			const turns = 30_000
			half := 0
			for n := range turns {
				say("churn 40") // 5 KiB
				if n == turns/2 {
					half = len(i.Memory())
				}
			}
			end := len(i.Memory())
			t.Logf("%d MiB after half the turns, %d MiB at the end", half>>20, end>>20)
			if end > tt.most {
				t.Errorf("memory: %d MiB, want %d at most", end>>20, tt.most>>20)
			}
		})
	}
}
