package abitest

import (
	"bytes"
	"fmt"
	"math"
	"strings"

	"github.com/yimmo-host/yimmo-host/abi"
)

// refusal is a command that must be refused.
type refusal struct {
	name  string
	c     abi.Command // ID Self stands for the session at hand
	parts []string    // nil: addr and len of c as they are
	want  abi.Status
}

func sendCases() []scenario {
	var all []scenario
	for _, r := range sendRefusals {
		all = append(all, scenario{name: "refused: " + r.name, play: r.play})
	}
	return append(all,
		scenario{name: "every kind of frame", play: sendFrames},
		scenario{name: "sizes", play: sendSizes},
		scenario{name: "brigade is one frame", play: sendBrigade},
		scenario{name: "payload may be any part of memory", play: sendMemory},
		scenario{name: "empty payload may have any address", play: func(s *stage) {
			c, id := s.peer()
			s.accepted(new(Script).Raw(abi.Command{Kind: abi.CommandSend, Flags: textFrame, ID: id, Addr: 0xffffffff}))
			c.ExpectText(s, "")
		}},
		scenario{name: "sequence of fragments", play: sendSequence},
		scenario{name: "text is UTF-8 over its fragments", play: sendText},
		scenario{name: "a brigade with a bad piece is refused whole", play: sendBadPiece},
		scenario{name: "pieces of a refused head are dropped with it", play: sendOrphans},
		scenario{name: "commands keep their order", play: sendOrder},
		scenario{name: "ids that name no session", play: sendStale},
	)
}

func (r *refusal) play(s *stage) {
	c, id := s.peer()
	cmd := r.c
	if cmd.ID == Self {
		cmd.ID = id
	}
	if cmd.Kind == 0 && r.want != abi.StatusUnknownKind {
		cmd.Kind = abi.CommandSend
	}
	var parts [][]byte
	for _, p := range r.parts {
		parts = append(parts, []byte(p))
	}
	s.wantRefused(r.want, cmd, parts...)
	s.accepted(new(Script).SendText(id, "still here"))
	c.ExpectText(s, "still here")
}

