package host_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/badnet"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// through is dial over a network with these faults: up is what happens to the
// client's bytes, down to the host's.
func (s *server) through(t testing.TB, up, down badnet.Faults) *peer {
	t.Helper()
	p, err := badnet.Listen(s.addr, up, down)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	c, err := rawws.Dial(p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.Patience = patience
	return &peer{c, t}
}

// A network may be slow, and may cut as it likes: everything arrives, in order.
func TestSlowNetwork(t *testing.T) { eachWaits(t, testSlowNetwork) }

func testSlowNetwork(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{}, wat(t, "witness"))
	w := s.watch(t)
	bytewise, late := badnet.Faults{Piece: 1}, badnet.Faults{Delay: 30 * time.Millisecond}
	for _, tt := range []struct {
		name     string
		up, down badnet.Faults
	}{
		{"one byte at a time up", bytewise, badnet.Faults{}},
		{"one byte at a time down", badnet.Faults{}, bytewise},
		{"one byte at a time both ways", bytewise, bytewise},
		{"delay both ways", late, late},
		{"odd pieces, late", badnet.Faults{Piece: 31, Delay: time.Millisecond}, badnet.Faults{Piece: 17, Delay: time.Millisecond}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := s.through(t, tt.up, tt.down)
			if _, err := p.Upgrade("/witness", nil); err != nil {
				t.Fatal(err)
			}
			id := w.next(abi.EventConnect).ID
			for _, size := range []int{0, 1, 125, 126, 1000} {
				p.text(strings.Repeat("x", size))
				p.send(0x89, "between")
				p.expect([]expected{{Frame: rawws.Frame{Flags: 0x81, Payload: strings.Repeat("x", size)}}, {Frame: rawws.Frame{Flags: 0x8a, Payload: "between"}}})
			}
			p.leave()
			if e := w.closeOf(id); e.Code != 1000 || e.Flags != abi.WhoPeer|abi.FlagClean {
				t.Errorf("got %v, want 1000 by the peer, clean", e)
			}
		})
	}
}

// Wherever a connection breaks, the guest hears one close for one connect, and
// everything that both sides had said by then.
func TestCut(t *testing.T) { eachTransport(t, testCut) }

func testCut(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{}, wat(t, "witness"))
	w := s.watch(t)
	// What a client sends in one go, and what it gets.
	head := rawws.Handshake("h", "/witness")
	all := frames(5, func(i int) rawws.Frame { return rawws.Frame{Flags: 0x81, Payload: fmt.Sprint("message ", i)} })
	all = rawws.AppendFrame(append(head, all...), rawws.Frame{Flags: 0x88, Payload: rawws.ClosePayload(1000, "")})
	const answered = 129 + 5*11 + 4 // about: the answer's head, the echoes, the close frame
	closes := map[uint64]int{}      // by session
	open := 0
	try := func(name string, up, down badnet.Faults) {
		known := len(closes)
		p := s.through(t, up, down)
		p.Write(all)
		p.Rest()
		p.Close()
		s.until(t, func() bool { // a broken connection is noticed a little later
			for _, e := range w.barrier() {
				switch e.Kind {
				case abi.EventConnect:
					closes[e.ID] = 0
					open++
				case abi.EventClose:
					closes[e.ID]++
					open--
					if clean := e.Flags == abi.WhoPeer|abi.FlagClean && e.Code == 1000; !clean && (e.Flags != abi.WhoPeer || e.Code != 1006) {
						t.Errorf("%s: got %v, want 1006, or 1000 and clean, by the peer", name, e)
					}
				}
			}
			return open == 0 && (down.Reset == 0 || len(closes) > known)
		})
		if n := len(closes) - known; n > 0 && up.Reset > 0 && up.Reset <= len(head) {
			t.Errorf("%s: got a connect, want none: the handshake was not complete", name)
		}
	}
	for at := 1; at <= len(all)+1; at += 4 {
		try(fmt.Sprint("up, at byte ", at), badnet.Faults{Reset: at}, badnet.Faults{})
	}
	for at := 1; at <= answered; at += 9 {
		try(fmt.Sprint("down, at byte ", at), badnet.Faults{}, badnet.Faults{Reset: at})
	}
	w.leave()
	w.Close() // else the host would wait for that
	s.stop(t, nil)
	s.log.balanced(t, len(closes)+1) // and the monitor
}

