package abitest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/yimmo-host/yimmo-host/abi"
)

func connectCases() []scenario {
	return []scenario{
		{name: "fields of the request", play: connectFields},
		{name: "no decision is acceptance", play: connectDefault},
		{name: "accept with subprotocol and headers", play: connectAccept},
		{name: "accept that is refused does not let the peer in", play: connectBadAccept},
		{name: "refuse with status, headers and body", play: connectRefuse},
		{name: "refuse: statuses", play: connectRefuseStatuses},
		{name: "refuse that is refused does not let the peer in", play: connectBadRefuse},
		{name: "decided once", play: connectDecided},
		{name: "send accepts", play: func(s *stage) {
			c, e := s.meet(new(Script).SendText(Self, "one").SendText(Self, "two"))
			c.ExpectText(s, "one")
			c.ExpectText(s, "two")
			s.accepted(new(Script).SendText(e.ID, "three"))
			c.ExpectText(s, "three")
		}},
		{name: "close accepts", play: func(s *stage) {
			c, e := s.meet(new(Script).Close(Self, 4001, "not now"))
			if reason := c.ExpectClose(s, 4001); reason != "not now" {
				s.Errorf("close: reason %q, want %q", reason, "not now")
			}
			c.SendClose(s, 4001, "")
			s.event(abi.EventClose, e.ID)
			c.ExpectEOF(s)
		}},
		{name: "set_user accepts", play: func(s *stage) {
			c, e := s.meet(new(Script).Do(abi.Command{Kind: abi.CommandSetUser, ID: Self, Arg: 7}))
			c.SendText(s, "x")
			if got := s.event(abi.EventRecv, e.ID); got.User != 7 {
				s.Errorf("recv: user %d, want 7", got.User)
			}
			s.wantRefused(abi.StatusDecided, abi.Command{Kind: abi.CommandAccept, ID: e.ID})
		}},
		{name: "accept, then send, then close in one turn", play: func(s *stage) {
			c, _ := s.meet(new(Script).Accept(Self).SendText(Self, "hello").Close(Self, 1000, ""))
			c.ExpectText(s, "hello")
			c.ExpectClose(s, 1000)
		}},
		{name: "ids are new each time", play: func(s *stage) {
			ids := map[uint64]bool{s.id: true}
			for range 8 {
				c, id := s.peer()
				if ids[id] {
					s.Errorf("id %#x was used before", id)
				}
				ids[id] = true
				c.Cut()
				s.event(abi.EventClose, id)
			}
		}},
		{name: "hold, then accept", needs: abi.FeatureHold, play: holdAccept},
		{name: "hold, then refuse", needs: abi.FeatureHold, play: holdRefuse},
		{name: "hold, then send", needs: abi.FeatureHold, play: func(s *stage) {
			c, e := s.hold()
			s.accepted(new(Script).SendText(e.ID, "in"))
			c.mustAnswer(s, http.StatusSwitchingProtocols)
			c.ExpectText(s, "in")
		}},
		{name: "hold, then the client leaves", needs: abi.FeatureHold, play: func(s *stage) {
			c, e := s.hold()
			c.Cut()
			s.wantClose(e.ID, Seen{Event: abi.Event{Code: abi.CloseAbnormal, Flags: abi.WhoPeer}})
		}},
		{name: "hold, and nobody decides", needs: abi.FeatureHold, play: func(s *stage) {
			c, e := s.hold()
			s.accepted(new(Script).Do(abi.Command{Kind: abi.CommandHold, ID: e.ID}))
			c.mustAnswer(s, http.StatusGatewayTimeout)
			s.wantClose(e.ID, Seen{Event: abi.Event{Code: abi.CloseAbnormal, Flags: abi.WhoHost}})
			s.wantRefused(abi.StatusUnknownSession, abi.Command{Kind: abi.CommandAccept, ID: e.ID})
		}},
		{name: "hold, then set_user and close", needs: abi.FeatureHold, play: func(s *stage) {
			c, e := s.hold()
			s.accepted(new(Script).Do(abi.Command{Kind: abi.CommandSetUser, ID: e.ID, Arg: 9}).Close(e.ID, 4000, "x"))
			c.mustAnswer(s, http.StatusSwitchingProtocols)
			c.ExpectClose(s, 4000)
			c.SendClose(s, 4000, "")
			if e := s.event(abi.EventClose, e.ID); e.User != 9 {
				s.Errorf("close: got %v, want user 9", e)
			}
		}},
		{name: "hold with anything but an id", needs: abi.FeatureHold, play: func(s *stage) {
			for _, c := range []abi.Command{{Flags: 1}, {Code: 1}, {Arg: 1}, {Len: 1}} {
				c.Kind, c.ID = abi.CommandHold, Self
				s.decide(new(Script).Raw(c), http.StatusInternalServerError)
				if r := s.refusals(1); len(r) != 1 || abi.Status(r[0].Code) != abi.StatusReserved {
					s.Errorf("hold %+v: got %s, want reserved", c, explain(r))
				}
			}
		}},
		{name: "hold of an open session", needs: abi.FeatureHold, play: func(s *stage) {
			_, id := s.peer()
			s.wantRefused(abi.StatusDecided, abi.Command{Kind: abi.CommandHold, ID: id})
		}},
	}
}