var sendRefusals = []refusal{
	{"code", abi.Command{Flags: textFrame, ID: Self, Code: 1}, []string{"x"}, abi.StatusReserved},
	{"arg", abi.Command{Flags: textFrame, ID: Self, Arg: 1 << 63}, []string{"x"}, abi.StatusReserved},
	{"RSV1", abi.Command{Flags: textFrame | abi.FlagRSV1, ID: Self}, []string{"x"}, abi.StatusBadFlags},
	{"RSV2", abi.Command{Flags: textFrame | abi.FlagRSV2, ID: Self}, []string{"x"}, abi.StatusBadFlags},
	{"RSV3", abi.Command{Flags: textFrame | abi.FlagRSV3, ID: Self}, []string{"x"}, abi.StatusBadFlags},
	{"opcode 3", abi.Command{Flags: 0x83, ID: Self}, []string{"x"}, abi.StatusBadFlags},
	{"opcode 11", abi.Command{Flags: 0x8b, ID: Self}, []string{"x"}, abi.StatusBadFlags},
	{"opcode close", abi.Command{Flags: 0x88, ID: Self}, []string{"\x03\xe8"}, abi.StatusBadFlags},
	{"ping without FIN", abi.Command{Flags: abi.OpPing, ID: Self}, []string{"x"}, abi.StatusBadFlags},
	{"ping of 126 bytes", abi.Command{Flags: 0x89, ID: Self}, []string{strings.Repeat("x", 126)}, abi.StatusTooLarge},
	{"ping of 126 bytes in pieces", abi.Command{Flags: 0x89, ID: Self}, []string{strings.Repeat("x", 100), strings.Repeat("x", 26)}, abi.StatusTooLarge},
	{"pong of 126 bytes", abi.Command{Flags: 0x8a, ID: Self}, []string{strings.Repeat("x", 126)}, abi.StatusTooLarge},
	{"continuation without a message", abi.Command{Flags: 0x80, ID: Self}, []string{"x"}, abi.StatusBadSequence},
	{"text that is not UTF-8", abi.Command{Flags: textFrame, ID: Self}, []string{"a\xffb"}, abi.StatusBadText},
	{"text that ends inside a character", abi.Command{Flags: textFrame, ID: Self}, []string{"a\xe2\x82"}, abi.StatusBadText},
	{"text with a surrogate", abi.Command{Flags: textFrame, ID: Self}, []string{"\xed\xa0\x80"}, abi.StatusBadText},
	{"payload one byte past the end", abi.Command{Flags: binaryFrame, ID: Self, Addr: MemoryEnd - 3, Len: 4}, nil, abi.StatusBadRange},
	{"payload past the end", abi.Command{Flags: binaryFrame, ID: Self, Addr: MemoryEnd, Len: 1}, nil, abi.StatusBadRange},
	{"payload that wraps around", abi.Command{Flags: binaryFrame, ID: Self, Addr: 0xffffffff, Len: 2}, nil, abi.StatusBadRange},
	{"payload one byte too long", abi.Command{Flags: binaryFrame, ID: Self, Addr: MemoryEnd - AreaCap, Len: AreaCap + 1}, nil, abi.StatusBadRange},
	{"kind 0", abi.Command{ID: Self}, []string{"x"}, abi.StatusUnknownKind},
	{"kind 20", abi.Command{Kind: 20, ID: Self}, []string{"x"}, abi.StatusUnknownKind},
	{"kind 255", abi.Command{Kind: 255, ID: Self}, []string{"x"}, abi.StatusUnknownKind},
	{"id 0", abi.Command{Flags: textFrame}, []string{"x"}, abi.StatusUnknownSession},
	{"log without a level", abi.Command{Kind: abi.CommandLog}, []string{"x"}, abi.StatusBadFlags},
	{"log above the levels", abi.Command{Kind: abi.CommandLog, Flags: 6}, []string{"x"}, abi.StatusBadFlags},
	{"log with a code", abi.Command{Kind: abi.CommandLog, Flags: 3, Code: 1}, []string{"x"}, abi.StatusReserved},
	{"log line too long", abi.Command{Kind: abi.CommandLog, Flags: 3}, []string{strings.Repeat("x", abi.MaxLog+1)}, abi.StatusTooLarge},
	{"metric without a type", abi.Command{Kind: abi.CommandMetric}, []string{"x"}, abi.StatusBadFlags},
	{"metric of type 4", abi.Command{Kind: abi.CommandMetric, Flags: 4}, []string{"x"}, abi.StatusBadFlags},
	{"metric with an id", abi.Command{Kind: abi.CommandMetric, Flags: 1, ID: Self}, []string{"x"}, abi.StatusReserved},
	{"metric with another character", abi.Command{Kind: abi.CommandMetric, Flags: 1}, []string{"a b"}, abi.StatusBadFields},
	{"metric that begins with a digit", abi.Command{Kind: abi.CommandMetric, Flags: 1}, []string{"1a"}, abi.StatusBadFields},
	{"metric of an infinity", abi.Command{Kind: abi.CommandMetric, Flags: abi.MetricHistogram, Arg: bits(math.Inf(1))}, []string{"x"}, abi.StatusBadValue},
	{"metric with a code", abi.Command{Kind: abi.CommandMetric, Flags: 1, Code: 1}, []string{"x"}, abi.StatusReserved},
	{"set_user with a piece", abi.Command{Kind: abi.CommandSetUser, ID: Self}, []string{"", "x"}, abi.StatusReserved},
	{"log line too long over its pieces", abi.Command{Kind: abi.CommandLog, Flags: 3}, []string{strings.Repeat("x", abi.MaxLog), "x"}, abi.StatusTooLarge},
	{"metric with pieces", abi.Command{Kind: abi.CommandMetric, Flags: 1}, []string{"x", "y"}, abi.StatusReserved},
	{"metric without a name", abi.Command{Kind: abi.CommandMetric, Flags: 1}, []string{""}, abi.StatusBadFields},
	{"metric name too long", abi.Command{Kind: abi.CommandMetric, Flags: 1}, []string{strings.Repeat("x", abi.MaxMetricName+1)}, abi.StatusTooLarge},
	{"counter that goes down", abi.Command{Kind: abi.CommandMetric, Flags: abi.MetricCounter, Arg: bits(-1)}, []string{"x"}, abi.StatusBadValue},
	{"metric that is not a number", abi.Command{Kind: abi.CommandMetric, Flags: abi.MetricGauge, Arg: bits(math.NaN())}, []string{"x"}, abi.StatusBadValue},
	{"outbound call", abi.Command{Kind: abi.CommandCall}, []string{"x"}, abi.StatusNotGranted},
}

