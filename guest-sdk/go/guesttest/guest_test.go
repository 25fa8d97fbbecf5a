package guesttest_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/guesttest"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/abi"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/internal/vectors"
)

// What a host would take the instance away for fails the test.
func TestMistakes(t *testing.T) {
	start := call{consumed: -1}
	tests := []struct {
		name string
		call call
		want string
	}{
		{"too many commands", call{count: 17, consumed: -1}, "mistake of the plugin: 17 commands in a ring of 16"},
		{"consumed beyond the end", call{consumed: 2}, "mistake of the plugin: consumed 2, turn began at 0 of 1"},
		{"no progress", call{consumed: 0}, "mistake of the plugin: a call without progress"},
		{"more without progress", call{consumed: 0, more: true}, "mistake of the plugin: a call without progress"},
		{"trap", call{err: errors.New("unreachable")}, "the plugin trapped: unreachable"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := failure(t, func(tb testing.TB) {
				guesttest.New(tb, newScript(start, tt.call)).Connect(guesttest.Request{})
			})
			if !strings.HasSuffix(got, tt.want) {
				t.Errorf("Connect: test ended with %q, want %q", got, tt.want)
			}
		})
	}
}

// What a test does wrong, it hears.
func TestMisuse(t *testing.T) {
	tests := []struct {
		name string
		do   func(g *guesttest.Guest)
		want string
	}{
		{"late start", func(g *guesttest.Guest) { g.Connect(guesttest.Request{}); g.Start(nil) }, "Start after another event"},
		{"event after stop", func(g *guesttest.Guest) { g.Stop(); g.Connect(guesttest.Request{}) }, "event after Stop"},
		{"recv after close", func(g *guesttest.Guest) {
			s := g.Connect(guesttest.Request{})
			s.Close(1000, "")
			s.RecvText("x")
		}, "Recv in a session that is over"},
		{"second close", func(g *guesttest.Guest) {
			s := g.Connect(guesttest.Request{})
			s.Cut()
			s.Close(1000, "")
		}, "end of a session that is over"},
		{"no trap", func(g *guesttest.Guest) { g.Trap(func() { g.Connect(guesttest.Request{}) }) }, "did not trap"},
		{"too large", func(g *guesttest.Guest) { g.Connect(guesttest.Request{Path: strings.Repeat("x", 64<<10)}) }, "does not fit the receive area"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := failure(t, func(tb testing.TB) { tt.do(guesttest.New(tb, newScript())) })
			if !strings.HasPrefix(got, "guesttest: ") || !strings.Contains(got, tt.want) {
				t.Errorf("test ended with %q, want %q", got, tt.want)
			}
		})
	}
}

// A plugin that answers every refusal with another mistake does not hang the test.
func TestEndlessRefusals(t *testing.T) {
	m := newScript()
	for range 20_000 {
		m.calls = append(m.calls, call{commands: []abi.Command{{Kind: 200}}, consumed: -1})
	}
	got := failure(t, func(tb testing.TB) { guesttest.New(tb, m).Connect(guesttest.Request{}) })
	if !strings.Contains(got, "still busy with itself") {
		t.Errorf("Connect: test ended with %q", got)
	}
}

// seq counts connect, recv, drained and close of a session from 0; the user word
// is as of the beginning of the turn.
func TestEventRecords(t *testing.T) {
	m := newScript()
	g := guesttest.New(t, m)
	s := g.Connect(guesttest.Request{})
	g.Batch(func() { s.RecvText("a"); s.Recv(guest.Binary, nil) })
	m.calls = []call{{commands: []abi.Command{{Kind: abi.CommandSetUser, ID: s.ID(), Arg: 7}}, consumed: -1}}
	s.RecvText("b")
	s.Drained()
	s.Dropped(guest.StatusQueueFull, 3)
	s.Close(1000, "bye")
	type short struct {
		kind  abi.EventKind
		flags uint8
		size  uint32
		seq   uint32
		user  uint64
	}
	var got []short
	for _, e := range m.seen[1:] {
		if e.Addr < areaAt || e.ID != s.ID() {
			t.Errorf("event %d: payload at %#x, session %#x", e.Kind, e.Addr, e.ID)
		}
		got = append(got, short{e.Kind, e.Flags, e.Len, e.Seq, e.User})
	}
	want := []short{
		{abi.EventConnect, 0, got[0].size, 0, 0},
		{abi.EventRecv, 0x81, 1, 1, 0}, {abi.EventRecv, 0x82, 0, 2, 0}, {abi.EventRecv, 0x81, 1, 3, 0},
		{abi.EventDrained, 0, 0, 4, 7}, {abi.EventDropped, 0, 0, 3, 7},
		{abi.EventClose, 0x81, 3, 5, 7},
	}
	if !slices.Equal(got, want) {
		t.Errorf("events: got %v, want %v", got, want)
	}
}

