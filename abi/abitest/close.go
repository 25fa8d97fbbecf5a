package abitest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/yimmo-host/yimmo-host/abi"
)

func closeCases() []scenario {
	var all []scenario
	for _, p := range peerCloses {
		all = append(all, scenario{name: "peer: " + p.name, play: p.play})
	}
	for _, r := range closeRefusals {
		all = append(all, scenario{name: "refused: " + r.name, play: r.play})
	}
	return append(all,
		scenario{name: "guest: codes", play: closeCodes},
		scenario{name: "guest: peer answers with another code", play: func(s *stage) {
			c, id := s.peer()
			s.accepted(new(Script).Close(id, 4000, ""))
			c.ExpectClose(s, 4000)
			c.SendClose(s, 1001, "bye")
			s.wantClose(id, Seen{abi.Event{Code: 1001, Flags: abi.WhoGuest | abi.FlagClean}, []byte("bye")})
			c.ExpectEOF(s)
		}},
		scenario{name: "guest: peer leaves without an answer", play: func(s *stage) {
			c, id := s.peer()
			s.accepted(new(Script).Close(id, 4000, "the end"))
			c.ExpectClose(s, 4000)
			c.Cut()
			s.wantClose(id, Seen{abi.Event{Code: 4000, Flags: abi.WhoGuest}, []byte("the end")})
		}},
		scenario{name: "guest: peer never answers", play: func(s *stage) {
			c, id := s.peer()
			s.accepted(new(Script).Do(abi.Command{Kind: abi.CommandClose, ID: id, Code: 4000}, []byte("the "), []byte("end")))
			if reason := c.ExpectClose(s, 4000); reason != "the end" {
				s.Errorf("close: peer got reason %q, want %q", reason, "the end")
			}
			s.wantClose(id, Seen{abi.Event{Code: 4000, Flags: abi.WhoGuest}, []byte("the end")})
			c.ExpectEOF(s)
		}},
		scenario{name: "guest: peer never answers a close without code", play: func(s *stage) {
			c, id := s.peer()
			s.accepted(new(Script).Close(id, 0, ""))
			c.ExpectClose(s, 0)
			s.wantClose(id, Seen{abi.Event{Code: abi.CloseNoStatus, Flags: abi.WhoGuest}, []byte{}})
			c.ExpectEOF(s)
		}},
		scenario{name: "guest: twice, and data after it", play: func(s *stage) {
			c, id := s.peer()
			r := s.refused(2, new(Script).SendText(id, "last").Close(id, 1000, "").SendText(id, "late").Close(id, 1000, ""))
			if len(r) != 2 || abi.Status(r[0].Code) != abi.StatusClosing || abi.Status(r[1].Code) != abi.StatusClosing {
				s.Errorf("send, close, send, close: got %s, want closing for the last two", explain(r))
			}
			c.ExpectText(s, "last")
			c.ExpectClose(s, 1000)
			c.SendText(s, "crossed") // the guest may hear of it or not
			c.SendClose(s, 1000, "")
			s.wantClose(id, Seen{Event: abi.Event{Code: 1000, Flags: abi.WhoGuest | abi.FlagClean}})
			c.ExpectEOF(s)
		}},
		scenario{name: "both at once: one close event", play: func(s *stage) {
			c, id := s.peer()
			s.post(new(Script).Close(id, 4000, ""))
			c.SendClose(s, 4001, "")
			s.event(abi.EventRecv, s.id) // the script's, or what follows would settle too early
			e := s.event(abi.EventClose, id)
			if e.Flags&abi.FlagClean == 0 || e.Code != 4001 {
				s.Errorf("close: got %v, want the peer's code 4001, clean", e)
			}
			c.ExpectClose(s, 4000, 4001)
			c.ExpectEOF(s)
			s.settle()    // the command has been judged now, and in the next turn its refusal is heard
			s.refusals(0) // it may have come too late
			s.quiet()
		}},
		scenario{name: "an answer to the close event leaves before the close frame", play: func(s *stage) {
			c, id := s.peer()
			s.do(new(Script).Arm(abi.EventClose, new(Script).SendText(Self, "bye").SendText(Self, "now")))
			c.SendClose(s, 1000, "")
			c.ExpectText(s, "bye")
			c.ExpectText(s, "now")
			c.ExpectClose(s, 1000)
			c.ExpectEOF(s)
			s.event(abi.EventClose, id)
		}},
		scenario{name: "an answer to the last message leaves before the close frame", play: func(s *stage) {
			c, id := s.peer()
			s.do(new(Script).Arm(abi.EventRecv, new(Script).Echo(abi.Command{Kind: abi.CommandSend, Flags: textFrame, ID: Self})))
			wire := AppendFrame(nil, textFrame, []byte("echo"))
			c.conn.Write(AppendFrame(wire, 0x88, closePayload(1000, "")))
			c.ExpectText(s, "echo")
			c.ExpectClose(s, 1000)
			s.event(abi.EventRecv, id)
			s.event(abi.EventClose, id)
		}},
		scenario{name: "message above the limit", play: closeTooBig},
		scenario{name: "commands in the turn of the peer's close", play: closeLastTurn},
		scenario{name: "commands in the turn of the answer to the guest's close", play: closeLastTurnOwn},
	)
}

