package guesttest

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/abi"
)

// A Guest is a plugin under test.
type Guest struct {
	t testing.TB
	m Machine

	queue    []event // for the turns to come
	batches  int     // Batch calls that are open
	started  bool
	stopped  bool
	expected bool // a trap is
	trap     error

	now, mono time.Duration // since epoch, since the start
	turns     uint64
	seeds     *rand.PCG

	ids       uint64
	sessions  map[uint64]*Session
	requests  map[uint64]*Response
	timers    map[uint64]*timer
	topics    map[string]guest.Policy // that the plugin itself is subscribed to; policies are for sessions
	refusing  []event                 // for the next turn
	lines     []Line
	samples   []Sample
	published []Message
	refusals  []guest.Refusal
}

// epoch is when every test begins, and boot how long a plugin had been there when
// its first event came: Go does not start on a clock that says 0.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const boot = time.Millisecond

// Boot is what clock and random numbers say until the first turn.
var Boot = Header{Now: epoch.Add(-boot).UnixNano(), Mono: 1, Seed: 1}

// An event waits for its turn.
type event struct {
	record  abi.Event
	payload []byte
	session *Session // whose user word it carries, or nil
}

// New starts a guest on m, which is closed when the test ends.
func New(t testing.TB, m Machine) *Guest {
	t.Cleanup(m.Close)
	return &Guest{
		t: t, m: m, mono: boot,
		seeds:    rand.NewPCG(1, 2),
		sessions: make(map[uint64]*Session),
		requests: make(map[uint64]*Response),
		timers:   make(map[uint64]*timer),
		topics:   make(map[string]guest.Policy),
	}
}

// Start hands over the configuration. If it is not called first, the plugin
// starts with an empty one. A key with a colon in front, such as ":lanes", says
// otherwise what the host says of itself.
func (g *Guest) Start(config map[string]string) {
	g.t.Helper()
	if g.started {
		g.t.Fatal("guesttest: Start after another event")
	}
	g.started = true
	g.post(abi.Event{Kind: abi.EventStart}, startFields(config), nil)
}

// Stop ends the plugin in good order. No event may follow.
func (g *Guest) Stop() {
	g.t.Helper()
	g.event(abi.Event{Kind: abi.EventStop}, nil, nil)
	g.stopped = true
}

// Batch puts all events of f in one turn, or in several if the event ring or
// the receive area is too small. What they bring about shows when it returns.
func (g *Guest) Batch(f func()) {
	g.t.Helper()
	if !g.started {
		g.Start(nil)
	}
	g.batches++
	f()
	g.batches--
	g.settle()
}

// Trap runs f, in which the plugin must trap, and returns what it trapped with.
// The guest cannot be used any more.
func (g *Guest) Trap(f func()) error {
	g.t.Helper()
	g.expected = true
	f()
	if g.trap == nil {
		g.t.Fatal("guesttest: the plugin did not trap")
	}
	return g.trap
}

// Features are those in force.
func (g *Guest) Features() guest.Feature { return g.m.Features() }

// event queues one event and runs what is due, starting the plugin if need be.
func (g *Guest) event(e abi.Event, payload []byte, s *Session) {
	g.t.Helper()
	if !g.started {
		g.Start(nil)
	}
	g.post(e, payload, s)
}

func (g *Guest) post(e abi.Event, payload []byte, s *Session) {
	g.t.Helper()
	if g.trap != nil {
		return // the plugin is no more
	}
	if g.stopped {
		g.t.Fatal("guesttest: event after Stop")
	}
	g.queue = append(g.queue, event{e, payload, s})
	g.settle()
}

// settle runs turns until nothing is left to tell the plugin.
func (g *Guest) settle() {
	g.t.Helper()
	for turns := 0; g.batches == 0 && g.trap == nil && len(g.queue) > 0; turns++ {
		if turns == 10_000 {
			g.t.Fatal("guesttest: the plugin is still busy with itself after 10000 turns")
		}
		g.turn()
	}
}

// turn runs one turn of as many queued events as fit.
func (g *Guest) turn() {
	g.t.Helper()
	n := g.fill()
	if n == 0 {
		g.t.Fatalf("guesttest: event of %d bytes does not fit the receive area", len(g.queue[0].payload))
	}
	told := g.queue[:n]
	g.queue = g.queue[n:]
	for next, more := 0, true; more || next < n; {
		next, more = g.call(next, n)
		if g.trap != nil {
			return
		}
	}
	for _, e := range told {
		switch e.record.Kind {
		case abi.EventConnect:
			if s := e.session; s.state == Waiting && !s.held {
				s.accept(nil)
			}
		case abi.EventClose:
			delete(g.sessions, e.session.id)
		}
	}
	g.queue = append(g.refusing, g.queue...)
	g.refusing = nil
}

// fill writes queued events to the ring and their payloads to the area.
func (g *Guest) fill() (n int) {
	ring := g.m.Events()
	area, addr := g.m.Area()
	used := 0
	for i := range g.queue {
		e := &g.queue[i]
		if len(ring) < abi.RecordSize || len(e.payload) > len(area)-used {
			break
		}
		if e.session != nil {
			e.record.User = e.session.user
			e.record.Seq = e.session.seq
			e.session.seq++
			if e.record.Kind == abi.EventClose {
				e.session.state = Over
			}
		}
		e.record.Addr, e.record.Len = addr+uint32(used), uint32(len(e.payload))
		used += copy(area[used:], e.payload)
		ring = ring[copy(ring, abi.EventBytes(&e.record)):]
		n++
	}
	return n
}

// call runs the plugin once and carries out what it asks for.
func (g *Guest) call(first, n int) (consumed int, more bool) {
	g.t.Helper()
	g.turns++
	h := Header{Now: epoch.Add(g.now).UnixNano(), Mono: int64(g.mono), Seed: g.seeds.Uint64(), Turn: g.turns}
	commands, consumed, more, err := g.m.Turn(first, n, h)
	if err != nil {
		g.trap = err
		if !g.expected {
			g.t.Fatalf("guesttest: the plugin trapped: %v", err)
		}
		return n, false
	}
	ring := g.m.Commands()
	switch {
	case commands < 0 || commands > len(ring)/abi.RecordSize:
		g.t.Fatalf("guesttest: mistake of the plugin: %d commands in a ring of %d", commands, len(ring)/abi.RecordSize)
	case consumed < first || consumed > n:
		g.t.Fatalf("guesttest: mistake of the plugin: consumed %d, turn began at %d of %d", consumed, first, n)
	case consumed == first && commands == 0 && (more || consumed < n):
		g.t.Fatal("guesttest: mistake of the plugin: a call without progress")
	}
	g.commit(ring[:commands*abi.RecordSize])
	return consumed, more
}

// id makes a new id: opaque, so not a small number.
func (g *Guest) id() uint64 {
	g.ids++
	return 0x5eed<<32 | g.ids<<8 | g.ids&0xff
}

// taken empties a list and returns what it had.
func taken[T any](list *[]T) []T {
	all := *list
	*list = nil
	return all
}
