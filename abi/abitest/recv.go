package abitest

import (
	"bytes"
	"fmt"
	"strconv"
	"sync"

	"github.com/yimmo-host/yimmo-host/abi"
)

// a message as frames on the wire, and as the events they become.
type frames struct {
	name string
	sent []Frame
	want []Frame // nil: as sent
}

func recvCases() []scenario {
	fr := func(flags byte, payload string) Frame { return Frame{flags, []byte(payload)} }
	whole := []frames{
		{"text", []Frame{fr(0x81, "hello")}, nil},
		{"binary", []Frame{fr(0x82, "\x00\xff")}, nil},
		{"empty text", []Frame{fr(0x81, "")}, nil},
		{"empty binary", []Frame{fr(0x82, "")}, nil},
		{"fragments", []Frame{fr(0x01, "a"), fr(0x00, "b"), fr(0x80, "c")}, nil},
		{"empty fragments", []Frame{fr(0x02, ""), fr(0x00, ""), fr(0x80, "")}, nil},
		{"a character split over fragments", []Frame{fr(0x01, "\xcf"), fr(0x80, "\x80")}, nil},
		{"pong is not for the guest", []Frame{fr(0x8a, "x"), fr(0x81, "after")}, []Frame{fr(0x81, "after")}},
	}
	for _, size := range []int{1, 125, 126, 127, 65535, AreaCap} {
		whole = append(whole, frames{strconv.Itoa(size) + " bytes", []Frame{{0x82, pattern(size)}}, nil})
	}
	var all []scenario
	for _, f := range whole {
		all = append(all, scenario{name: f.name, play: f.play})
	}
	return append(all,
		scenario{name: "ping is answered by the host", play: recvPing},
		scenario{name: "a frame larger than the area comes in pieces", play: recvPieces},
		scenario{name: "a fragment larger than the area comes in pieces", play: recvPieceFragments},
		scenario{name: "events of a session keep their order", play: recvOrder},
		scenario{name: "many sessions at once", play: recvMany},
		scenario{name: "echo points back into the area", play: recvEcho},
		scenario{name: "messages: fragments arrive as one", needs: abi.FeatureMessages, play: recvMessages,
			with: Plugin{Module: patched(patch{abi.OffsetWants, uint32(everything)})}},
	)
}

func (f *frames) play(s *stage) {
	c, id := s.peer()
	for _, frame := range f.sent {
		c.Send(s, frame.Flags, frame.Payload)
	}
	want := f.want
	if want == nil {
		want = f.sent
	}
	for _, w := range want {
		e := s.event(abi.EventRecv, id)
		if got := (Frame{e.Flags, e.Payload}); got.Flags != w.Flags || !bytes.Equal(got.Payload, w.Payload) {
			s.Errorf("recv: got %s, want %s", got, w)
		}
		if e.Code != 0 || e.User != 0 {
			s.Errorf("recv: got %v, want code and user 0", e)
		}
	}
	s.quiet()
}

func recvPing(s *stage) {
	c, id := s.peer()
	c.Send(s, abi.FlagFIN|abi.OpPing, []byte("are you there"))
	c.Expect(s, abi.FlagFIN|abi.OpPong, []byte("are you there"))
	c.Send(s, abi.OpText, []byte("he"))
	c.Send(s, abi.FlagFIN|abi.OpPing, nil)
	c.Expect(s, abi.FlagFIN|abi.OpPong, nil)
	c.Send(s, abi.FlagFIN|abi.OpContinuation, []byte("llo"))
	for _, want := range []string{"he", "llo"} {
		if e := s.event(abi.EventRecv, id); string(e.Payload) != want {
			s.Errorf("recv: got %v, want %q", e, want)
		}
	}
	s.quiet()
}

// pieces reads the events of one frame and returns how many there were.
func (s *stage) pieces(id uint64, flags byte, payload []byte) (n int) {
	s.Helper()
	var got []byte
	for len(got) < len(payload) || n == 0 {
		e := s.event(abi.EventRecv, id)
		n++
		want := byte(0)
		if n == 1 {
			want = flags & abi.MaskOpcode
		}
		if len(got)+len(e.Payload) == len(payload) {
			want |= flags & abi.FlagFIN
		}
		if e.Flags != want {
			s.Errorf("piece %d: flags %#02x, want %#02x", n, e.Flags, want)
		}
		if len(e.Payload) == 0 || len(e.Payload) > AreaCap {
			s.Fatalf("piece %d: %d bytes, want 1 to %d", n, len(e.Payload), AreaCap)
		}
		got = append(got, e.Payload...)
	}
	if !bytes.Equal(got, payload) {
		s.Errorf("pieces of a frame of %d bytes do not make up the frame", len(payload))
	}
	return n
}