// wantClose takes the close event of a session and compares it.
func (s *stage) wantClose(id uint64, want Seen) {
	s.Helper()
	e := s.event(abi.EventClose, id)
	if e.Code != want.Code || e.Flags != want.Flags || want.Payload != nil && string(e.Payload) != string(want.Payload) {
		s.Errorf("close: got %v, want code %d, flags %#02x, reason %q", e, want.Code, want.Flags, want.Payload)
	}
}

// peerClose is a way in which a peer ends a session.
type peerClose struct {
	name  string
	wire  []byte // what the peer sends; nil: it cuts
	code  uint16 // of the close event
	flags byte
	frame uint16 // code of the close frame the peer gets; 0: an empty one
}

const (
	byPeer = abi.WhoPeer | abi.FlagClean
	byHost = abi.WhoHost
)

var peerCloses = []peerClose{
	{"1000", AppendFrame(nil, 0x88, closePayload(1000, "")), 1000, byPeer, 1000},
	{"4999 with a reason", AppendFrame(nil, 0x88, closePayload(4999, "wörk done")), 4999, byPeer, 4999},
	{"no code", AppendFrame(nil, 0x88, nil), abi.CloseNoStatus, byPeer, 0},
	{"cut", nil, abi.CloseAbnormal, abi.WhoPeer, 0},
	{"close frame of one byte", AppendFrame(nil, 0x88, []byte{3}), 1002, byHost, 1002},
	{"code 1005 on the wire", AppendFrame(nil, 0x88, closePayload(1005, "")), 1002, byHost, 1002},
	{"reason that is not UTF-8", AppendFrame(nil, 0x88, closePayload(1000, "\xff")), 1007, byHost, 1007},
	{"reserved opcode", AppendFrame(nil, 0x83, nil), 1002, byHost, 1002},
	{"RSV1", AppendFrame(nil, 0xc1, []byte("x")), 1002, byHost, 1002},
	{"frame without a mask", []byte{0x81, 1, 'x'}, 1002, byHost, 1002},
	{"continuation without a message", AppendFrame(nil, 0x80, nil), 1002, byHost, 1002},
	{"text that is not UTF-8", AppendFrame(nil, 0x81, []byte("a\xffb")), 1007, byHost, 1007},
}

func (p *peerClose) play(s *stage) {
	c, id := s.peer()
	if p.wire == nil {
		c.Cut()
		s.wantClose(id, Seen{Event: abi.Event{Code: p.code, Flags: p.flags}})
		s.quiet()
		return
	}
	if _, err := c.conn.Write(p.wire); err != nil {
		s.Fatalf("peer: %v", err)
	}
	said := c.ExpectClose(s, p.frame)
	if p.flags == byPeer {
		said = string(p.wire[min(8, len(p.wire)):]) // still masked
		said = unmask(said)
		c.ExpectEOF(s)
	} else {
		c.Cut() // a peer that broke the protocol does not answer
	}
	e := s.event(abi.EventClose, id)
	if closed := len(p.wire) > 0 && p.wire[0] == 0x88; closed && p.flags == byHost {
		e.Flags &^= abi.FlagClean // for a close frame that is wrong: either
	}
	if e.Code != p.code || e.Flags != p.flags || string(e.Payload) != said {
		s.Errorf("close: got %v, want code %d, flags %#02x, reason %q", e, p.code, p.flags, said)
	}
	s.quiet()
}

// unmask undoes the mask of AppendFrame behind the two bytes of a close code.
func unmask(reason string) string {
	mask := []byte{0x5b, 0xf0, 0x12, 0x9a}
	out := []byte(reason)
	for i := range out {
		out[i] ^= mask[i%4]
	}
	return string(out)
}

