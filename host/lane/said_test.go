package lane_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/frame"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

// scripted is a native guest that does in each call, named by its events, what the
// script says next: "!N" fails, which undoes the N events before it too, else it
// sends each word, and has more to say where the last is "...".
type scripted struct {
	*native
	script []string
	t      *testing.T
}

func (g *scripted) Turn(first, n int, h guest.Header) (commands, consumed int, more bool, err error) {
	e, _ := abi.ParseEvent(g.mem)
	if e.Kind != abi.EventRecv || len(g.script) == 0 {
		return g.native.Turn(first, n, h)
	}
	call, answer, _ := strings.Cut(g.script[0], ":")
	g.script = g.script[1:]
	if got := fmt.Sprintf("%d-%d", first, n); got != call {
		g.t.Errorf("got a call of %s, want %s", got, call)
	}
	g.left = nil
	for _, word := range strings.Fields(answer) {
		if back, ok := strings.CutPrefix(word, "!"); ok {
			return 0, 0, false, &guest.UndoneError{Err: errTest, Back: int(back[0] - '0')}
		}
		if more = word == "..."; !more {
			g.say(abi.Command{Kind: abi.CommandSend, Flags: 0x81, ID: e.ID}, word)
		}
	}
	for i := range g.left {
		abi.PutCommand(g.Commands()[i*abi.RecordSize:], &g.left[i])
	}
	commands, g.left = len(g.left), nil
	return commands, n, more, nil
}

// What a guest said of events before it failed at the rest happens once, though it
// is given the events once more. If it then says something else it is lost.
func TestSaidOnce(t *testing.T) {
	tests := []struct {
		name, script string // calls, one a line
		wire         string // what the peer gets, words
		starts       int32
	}{
		{"at the last", "0-3: a b ...|3-3: !3|0-1: a|1-2: b|2-3: !0", "a b", 1},
		{"at the first", "0-3: a a ...|3-3: a ...|3-3: !3|0-1: a a a ...|1-1: !1", "a a a", 1},
		{"in the middle, divided otherwise", "0-3: a a ...|3-3: b ...|3-3: !3|0-1: a ...|1-1: a|1-2: b ...|2-2: b ...|2-2: !1", "a a b b", 1},
		{"not again", "0-3: a b ...|3-3: !3|0-1: a|1-2: b c|2-3: d", "a b c d", 1},
		{"something else", "0-3: a b ...|3-3: !3|0-1: a|1-2: bb", "a b", 2},
		{"less", "0-3: a b ...|3-3: !3|0-1: a|1-2:|2-3:", "a b", 2},
	}
	for _, tt := range tests {
		bubble(t, tt.name, func(t *testing.T) {
			var first *scripted
			r := newRigWith(t, nil, func(c *lane.Config) {
				c.Revive = true
				start := c.Start
				c.Start = func() (lane.Guest, error) {
					g, err := start()
					if first != nil {
						return g, err
					}
					first = &scripted{native: g.(*native), t: t}
					return first, err
				}
			})
			id, w := r.open()
			first.script = strings.Split(tt.script, "|")
			r.frames(id, []frame.Frame{text("1"), text("2"), text("3")}...)
			synctest.Wait()
			var want strings.Builder
			for _, word := range strings.Fields(tt.wire) {
				fmt.Fprintf(&want, "\x81%c%s", len(word), word)
			}
			if got, _, _ := strings.Cut(string(w.bytes), "\x88"); got != want.String() {
				t.Errorf("peer: got %q, want %q", got, want.String())
			}
			if len(first.script) > 0 || r.starts.Load() != tt.starts {
				t.Errorf("%d instances, want %d; calls not made: %q", r.starts.Load(), tt.starts, first.script)
			}
		})
	}
}

// hasty is a native guest that accepts a session, has more to say and fails at that.
type hasty struct {
	*native
	accepts uint64 // the session
}

func (g *hasty) Turn(first, n int, h guest.Header) (commands, consumed int, more bool, err error) {
	if first == n {
		return 0, 0, false, &guest.UndoneError{Err: errTest, Back: 1}
	}
	e, _ := abi.ParseEvent(g.mem)
	if e.Kind != abi.EventConnect || g.accepts != 0 {
		return g.native.Turn(first, n, h)
	}
	g.accepts = e.ID
	abi.PutCommand(g.Commands(), &abi.Command{Kind: abi.CommandAccept, ID: e.ID})
	return 1, n, true, nil
}

// A session that a guest has accepted and, put back, has never heard of closes with
// 1011, and it hears nothing of that either.
func TestAcceptedThenUndone(t *testing.T) {
	bubble(t, "close", func(t *testing.T) {
		var g *hasty
		r := newRigWith(t, nil, func(c *lane.Config) {
			start := c.Start
			c.Start = func() (lane.Guest, error) {
				n, err := start()
				g = &hasty{native: n.(*native)}
				return g, err
			}
		})
		id, w := r.open()
		if got := string(w.bytes); got != "\x88\x0f\x03\xf3plugin failed" || !w.closed || id != g.accepts {
			t.Errorf("peer: got %q, closed %v, want 1011", got, w.closed)
		}
		other, _ := r.open()
		r.Gone(other)
		synctest.Wait()
		for _, e := range g.heard {
			if e.ID == id {
				t.Errorf("the guest heard %v of it", e.Kind)
			}
		}
		if r.starts.Load() != 1 || r.Counters().Closes[abi.CloseInternal-1000].Load() != 1 {
			t.Errorf("%d instances, %d closed with 1011, want one each", r.starts.Load(), r.Counters().Closes[abi.CloseInternal-1000].Load())
		}
	})
}
