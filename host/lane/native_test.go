package lane_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/frame"
	"github.com/yimmo-host/yimmo-host/host/guest"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

// native is a guest in Go: the layout of a module's memory, and a function for
// each event. It lets tests of the lane see and do what no toolchain would.
type native struct {
	mem      []byte
	features abi.Feature
	limit    int // command records it fills before it asks for more; 0 = the ring
	left     []abi.Command
	on       func(g *native, e abi.Event, payload []byte)
	trap     error // the next turn fails with it
	heard    []abi.Event
	payloads []string
	closed   bool
}

const (
	ringSize  = 64 * abi.RecordSize
	nativeOut = 1 << 20 // guest memory for what the guest sends
)

var errTest = errors.New("unreachable")

func newNative(on func(g *native, e abi.Event, payload []byte)) *native {
	return &native{mem: make([]byte, 2*ringSize+abi.MinArea+nativeOut), on: on, features: abi.FeatureHTTP | abi.FeatureHold}
}

func (g *native) Events() []byte         { return g.mem[:ringSize] }
func (g *native) Commands() []byte       { return g.mem[ringSize : 2*ringSize] }
func (g *native) Area() ([]byte, uint32) { return g.mem[2*ringSize:][:abi.MinArea], 2 * ringSize }
func (g *native) Memory() []byte         { return g.mem }
func (g *native) Features() abi.Feature  { return g.features }

// Close spoils the memory: nobody may look at it any more.
func (g *native) Close() error {
	g.closed = true
	for i := range g.mem {
		g.mem[i] = 0xdd
	}
	return nil
}

// Turn is as strict with the lane as [guest.Instance.Turn].
func (g *native) Turn(first, n int, _ guest.Header) (commands, consumed int, more bool, err error) {
	if first > n || n > ringSize/abi.RecordSize {
		panic(fmt.Sprintf("turn of events %d to %d in a ring of %d", first, n, ringSize/abi.RecordSize))
	}
	if g.trap != nil {
		return 0, 0, false, g.trap
	}
	for i := first; i < n; i++ {
		e, _ := abi.ParseEvent(g.mem[i*abi.RecordSize:])
		payload := g.mem[2*ringSize:][:abi.MinArea][e.Addr-2*ringSize:][:e.Len] // all of it within the area
		g.heard = append(g.heard, e)
		g.payloads = append(g.payloads, string(payload))
		if g.on != nil {
			g.on(g, e, payload)
		}
		if g.trap != nil {
			return 0, 0, false, g.trap
		}
	}
	limit := len(g.Commands()) / abi.RecordSize
	if g.limit > 0 {
		limit = g.limit
	}
	for ; commands < min(limit, len(g.left)); commands++ {
		abi.PutCommand(g.Commands()[commands*abi.RecordSize:], &g.left[commands])
	}
	g.left = g.left[commands:]
	return commands, n, len(g.left) > 0, nil
}

// say queues a command whose payload is copied into guest memory.
func (g *native) say(c abi.Command, payload string) {
	at := len(g.mem) - nativeOut + int(binary.LittleEndian.Uint32(g.mem[len(g.mem)-4:]))
	if at+len(payload) > len(g.mem)-4 {
		at = len(g.mem) - nativeOut
	}
	copy(g.mem[at:], payload)
	binary.LittleEndian.PutUint32(g.mem[len(g.mem)-4:], uint32(at+len(payload)-len(g.mem)+nativeOut))
	c.Addr, c.Len = uint32(at), uint32(len(payload))
	g.left = append(g.left, c)
}

// kinds lists what the guest was told, session events only as their kind.
func (g *native) kinds() (kinds []abi.EventKind) {
	for _, e := range g.heard {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// wire is a link that keeps what is written to it.
type wire struct {
	mu     sync.Mutex
	bytes  []byte
	stuck  bool // what is written waits for ever
	busy   bool // a message of the peer is unfinished
	closed bool
	cut    bool
}

func (w *wire) Write(p []byte) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bytes = append(w.bytes, p...)
	if w.stuck {
		return len(w.bytes)
	}
	return 0
}

func (w *wire) Waiting() int { w.mu.Lock(); defer w.mu.Unlock(); return len(w.bytes) }

func (w *wire) Pong(p []byte) int { return w.Write(p) }
func (w *wire) Busy() bool        { w.mu.Lock(); defer w.mu.Unlock(); return w.busy }

func (w *wire) Close() { w.mu.Lock(); w.closed = true; w.mu.Unlock() }
func (w *wire) Cut()   { w.mu.Lock(); w.cut = true; w.mu.Unlock() }

// rig is a lane with a native guest, inside a synctest bubble.
type rig struct {
	*lane.Lane
	t      *testing.T
	guests []*native
	starts atomic.Int32
}

func newRig(t *testing.T, on func(g *native, e abi.Event, payload []byte)) *rig {
	t.Helper()
	return newRigWith(t, on, func(*lane.Config) {})
}

// newRigWith is newRig for a configuration that change has had a say in.
func newRigWith(t *testing.T, on func(g *native, e abi.Event, payload []byte), change func(*lane.Config)) *rig {
	t.Helper()
	r := &rig{t: t}
	c := lane.Config{
		Settings: func(int64) []byte { return abi.AppendFields(nil) }, Limits: lane.Limits{Queue: 1 << 16, CloseTime: 5 * time.Second},
		Log: slog.New(slog.DiscardHandler),
		Start: func() (lane.Guest, error) {
			g := newNative(on)
			r.guests = append(r.guests, g)
			r.starts.Add(1)
			return g, nil
		},
	}
	change(&c)
	l, err := lane.New(c)
	if err != nil {
		t.Fatal(err)
	}
	r.Lane = l
	t.Cleanup(func() {
		l.Kill()
		<-l.Done()
		for _, g := range r.guests {
			if !g.closed {
				t.Error("an instance was never closed")
			}
		}
	})
	return r
}

// open makes a session with a wire below it.
func (r *rig) open() (uint64, *wire) {
	r.t.Helper()
	d, err := r.Connect(r.t.Context(), abi.AppendFields(nil), nil)
	if err != nil || d.Session == 0 {
		r.t.Fatalf("Connect: got %+v, %v, want a session", d, err)
	}
	w := &wire{}
	r.Attach(d.Session, w)
	synctest.Wait()
	return d.Session, w
}

// frames posts frames of a session and waits until the lane has nothing to do.
func (r *rig) frames(session uint64, frames ...frame.Frame) {
	r.Input(session, &lane.Batch{Frames: frames, Done: func() {}})
	synctest.Wait()
}

func text(s string) frame.Frame { return frame.Frame{Flags: 0x81, Payload: []byte(s)} }

// echo answers each recv with the same frame.
func echo(g *native, e abi.Event, payload []byte) {
	if e.Kind == abi.EventRecv {
		g.say(abi.Command{Kind: abi.CommandSend, Flags: e.Flags, ID: e.ID}, string(payload))
	}
}
