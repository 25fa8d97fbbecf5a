package abitest

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
)

// stage is where a scenario plays: a server that runs the puppet, and the
// monitor through which everything the puppet sees becomes known.
type stage struct {
	*testing.T
	server  *Server
	module  []byte
	monitor *Client
	id      uint64      // of the monitor
	granted abi.Feature // features in force
	start   Seen        // the start event
	stopped bool

	seen []Seen            // events not asked for yet, oldest first
	seqs map[uint64]uint32 // of the last event of each session
	over map[uint64]bool   // sessions that had their close event
}

// Seen is an event as the puppet saw it.
type Seen struct {
	abi.Event
	Payload []byte
}

// String shows what a failure message needs.
func (e Seen) String() string {
	payload := e.Payload
	if len(payload) > 64 {
		payload = payload[:64]
	}
	return fmt.Sprintf("%v{flags %#02x code %d id %#x seq %d user %#x, %d bytes %q}",
		e.Kind, e.Flags, e.Code, e.ID, e.Seq, e.User, len(e.Payload), payload)
}

// newStage starts a server with a puppet and connects the monitor.
func newStage(t *testing.T, start Start, p Plugin) *stage {
	t.Helper()
	server, err := start(t, p)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	s := &stage{T: t, server: server, module: p.Module}
	t.Cleanup(s.stop) // after the peers' cuts
	s.watch()
	return s
}

// stop ends the server, once.
func (s *stage) stop() {
	if !s.stopped {
		s.stopped = true
		s.server.Stop()
	}
}

// watch connects the monitor to an instance that has none. An instance that is
// just being started may make peers wait or refuse them with 503.
func (s *stage) watch() {
	s.Helper()
	limit := time.Now().Add(patience)
	retry := time.NewTicker(10 * time.Millisecond)
	defer retry.Stop()
	for {
		c, err := upgrade(s.server.URL, Request{})
		if err == nil {
			err = c.answer()
		}
		if err == nil && c.Answer.StatusCode == http.StatusSwitchingProtocols {
			s.monitor = c
			break
		}
		if err == nil {
			err = fmt.Errorf("answered %s", c.Answer.Status)
		}
		if time.Now().After(limit) {
			s.Fatalf("monitor: no session after %v: %v", patience, err)
		}
		<-retry.C
	}
	s.Cleanup(s.monitor.Cut)
	s.seen, s.seqs, s.over = nil, map[uint64]uint32{}, map[uint64]bool{}
	s.start = s.read()
	if s.start.Kind != abi.EventStart {
		s.Fatalf("first event: got %v, want start", s.start)
	}
	connect := s.read()
	if connect.Kind != abi.EventConnect {
		s.Fatalf("event after start: got %v, want connect", connect)
	}
	s.id = connect.ID
	s.granted = s.control().Granted
}

// read takes the next event from the monitor and judges what holds for all.
func (s *stage) read() Seen {
	s.Helper()
	f := s.monitor.Recv(s)
	if f.Flags != binaryFrame {
		s.Fatalf("monitor: got frame %s, want an event", f)
	}
	e, err := parseSeen(f.Payload)
	if err != nil {
		s.Fatalf("monitor: %v", err)
	}
	if err := s.judge(e); err != nil {
		s.Errorf("event %v: %v", e, err)
	}
	return e
}

func parseSeen(p []byte) (Seen, error) {
	e, ok := abi.ParseEvent(p)
	if !ok {
		return Seen{}, fmt.Errorf("%d bytes are no event record", len(p))
	}
	seen := Seen{e, p[abi.RecordSize:]}
	if uint32(len(seen.Payload)) != e.Len {
		return Seen{}, fmt.Errorf("%v: the record says %d bytes of payload", seen, e.Len)
	}
	return seen, nil
}

// judge says what is wrong with e whatever it is about.
func (s *stage) judge(e Seen) error {
	if end := uint64(e.Addr) + uint64(e.Len); e.Len > 0 && (e.Addr < AddrArea || end > AddrArea+AreaCap) {
		return fmt.Errorf("payload at %#x to %#x is not inside the receive area", e.Addr, end)
	}
	switch e.Kind {
	case abi.EventConnect, abi.EventRecv, abi.EventClose, abi.EventDrained:
	default:
		return nil
	}
	last, known := s.seqs[e.ID]
	switch {
	case e.ID == 0:
		return errors.New("session id 0")
	case s.over[e.ID]:
		return errors.New("comes after the session's close event")
	case e.Kind == abi.EventConnect && known:
		return errors.New("second connect event of a session")
	case e.Kind == abi.EventConnect && e.Seq != firstSeq:
		return fmt.Errorf("a session's first seq is %d", firstSeq)
	case e.Kind != abi.EventConnect && !known:
		return errors.New("session without a connect event")
	case known && e.Seq != last+1:
		return fmt.Errorf("seq after %d", last)
	}
	s.seqs[e.ID], s.over[e.ID] = e.Seq, e.Kind == abi.EventClose
	return nil
}