// meet opens a session while the puppet has a script for its connect event.
func (s *stage) meet(sc *Script) (*Client, Seen) {
	s.Helper()
	s.do(new(Script).Arm(abi.EventConnect, sc))
	return s.dial(Request{})
}

// decide sends an upgrade request that the puppet answers with a script, so
// that the client gets status, which is not 101.
func (s *stage) decide(sc *Script, status int, header ...string) (*Client, Seen) {
	s.Helper()
	s.do(new(Script).Arm(abi.EventConnect, sc))
	c := s.knock(Request{Header: header})
	c.mustAnswer(s, status)
	return c, s.next(abi.EventConnect)
}

// hold opens a session that nobody has decided about.
func (s *stage) hold() (*Client, Seen) {
	s.Helper()
	s.do(new(Script).Arm(abi.EventConnect, new(Script).Do(abi.Command{Kind: abi.CommandHold, ID: Self})))
	c := s.knock(Request{})
	return c, s.next(abi.EventConnect)
}

// wantRefused gives one command, which must be refused.
func (s *stage) wantRefused(want abi.Status, c abi.Command, parts ...[]byte) {
	s.Helper()
	c.Tag = 0xc0ffee
	if c.ID == Self {
		c.ID = s.id // the script comes from the monitor
	}
	r := s.refused(1, new(Script).Do(c, parts...))
	if len(r) != 1 || abi.Status(r[0].Code) != want {
		s.Errorf("%v %+v: got %s, want %v", c.Kind, c, explain(r), want)
		return
	}
	if r[0].Seq != c.Tag || r[0].User != 0 || r[0].Flags != 0 {
		s.Errorf("%v: refused event is %v, want seq %#x, the tag, and the rest 0", c.Kind, r[0], c.Tag)
	}
	if back, _ := abi.ParseCommand(r[0].Payload); len(r[0].Payload) != abi.RecordSize || back.Kind != c.Kind ||
		back.Code != c.Code || back.Flags != c.Flags || back.Arg != c.Arg || back.ID != c.ID || back.Tag != c.Tag {
		s.Errorf("%v: refused event carries %+v, want a copy of the record %+v", c.Kind, back, c)
	}
}

func connectFields(s *stage) {
	c, e := s.dial(Request{Path: "/a/b?x=1&y=%20", Header: []string{
		"X-Second: b", "Sec-WebSocket-Protocol: chat.v2, chat.v1", "X-First: a", "Origin: http://example.com",
		"X-Second: c", "Cookie: k=v", "X-Empty:",
	}})
	if e.ID == 0 || e.Flags != 0 || e.Code != 0 || e.User != 0 {
		s.Errorf("connect: got %v, want an id, and flags, code and user 0", e)
	}
	f, err := abi.ParseFields(e.Payload)
	if err != nil {
		s.Fatalf("connect: payload %q: %v", e.Payload, err)
	}
	u, _ := url.Parse(s.server.URL)
	pseudo := []string{
		":method GET", ":scheme http", ":authority " + u.Host, ":path " + u.Path + "/a/b?x=1&y=%20",
		":remote " + c.conn.LocalAddr().String(), ":protocol chat.v2", ":protocol chat.v1",
	}
	want := []string{ // sorted by name, lines of one name as they were sent
		"cookie k=v", "origin http://example.com", "x-empty ", "x-first a", "x-second b", "x-second c",
	}
	var gotPseudo, got []string
	for n, v := range f.All() {
		name, pair := string(n), string(n)+" "+string(v)
		switch {
		case strings.HasPrefix(name, ":") && len(got) > 0:
			s.Errorf("connect: field %q follows the headers", name)
		case strings.HasPrefix(name, ":"):
			gotPseudo = append(gotPseudo, pair)
		case strings.HasPrefix(name, "x-") || name == "origin" || name == "cookie":
			got = append(got, pair)
		case name != strings.ToLower(name):
			s.Errorf("connect: header %q, want it in lower case", name)
		}
	}
	// Fields in any order, but the subprotocols as they were offered.
	slices.SortStableFunc(gotPseudo, byName)
	slices.SortStableFunc(pseudo, byName)
	if !slices.Equal(gotPseudo, pseudo) {
		s.Errorf("connect: got fields %q, want %q", gotPseudo, pseudo)
	}
	if !slices.Equal(got, want) {
		s.Errorf("connect: got headers %q, want %q", got, want)
	}
}

