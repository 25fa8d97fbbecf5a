package abitest

import (
	"fmt"

	"github.com/yimmo-host/yimmo-host/abi"
)

// callCases are about what goes on between a host and its guest within a turn.
func callCases() []scenario {
	return []scenario{
		{name: "more: a full command ring is emptied and refilled", play: callSeries},
		{name: "more: after the event was consumed", play: func(s *stage) {
			c, id := s.peer()
			s.do(new(Script).Arm(abi.EventRecv, numbered(new(Script).Release(), Self, 300)))
			c.SendText(s, "go")
			expectNumbers(s, c, 300)
			s.event(abi.EventRecv, id)
			s.quiet()
		}},
		{name: "more: what earlier calls gave comes first", play: func(s *stage) {
			c, id := s.peer()
			s.accepted(new(Script).SendText(id, "a").Yield(1).SendText(id, "b").Yield(1).SendText(id, "c"))
			c.ExpectText(s, "a")
			c.ExpectText(s, "b")
			c.ExpectText(s, "c")
		}},
		{name: "a brigade does not go on in the next call", play: func(s *stage) {
			c, id := s.peer()
			head := abi.Command{Kind: abi.CommandSend, Flags: textFrame, ID: id}
			piece := abi.Command{Kind: abi.CommandPiece, Tag: 77}
			r := s.refused(1, new(Script).Do(head, []byte("whole")).Yield(1).Do(piece, []byte("stray")).SendText(id, "next"))
			if len(r) != 1 || abi.Status(r[0].Code) != abi.StatusBadSequence || r[0].Seq != 77 {
				s.Errorf("piece at the start of a call: got %s, want bad_sequence", explain(r))
			}
			c.ExpectText(s, "whole")
			c.ExpectText(s, "next")
		}},
		{name: "the guest may leave events for the next call", play: func(s *stage) {
			c, id := s.peer()
			var wire []byte
			for range EventsCap {
				wire = AppendFrame(wire, binaryFrame, numbered(new(Script), Self, 10).Encode())
			}
			if _, err := c.conn.Write(wire); err != nil {
				s.Fatalf("peer: %v", err)
			}
			for range EventsCap {
				expectNumbers(s, c, 10)
				s.event(abi.EventRecv, id)
			}
			s.quiet()
		}},
	}
}

func callSeries(s *stage) {
	c, id := s.peer()
	s.accepted(numbered(new(Script), id, 1000))
	expectNumbers(s, c, 1000)
}

// numbered sends n messages, each its own number.
func numbered(sc *Script, id uint64, n int) *Script {
	var parts [][]byte
	for i := range n {
		parts = append(parts, fmt.Appendf(nil, "%04d", i))
	}
	return sc.Series(abi.Command{Kind: abi.CommandSend, Flags: textFrame, ID: id}, parts...)
}

func expectNumbers(s *stage, c *Client, n int) {
	s.Helper()
	for i := range n {
		c.ExpectText(s, fmt.Sprintf("%04d", i))
	}
}
