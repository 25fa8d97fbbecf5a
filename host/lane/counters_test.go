package lane_test

import (
	"errors"
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
