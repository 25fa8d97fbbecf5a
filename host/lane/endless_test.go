package lane_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/frame"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

// endless is a native guest that, once it has received anything, always has more to
// say, a line at a time, and takes a while for each.
type endless struct {
	*native
	began bool
	calls int
}

func (g *endless) Turn(first, n int, h guest.Header) (commands, consumed int, more bool, err error) {
	for i := first; i < n; i++ {
		e, _ := abi.ParseEvent(g.mem[i*abi.RecordSize:])
		g.began = g.began || e.Kind == abi.EventRecv
	}
	if !g.began {
		return g.native.Turn(first, n, h)
	}
	g.calls++
	time.Sleep(60 * time.Millisecond)
	abi.PutCommand(g.Commands(), &abi.Command{Kind: abi.CommandLog, Flags: uint8(abi.LevelInfo)})
	return 1, n, true, nil
}

// mortal is a native guest that fails when it is asked for more, and whose memory is
// gone with it.
type mortal struct{ *native }

func (g *mortal) Turn(first, n int, h guest.Header) (commands, consumed int, more bool, err error) {
	if first == n {
		return 0, 0, false, errTest
	}
	commands, consumed, _, err = g.native.Turn(first, n, h)
	e, _ := abi.ParseEvent(g.mem[first*abi.RecordSize:])
	return commands, consumed, commands > 0 && e.Kind == abi.EventRecv, err
}

func (g *mortal) Close() error {
	clear(g.mem)
	return g.native.Close()
}

// The reason of a peer's close frame outlasts an instance in whose memory it came.
func TestReasonOutlastsInstance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRigWith(t, echo, func(c *lane.Config) {
			c.Revive = true
			start := c.Start
			c.Start = func() (lane.Guest, error) {
				g, err := start()
				return &mortal{g.(*native)}, err
			}
		})
		id, _ := r.open()
		var frames []frame.Frame
		for range ringSize / abi.RecordSize { // so that the close event needs a turn
			frames = append(frames, text("x"))
		}
		area, _ := r.guests[0].Area()
		reason := area[len(area)-8:]
		copy(reason, "\x03\xe8reason")
		r.frames(id, append(frames, frame.Frame{Flags: 0x88, Payload: reason})...)
		g := r.guests[len(r.guests)-1]
		i := slices.IndexFunc(g.heard, func(e abi.Event) bool { return e.Kind == abi.EventClose })
		if len(r.guests) != 2 || i < 0 || g.payloads[i] != "reason" {
			t.Errorf("%d instances; the last heard %v %q, want a second one that hears the reason", len(r.guests), g.kinds(), g.payloads)
		}
	})
}

func newEndless(t *testing.T, limit time.Duration) (r *rig, first *endless) {
	r = newRigWith(t, nil, func(c *lane.Config) {
		c.Limits.Turn = limit
		start := c.Start
		c.Start = func() (lane.Guest, error) {
			g, err := start()
			e := &endless{native: g.(*native)}
			if first == nil {
				first = e
			}
			return e, err
		}
	})
	return r, first
}

// A guest that asks for one call after the other has for all of them together the
// time that one may take.
func TestEndlessTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, first := newEndless(t, 100*time.Millisecond)
		id, _ := r.open()
		r.frames(id, text("go"))
		time.Sleep(time.Second)
		synctest.Wait()
		if first.calls != 4 || !first.closed {
			t.Errorf("got %d calls, the instance is closed: %v, want 4 and that it is", first.calls, first.closed)
		}
	})
}

// A lane that is to end at once does not wait for the end of such a turn.
func TestKillInATurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, first := newEndless(t, 0)
		id, _ := r.open()
		r.frames(id, text("go"))
		time.Sleep(time.Second)
		began := time.Now()
		r.Kill()
		<-r.Done()
		if took := time.Since(began); took > 200*time.Millisecond {
			t.Errorf("the lane ended after %v and %d calls, want at once", took, first.calls)
		}
		if r.starts.Load() != 1 {
			t.Error("another instance was started")
		}
	})
}
