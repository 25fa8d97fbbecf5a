package lane_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/frame"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

// undoing is a native guest whose calls fail, and are undone, when one of their
// events makes bad say so. It notes its calls.
type undoing struct {
	*native
	bad   func(e abi.Event, payload string) bool
	slow  time.Duration // what a call takes that fails
	calls []string
}

func (g *undoing) Turn(first, n int, h guest.Header) (commands, consumed int, more bool, err error) {
	call := fmt.Sprintf("%d-%d", first, n)
	for i := first; i < n; i++ {
		e, _ := abi.ParseEvent(g.mem[i*abi.RecordSize:])
		if g.bad(e, string(g.mem[e.Addr:][:e.Len])) {
			g.calls = append(g.calls, call+" undone")
			time.Sleep(g.slow)
			return 0, 0, false, &guest.UndoneError{Err: errTest}
		}
	}
	g.calls = append(g.calls, call)
	return g.native.Turn(first, n, h)
}

// newUndoing makes a rig whose guests fail at what bad says. now is the guest at
// the moment.
func newUndoing(t *testing.T, on func(g *native, e abi.Event, payload []byte), bad func(e abi.Event, payload string) bool, slow time.Duration) (r *rig, now func() *undoing) {
	var all []*undoing
	r = newRigWith(t, on, func(c *lane.Config) {
		c.Revive = true
		start := c.Start
		c.Start = func() (lane.Guest, error) {
			g, err := start()
			u := &undoing{native: g.(*native), bad: bad, slow: slow}
			u.features |= abi.FeatureTimers
			all = append(all, u)
			return u, err
		}
	})
	return r, func() *undoing { return all[len(all)-1] }
}

func isBad(_ abi.Event, payload string) bool { return payload == "bad" }

// The calls by which the lane finds the event to blame.
func TestUndoneCalls(t *testing.T) {
	tests := []struct {
		name     string
		payloads string // of one session's frames, which make one turn
		limit    int    // command records the guest fills in a call
		calls    string
		answers  string
	}{
		{"nothing bad", "a b c", 0, "0-3", "a b c"},
		{"alone", "bad", 0, "0-1 undone", ""},
		{"the first", "bad b c", 0, "0-3 undone, 0-1 undone", ""},
		{"in the middle", "a b bad c bad d", 0, "0-6 undone, 0-1, 1-2, 2-3 undone", "a b"},
		{"the last", "a b bad", 0, "0-3 undone, 0-1, 1-2, 2-3 undone", "a b"},
		{"commands left over", "a3 b2 bad", 1, "0-3 undone, 0-1, 1-1, 1-1, 1-2, 2-2, 2-3 undone", "a3 a3 a3 b2 b2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answer := func(g *native, e abi.Event, payload []byte) {
					if e.Kind != abi.EventRecv {
						return
					}
					times := 1
					if len(payload) == 2 {
						times = int(payload[1] - '0')
					}
					for range times {
						g.say(abi.Command{Kind: abi.CommandSend, Flags: e.Flags, ID: e.ID}, string(payload))
					}
				}
				r, now := newUndoing(t, answer, isBad, 0)
				id, w := r.open()
				other, _ := r.open()
				now().calls, now().limit = nil, tt.limit
				var frames []frame.Frame
				for _, p := range strings.Fields(tt.payloads) {
					frames = append(frames, text(p))
				}
				r.frames(id, frames...)
				if got := strings.Join(now().calls, ", "); got != tt.calls {
					t.Errorf("calls: got %s, want %s", got, tt.calls)
				}
				want := ""
				for _, p := range strings.Fields(tt.answers) {
					want += fmt.Sprintf("\x81%c%s", len(p), p)
				}
				if strings.Contains(tt.payloads, "bad") {
					want += "\x88\x0f\x03\xf3plugin failed"
				}
				if got := string(w.bytes); got != want {
					t.Errorf("peer: got %q, want %q", got, want)
				}
				r.frames(other, text("x"))
				if heard := now().payloads; heard[len(heard)-1] != "x" {
					t.Errorf("the other session: the guest heard %q last", heard[len(heard)-1])
				}
			})
		})
	}
}

// A timer at which the guest fails is not set any more.
func TestUndoneTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := func(g *native, e abi.Event, _ []byte) {
			if e.Kind == abi.EventStart {
				g.say(abi.Command{Kind: abi.CommandTimerSet, Flags: abi.FlagRepeat, ID: 1, Arg: uint64(time.Second)}, "")
				g.say(abi.Command{Kind: abi.CommandTimerSet, Flags: abi.FlagRepeat, ID: 2, Arg: uint64(time.Second)}, "")
			}
		}
		bad := func(e abi.Event, _ string) bool { return e.Kind == abi.EventTimer && e.ID == 1 }
		_, now := newUndoing(t, set, bad, 0)
		time.Sleep(5*time.Second + time.Millisecond)
		synctest.Wait()
		undone := slices.DeleteFunc(slices.Clone(now().calls), func(c string) bool { return !strings.HasSuffix(c, "undone") })
		if len(undone) > 2 {
			t.Errorf("undone: %q, want the timer only once", undone)
		}
		timers := 0
		for _, e := range now().heard {
			if e.Kind == abi.EventTimer {
				timers++
			}
		}
		if timers != 5 {
			t.Errorf("the other timer came %d times, want 5", timers)
		}
	})
}

// What good events take in the turn of a bad one is not lost to failures.
func TestUndoneAmongWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		work := func(_ *native, _ abi.Event, payload []byte) {
			if string(payload) == "work" {
				time.Sleep(time.Second)
			}
		}
		r, _ := newUndoing(t, work, isBad, 0)
		for range 20 {
			id, _ := r.open()
			r.frames(id, text("work"), text("bad"))
			time.Sleep(time.Minute) // the lane sleeps with its guest
			synctest.Wait()
		}
		for range 20 { // without a pause
			id, _ := r.open()
			r.Input(id, &lane.Batch{Frames: []frame.Frame{text("work"), text("bad")}, Done: func() {}})
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := r.starts.Load(); got != 1 {
			t.Errorf("got %d instances, want the first to last", got)
		}
	})
}

// A guest that does nothing but fail is restarted, with its sessions.
func TestUndoneTooOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, now := newUndoing(t, nil, isBad, time.Second)
		id, w := r.open()
		for n := 0; r.starts.Load() == 1; n++ {
			if n == 20 {
				t.Fatal("twenty seconds lost, and no restart")
			}
			bad, _ := r.open()
			r.frames(bad, text("bad"))
		}
		r.frames(id, text("good"))
		time.Sleep(time.Minute) // the lane sleeps with its guest
		synctest.Wait()
		heard := now().heard
		if e := heard[1]; e.Kind != abi.EventConnect || e.Flags != abi.FlagSynthesised || e.ID != id || e.Seq != 0 {
			t.Errorf("first event after start: got %+v, want the connect of %x, synthesised", e, id)
		}
		i := slices.IndexFunc(heard, func(e abi.Event) bool { return e.Kind == abi.EventRecv })
		if i < 0 || heard[i].ID != id || heard[i].Seq != 1 || len(w.bytes) > 0 {
			t.Errorf("events: got %+v, want a recv of %x; the peer got %q", heard, id, w.bytes)
		}
	})
}