func byName(a, b string) int {
	a, _, _ = strings.Cut(a, " ")
	b, _, _ = strings.Cut(b, " ")
	return strings.Compare(a, b)
}

func connectDefault(s *stage) {
	c, e := s.dial(Request{Header: []string{"Sec-WebSocket-Protocol: chat"}})
	if p, ok := c.Answer.Header["Sec-Websocket-Protocol"]; ok {
		s.Errorf("answer: subprotocol %q, want none: the guest chose none", p)
	}
	c.SendText(s, "hi")
	s.event(abi.EventRecv, e.ID)
}

func connectAccept(s *stage) {
	s.do(new(Script).Arm(abi.EventConnect, new(Script).
		Accept(Self, abi.FieldProtocol, "chat.v1", "set-cookie", "a=1", "set-cookie", "b=2", "x-note", "hello")))
	c, e := s.dial(Request{Header: []string{"Sec-WebSocket-Protocol: chat.v2, chat.v1"}})
	for name, want := range map[string][]string{
		"Sec-Websocket-Protocol": {"chat.v1"}, "Set-Cookie": {"a=1", "b=2"}, "X-Note": {"hello"},
	} {
		if got := c.Answer.Header[name]; !slices.Equal(got, want) {
			s.Errorf("answer: %s: got %q, want %q", name, got, want)
		}
	}
	s.accepted(new(Script).SendText(e.ID, "hi"))
	c.ExpectText(s, "hi")
}

func connectBadAccept(s *stage) {
	type bad struct {
		name   string
		c      abi.Command
		fields []byte
		want   abi.Status
	}
	all := []bad{
		{"fields cut short", abi.Command{}, fields("a", "b")[:9], abi.StatusBadFields},
		{"fields with a rest", abi.Command{}, append(fields("a", "b"), 0), abi.StatusBadFields},
		{"name with a space", abi.Command{}, fields("a b", "c"), abi.StatusBadFields},
		{"empty name", abi.Command{}, fields("", "c"), abi.StatusBadFields},
		{"value with a line break", abi.Command{}, fields("a", "b\r\nx: y"), abi.StatusBadFields},
		{"value with a zero", abi.Command{}, fields("a", "b\x00"), abi.StatusBadFields},
		{"subprotocol not offered", abi.Command{}, fields(abi.FieldProtocol, "other"), abi.StatusBadFields},
		{"two subprotocols", abi.Command{}, fields(abi.FieldProtocol, "chat", abi.FieldProtocol, "chat"), abi.StatusBadFields},
		{"unknown pseudo field", abi.Command{}, fields(":status", "101"), abi.StatusBadFields},
		{"flags", abi.Command{Flags: 1}, nil, abi.StatusReserved},
		{"code", abi.Command{Code: 101}, nil, abi.StatusReserved},
		{"arg", abi.Command{Arg: 1}, nil, abi.StatusReserved},
		{"range", abi.Command{Addr: MemoryEnd, Len: 4}, nil, abi.StatusBadRange},
	}
	for _, name := range hostHeaders {
		all = append(all, bad{name, abi.Command{}, fields(name, "x"), abi.StatusBadFields})
	}
	for _, b := range all {
		b.c.Kind, b.c.ID = abi.CommandAccept, Self
		sc := new(Script).Raw(b.c)
		if b.fields != nil {
			sc = new(Script).Do(b.c, b.fields)
		}
		_, e := s.decide(sc, http.StatusInternalServerError, "Sec-WebSocket-Protocol: chat")
		if r := s.refusals(1); len(r) != 1 || abi.Status(r[0].Code) != b.want || r[0].ID != e.ID {
			s.Errorf("accept with %s: got %s, want %v", b.name, explain(r), b.want)
		}
	}
	s.decide(new(Script).Do(abi.Command{Kind: abi.CommandAccept, ID: Self}, nil, []byte("piece")), http.StatusInternalServerError)
	if r := s.refusals(1); len(r) != 1 || abi.Status(r[0].Code) != abi.StatusReserved {
		s.Errorf("accept with a piece: got %s, want reserved", explain(r))
	}
	s.quiet() // none of them was a session
}