// Commands are refused for the reasons that the contract's vectors give.
func TestCommandVectors(t *testing.T) {
	judged := 0
	for _, v := range vectors.Load(t, "command") {
		reason, refused := strings.CutPrefix(v.Expect, "refused ")
		if !refused || reason == "short" {
			continue
		}
		judged++
		m := newScript(call{consumed: -1}, call{consumed: -1})
		m.memory = bytes.Repeat([]byte("x"), int(v.Number(t, "memory")))
		m.features = features(v.Get("granted"))
		g := guesttest.New(t, m)
		s := g.Connect(guesttest.Request{})
		c := abi.Command{}
		copy(abi.CommandBytes(&c), v.Bytes)
		if c.ID == 0x100000007 {
			c.ID = s.ID()
		}
		m.calls = []call{{commands: []abi.Command{c}, consumed: -1}}
		s.RecvText("x")
		// If several things are wrong, the status names one of them: a vector is
		// judged by itself, here no session is undecided and no request waits.
		also := map[string]string{"accept": "decided", "refuse": "decided", "hold": "decided",
			"http_head": "unknown_request", "http_body": "unknown_request", "piece": "bad_sequence"}[v.Get("kind")]
		if r := g.Refusals(); len(r) != 1 {
			t.Errorf("%s: %d refusals, want 1 for %s", v.Name, len(r), reason)
		} else if got := r[0].Status.String(); got != reason && got != also {
			t.Errorf("%s: refused for %s, want %s", v.Name, got, reason)
		}
	}
	if judged < 20 {
		t.Errorf("only %d refused commands among the vectors", judged)
	}
}

func features(names string) (f guest.Feature) {
	for name := range strings.SplitSeq(names, "|") {
		f |= map[string]guest.Feature{
			"http": guest.FeatureHTTP, "hold": guest.FeatureHold, "send_many": guest.FeatureSendMany,
			"timers": guest.FeatureTimers, "topics": guest.FeatureTopics,
		}[name]
	}
	return f
}

// Frames of one session must make messages, and text must be UTF-8 over all its
// fragments. A frame that is refused changes nothing.
func TestSequence(t *testing.T) {
	type step struct {
		flags guest.Flags
		data  string
		want  string // status, "" = sent
	}
	tests := []struct {
		name  string
		steps []step
	}{
		{"message in fragments", []step{{guest.OpText, "a", ""}, {0, "b", ""}, {guest.Ping, "p", ""}, {guest.FIN, "c", ""}, {guest.Text, "d", ""}}},
		{"continuation alone", []step{{guest.FIN, "a", "bad_sequence"}, {guest.Text, "b", ""}}},
		{"text inside", []step{{guest.OpBinary, "a", ""}, {guest.Text, "b", "bad_sequence"}, {guest.FIN, "\xff", ""}}},
		{"character in two fragments", []step{{guest.OpText, "\xe2\x9c", ""}, {guest.FIN, "\x93", ""}}},
		{"half a character", []step{{guest.OpText, "\xe2\x9c", ""}, {guest.FIN, "", "bad_text"}, {guest.FIN, "\x93", ""}}},
		{"not UTF-8", []step{{guest.Text, "\xff", "bad_text"}, {guest.OpText, "\xff", "bad_text"}, {guest.Binary, "\xff", ""}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newScript()
			g := guesttest.New(t, m)
			s := g.Connect(guesttest.Request{})
			for i, st := range tt.steps {
				copy(m.memory, st.data)
				m.calls = []call{{consumed: -1, commands: []abi.Command{
					{Kind: abi.CommandSend, Flags: uint8(st.flags), ID: s.ID(), Len: uint32(len(st.data))},
				}}}
				s.RecvText("go")
				status := ""
				if r := g.Refusals(); len(r) == 1 {
					status = r[0].Status.String()
				}
				if sent := s.Sent(); status != st.want || len(sent) == 1 != (st.want == "") {
					t.Errorf("step %d: status %q, sent %v, want %q", i, status, sent, st.want)
				}
			}
		})
	}
}