func sendFrames(s *stage) {
	c, id := s.peer()
	for _, f := range []Frame{
		{0x81, []byte("text")}, {0x82, []byte{0, 255}}, {0x89, []byte("ping")}, {0x8a, []byte("pong")},
		{0x89, nil}, {0x81, nil}, {0x82, nil},
		{0x01, []byte("a")}, {0x00, nil}, {0x89, []byte("between")}, {0x00, []byte("b")}, {0x80, []byte("c")},
		{0x02, nil}, {0x80, nil},
	} {
		s.accepted(new(Script).Send(id, f.Flags, f.Payload))
		c.Expect(s, f.Flags, f.Payload)
	}
	s.accepted(new(Script).
		Do(abi.Command{Kind: abi.CommandLog, Flags: uint8(abi.LevelInfo), ID: id}, []byte("a line\xff")).
		Do(abi.Command{Kind: abi.CommandLog, Flags: uint8(abi.LevelTrace), ID: 12345}, []byte("a line "), []byte("in pieces")).
		Do(abi.Command{Kind: abi.CommandLog, Flags: uint8(abi.LevelError)}, bytes.Repeat([]byte("x"), abi.MaxLog)).
		Do(abi.Command{Kind: abi.CommandMetric, Flags: abi.MetricCounter, Arg: bits(1)}, []byte("kit_samples")).
		Do(abi.Command{Kind: abi.CommandMetric, Flags: abi.MetricGauge, Arg: bits(-1.5)}, []byte("kit_level")).
		Do(abi.Command{Kind: abi.CommandMetric, Flags: abi.MetricHistogram}, bytes.Repeat([]byte("x"), abi.MaxMetricName)))
}

func sendSizes(s *stage) {
	c, id := s.peer()
	for _, size := range []int{1, 125, 126, 127, 30_000} {
		s.accepted(new(Script).Send(id, binaryFrame, pattern(size)))
		c.Expect(s, binaryFrame, pattern(size))
	}
	for _, size := range []uint32{65535, 65536, 200_000} { // of memory that is all zero
		s.accepted(new(Script).Raw(abi.Command{
			Kind: abi.CommandSend, Flags: binaryFrame, ID: id, Addr: MemoryEnd - size, Len: size,
		}))
		c.Expect(s, binaryFrame, make([]byte, size))
	}
}

func sendBrigade(s *stage) {
	c, id := s.peer()
	var parts [][]byte
	for i := range 40 {
		parts = append(parts, bytes.Repeat([]byte{byte('a' + i%26)}, i))
	}
	s.accepted(new(Script).Send(id, textFrame, parts...).SendText(id, "next"))
	c.Expect(s, textFrame, bytes.Join(parts, nil))
	c.ExpectText(s, "next")
	s.accepted(new(Script).Send(id, textFrame, []byte("\xe2"), []byte("\x82"), nil, []byte("\xac")))
	c.ExpectText(s, "€")
}

func sendMemory(s *stage) {
	c, id := s.peer()
	send := func(addr, size uint32) abi.Command {
		return abi.Command{Kind: abi.CommandSend, Flags: binaryFrame, ID: id, Addr: addr, Len: size}
	}
	s.accepted(new(Script).Poke(MemoryEnd-4, 0x21646e65).Raw(send(MemoryEnd-4, 4)).Raw(send(0, MemoryEnd)).
		Raw(send(AddrControl, 4)).Raw(send(AddrCommands, abi.RecordSize)))
	c.Expect(s, binaryFrame, []byte("end!"))
	if f := c.Recv(s); f.Flags != binaryFrame || len(f.Payload) != MemoryEnd || !bytes.HasSuffix(f.Payload, []byte("end!")) {
		s.Errorf("all of memory: got frame %s", f)
	}
	c.Expect(s, binaryFrame, []byte("YIMO"))
	if f := c.Recv(s); len(f.Payload) != abi.RecordSize {
		s.Errorf("the command ring's first record: got frame %s", f)
	}
}

func sendSequence(s *stage) {
	c, id := s.peer()
	send := func(flags byte, p string) abi.Command {
		return abi.Command{Kind: abi.CommandSend, Flags: flags, ID: id}
	}
	step := func(flags byte, p string) {
		s.Helper()
		s.accepted(new(Script).Send(id, flags, []byte(p)))
		c.Expect(s, flags, []byte(p))
	}
	step(abi.OpText, "begin")
	s.wantRefused(abi.StatusBadSequence, send(textFrame, ""), []byte("whole"))
	s.wantRefused(abi.StatusBadSequence, send(abi.OpBinary, ""), []byte("other"))
	step(abi.OpContinuation, "middle")
	s.wantRefused(abi.StatusBadFlags, send(abi.OpContinuation|abi.FlagRSV1, ""), []byte("x"))
	step(abi.FlagFIN, "end") // what was refused did not end the message
	s.wantRefused(abi.StatusBadSequence, send(abi.OpContinuation, ""), []byte("x"))
	step(textFrame, "new")
}

