package lane_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/frame"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// A close event reaches the guest once, whichever side closes first, and says
// who and how.
func TestCloseOnce(t *testing.T) {
	closeFrame := func(code uint16) frame.Frame {
		return frame.Frame{Flags: 0x88, Payload: []byte{byte(code >> 8), byte(code)}}
	}
	guestCloses := text("close")
	tests := []struct {
		name  string
		act   func(r *rig, id uint64)
		code  uint16
		flags uint8
		wire  string // what the peer got
	}{
		{"peer closes", func(r *rig, id uint64) { r.frames(id, closeFrame(1000)) },
			1000, abi.WhoPeer | abi.FlagClean, "\x88\x02\x03\xe8"},
		{"peer closes without a code", func(r *rig, id uint64) { r.frames(id, frame.Frame{Flags: 0x88}) },
			1005, abi.WhoPeer | abi.FlagClean, "\x88\x00"},
		{"peer vanishes", func(r *rig, id uint64) { r.Gone(id) },
			1006, abi.WhoPeer, ""},
		{"guest closes, peer answers", func(r *rig, id uint64) { r.frames(id, guestCloses); r.frames(id, closeFrame(4000)) },
			4000, abi.WhoGuest | abi.FlagClean, "\x88\x05\x0f\xa0bye"},
		{"guest closes, peer is silent", func(r *rig, id uint64) { r.frames(id, guestCloses); time.Sleep(6 * time.Second) },
			4000, abi.WhoGuest, "\x88\x05\x0f\xa0bye"},
		{"guest closes, peer vanishes", func(r *rig, id uint64) { r.frames(id, guestCloses); r.Gone(id) },
			4000, abi.WhoGuest, "\x88\x05\x0f\xa0bye"},
		{"both at once", func(r *rig, id uint64) { r.frames(id, guestCloses, closeFrame(1001)); r.Gone(id) },
			1001, abi.WhoPeer | abi.FlagClean, "\x88\x02\x03\xe9"},
		{"peer breaks the protocol", func(r *rig, id uint64) {
			r.Input(id, &lane.Batch{Failed: frame.ErrMask, Done: func() {}})
			r.Gone(id)
		}, 1002, abi.WhoHost, "\x88"},
		{"bad close frame", func(r *rig, id uint64) { r.frames(id, frame.Frame{Flags: 0x88, Payload: []byte{3}}) },
			1002, abi.WhoHost, "\x88"},
		{"server goes away", func(r *rig, id uint64) { r.Drain(0); synctest.Wait(); r.frames(id, closeFrame(1001)) },
			1001, abi.WhoHost | abi.FlagClean, "\x88"},
		{"server is killed", func(r *rig, id uint64) { r.Kill() },
			1006, abi.WhoHost, ""},
	}
	for _, tt := range tests {
		bubble(t, tt.name, func(t *testing.T) {
			r := newRig(t, func(g *native, e abi.Event, payload []byte) {
				if e.Kind == abi.EventRecv && string(payload) == "close" {
					g.say(abi.Command{Kind: abi.CommandClose, Code: 4000, ID: e.ID}, "bye")
				}
			})
			id, w := r.open()
			tt.act(r, id)
			r.Gone(id)
			time.Sleep(time.Minute) // in the bubble: every deadline has passed
			synctest.Wait()
			var got []abi.Event
			for _, e := range r.guests[0].heard {
				if e.Kind == abi.EventClose {
					got = append(got, e)
				}
			}
			if len(got) != 1 || got[0].Code != tt.code || got[0].Flags != tt.flags || got[0].ID != id {
				t.Errorf("close events: got %+v, want one with code %d, flags %#x", got, tt.code, tt.flags)
			}
			if !strings.HasPrefix(string(w.bytes), tt.wire) || tt.wire == "" && len(w.bytes) > 0 {
				t.Errorf("wire: got %q, want %q", w.bytes, tt.wire)
			}
			if !w.closed && !w.cut {
				t.Error("the link was neither closed nor cut")
			}
		})
	}
}