// What is published while the plugin sends a fragmented message follows its end.
func TestPublishBetweenFragments(t *testing.T) {
	m := newScript()
	g := guesttest.New(t, m)
	s := g.Connect(guesttest.Request{})
	copy(m.memory, "roomab")
	send := func(flags guest.Flags, at uint32) abi.Command {
		return abi.Command{Kind: abi.CommandSend, Flags: uint8(flags), ID: s.ID(), Addr: at, Len: 1}
	}
	m.calls = []call{{consumed: -1, commands: []abi.Command{
		{Kind: abi.CommandSubscribe, ID: s.ID(), Len: 4},
		send(guest.OpText, 4),
		{Kind: abi.CommandPublish, Flags: 0x82, Len: 4}, {Kind: abi.CommandPiece, Len: 4},
		send(guest.FIN, 5),
	}}}
	s.RecvText("go")
	want := []guesttest.Frame{{Flags: guest.OpText, Data: "a"}, {Flags: guest.FIN, Data: "b"}, {Flags: guest.Binary, Data: "room"}}
	if sent := s.Sent(); !slices.Equal(sent, want) {
		t.Errorf("sent %v, want %v", sent, want)
	}
}

// What a command does depends on where its session stands.
func TestSessionStates(t *testing.T) {
	kinds := []abi.CommandKind{
		abi.CommandAccept, abi.CommandSend, abi.CommandClose, abi.CommandSetUser, abi.CommandSubscribe, abi.CommandUnsubscribe,
	}
	first := func(m *script, k abi.CommandKind, id uint64, c abi.Command) { // k and then c, in one turn
		m.calls = []call{{consumed: -1, commands: []abi.Command{{Kind: k, ID: id}, c}}}
	}
	only := func(m *script, c abi.Command) { m.calls = []call{{consumed: -1, commands: []abi.Command{c}}} }
	gone := []string{"unknown_session", "unknown_session", "unknown_session", "unknown_session", "unknown_session", "unknown_session"}
	tests := []struct {
		name string
		act  func(s, other *guesttest.Session, m *script, c abi.Command)
		want []string          // refused with, for each of kinds
		held []guesttest.State // what becomes of a held handshake, for each of kinds
	}{
		{
			name: "held",
			want: []string{"", "", "", "", "", ""},
			held: []guesttest.State{
				guesttest.Open, guesttest.Open, guesttest.Over, guesttest.Waiting, guesttest.Waiting, guesttest.Waiting,
			},
		},
		{
			name: "open",
			act:  func(s, _ *guesttest.Session, m *script, c abi.Command) { only(m, c); s.RecvText("x") },
			want: []string{"decided", "", "", "", "", ""},
		},
		{
			name: "closing",
			act: func(s, _ *guesttest.Session, m *script, c abi.Command) {
				first(m, abi.CommandClose, s.ID(), c)
				s.RecvText("x")
			},
			want: []string{"decided", "closing", "closing", "", "", ""},
		},
		{
			name: "peer closes",
			act:  func(s, _ *guesttest.Session, m *script, c abi.Command) { only(m, c); s.Close(1000, "") },
			want: slices.Concat([]string{"decided", ""}, gone[2:]),
		},
		{
			name: "cut",
			act:  func(s, _ *guesttest.Session, m *script, c abi.Command) { only(m, c); s.Cut() },
			want: slices.Concat([]string{"decided"}, gone[1:]),
		},
		{
			name: "over",
			act:  func(s, other *guesttest.Session, m *script, c abi.Command) { s.Cut(); only(m, c); other.RecvText("x") },
			want: gone,
		},
	}
	for _, tt := range tests {
		for i, kind := range kinds {
			m := newScript()
			g := guesttest.New(t, m)
			var s *guesttest.Session
			other := g.Connect(guesttest.Request{})
			c := abi.Command{Kind: kind}
			connect := func() {
				s = g.Connect(guesttest.Request{})
				c.ID = s.ID()
			}
			switch kind {
			case abi.CommandSend:
				c.Flags = uint8(guest.Text)
			case abi.CommandSubscribe, abi.CommandUnsubscribe:
				c.Len = 4 // whatever is at 0
			}
			if tt.held != nil {
				g.Batch(func() { connect(); first(m, abi.CommandHold, s.ID(), c) })
				if s.State() != tt.held[i] {
					t.Errorf("%s: command %d: session is %v, want %v", tt.name, kind, s.State(), tt.held[i])
				}
			} else {
				connect()
				tt.act(s, other, m, c)
			}
			got := ""
			if r := g.Refusals(); len(r) > 0 {
				got = r[0].Status.String()
			}
			if got != tt.want[i] {
				t.Errorf("%s: command %d: got status %q, want %q", tt.name, kind, got, tt.want[i])
			}
		}
	}
}