func sendText(s *stage) {
	c, id := s.peer()
	fragment := abi.Command{Kind: abi.CommandSend, Flags: abi.OpText, ID: id}
	last := abi.Command{Kind: abi.CommandSend, Flags: abi.FlagFIN, ID: id}
	s.accepted(new(Script).Send(id, abi.OpText, []byte("\xf0\x9f")))
	c.Expect(s, abi.OpText, []byte("\xf0\x9f"))
	s.wantRefused(abi.StatusBadText, last, []byte("x"))
	s.wantRefused(abi.StatusBadText, last, nil)
	s.accepted(new(Script).Send(id, abi.FlagFIN, []byte("\x98\x80")))
	c.Expect(s, abi.FlagFIN, []byte("\x98\x80"))

	s.wantRefused(abi.StatusBadText, fragment, []byte("\xc0\x80"))
	s.wantRefused(abi.StatusBadSequence, last, []byte("x")) // the refused one began nothing
	s.accepted(new(Script).Send(id, binaryFrame, []byte("\xff\xfe")))
	c.Expect(s, binaryFrame, []byte("\xff\xfe"))
}

func sendBadPiece(s *stage) {
	c, id := s.peer()
	head := abi.Command{Kind: abi.CommandSend, Flags: textFrame, ID: id, Tag: 5}
	for _, bad := range []struct {
		name  string
		piece abi.Command
		want  abi.Status
	}{
		{"range", abi.Command{Addr: MemoryEnd, Len: 1}, abi.StatusBadRange},
		{"flags", abi.Command{Flags: 1}, abi.StatusReserved},
		{"code", abi.Command{Code: 1}, abi.StatusReserved},
		{"id", abi.Command{ID: id}, abi.StatusReserved},
		{"arg", abi.Command{Arg: 1}, abi.StatusReserved},
	} {
		bad.piece.Kind = abi.CommandPiece
		sc := new(Script).Do(head, []byte("head")).Raw(bad.piece).
			Do(abi.Command{Kind: abi.CommandPiece}, []byte("tail")).SendText(id, bad.name)
		r := s.refused(1, sc)
		if len(r) != 1 || abi.Status(r[0].Code) != bad.want || r[0].ID != id || r[0].Seq != head.Tag {
			s.Errorf("piece with bad %s: got %s, want %v of the head", bad.name, explain(r), bad.want)
		}
		c.ExpectText(s, bad.name)
	}
}

func sendOrphans(s *stage) {
	c, id := s.peer()
	r := s.refused(2, new(Script).
		Do(abi.Command{Kind: 99, ID: id}, []byte("a"), []byte("b"), []byte("c")).
		SendText(id, "one").
		Do(abi.Command{Kind: abi.CommandSend, Flags: 0xff, ID: id}, []byte("d"), []byte("e")).
		SendText(id, "two"))
	if len(r) != 2 {
		s.Errorf("two bad brigades: got %s, want one refusal each", explain(r))
	}
	c.ExpectText(s, "one")
	c.ExpectText(s, "two")
}

func sendOrder(s *stage) {
	c, id := s.peer()
	d, other := s.peer()
	sc := new(Script)
	for i := range 20 {
		sc.SendText(id, fmt.Sprint(i)).SendText(other, fmt.Sprint(-i))
		if i%5 == 0 {
			sc.Send(id, 0x83, nil) // refused: the others still count
		}
	}
	if r := s.refused(4, sc); len(r) != 4 {
		s.Errorf("got %s, want 4 refusals", explain(r))
	}
	for i := range 20 {
		c.ExpectText(s, fmt.Sprint(i))
		d.ExpectText(s, fmt.Sprint(-i))
	}
}

func sendStale(s *stage) {
	c, id := s.peer()
	c.SendClose(s, 1000, "")
	s.event(abi.EventClose, id)
	for _, gone := range []uint64{id, id + 1, id ^ 1<<63, id + 1<<32, 1, 1 << 63, ^uint64(0)} {
		for _, kind := range []abi.CommandKind{
			abi.CommandSend, abi.CommandClose, abi.CommandSetUser, abi.CommandAccept, abi.CommandRefuse,
		} {
			cmd := abi.Command{Kind: kind, ID: gone}
			switch kind {
			case abi.CommandSend:
				cmd.Flags = textFrame
			case abi.CommandRefuse:
				cmd.Code = 403
			}
			s.wantRefused(abi.StatusUnknownSession, cmd)
		}
	}
}