// What a guest answers leaves before the close frame that came with the data.
func TestAnswersLeaveBeforeClose(t *testing.T) {
	bubble(t, "peer closes", func(t *testing.T) {
		r := newRig(t, echo)
		id, w := r.open()
		r.frames(id, text("last"), frame.Frame{Flags: 0x88, Payload: []byte{3, 0xe8}})
		if want := "\x81\x04last\x88\x02\x03\xe8"; string(w.bytes) != want {
			t.Errorf("wire: got %q, want %q", w.bytes, want)
		}
	})
	bubble(t, "protocol error", func(t *testing.T) {
		r := newRig(t, echo)
		id, w := r.open()
		r.Input(id, &lane.Batch{Frames: []frame.Frame{text("good")}, Failed: frame.ErrOpcode, Done: func() {}})
		synctest.Wait()
		if want := "\x81\x04good\x88"; !strings.HasPrefix(string(w.bytes), want) {
			t.Errorf("wire: got %q, want %q first", w.bytes, want)
		}
	})
}

// A trapped instance is never called again; its sessions close with 1011 and a
// fresh instance serves the next.
func TestTrap(t *testing.T) {
	bubble(t, "in recv", func(t *testing.T) {
		r := newRig(t, func(g *native, e abi.Event, payload []byte) {
			if string(payload) == "trap" {
				g.trap = errTest
			}
			echo(g, e, payload)
		})
		id, w := r.open()
		other, w2 := r.open()
		r.frames(id, text("before"), text("trap"))
		for _, w := range []*wire{w, w2} {
			if want := "\x88\x0f\x03\xf3plugin failed"; !strings.HasSuffix(string(w.bytes), want) || !w.closed {
				t.Errorf("wire: got %q, closed %v, want %q", w.bytes, w.closed, want)
			}
		}
		if strings.Contains(string(w.bytes), "before") {
			t.Error("an answer of the trapped turn was sent")
		}
		r.frames(other, text("nobody is there"))
		id, w = r.open()
		r.frames(id, text("again"))
		if want := "\x81\x05again"; string(w.bytes) != want || len(r.guests) != 2 {
			t.Errorf("after the trap: got %q from instance %d, want %q from the second", w.bytes, len(r.guests), want)
		}
		if n := len(r.guests[0].heard); r.guests[0].heard[n-1].Kind == abi.EventClose {
			t.Error("the trapped instance heard of a close")
		}
	})
	bubble(t, "again and again", func(t *testing.T) {
		r := newRig(t, func(g *native, e abi.Event, _ []byte) {
			if e.Kind == abi.EventConnect {
				g.trap = errTest
			}
		})
		for range 3 {
			if _, err := r.Connect(t.Context(), nil, nil); !errors.Is(err, lane.ErrDown) {
				t.Errorf("Connect: got %v, want ErrDown", err)
			}
		}
		synctest.Wait()
		before := r.starts.Load()
		time.Sleep(time.Minute)
		synctest.Wait()
		if r.starts.Load() != before+1 {
			t.Errorf("restarts in a minute: got %d, want 1", r.starts.Load()-before)
		}
	})
}

