package lane_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/frame"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

// trapAt is a guest that fails at "trap" and, told to wait, has more come in
// meanwhile: what arrives in one go.
func trapAt(meanwhile *func()) func(g *native, e abi.Event, payload []byte) {
	return func(g *native, e abi.Event, payload []byte) {
		switch {
		case strings.HasPrefix(string(payload), "trap"):
			g.trap = errTest
		case string(payload) == "wait":
			(*meanwhile)()
		}
	}
}

// Sessions stay subscribed when another instance takes them over: it need not know
// to what.
func TestTopicsGoAlong(t *testing.T) {
	bubble(t, "restart", func(t *testing.T) {
		r := newRigWith(t, func(g *native, e abi.Event, payload []byte) {
			topical(g, e, payload)
			if string(payload) == "trap" {
				g.trap = errTest
			}
		}, func(c *lane.Config) { c.Revive = true })
		id, w := r.open()
		gone, _ := r.open()
		bad, _ := r.open()
		for _, id := range []uint64{id, gone, bad} {
			r.say(id, "join news")
		}
		r.say(bad, "trap")
		r.say(gone, "self news")
		r.Gone(gone)
		r.say(id, "say news here", "part news", "say news no more")
		if got := w.take(); len(r.guests) != 2 || got != "here" {
			t.Errorf("of instance %d: got %q, want one message", len(r.guests), got)
		}
		if n := countKind(r.guests[1], abi.EventTopic); n != 2 {
			t.Errorf("the fresh instance heard %d messages, want the 2 since it subscribed", n)
		}
	})
}

// A turn that was to make room may cost the instance, and telling the fresh one of
// all sessions needs all of the ring and the area. There is room afterwards: the
// event that it was made for comes whole, behind the sessions.
func TestRoomAfterRevival(t *testing.T) {
	const ring = ringSize / abi.RecordSize
	tests := []struct {
		name     string
		sessions int
		size     int    // of what is known of each session
		fill     int    // frames that fill ring or area, the first of which fails
		say      string // by another session
	}{
		{"ring", ring + 1, 0, ring, "hello"},
		{"ring, twice", 2*ring + 1, 0, ring, "hello"},
		{"area", 10, 6000, 1, strings.Repeat("x", abi.MinArea-4)},
	}
	for _, tt := range tests {
		bubble(t, tt.name, func(t *testing.T) {
			var meanwhile func()
			r := newRigWith(t, trapAt(&meanwhile), func(c *lane.Config) { c.Revive = true })
			fields := abi.AppendField(abi.AppendFields(nil), 0, abi.FieldPath, strings.Repeat("p", tt.size))
			var ids []uint64
			for range tt.sessions {
				d, err := r.Connect(t.Context(), fields, nil)
				if err != nil {
					t.Fatal(err)
				}
				r.Attach(d.Session, &wire{})
				ids = append(ids, d.Session)
			}
			filling := []frame.Frame{text("trap")}
			for range tt.fill - 1 {
				filling = append(filling, text("more"))
			}
			post := func(id uint64, frames ...frame.Frame) {
				r.Input(id, &lane.Batch{Frames: frames, Done: func() {}})
			}
			meanwhile = func() {
				post(ids[0], filling...)
				post(ids[1], text(tt.say))
			}
			r.frames(ids[2], text("wait"))
			g := r.guests[len(r.guests)-1]
			if len(r.guests) != 2 || g.payloads[len(g.payloads)-1] != tt.say {
				t.Fatalf("instance %d heard %.40q last, want %.40q", len(r.guests), g.payloads[len(g.payloads)-1], tt.say)
			}
			if n := len(slices.DeleteFunc(g.kinds(), func(k abi.EventKind) bool { return k != abi.EventConnect })); n != tt.sessions-1 {
				t.Errorf("it heard of %d sessions, want %d", n, tt.sessions-1)
			}
		})
	}
}