// lastWords are commands for a session in the turn of its close event, each
// with its place as its tag.
func lastWords() *Script {
	return new(Script).
		Do(abi.Command{Kind: abi.CommandAccept, ID: Self, Tag: 0}).
		Do(abi.Command{Kind: abi.CommandSend, ID: Self, Tag: 1, Flags: textFrame}, []byte("bye")).
		Do(abi.Command{Kind: abi.CommandClose, ID: Self, Tag: 2, Code: 1000}).
		Do(abi.Command{Kind: abi.CommandSetUser, ID: Self, Tag: 3, Arg: 1})
}

// wantStatuses checks refusals of commands that have their place as tag.
func (s *stage) wantStatuses(want map[uint32]abi.Status) {
	s.Helper()
	r := s.refusals(len(want))
	for _, e := range r {
		if abi.Status(e.Code) != want[e.Seq] {
			s.Errorf("command %d: got %v, want %v", e.Seq, abi.Status(e.Code), want[e.Seq])
		}
	}
	if len(r) != len(want) {
		s.Errorf("got %s, want %v", explain(r), want)
	}
}

func closeLastTurn(s *stage) {
	c, id := s.peer()
	s.do(new(Script).Arm(abi.EventClose, lastWords()))
	c.SendClose(s, 1000, "")
	s.event(abi.EventClose, id)
	c.ExpectText(s, "bye")
	c.ExpectClose(s, 1000)
	s.wantStatuses(map[uint32]abi.Status{
		0: abi.StatusDecided, 2: abi.StatusUnknownSession, 3: abi.StatusUnknownSession,
	})
}

func closeLastTurnOwn(s *stage) {
	c, id := s.peer()
	s.do(new(Script).Close(id, 1000, "").Do(abi.Command{Kind: abi.CommandSetUser, ID: id, Arg: 8}))
	c.ExpectClose(s, 1000)
	s.do(new(Script).Arm(abi.EventClose, lastWords()))
	c.SendClose(s, 1000, "")
	if e := s.event(abi.EventClose, id); e.User != 8 {
		s.Errorf("close: got %v, want user 8: set_user acts on a session that is closing", e)
	}
	s.wantStatuses(map[uint32]abi.Status{
		0: abi.StatusDecided, 1: abi.StatusUnknownSession, 2: abi.StatusUnknownSession, 3: abi.StatusUnknownSession,
	})
	c.ExpectEOF(s)
}

var closeRefusals = []refusal{
	{"reason with code 0", abi.Command{Kind: abi.CommandClose, ID: Self}, []string{"why"}, abi.StatusBadCode},
	{"reason of 124 bytes", abi.Command{Kind: abi.CommandClose, ID: Self, Code: 1000}, []string{strings.Repeat("r", 124)}, abi.StatusTooLarge},
	{"reason with code 0 in a piece", abi.Command{Kind: abi.CommandClose, ID: Self}, []string{"", "why"}, abi.StatusBadCode},
	{"reason of 124 bytes in pieces", abi.Command{Kind: abi.CommandClose, ID: Self, Code: 1000}, []string{strings.Repeat("r", 123), "r"}, abi.StatusTooLarge},
	{"reason that ends inside a character", abi.Command{Kind: abi.CommandClose, ID: Self, Code: 1000}, []string{"a\xe2", "\x82"}, abi.StatusBadText},
	{"reason that is not UTF-8", abi.Command{Kind: abi.CommandClose, ID: Self, Code: 1000}, []string{"\xff"}, abi.StatusBadText},
	{"flags", abi.Command{Kind: abi.CommandClose, ID: Self, Code: 1000, Flags: 1}, nil, abi.StatusReserved},
	{"arg", abi.Command{Kind: abi.CommandClose, ID: Self, Code: 1000, Arg: 1}, nil, abi.StatusReserved},
	{"code 1", abi.Command{Kind: abi.CommandClose, ID: Self, Code: 1}, nil, abi.StatusBadCode},
	{"code 999", abi.Command{Kind: abi.CommandClose, ID: Self, Code: 999}, nil, abi.StatusBadCode},
	{"code 1004", abi.Command{Kind: abi.CommandClose, ID: Self, Code: 1004}, nil, abi.StatusBadCode},
	{"code 1005", abi.Command{Kind: abi.CommandClose, ID: Self, Code: 1005}, nil, abi.StatusBadCode},
	{"code 1006", abi.Command{Kind: abi.CommandClose, ID: Self, Code: 1006}, nil, abi.StatusBadCode},
	{"code 1015", abi.Command{Kind: abi.CommandClose, ID: Self, Code: 1015}, nil, abi.StatusBadCode},
	{"code 1016", abi.Command{Kind: abi.CommandClose, ID: Self, Code: 1016}, nil, abi.StatusBadCode},
	{"code 2999", abi.Command{Kind: abi.CommandClose, ID: Self, Code: 2999}, nil, abi.StatusBadCode},
	{"code 5000", abi.Command{Kind: abi.CommandClose, ID: Self, Code: 5000}, nil, abi.StatusBadCode},
	{"code 65535", abi.Command{Kind: abi.CommandClose, ID: Self, Code: 65535}, nil, abi.StatusBadCode},
}

