package lane_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/frame"
	"github.com/yimmo-host/yimmo-host/host/guest"
)

// What a lane counts is there for everyone once its turn is over.
func TestCounters(t *testing.T) {
	bubble(t, "traffic", func(t *testing.T) {
		r := newRig(t, echo)
		id, _ := r.open()
		r.open()
		r.frames(id, text("four"), frame.Frame{Flags: 0x02, Payload: []byte("ab")}, frame.Frame{Flags: 0x80, Payload: []byte("c")},
			frame.Frame{Flags: 0x89}, frame.Frame{Flags: 0x8a}, frame.Frame{Flags: 0x8a})
		c := r.Counters()
		for name, got := range map[string][2]uint64{
			"sessions":        {uint64(c.Sessions.Load()), 2},
			"text in":         {c.Received.Messages[0].Load(), 1},
			"binary in":       {c.Received.Messages[1].Load(), 1},
			"bytes in":        {c.Received.Bytes.Load(), 7},
			"text out":        {c.Sent.Messages[0].Load(), 1},
			"binary out":      {c.Sent.Messages[1].Load(), 1},
			"bytes out":       {c.Sent.Bytes.Load(), 7},
			"pings":           {c.Pings.Load(), 1},
			"pongs":           {c.Pongs.Load(), 2},
			"memory":          {uint64(c.Memory.Load()), uint64(len(r.guests[0].mem))},
			"turns have time": {min(1, uint64(c.Turns.Sum.Load())), 0}, // in the bubble none passes
		} {
			if got[0] != got[1] {
				t.Errorf("%s: got %d, want %d", name, got[0], got[1])
			}
		}
		if !c.Up.Load() {
			t.Error("up: got false, want true")
		}
	})
	bubble(t, "ends", func(t *testing.T) {
		r := newRig(t, func(g *native, e abi.Event, payload []byte) {
			switch string(payload) {
			case "trap":
				g.trap = &guest.TrapError{Kind: guest.KindDeadline, Err: errors.New("too long")}
			case "bad":
				g.say(abi.Command{Kind: abi.CommandSend, Flags: 0x81, ID: 12345}, "")
			}
		})
		a, _ := r.open()
		b, _ := r.open()
		r.open()
		r.frames(a, frame.Frame{Flags: 0x88, Payload: []byte{0x0f, 0xa0}})
		r.Gone(b)
		c, _ := r.open()
		r.frames(c, text("bad"))
		r.frames(c, text("trap"))
		time.Sleep(time.Second)
		synctest.Wait()
		n := r.Counters()
		for name, got := range map[string][2]uint64{
			"sessions":   {uint64(n.Sessions.Load()), 0},
			"4000":       {n.Closes[17].Load(), 1},
			"1006":       {n.Closes[6].Load(), 1},
			"1011":       {n.Closes[11].Load(), 2},
			"deadline":   {n.Traps[guest.KindDeadline].Load(), 1},
			"mistake":    {n.Traps[guest.KindMistake].Load(), 0},
			"no session": {n.Refused[abi.StatusUnknownSession].Load(), 1},
		} {
			if got[0] != got[1] {
				t.Errorf("%s: got %d, want %d", name, got[0], got[1])
			}
		}
		if !n.Up.Load() {
			t.Error("up after the restart: got false, want true")
		}
	})
}

// What is counted is what happened: nothing twice, and nothing that came to nobody.
func TestCountersExact(t *testing.T) {
	check := func(t *testing.T, want map[string][2]uint64) {
		t.Helper()
		for name, got := range want {
			if got[0] != got[1] {
				t.Errorf("%s: got %d, want %d", name, got[0], got[1])
			}
		}
	}
	bubble(t, "held up, then sent", func(t *testing.T) {
		r := newRig(t, topical)
		id, _ := r.open()
		r.say(id, "join news", "begin", "say news 1", "say news "+strings.Repeat("2", 200))
		c := r.Counters()
		check(t, map[string][2]uint64{"messages": {c.Sent.Messages[0].Load(), 1}, "bytes": {c.Sent.Bytes.Load(), 2}})
		r.say(id, "end")
		check(t, map[string][2]uint64{"messages": {c.Sent.Messages[0].Load(), 3}, "bytes": {c.Sent.Bytes.Load(), 5 + 201}})
	})
	bubble(t, "held up, never sent", func(t *testing.T) {
		r := newRig(t, topical)
		id, _ := r.open()
		r.say(id, "join news", "begin", "say news 1")
		r.Gone(id)
		synctest.Wait()
		c := r.Counters()
		check(t, map[string][2]uint64{"messages": {c.Sent.Messages[0].Load(), 1}, "bytes": {c.Sent.Bytes.Load(), 2}})
	})
	bubble(t, "behind our close frame", func(t *testing.T) {
		r := newRig(t, func(g *native, e abi.Event, payload []byte) {
			if e.Kind == abi.EventRecv {
				g.say(abi.Command{Kind: abi.CommandClose, Code: 1000, ID: e.ID}, "")
			}
		})
		id, _ := r.open()
		r.frames(id, text("end"))
		r.frames(id, text("too late"))
		c := r.Counters()
		check(t, map[string][2]uint64{"messages": {c.Received.Messages[0].Load(), 1}, "bytes": {c.Received.Bytes.Load(), 3}})
	})
	bubble(t, "missed by the instance", func(t *testing.T) {
		r := newRig(t, func(g *native, e abi.Event, payload []byte) {
			g.features |= abi.FeatureTopics
			if e.Kind != abi.EventRecv {
				return
			}
			g.say(abi.Command{Kind: abi.CommandSubscribe}, "news")
			for range abi.MaxTopicEvents + 7 {
				g.brigade(abi.Command{Kind: abi.CommandPublish, Flags: 0x81}, "news", "x")
			}
		})
		id, _ := r.open()
		r.frames(id, text("go"))
		c, heard := r.Counters(), uint64(0)
		for _, e := range r.guests[0].heard {
			if e.Kind == abi.EventTopic {
				heard++
			}
		}
		check(t, map[string][2]uint64{"heard": {heard, abi.MaxTopicEvents}, "missed": {c.Missed.Load(), 7}})
	})
	bubble(t, "refused beyond what is told", func(t *testing.T) {
		r := newRig(t, func(g *native, e abi.Event, payload []byte) {
			if e.Kind == abi.EventRecv {
				for range 3 * abi.MaxRefused {
					g.say(abi.Command{Kind: abi.CommandSend, Flags: 0x81, ID: 12345}, "")
				}
			}
		})
		id, _ := r.open()
		r.frames(id, text("go"))
		told := uint64(0)
		for _, e := range r.guests[0].heard {
			if e.Kind == abi.EventRefused {
				told += 1 + e.User
			}
		}
		check(t, map[string][2]uint64{
			"refused": {r.Counters().Refused[abi.StatusUnknownSession].Load(), 3 * abi.MaxRefused}, "told": {told, 3 * abi.MaxRefused},
		})
	})
	bubble(t, "fails at its start", func(t *testing.T) {
		down := false
		r := newRig(t, func(g *native, e abi.Event, payload []byte) {
			if down = down || string(payload) == "trap"; down && e.Kind != abi.EventConnect {
				g.trap = &guest.TrapError{Kind: guest.KindTrap, Err: errTest}
			}
		})
		id, _ := r.open()
		r.frames(id, text("trap"))
		c := r.Counters()
		check(t, map[string][2]uint64{"traps": {c.Traps[guest.KindTrap].Load(), uint64(r.starts.Load())}, "restarts": {c.Restarts.Load(), 0}})
	})
}
