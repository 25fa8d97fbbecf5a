package abitest

import (
	"math"

	"github.com/yimmo-host/yimmo-host/abi"
)

func refusedCases() []scenario {
	return []scenario{
		{name: "come in the order of the commands", play: refusedOrder},
		{name: "are told up to a bound and counted above it", play: refusedBound},
		{name: "are counted anew each turn", play: func(s *stage) {
			for range 3 {
				refusedBound(s)
			}
		}},
	}
}

func refusedOrder(s *stage) {
	c, id := s.peer()
	r := s.refused(4, new(Script).
		Raw(abi.Command{Kind: 200, Tag: 1}).
		SendText(id, "fine").
		Raw(abi.Command{Kind: abi.CommandSend, Flags: 0x83, ID: id, Tag: 2, Arg: 0}).
		Raw(abi.Command{Kind: abi.CommandClose, ID: 12345, Code: 1000, Tag: 3}).
		Raw(abi.Command{Kind: abi.CommandClose, ID: id, Code: 1005, Tag: 0xffffffff}))
	want := []struct {
		tag    uint32
		id     uint64
		status abi.Status
	}{
		{1, 0, abi.StatusUnknownKind}, {2, id, abi.StatusBadFlags},
		{3, 12345, abi.StatusUnknownSession}, {0xffffffff, id, abi.StatusBadCode},
	}
	if len(r) != len(want) {
		s.Fatalf("got %s, want %d refusals", explain(r), len(want))
	}
	for i, w := range want {
		if r[i].Seq != w.tag || r[i].ID != w.id || abi.Status(r[i].Code) != w.status {
			s.Errorf("refusal %d: got %v, want tag %d, id %#x, %v", i, r[i], w.tag, w.id, w.status)
		}
	}
	c.ExpectText(s, "fine")
}

func refusedBound(s *stage) {
	const n = 1000
	s.do(new(Script).RawN(n, abi.Command{Kind: 99, Tag: 7}))
	told, counted := 0, uint64(0)
	for uint64(told)+counted < n {
		if counted > 0 {
			s.Fatalf("refusal %d: counts %d more and is not the last", told, counted)
		}
		e := s.next(abi.EventRefused)
		told, counted = told+1, e.User
	}
	if uint64(told)+counted != n || told == n {
		s.Errorf("%d bad commands: %d told, %d counted in the last, want all of them and a bound", n, told, counted)
	}
	s.quiet()
}

func bits(v float64) uint64 { return math.Float64bits(v) }
