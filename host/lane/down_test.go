package lane_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

// Who comes while there is no instance learns when there may be one, also from a
// lane that has given up.
func TestDownFor(t *testing.T) {
	bubble(t, "after each failure", func(t *testing.T) {
		r := newRig(t, func(g *native, e abi.Event, _ []byte) {
			if e.Kind == abi.EventConnect {
				g.trap = errTest
			}
		})
		wait := func() time.Duration {
			_, err := r.Connect(t.Context(), nil, nil)
			var down *lane.DownError
			if !errors.As(err, &down) {
				t.Fatalf("Connect: got %v, want a DownError", err)
			}
			return down.After
		}
		for _, want := range []time.Duration{0, 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600} {
			want *= time.Millisecond
			if got := wait(); got != want { // it fails at this one
				t.Fatalf("got %v, want %v", got, want)
			}
			synctest.Wait()
			if want > 0 {
				time.Sleep(want / 4)
				x, err := r.Request(nil, true)
				if err != nil {
					t.Fatal(err)
				}
				var down *lane.DownError
				if _, err := x.Next(t.Context()); !errors.As(err, &down) || down.After != want-want/4 {
					t.Errorf("request: got %v, want %v less a quarter", down, want)
				}
				r.Leave(x)
				time.Sleep(want - want/4)
				synctest.Wait()
			}
			if down := r.Down(); down != nil {
				t.Fatalf("after %v: still down", want)
			}
		}
		for range 2 {
			if got := wait(); got != lane.UntilReset {
				t.Errorf("given up: got %v, want %v", got, lane.UntilReset)
			}
		}
		r.Reset()
		synctest.Wait()
		if r.Down() != nil {
			t.Error("reset: still down")
		}
	})
}
