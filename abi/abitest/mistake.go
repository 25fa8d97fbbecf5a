package abitest

import (
	"fmt"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
)

// mistakes end an instance. The script runs in a call that begins with event 0
// and has given commands already, unless it yields.
var mistakes = []struct {
	name   string
	script func() *Script
}{
	{"unreachable", func() *Script { return new(Script).Trap(0) }},
	{"load outside memory", func() *Script { return new(Script).Trap(1) }},
	{"division by zero", func() *Script { return new(Script).Trap(2) }},
	{"endless loop", func() *Script { return new(Script).Loop() }},
	{"endless recursion", func() *Script { return new(Script).Recurse() }},
	{"one command more than the ring holds", func() *Script { return new(Script).Result(CommandsCap + 1) }},
	{"2^32-1 commands", func() *Script { return new(Script).Result(0xffffffff) }},
	{"2^31 commands", func() *Script { return new(Script).Result(1 << 31) }},
	{"consumed beyond the events", func() *Script { return new(Script).ConsumedEnd(1) }},
	{"consumed 2^32-1", func() *Script { return new(Script).ConsumedFirst(-1) }},
	{"no progress with more", func() *Script { return new(Script).Yield(2) }},
	{"no progress with events left", func() *Script { return new(Script).Yield(1).ConsumedFirst(0) }},
	{"calls without end", func() *Script {
		return new(Script).RawN(0xffffffff, abi.Command{Kind: abi.CommandSetUser, ID: Self, Arg: 1})
	}},
	{"control block: reserved word", poke(52, 1)},
	{"control block: reserved end", poke(92, 1)},
	{"control block: minor", poke(abi.OffsetMajor, 1<<16|abi.Major)},
	{"control block: magic", poke(abi.OffsetMagic, 0)},
	{"control block: version", poke(abi.OffsetMajor, 2)},
	{"control block: needs", poke(abi.OffsetNeeds, 1)},
	{"control block: wants", poke(abi.OffsetWants, 0)},
	{"control block: event ring", poke(abi.OffsetEventsAddr, AddrEvents+8)},
	{"control block: event ring's capacity", poke(abi.OffsetEventsCap, EventsCap+1)},
	{"control block: command ring", poke(abi.OffsetCommandsAddr, 0xfffffff8)},
	{"control block: command ring's capacity", poke(abi.OffsetCommandsCap, abi.MaxRing)},
	{"control block: area", poke(abi.OffsetAreaAddr, 0)},
	{"control block: area's capacity", poke(abi.OffsetAreaCap, 2*AreaCap)},
}

func poke(offset, value uint32) func() *Script {
	return func() *Script { return new(Script).Poke(AddrControl+offset, value) }
}

func mistakeCases() []scenario {
	var all []scenario
	for _, m := range mistakes {
		all = append(all, scenario{name: m.name, play: func(s *stage) { s.fail(m.script()) }})
	}
	all = append(all,
		scenario{name: "consumed before the call's first event", play: mistakeConsumedBefore},
		scenario{name: "what earlier calls of the turn did stands", play: mistakeEarlierCalls},
		scenario{name: "again and again", play: func(s *stage) {
			for range 3 {
				s.fail(new(Script).Trap(0))
			}
		}},
		scenario{name: "in a connect event", play: func(s *stage) {
			s.do(new(Script).Arm(abi.EventConnect, new(Script).Accept(Self).Trap(0)))
			s.knock(Request{}).mustFail(s)
			s.monitor.ExpectClose(s, abi.CloseInternal)
			s.watch()
		}},
		scenario{name: "in a close event", play: func(s *stage) {
			b, _ := s.peer()
			c, _ := s.peer()
			s.do(new(Script).Arm(abi.EventClose, new(Script).Trap(0)))
			c.SendClose(s, 1000, "")
			b.ExpectClose(s, abi.CloseInternal)
			c.ExpectClose(s, 1000, abi.CloseInternal)
			s.watch()
		}},
		scenario{name: "while a session is held", needs: abi.FeatureHold, play: func(s *stage) {
			c, _ := s.hold()
			s.post(new(Script).Trap(0))
			c.mustFail(s)
			s.watch()
		}},
		scenario{name: "while a request waits for its answer", needs: abi.FeatureHTTP, play: func(s *stage) {
			done := s.ask("GET", "", nil, nil)
			s.next(abi.EventHTTPRequest)
			s.post(new(Script).Trap(0))
			if r := <-done; r.err != nil || r.StatusCode < 500 {
				s.Errorf("request: got %v, %v, want 5xx", r.Response, r.err)
			}
			s.watch()
		}},
		scenario{name: "while an answer is under way", needs: abi.FeatureHTTP, play: func(s *stage) {
			done := s.ask("GET", "", nil, nil)
			e := s.next(abi.EventHTTPRequest)
			s.do(new(Script).Do(head(e.ID, 200, false), nil, []byte("half")))
			s.post(new(Script).Trap(0))
			if r := <-done; r.err == nil {
				s.Errorf("request: got %d %q as a whole answer, want it cut short", r.StatusCode, r.body)
			}
			s.watch()
		}},
	)
	for i := range all {
		all[i].with.Fails = true
	}
	return all
}