func connectRefuse(s *stage) {
	s.do(new(Script).Arm(abi.EventConnect, new(Script).Do(
		abi.Command{Kind: abi.CommandRefuse, ID: Self, Code: 403},
		fields("content-type", "text/plain", "x-why", "closed"), []byte("not "), nil, []byte("today"))))
	c := s.knock(Request{})
	if body := c.mustAnswer(s, 403); body != "not today" {
		s.Errorf("refusal: body %q, want %q", body, "not today")
	}
	if h := c.Answer.Header; h.Get("X-Why") != "closed" || h.Get("Content-Type") != "text/plain" {
		s.Errorf("refusal: headers %v, want those of the guest", h)
	}
	e := s.next(abi.EventConnect)
	s.wantRefused(abi.StatusUnknownSession, abi.Command{Kind: abi.CommandSend, Flags: textFrame, ID: e.ID}, []byte("x"))
	s.quiet() // no close event: it never was a session
}

func connectRefuseStatuses(s *stage) {
	for _, status := range []uint16{300, 401, 404, 429, 503, 599} {
		s.decide(new(Script).Refuse(Self, status, "no"), int(status))
	}
	s.quiet()
}

func connectBadRefuse(s *stage) {
	refuse := abi.Command{Kind: abi.CommandRefuse, ID: Self, Code: 403}
	status := func(code uint16) abi.Command { c := refuse; c.Code = code; return c }
	for _, bad := range []struct {
		c     abi.Command
		parts [][]byte
		want  abi.Status
	}{
		{status(0), nil, abi.StatusBadCode}, {status(100), nil, abi.StatusBadCode}, {status(101), nil, abi.StatusBadCode},
		{status(200), nil, abi.StatusBadCode}, {status(299), nil, abi.StatusBadCode}, {status(600), nil, abi.StatusBadCode},
		{status(65535), nil, abi.StatusBadCode},
		{refuse, [][]byte{fields(abi.FieldProtocol, "chat")}, abi.StatusBadFields},
		{refuse, [][]byte{fields("content-length", "3"), []byte("abc")}, abi.StatusBadFields},
		{refuse, [][]byte{[]byte("no fields")}, abi.StatusBadFields},
		{abi.Command{Kind: abi.CommandRefuse, ID: Self, Code: 403, Flags: 1}, nil, abi.StatusReserved},
		{abi.Command{Kind: abi.CommandRefuse, ID: Self, Code: 403, Arg: 1}, nil, abi.StatusReserved},
	} {
		_, e := s.decide(new(Script).Do(bad.c, bad.parts...), http.StatusInternalServerError, "Sec-WebSocket-Protocol: chat")
		if r := s.refusals(1); len(r) != 1 || abi.Status(r[0].Code) != bad.want || r[0].ID != e.ID {
			s.Errorf("refuse %+v %q: got %s, want %v", bad.c, bad.parts, explain(r), bad.want)
		}
	}
	s.quiet()
}

func connectDecided(s *stage) {
	_, e := s.meet(new(Script).Accept(Self).Accept(Self).Refuse(Self, 403, "no"))
	r := s.refusals(2)
	if len(r) != 2 || abi.Status(r[0].Code) != abi.StatusDecided || abi.Status(r[1].Code) != abi.StatusDecided {
		s.Errorf("accept, accept, refuse: got %s, want decided twice", explain(r))
	}
	s.wantRefused(abi.StatusDecided, abi.Command{Kind: abi.CommandAccept, ID: e.ID})
	s.wantRefused(abi.StatusDecided, abi.Command{Kind: abi.CommandRefuse, ID: e.ID, Code: 403})

	s.decide(new(Script).Refuse(Self, 403, "no").Accept(Self), 403)
	if r := s.refusals(1); len(r) != 1 || abi.Status(r[0].Code) != abi.StatusUnknownSession {
		s.Errorf("refuse, accept: got %s, want unknown_session", explain(r))
	}
}

func holdAccept(s *stage) {
	c, e := s.hold()
	s.quiet()
	d, _ := s.peer() // others are not held up
	d.SendText(s, "x")
	s.next(abi.EventRecv)
	s.accepted(new(Script).Accept(e.ID, "x-note", "late").SendText(e.ID, "hello"))
	c.mustAnswer(s, http.StatusSwitchingProtocols)
	if got := c.Answer.Header.Get("X-Note"); got != "late" {
		s.Errorf("answer: x-note %q, want %q", got, "late")
	}
	c.ExpectText(s, "hello")
	c.SendText(s, "in")
	s.event(abi.EventRecv, e.ID)
}

func holdRefuse(s *stage) {
	c, e := s.hold()
	s.accepted(new(Script).Refuse(e.ID, 401, "who are you"))
	if body := c.mustAnswer(s, 401); body != "who are you" {
		s.Errorf("refusal: body %q, want %q", body, "who are you")
	}
	s.quiet()
}