// await takes the oldest event that fits and leaves the others for later calls.
func (s *stage) await(what string, fits func(Seen) bool) Seen {
	s.Helper()
	for i, e := range s.seen {
		if fits(e) {
			s.seen = append(s.seen[:i:i], s.seen[i+1:]...)
			return e
		}
	}
	for {
		f, err := s.monitor.recv()
		if err != nil {
			s.Fatalf("waiting for %s: %v; other events: %v", what, err, s.seen)
		}
		e, err := parseSeen(f.Payload)
		if err != nil || f.Flags != binaryFrame {
			s.Fatalf("monitor: got frame %s while waiting for %s", f, what)
		}
		if err := s.judge(e); err != nil {
			s.Errorf("event %v: %v", e, err)
		}
		if fits(e) {
			return e
		}
		s.seen = append(s.seen, e)
	}
}

// event takes the next event of that kind with that id.
func (s *stage) event(kind abi.EventKind, id uint64) Seen {
	s.Helper()
	return s.await(fmt.Sprintf("%v %#x", kind, id), func(e Seen) bool { return e.Kind == kind && e.ID == id })
}

// next takes the next event of that kind that is not the monitor's own.
func (s *stage) next(kind abi.EventKind) Seen {
	s.Helper()
	return s.await(kind.String(), func(e Seen) bool { return e.Kind == kind && e.ID != s.id })
}

// post sends a script without waiting for anything.
func (s *stage) post(sc *Script) {
	s.Helper()
	s.monitor.Send(s, binaryFrame, sc.Encode())
}

// do runs a script: when it returns the script's first call has been committed.
func (s *stage) do(sc *Script) {
	s.Helper()
	s.post(sc)
	s.event(abi.EventRecv, s.id)
}

// refused runs a script of which n commands are to be refused, and returns the
// refusals in order: n of them, or more.
func (s *stage) refused(n int, sc *Script) []Seen {
	s.Helper()
	s.do(sc)
	return s.refusals(n)
}

// refusals takes the refusals of what was done last.
func (s *stage) refusals(n int) []Seen {
	s.Helper()
	var all, rest []Seen
	for range n {
		all = append(all, s.await("refusal", func(e Seen) bool { return e.Kind == abi.EventRefused }))
	}
	s.settle()
	for _, e := range s.seen {
		if e.Kind == abi.EventRefused {
			all = append(all, e)
		} else {
			rest = append(rest, e)
		}
	}
	s.seen = rest
	return all
}

// accepted runs a script of which nothing may be refused.
func (s *stage) accepted(sc *Script) {
	s.Helper()
	if r := s.refused(0, sc); len(r) > 0 {
		s.Errorf("refused: %s, want nothing refused", explain(r))
	}
}

// settle waits until what went before has had its consequences: they come with
// the next turn, and a script that follows may share a turn with them.
func (s *stage) settle() {
	s.Helper()
	s.do(new(Script))
	s.do(new(Script))
}

// quiet checks that nothing has reached the puppet that nobody asked for.
func (s *stage) quiet() {
	s.Helper()
	s.settle()
	if len(s.seen) > 0 {
		s.Errorf("events that should not be: %v", s.seen)
		s.seen = nil
	}
}

// memory reads up to 64 KiB of the puppet's memory.
func (s *stage) memory(addr, size uint32) []byte {
	s.Helper()
	s.do(new(Script).Raw(abi.Command{
		Kind: abi.CommandSend, Flags: binaryFrame, ID: s.id, Addr: addr, Len: size,
	}))
	f := s.monitor.Recv(s) // right behind the event that the script came with
	if f.Flags != binaryFrame || uint32(len(f.Payload)) != size {
		s.Fatalf("monitor: got frame %s, want %d bytes of memory", f, size)
	}
	return f.Payload
}

// control reads the puppet's control block.
func (s *stage) control() abi.Control {
	s.Helper()
	c, err := abi.ParseControl(s.memory(AddrControl, abi.ControlSize))
	if err != nil {
		s.Fatalf("control block: %v", err)
	}
	return c
}

// peer opens a session and returns it with its connect event.
func (s *stage) peer() (*Client, uint64) {
	s.Helper()
	c, e := s.dial(Request{})
	return c, e.ID
}

// dial opens a session, which must be accepted.
func (s *stage) dial(r Request) (*Client, Seen) {
	s.Helper()
	c := s.knock(r)
	c.mustAnswer(s, http.StatusSwitchingProtocols)
	return c, s.next(abi.EventConnect)
}

// knock sends an upgrade request and leaves the answer to the caller.
func (s *stage) knock(r Request) *Client {
	s.Helper()
	c, err := upgrade(s.server.URL, r)
	if err != nil {
		s.Fatalf("peer: upgrade: %v", err)
	}
	s.Cleanup(c.Cut)
	return c
}

// mustAnswer reads the answer to the upgrade request and returns its body.
func (c *Client) mustAnswer(t testing.TB, status int) string {
	t.Helper()
	if err := c.answer(); err != nil {
		t.Fatalf("peer: %v", err)
	}
	var body bytes.Buffer
	if c.Answer.StatusCode != http.StatusSwitchingProtocols {
		body.ReadFrom(c.Answer.Body)
	}
	if c.Answer.StatusCode != status {
		t.Fatalf("peer: upgrade answered %s %q, want %d", c.Answer.Status, body.String(), status)
	}
	return body.String()
}

// explain names refusals.
func explain(refused []Seen) string {
	var out []string
	for _, e := range refused {
		c, _ := abi.ParseCommand(e.Payload)
		out = append(out, fmt.Sprintf("%v of %v %#x tag %d", abi.Status(e.Code), c.Kind, e.ID, e.Seq))
	}
	return fmt.Sprint(out)
}