// A plugin that takes whole messages gets them whole.
func TestMessages(t *testing.T) {
	m := newScript()
	m.features |= guest.FeatureMessages
	g := guesttest.New(t, m)
	s := g.Connect(guesttest.Request{})
	s.Recv(guest.OpText, []byte("a"))
	s.Recv(0, []byte("b"))
	s.Recv(guest.FIN, []byte("c"))
	s.RecvText("")
	last := m.seen[len(m.seen)-2:]
	if last[0].Kind != abi.EventRecv || last[0].Flags != uint8(guest.Text) || last[0].Len != 3 || last[1].Len != 0 || len(m.seen) != 4 {
		t.Errorf("events: got %+v, want one message of 3 bytes and an empty one", m.seen[2:])
	}
}

// Topics and lists of ids are as the contract's vectors have them.
func TestPayloadVectors(t *testing.T) {
	h := &listener{}
	g := guesttest.Native(t, h)
	for _, v := range vectors.Load(t, "topic") {
		if v.Expect != "ok" {
			continue
		}
		name, data := vectors.Bytes(t, v.Get("name")), vectors.Bytes(t, v.Get("data"))
		h.subscribe = string(name)
		g.Connect(guesttest.Request{})
		g.Publish(string(name), guest.Binary, data)
		if h.name != string(name) || h.data != string(data) || h.name+h.data != string(v.Bytes) {
			t.Errorf("%s: heard %q %q, want %q %q", v.Name, h.name, h.data, name, data)
		}
	}
	for _, v := range vectors.Load(t, "ids") {
		if v.Expect != "ok" {
			continue
		}
		h.ids = nil
		for i := 0; i+8 <= len(v.Bytes); i += 8 {
			id := uint64(0)
			for j := 7; j >= 0; j-- {
				id = id<<8 | uint64(v.Bytes[i+j])
			}
			h.ids = append(h.ids, id)
		}
		g.Refusals()
		g.Connect(guesttest.Request{})
		var got []uint64
		for _, r := range g.Refusals() {
			got = append(got, r.ID)
		}
		if !slices.Equal(got, h.ids) {
			t.Errorf("%s: sent to %x, want %x", v.Name, got, h.ids)
		}
	}
}

type listener struct {
	subscribe  string
	ids        []uint64
	name, data string
}

func (h *listener) Connect(guest.Session) error {
	if guest.Subscribe(h.subscribe); h.ids != nil {
		return guest.SendMany(h.ids, guest.Text, nil)
	}
	return nil
}
func (h *listener) Recv(guest.Session, guest.Flags, []byte) error { return nil }
func (h *listener) Close(guest.Session, uint16, string)           {}
func (h *listener) Topic(name string, _ guest.Flags, data []byte) error {
	h.name, h.data = name, string(data)
	return nil
}