func recvPieces(s *stage) {
	c, id := s.peer()
	for _, size := range []int{AreaCap + 1, 2 * AreaCap, 5*AreaCap - 7} {
		c.Send(s, binaryFrame, pattern(size))
		if n := s.pieces(id, binaryFrame, pattern(size)); n < 2 {
			s.Errorf("%d bytes came in %d event, want pieces", size, n)
		}
	}
	c.SendText(s, "small")
	if e := s.event(abi.EventRecv, id); e.Flags != textFrame || string(e.Payload) != "small" {
		s.Errorf("recv after pieces: got %v, want a whole text", e)
	}
}

func recvPieceFragments(s *stage) {
	c, id := s.peer()
	c.Send(s, abi.OpBinary, pattern(AreaCap+100))
	c.Send(s, abi.OpContinuation, pattern(AreaCap+200))
	c.Send(s, abi.FlagFIN, pattern(AreaCap+300))
	s.pieces(id, abi.OpBinary, pattern(AreaCap+100))
	s.pieces(id, abi.OpContinuation, pattern(AreaCap+200))
	s.pieces(id, abi.FlagFIN, pattern(AreaCap+300))
	s.quiet()
}

func recvOrder(s *stage) {
	c, id := s.peer()
	var wire []byte
	for i := range 500 {
		wire = AppendFrame(wire, textFrame, strconv.AppendInt(nil, int64(i), 10))
	}
	if _, err := c.conn.Write(wire); err != nil {
		s.Fatalf("peer: %v", err)
	}
	c.SendClose(s, 1000, "done")
	for i := range 500 {
		if e := s.event(abi.EventRecv, id); string(e.Payload) != strconv.Itoa(i) {
			s.Fatalf("message %d: got %v", i, e)
		}
	}
	s.event(abi.EventClose, id)
}

func recvMany(s *stage) {
	const peers, messages = 16, 40
	clients, ids := make([]*Client, peers), make([]uint64, peers)
	for i := range clients {
		clients[i], ids[i] = s.peer()
	}
	var wait sync.WaitGroup
	for i, c := range clients {
		wait.Go(func() {
			for k := range messages {
				if err := c.send(textFrame, fmt.Appendf(nil, "%d/%d", i, k)); err != nil {
					s.Errorf("peer %d: %v", i, err)
					return
				}
			}
			if i%2 == 0 {
				c.Cut()
			} else {
				c.send(abi.FlagFIN|abi.OpClose, closePayload(1000, ""))
			}
		})
	}
	for i, id := range ids {
		for k := range messages {
			if e := s.event(abi.EventRecv, id); string(e.Payload) != fmt.Sprintf("%d/%d", i, k) {
				s.Fatalf("peer %d, message %d: got %v", i, k, e)
			}
		}
		s.event(abi.EventClose, id)
	}
	wait.Wait()
	s.quiet()
}

func recvEcho(s *stage) {
	c, id := s.peer()
	for _, size := range []int{0, 5, 30_000} {
		s.do(new(Script).Arm(abi.EventRecv, new(Script).
			Echo(abi.Command{Kind: abi.CommandSend, Flags: binaryFrame, ID: Self})))
		c.Send(s, binaryFrame, pattern(size))
		c.Expect(s, binaryFrame, pattern(size))
		s.event(abi.EventRecv, id)
	}
}

func recvMessages(s *stage) {
	c, e := s.dial(Request{})
	c.Send(s, abi.OpText, []byte("a"))
	c.Send(s, abi.OpContinuation, nil)
	c.Send(s, abi.FlagFIN, []byte("b"))
	c.SendText(s, "")
	c.Send(s, abi.OpBinary, []byte("c"))
	c.Send(s, abi.FlagFIN, nil)
	for _, want := range []Frame{{textFrame, []byte("ab")}, {textFrame, nil}, {binaryFrame, []byte("c")}} {
		got := s.event(abi.EventRecv, e.ID)
		if got.Flags != want.Flags || !bytes.Equal(got.Payload, want.Payload) {
			s.Errorf("recv: got %v, want %s", got, want)
		}
	}
	s.quiet()
}

// pattern is size bytes in which no two neighbourhoods are alike.
func pattern(size int) []byte {
	p := make([]byte, size)
	for i := range p {
		p[i] = byte(i) ^ byte(i>>8)*31 ^ byte(i>>16)*17
	}
	return p
}
