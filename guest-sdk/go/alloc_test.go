package guest_test

import (
	"runtime"
	"testing"
	"weak"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/guesttest"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/abi"
)

// rig runs turns of equal events on a bare machine.
type rig struct {
	t testing.TB
	m guesttest.Machine
	n int
	h guesttest.Header
}

func newRig(t testing.TB, h guest.Handler, ring, n int, kind abi.EventKind, size int) *rig {
	m := guesttest.NewNative(t, h, guesttest.Sizes{Events: max(n, 16), Commands: ring})
	area, addr := m.Area()
	for i := range area {
		area[i] = 'x'
	}
	for i := range n {
		e := abi.Event{Kind: kind, Flags: 0x81, ID: uint64(i + 1), Addr: addr + uint32(i*size), Len: uint32(size)}
		copy(m.Events()[i*abi.RecordSize:], abi.EventBytes(&e))
	}
	return &rig{t: t, m: m, n: n}
}

// turn runs all events and takes all commands, and returns how many there were.
func (r *rig) turn() (commands int) {
	for next, more := 0, true; more || next < r.n; {
		var m int
		var err error
		m, next, more, err = r.m.Turn(next, r.n, r.h)
		if err != nil {
			r.t.Fatal(err)
		}
		commands += m
	}
	return commands
}

// An event whose commands do not fit is the last one of its call; the calls that
// follow hand the commands over, keep what they point at, and consume nothing.
func TestLeftoverCommands(t *testing.T) {
	var ref weak.Pointer[[64]byte]
	h := &hooks{recv: func(s guest.Session, flags guest.Flags, _ []byte) error {
		for range 39 {
			s.SendText("x")
		}
		if ref == (weak.Pointer[[64]byte]{}) {
			p := new([64]byte)
			ref = weak.Make(p)
			s.SendBinary(p[:])
		} else {
			s.SendText("x")
		}
		return nil
	}}
	r := newRig(t, h, 16, 2, abi.EventRecv, 8)
	calls := []struct {
		first, commands, consumed int
		more, kept                bool
	}{
		{0, 16, 1, true, true},
		{1, 16, 1, true, true},
		{1, 8, 1, false, true},
		{1, 16, 2, true, false},
		{2, 16, 2, true, false},
		{2, 8, 2, false, false},
	}
	for i, want := range calls {
		commands, consumed, more, err := r.m.Turn(want.first, 2, r.h)
		if err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		if kept := ref.Value() != nil; commands != want.commands || consumed != want.consumed || more != want.more || kept != want.kept {
			t.Errorf("call %d: got %d commands, consumed %d, more %v, kept %v, want %+v", i, commands, consumed, more, kept, want)
		}
	}
}

// Nothing that happens for each event may allocate: in a guest that is garbage
// to be collected within a turn's time.
func TestNoAllocationPerEvent(t *testing.T) {
	foreign := make([]byte, 64)
	ids := []uint64{1, 2, 3}
	newest := uint64(1000)
	tests := []struct {
		name     string
		ring     int
		kind     abi.EventKind
		commands int // per event
		do       func(s guest.Session, flags guest.Flags, data []byte)
	}{
		{"nothing", 1024, abi.EventRecv, 0, func(guest.Session, guest.Flags, []byte) {}},
		{"echo", 1024, abi.EventRecv, 1, func(s guest.Session, f guest.Flags, p []byte) { s.Send(f, p) }},
		{"echo that spills", 16, abi.EventRecv, 1, func(s guest.Session, f guest.Flags, p []byte) { s.Send(f, p) }},
		{"reference", 1024, abi.EventRecv, 1, func(s guest.Session, f guest.Flags, p []byte) { s.Send(f, foreign) }},
		{"text", 1024, abi.EventRecv, 1, func(s guest.Session, f guest.Flags, p []byte) { s.SendText("constant") }},
		{"copy of a local", 1024, abi.EventRecv, 1, func(s guest.Session, f guest.Flags, p []byte) {
			var local [64]byte
			local[0] = p[0]
			s.SendCopy(f, local[:])
		}},
		{"buckets", 1024, abi.EventRecv, 3, func(s guest.Session, f guest.Flags, p []byte) {
			s.SendBuckets(f, guest.RefString("head "), guest.Ref(p), guest.Copy(p))
		}},
		{"many", 1024, abi.EventRecv, 2, func(s guest.Session, f guest.Flags, p []byte) { guest.SendMany(ids, f, p) }},
		{"publish", 1024, abi.EventRecv, 2, func(s guest.Session, f guest.Flags, p []byte) { s.Publish("room", f, p) }},
		{"user word", 1024, abi.EventRecv, 1, func(s guest.Session, f guest.Flags, p []byte) {
			newest++ // another session each time: what is kept of old ones would grow
			guest.SessionByID(newest).SetUser(s.User())
		}},
		{"close", 1024, abi.EventRecv, 1, func(s guest.Session, f guest.Flags, p []byte) { s.CloseWith(1000, "bye") }},
		{"log", 1024, abi.EventRecv, 1, func(s guest.Session, f guest.Flags, p []byte) { s.Log(guest.LevelInfo, "line") }},
		{"metric", 1024, abi.EventRecv, 1, func(s guest.Session, f guest.Flags, p []byte) { guest.Count("n", 1) }},
		{"timer", 1024, abi.EventRecv, 1, func(s guest.Session, f guest.Flags, p []byte) { guest.SetTimer(s.ID(), 5) }},
		{"closed without reason", 1024, abi.EventClose, 0, nil},
		{"greeting", 1024, abi.EventConnect, 1, func(s guest.Session, f guest.Flags, p []byte) { s.SendText("Hello!") }},
		{"accept", 1024, abi.EventConnect, 1, func(s guest.Session, f guest.Flags, p []byte) { s.Accept("v1") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := &hooks{recv: func(s guest.Session, f guest.Flags, p []byte) error { tt.do(s, f, p); return nil }}
			h.connect = func(s guest.Session) error { tt.do(s, guest.Text, nil); return nil }
			size := 64
			if tt.kind != abi.EventRecv {
				size = 0
			}
			const n = 64
			r := newRig(t, h, tt.ring, n, tt.kind, size)
			if got := r.turn(); got != n*tt.commands { // warm as well: buffers grow once
				t.Fatalf("turn: %d commands, want %d", got, n*tt.commands)
			}
			got := testing.AllocsPerRun(5, func() {
				for range 20 { // so that what grows slowly shows too
					r.turn()
				}
			})
			if got != 0 {
				t.Errorf("20 turns of %d events: %v allocations, want 0", n, got)
			}
		})
	}
}

func BenchmarkTurn(b *testing.B) {
	echo := &hooks{recv: func(s guest.Session, f guest.Flags, p []byte) error { return s.Send(f, p) }}
	copied := &hooks{recv: func(s guest.Session, f guest.Flags, p []byte) error { return s.SendCopy(f, p) }}
	for _, c := range []struct {
		name string
		h    guest.Handler
		n    int
	}{{"echo/1", echo, 1}, {"echo/64", echo, 64}, {"echo/512", echo, 512}, {"copy/64", copied, 64}, {"nothing/64", &hooks{}, 64}} {
		b.Run(c.name, func(b *testing.B) {
			r := newRig(b, c.h, 1024, c.n, abi.EventRecv, 16)
			b.ReportAllocs()
			for b.Loop() {
				r.turn()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(c.n), "ns/event")
		})
	}
}
