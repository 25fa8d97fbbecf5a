package lane_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/frame"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

const (
	ping  = "\x89\x00"
	round = 500 * time.Millisecond // how late a limit may be noticed
)

func newWatchful(t *testing.T, on func(g *native, e abi.Event, payload []byte), idle time.Duration) *rig {
	return newRigWith(t, on, func(c *lane.Config) {
		c.Limits.Ping, c.Limits.Pong, c.Limits.Idle = 25*time.Second, 10*time.Second, idle
	})
}

// closes are the close events of a session.
func (r *rig) closes(id uint64) (all []abi.Event) {
	for _, e := range r.guests[0].heard {
		if e.Kind == abi.EventClose && e.ID == id {
			all = append(all, e)
		}
	}
	return all
}

func (w *wire) text() string { w.mu.Lock(); defer w.mu.Unlock(); return string(w.bytes) }

func (w *wire) isCut() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.cut }

func pass(d time.Duration) { time.Sleep(d); synctest.Wait() }

// A silent peer is pinged, then cut; its guest hears that the host did it.
func TestSilentPeer(t *testing.T) {
	bubble(t, "no answer", func(t *testing.T) {
		r := newWatchful(t, nil, 0)
		id, w := r.open()
		pass(24 * time.Second)
		if got := w.text(); got != "" {
			t.Errorf("after 24s: got %q on the wire, want nothing", got)
		}
		pass(time.Second + round)
		if got := w.text(); got != ping {
			t.Errorf("after 25s: got %q on the wire, want a ping", got)
		}
		pass(9 * time.Second)
		if w.isCut() {
			t.Error("after 34s: cut too early")
		}
		pass(time.Second + round)
		if !w.isCut() || w.text() != ping {
			t.Errorf("after 36s: cut %v, wire %q, want cut after one ping", w.isCut(), w.text())
		}
		if got := r.closes(id); len(got) != 1 || got[0].Code != 1006 || got[0].Flags != abi.WhoHost {
			t.Errorf("close events: got %+v, want one, 1006 by the host", got)
		}
	})
	bubble(t, "answers", func(t *testing.T) {
		r := newWatchful(t, nil, 0)
		id, w := r.open()
		pings := 0
		for range 20 * 60 {
			pass(round)
			if n := strings.Count(w.text(), ping); n > pings {
				pings = n
				r.frames(id, frame.Frame{Flags: 0x8a})
			}
		}
		if w.isCut() || pings < 20 || pings > 24 {
			t.Errorf("in 10 minutes: cut %v, %d pings, want 20 to 24 pings and a session that lives", w.isCut(), pings)
		}
	})
	for name, f := range map[string]frame.Frame{
		"text": text("x"), "a fragment": {Flags: 0x01}, "a ping": {Flags: 0x89}, "a pong": {Flags: 0x8a},
	} {
		bubble(t, "any frame is life: "+name, func(t *testing.T) {
			r := newWatchful(t, nil, 0)
			id, w := r.open()
			for range 6 {
				pass(20 * time.Second)
				r.frames(id, f)
				f.Flags &= 0xf8 | 0x0a // the next fragment continues
			}
			if got := w.text(); w.isCut() || strings.Contains(got, ping) {
				t.Errorf("got cut %v and %q on the wire, want no ping", w.isCut(), got)
			}
		})
	}
	bubble(t, "inside a message", func(t *testing.T) {
		r := newWatchful(t, nil, time.Minute)
		_, w := r.open()
		w.mu.Lock()
		w.busy = true
		w.mu.Unlock()
		pass(10 * time.Minute)
		if w.isCut() || w.text() != "" {
			t.Errorf("got cut %v and %q on the wire, want nothing: the message has its own time", w.isCut(), w.text())
		}
		w.mu.Lock()
		w.busy = false
		w.mu.Unlock()
		pass(time.Minute)
		if got := r.guests[0].heard; got[len(got)-1].Kind != abi.EventClose {
			t.Error("after the message: the session still lives")
		}
	})
	bubble(t, "not read because it does not read", func(t *testing.T) {
		r := newWatchful(t, echo, 0)
		id, w := r.open()
		w.mu.Lock()
		w.stuck = true
		w.mu.Unlock()
		r.frames(id, text(strings.Repeat("x", 20<<10)))
		pass(10 * time.Minute)
		if w.isCut() || strings.HasSuffix(w.text(), ping) {
			t.Error("got cut or pinged, want the write deadline to decide")
		}
		w.mu.Lock()
		w.stuck, w.bytes = false, nil
		w.mu.Unlock()
		r.Drained(id)
		pass(24 * time.Second)
		if w.isCut() || w.text() != "" {
			t.Errorf("drained: got cut %v and %q, want 25s anew", w.isCut(), w.text())
		}
		pass(2 * time.Second)
		if w.text() != ping {
			t.Errorf("drained: got %q, want a ping", w.text())
		}
	})
	bubble(t, "the lane was away", func(t *testing.T) {
		r := newWatchful(t, func(_ *native, e abi.Event, _ []byte) {
			if e.Kind == abi.EventRecv {
				time.Sleep(time.Minute)
			}
		}, 0)
		_, w := r.open()
		other, _ := r.open()
		pass(28 * time.Second)
		r.Input(other, &lane.Batch{Frames: []frame.Frame{text("sleep")}, Done: func() {}})
		pass(time.Minute + 5*time.Second)
		if w.isCut() {
			t.Error("cut while nobody looked whether it had answered")
		}
		pass(6 * time.Second)
		if !w.isCut() {
			t.Error("not cut when it still did not answer")
		}
	})
}