func closeCodes(s *stage) {
	for _, code := range []uint16{0, 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999} {
		c, id := s.peer()
		reason := strings.Repeat("é", abi.MaxCloseReason/2)
		if code == 0 {
			reason = ""
		}
		s.accepted(new(Script).Close(id, code, reason))
		if got := c.ExpectClose(s, code); got != reason {
			s.Errorf("close %d: peer got reason %q, want %q", code, got, reason)
		}
		c.SendClose(s, code, "")
		want := code
		if code == 0 {
			want = abi.CloseNoStatus
		}
		s.wantClose(id, Seen{Event: abi.Event{Code: want, Flags: abi.WhoGuest | abi.FlagClean}})
		c.ExpectEOF(s)
		s.wantRefused(abi.StatusUnknownSession, abi.Command{Kind: abi.CommandClose, ID: id, Code: 1000})
	}
}

func closeTooBig(s *stage) {
	f, _ := abi.ParseFields(s.start.Payload)
	value, _ := f.Get(abi.FieldMaxMessage)
	limit, err := strconv.Atoi(string(value))
	if err != nil || limit < 1 {
		s.Fatalf("start: %s is %q", abi.FieldMaxMessage, value)
	}
	c, id := s.peer()
	head := AppendFrame(nil, abi.OpBinary, []byte("first"))
	over := limit - 4
	head = append(head, 0x80, 0x80|127, 0, 0, 0, 0, byte(over>>24), byte(over>>16), byte(over>>8), byte(over), 1, 2, 3, 4)
	if _, err := c.conn.Write(head); err != nil {
		s.Fatalf("peer: %v", err)
	}
	if e := s.event(abi.EventRecv, id); string(e.Payload) != "first" {
		s.Errorf("recv: got %v, want the first fragment", e)
	}
	c.ExpectClose(s, abi.CloseTooBig)
	c.Cut()
	s.wantClose(id, Seen{Event: abi.Event{Code: abi.CloseTooBig, Flags: abi.WhoHost}})
}

func userCases() []scenario {
	set := func(id, user uint64) *Script {
		return new(Script).Do(abi.Command{Kind: abi.CommandSetUser, ID: id, Arg: user})
	}
	return []scenario{
		{name: "comes back with each later event", play: func(s *stage) {
			c, id := s.peer()
			d, other := s.peer()
			for _, user := range []uint64{1, 1 << 63, ^uint64(0), 0, 42} {
				s.accepted(set(id, user))
				c.SendText(s, "x")
				d.SendText(s, "y")
				if e := s.event(abi.EventRecv, id); e.User != user {
					s.Errorf("recv: got %v, want user %#x", e, user)
				}
				if e := s.event(abi.EventRecv, other); e.User != 0 {
					s.Errorf("recv of another session: got %v, want user 0", e)
				}
			}
			c.SendClose(s, 1000, "")
			if e := s.event(abi.EventClose, id); e.User != 42 {
				s.Errorf("close: got %v, want user 42", e)
			}
		}},
		{name: "does not outlive its session", play: func(s *stage) {
			c, id := s.peer()
			s.accepted(set(id, 42))
			c.Cut()
			s.event(abi.EventClose, id)
			s.wantRefused(abi.StatusUnknownSession, abi.Command{Kind: abi.CommandSetUser, ID: id, Arg: 1})
			_, e := s.dial(Request{})
			if e.User != 0 {
				s.Errorf("connect: got %v, want user 0", e)
			}
		}},
		{name: "fields that must be zero", play: func(s *stage) {
			_, id := s.peer()
			for i, c := range []abi.Command{{Flags: 1}, {Code: 1}, {Addr: 8, Len: 1}} {
				c.Kind, c.ID = abi.CommandSetUser, id
				r := s.refused(1, new(Script).Raw(c))
				if len(r) != 1 || abi.Status(r[0].Code) != abi.StatusReserved {
					s.Errorf("set_user %s: got %s, want reserved", fmt.Sprint(i, c), explain(r))
				}
			}
		}},
	}
}