// mustFail reads an answer that says the fault is not the peer's.
func (c *Client) mustFail(t testing.TB) {
	t.Helper()
	if err := c.answer(); err != nil {
		t.Fatalf("peer: %v", err)
	}
	if c.Answer.StatusCode < 500 {
		t.Fatalf("peer: upgrade answered %s, want 5xx", c.Answer.Status)
	}
}

// fail makes the puppet fail in the event of one session and checks what all
// sessions see, and that a new instance serves.
func (s *stage) fail(sc *Script) {
	s.Helper()
	culprit, _ := s.peer()
	bystander, id := s.peer()
	s.quiet()

	// Send comes before the failure in the same call, so it never happens. A
	// script that yields has its own first call for it, see mistakeEarlierCalls.
	if op := sc.steps[0].op; op != opYield && op != opCommand {
		sc = &Script{steps: append(new(Script).Raw(abi.Command{
			Kind: abi.CommandSend, Flags: binaryFrame, ID: id, Addr: AddrControl, Len: 4,
		}).steps, sc.steps...), bytes: sc.bytes}
	}
	culprit.Send(s, binaryFrame, sc.Encode())
	bystander.ExpectClose(s, abi.CloseInternal)
	culprit.ExpectClose(s, abi.CloseInternal)
	if op := sc.steps[0].op; op != opYield && op != opCommand {
		s.monitor.ExpectClose(s, abi.CloseInternal) // it does not hear of the event either
	}
	for _, c := range []*Client{culprit, bystander} {
		c.SendClose(s, abi.CloseInternal, "")
		c.ExpectEOF(s)
	}
	s.fresh(id)
}

// fresh checks that a new instance serves, which knows nothing of the session
// old of the one before.
func (s *stage) fresh(old uint64) {
	s.Helper()
	before := s.start
	s.watch()
	if got, want := fmt.Sprintf("%q", s.start.Payload), fmt.Sprintf("%q", before.Payload); got != want {
		s.Errorf("start of the new instance: got %s, want as before: %s", got, want)
	}
	if old != s.id { // ids may come back in a new instance
		s.wantRefused(abi.StatusUnknownSession, abi.Command{Kind: abi.CommandSend, Flags: textFrame, ID: old}, []byte("x"))
	}
	c, id := s.peer()
	c.SendText(s, "hello")
	if e := s.event(abi.EventRecv, id); string(e.Payload) != "hello" || e.User != 0 {
		s.Errorf("recv: got %v, want hello", e)
	}
	s.accepted(new(Script).SendText(id, "hello"))
	c.ExpectText(s, "hello")
}

// mistakeConsumedBefore has a second call begin with event 1 and say that it
// consumed none.
func mistakeConsumedBefore(s *stage) {
	c, id := s.peer()
	s.do(new(Script).Arm(abi.EventRecv, new(Script).Release().Yield(1).SendText(Self, "lost").ConsumedFirst(-1)))
	c.SendText(s, "x")
	c.ExpectClose(s, abi.CloseInternal)
	s.fresh(id)
}

func mistakeEarlierCalls(s *stage) {
	c, id := s.peer()
	s.post(new(Script).SendText(id, "kept").Yield(1).SendText(id, "lost").Trap(0))
	c.ExpectText(s, "kept")
	c.ExpectClose(s, abi.CloseInternal)
	s.fresh(id)
}