// However many sessions there are, each is looked at once a round.
func TestSilentPeers(t *testing.T) {
	for _, n := range []int{1, 255, 256, 257, 1000, 5000} {
		bubble(t, "", func(t *testing.T) {
			r := newWatchful(t, nil, 0)
			var wires []*wire
			for range n {
				_, w := r.open()
				wires = append(wires, w)
			}
			pass(25*time.Second + round)
			for i, w := range wires {
				if w.text() != ping {
					t.Fatalf("session %d of %d: got %q, want a ping", i, n, w.text())
				}
			}
			pass(10*time.Second + round)
			for i, w := range wires {
				if !w.isCut() {
					t.Fatalf("session %d of %d: not cut", i, n)
				}
			}
			_, w := r.open() // the looking begins anew
			pass(26 * time.Second)
			if w.text() != ping {
				t.Errorf("a later session: got %q, want a ping", w.text())
			}
		})
	}
}

// A session without data is closed with 1001 where the operator wants that,
// whether its peer answers pings or not.
func TestIdle(t *testing.T) {
	tests := []struct {
		name string
		act  func(r *rig, id uint64)
		open bool // still, after a minute and a round
	}{
		{"nothing", func(*rig, uint64) {}, false},
		{"pongs", func(r *rig, id uint64) { r.frames(id, frame.Frame{Flags: 0x8a}) }, false},
		{"pings", func(r *rig, id uint64) { r.frames(id, frame.Frame{Flags: 0x89}) }, false},
		{"data", func(r *rig, id uint64) { r.frames(id, text("quiet")) }, true},
		{"data of the plugin", func(r *rig, id uint64) { r.frames(id, text("echo")) }, true},
	}
	for _, tt := range tests {
		bubble(t, tt.name, func(t *testing.T) {
			r := newWatchful(t, func(g *native, e abi.Event, payload []byte) {
				if string(payload) == "echo" {
					echo(g, e, payload)
				}
			}, time.Minute)
			id, w := r.open()
			for range 5 {
				pass(10 * time.Second)
				r.frames(id, frame.Frame{Flags: 0x8a})
			}
			tt.act(r, id)
			for range 2 {
				pass(5*time.Second + round)
				r.frames(id, frame.Frame{Flags: 0x8a})
			}
			closed := strings.Contains(w.text(), "\x88")
			if closed == tt.open {
				t.Errorf("after a minute: closed %v, want %v", closed, !tt.open)
			}
			pass(2 * time.Minute)
			if got := r.closes(id); len(got) != 1 || got[0].Code != 1001 && !tt.open || got[0].Flags != abi.WhoHost {
				t.Errorf("close events: got %+v, want one by the host", got)
			}
		})
	}
}