// A connection that is dead without a word is found, by whatever had to happen
// on it; and others go on meanwhile.
func TestHalfOpen(t *testing.T) { eachWaits(t, testHalfOpen) }

func testHalfOpen(t *testing.T, on transport) {
	limits := host.Limits{
		Ping: 300 * time.Millisecond, Pong: 700 * time.Millisecond, MessageTime: time.Second, CloseTime: 400 * time.Millisecond,
		WriteTime: 600 * time.Millisecond, HeaderTime: 500 * time.Millisecond,
	}
	head := len(rawws.Handshake("h", "/witness"))
	size := func(frames ...rawws.Frame) (n int) {
		for _, f := range frames {
			n += len(rawws.AppendFrame(nil, f))
		}
		return n
	}
	hello, bye := rawws.Frame{Flags: 0x81, Payload: "hello"}, rawws.Frame{Flags: 0x81, Payload: "bye!"}
	tests := []struct {
		name   string
		freeze int // at which byte of the client
		send   []rawws.Frame
		code   uint16
		flags  uint8
		log    string
	}{
		{"between messages", head + size(hello) + 1, []rawws.Frame{hello, hello}, 1006, abi.WhoHost, "its peer is silent"},
		{"inside a frame", head + size(hello) + 4, []rawws.Frame{hello, hello}, 1008, abi.WhoHost, "its peer's message took too long"},
		{"inside a message", head + size(hello, rawws.Frame{Flags: 0x01}) + 1, []rawws.Frame{hello, {Flags: 0x01}, {Flags: 0x80}}, 1008, abi.WhoHost, "took too long"},
		{"before the answer to a close frame", head + size(bye) + 1, []rawws.Frame{bye, {Flags: 0x88}}, 4000, abi.WhoGuest, ""},
	}
	s := on.serve(t, limits, wat(t, "witness"))
	monitor := s.open(t, "/witness") // the first session is; here the log says more
	go monitor.stay()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			line := fmt.Sprintf("msg=05%02x%02x%02x", tt.flags, byte(tt.code), byte(tt.code>>8))
			before := strings.Count(s.log.String(), line)
			p := s.through(t, badnet.Faults{Freeze: tt.freeze}, badnet.Faults{})
			p.Write(rawws.Handshake("h", "/witness"))
			if a := p.answer("GET"); a.Status != 101 {
				t.Fatalf("got %s, want 101", a.Line)
			}
			for _, f := range tt.send {
				p.send(f.Flags, f.Payload)
			}
			s.log.waitTimes(t, line, before+1)
			if tt.log != "" && !strings.Contains(s.log.String(), tt.log) {
				t.Errorf("log: want %q in it", tt.log)
			}
		})
	}
	t.Run("inside a handshake", func(t *testing.T) {
		before := strings.Count(s.log.String(), "msg=03")
		p := s.through(t, badnet.Faults{Freeze: head / 2}, badnet.Faults{})
		p.Write(rawws.Handshake("h", "/witness"))
		p.Patience = 2 * limits.HeaderTime // the client hears nothing; that the host lets go the leak check sees
		if a, err := p.ReadAnswer("GET"); err == nil {
			t.Errorf("got %s, want silence", a.Line)
		}
		if n := strings.Count(s.log.String(), "msg=03"); n != before {
			t.Errorf("got %d connects, want none", n-before)
		}
	})
	monitor.Close()
	t.Run("while much is on its way", func(t *testing.T) {
		s := on.serve(t, host.Limits{Ping: time.Minute, WriteTime: 300 * time.Millisecond}, wat(t, "floods"))
		other := s.open(t, "/floods")
		p := s.through(t, badnet.Faults{}, badnet.Faults{Freeze: 200 << 10})
		p.Write(rawws.Handshake("h", "/floods"))
		p.answer("GET")
		p.write(frames(60, func(int) rawws.Frame { return rawws.Frame{Flags: 0x81} })) // for 15 MiB, before anything freezes
		s.log.wait(t, "session closed: ")
		other.text("")
		if f := other.frame(); len(f.Payload) != 64<<10 {
			t.Errorf("other: got %v, want 64 KiB", f)
		}
	})
}

// stay answers pings until the connection ends.
func (p *peer) stay() {
	p.Patience = 0
	for {
		f, err := p.ReadFrame()
		if err != nil {
			return
		}
		if f.Flags == 0x89 {
			p.Send(0x8a, f.Payload)
		}
	}
}