// A connect event that is not refused is followed by one close event, even if
// its session never came to be.
func TestConnect(t *testing.T) {
	decide := func(g *native, e abi.Event, payload []byte) {
		if e.Kind != abi.EventConnect {
			return
		}
		fields, _ := abi.ParseFields(payload)
		switch path, _ := fields.Get(abi.FieldPath); string(path) {
		case "/refuse":
			g.say(abi.Command{Kind: abi.CommandRefuse, Code: 403, ID: e.ID}, "")
			g.say(abi.Command{Kind: abi.CommandPiece}, "not you")
		case "/hold":
			g.say(abi.Command{Kind: abi.CommandHold, ID: e.ID}, "")
		case "/greet":
			g.say(abi.Command{Kind: abi.CommandSend, Flags: 0x81, ID: e.ID}, "hi")
		case "/leave":
			g.say(abi.Command{Kind: abi.CommandClose, Code: 1000, ID: e.ID}, "")
		}
	}
	path := func(p string) []byte { return abi.AppendField(abi.AppendFields(nil), 0, abi.FieldPath, p) }
	bubble(t, "refused", func(t *testing.T) {
		r := newRig(t, decide)
		d, err := r.Connect(t.Context(), path("/refuse"), nil)
		if err != nil || d.Session != 0 || d.Status != 403 || string(d.Body) != "not you" {
			t.Errorf("got %+v, %v, want 403 not you", d, err)
		}
		synctest.Wait()
		if got, want := r.guests[0].kinds(), []abi.EventKind{abi.EventStart, abi.EventConnect}; !slices.Equal(got, want) {
			t.Errorf("events: got %v, want %v", got, want)
		}
	})
	bubble(t, "greeting waits for the link", func(t *testing.T) {
		r := newRig(t, decide)
		d, err := r.Connect(t.Context(), path("/greet"), nil)
		if err != nil {
			t.Fatal(err)
		}
		w := &wire{}
		r.Attach(d.Session, w)
		synctest.Wait()
		if want := "\x81\x02hi"; string(w.bytes) != want {
			t.Errorf("wire: got %q, want %q", w.bytes, want)
		}
	})
	bubble(t, "closed in connect", func(t *testing.T) {
		r := newRig(t, decide)
		d, err := r.Connect(t.Context(), path("/leave"), nil)
		if err != nil || d.Session == 0 {
			t.Fatalf("got %+v, %v, want a session", d, err)
		}
		time.Sleep(20 * time.Second) // the deadline does not run before the link is there
		w := &wire{}
		r.Attach(d.Session, w)
		r.frames(d.Session, frame.Frame{Flags: 0x88, Payload: []byte{3, 0xe8}})
		if want := "\x88\x02\x03\xe8"; string(w.bytes) != want || !w.closed {
			t.Errorf("wire: got %q, closed %v, want %q", w.bytes, w.closed, want)
		}
	})
	bubble(t, "held until the client leaves", func(t *testing.T) {
		r := newRig(t, decide)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := r.Connect(ctx, path("/hold"), nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want deadline exceeded", err)
		}
		synctest.Wait()
		wantClose(t, r.guests[0], 1006)
	})
	bubble(t, "more than the area holds", func(t *testing.T) {
		r := newRig(t, decide)
		if _, err := r.Connect(t.Context(), path(strings.Repeat("/", abi.MinArea)), nil); !errors.Is(err, lane.ErrDown) {
			t.Errorf("got %v, want ErrDown", err)
		}
		synctest.Wait()
		if got, want := r.guests[0].kinds(), []abi.EventKind{abi.EventStart}; !slices.Equal(got, want) {
			t.Errorf("events: got %v, want %v", got, want)
		}
	})
	bubble(t, "upgrade fails", func(t *testing.T) {
		r := newRig(t, decide)
		d, err := r.Connect(t.Context(), path("/"), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Abort(d.Session)
		synctest.Wait()
		wantClose(t, r.guests[0], 1006)
	})
}

func wantClose(t *testing.T, g *native, code uint16) {
	t.Helper()
	last := g.heard[len(g.heard)-1]
	if last.Kind != abi.EventClose || last.Code != code {
		t.Errorf("last event: got %v %d, want close %d", last.Kind, last.Code, code)
	}
}

// A peer that does not read is read no further, and is closed with 1008 when
// its queue is full.
func TestSlowPeer(t *testing.T) {
	bubble(t, "mark, then limit", func(t *testing.T) {
		r := newRig(t, echo)
		id, w := r.open()
		w.stuck = true
		done := 0
		send := func(n int) {
			big := text(strings.Repeat("x", n))
			r.Input(id, &lane.Batch{Frames: []frame.Frame{big}, Done: func() { done++ }})
			synctest.Wait()
		}
		send(10 << 10)
		if done != 1 {
			t.Fatalf("below the mark: got %d batches back, want 1", done)
		}
		send(10 << 10)
		send(1) // the first after the answer above the mark
		if done != 2 {
			t.Fatalf("above the mark: got %d batches back, want 2", done)
		}
		r.Drained(id)
		synctest.Wait()
		if done != 3 {
			t.Fatalf("drained: got %d batches back, want 3", done)
		}
		send(60 << 10)
		if !strings.Contains(string(w.bytes), "\x03\xf0out-queue full") {
			t.Error("above the limit: no close frame 1008")
		}
		r.Gone(id)
		synctest.Wait()
		wantClose(t, r.guests[0], 1008)
	})
}
