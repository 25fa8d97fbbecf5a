package guest_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/guesttest"
)

func TestRequest(t *testing.T) {
	var kept *guest.Request
	g := native(t, &hooks{
		connect: func(s guest.Session) error {
			r := s.Request()
			kept = r
			for _, c := range []struct{ name, got, want string }{
				{"Method", r.Method(), "GET"},
				{"Scheme", r.Scheme(), "http"},
				{"Host", r.Host(), "chat.example"},
				{"Path", r.Path(), "/room/7"},
				{"Query", r.Query(), "user=a&b"},
				{"Remote", r.Remote(), "192.0.2.1:50000"},
				{"TLSName", r.TLSName(), ""},
				{"Header(cookie)", r.Header("Cookie"), "k=v"},
				{"Header(none)", r.Header("none"), ""},
				{"Protocols", strings.Join(r.Protocols(), " "), "v2 v1"},
			} {
				if c.got != c.want {
					t.Errorf("%s: got %q, want %q", c.name, c.got, c.want)
				}
			}
			var headers []string
			for name, value := range r.Headers() {
				headers = append(headers, name+"="+value)
			}
			if got := strings.Join(headers, " "); got != "cookie=k=v x=1 x=2" {
				t.Errorf("Headers: got %q", got)
			}
			if r.ID() != s.ID() || s.Resumed() {
				t.Errorf("Request: id %d, resumed %v, want the session's %d, false", r.ID(), s.Resumed(), s.ID())
			}
			return nil
		},
		recv: func(s guest.Session, _ guest.Flags, _ []byte) error {
			if got := s.Request().Path() + kept.Path(); got != "" {
				t.Errorf("Request after Connect: got path %q, want none", got)
			}
			return nil
		},
	})
	s := g.Connect(guesttest.Request{
		Host: "chat.example", Path: "/room/7?user=a&b", Protocols: []string{"v2", "v1"},
		Headers: []guest.Field{{Name: "Cookie", Value: "k=v"}, {Name: "X", Value: "1"}, {Name: "x", Value: "2"}},
	})
	s.RecvText("x")
}

func TestHandshake(t *testing.T) {
	header := guest.Field{Name: "x-room", Value: "7"}
	tests := []struct {
		name    string
		connect func(s guest.Session) error
		state   guesttest.State
		answer  guesttest.Answer
	}{
		{"default", func(guest.Session) error { return nil }, guesttest.Open, guesttest.Answer{Status: 101}},
		{"accept", func(s guest.Session) error { return s.Accept("") }, guesttest.Open, guesttest.Answer{Status: 101}},
		{"accept with protocol and header", func(s guest.Session) error { return s.Accept("v2", header) },
			guesttest.Open, guesttest.Answer{Status: 101, Protocol: "v2", Headers: []guest.Field{header}}},
		{"refuse", func(s guest.Session) error { return s.Refuse(403, "no", header) },
			guesttest.Refused, guesttest.Answer{Status: 403, Body: "no", Headers: []guest.Field{header}}},
		{"hold", guest.Session.Hold, guesttest.Waiting, guesttest.Answer{}},
		{"hold, then accept", func(s guest.Session) error { return errors.Join(s.Hold(), s.Accept("v1")) },
			guesttest.Open, guesttest.Answer{Status: 101, Protocol: "v1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := native(t, &hooks{connect: tt.connect})
			s := g.Connect(guesttest.Request{Protocols: []string{"v1", "v2"}})
			a := s.Answer()
			if s.State() != tt.state || a.Status != tt.answer.Status || a.Protocol != tt.answer.Protocol ||
				a.Body != tt.answer.Body || !slices.Equal(a.Headers, tt.answer.Headers) {
				t.Errorf("Connect: got %v %+v, want %v %+v", s.State(), a, tt.state, tt.answer)
			}
			checkNoRefusals(t, g)
		})
	}
}

// What only the host can see of a decision that goes wrong does not let the peer in.
func TestHandshakeRefusedByHost(t *testing.T) {
	tests := []struct {
		name    string
		connect func(s guest.Session) error
		status  guest.Status
	}{
		{"protocol that was not offered", func(s guest.Session) error { return s.Accept("v3") }, guest.StatusBadFields},
		{"header of the host", func(s guest.Session) error {
			return s.Accept("", guest.Field{Name: "Connection", Value: "close"})
		}, guest.StatusBadFields},
		{"line break in a header", func(s guest.Session) error {
			return s.Refuse(403, "", guest.Field{Name: "x", Value: "a\r\nb: c"})
		}, guest.StatusBadFields},
		{"refusal with 200", func(s guest.Session) error { return s.Refuse(200, "") }, guest.StatusBadCode},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := native(t, &hooks{connect: tt.connect})
			s := g.Connect(guesttest.Request{Protocols: []string{"v1"}})
			if s.State() != guesttest.Refused || s.Answer().Status != 500 {
				t.Errorf("Connect: session is %v with %d, want refused with 500", s.State(), s.Answer().Status)
			}
			if r := g.Refusals(); len(r) != 1 || r[0].Status != tt.status {
				t.Errorf("Refusals: got %v, want %v", r, tt.status)
			}
		})
	}
}

// A second answer is an error that the plugin sees at once.
func TestHandshakeDecided(t *testing.T) {
	answers := map[string]func(s guest.Session) error{
		"Accept":    func(s guest.Session) error { return s.Accept("") },
		"Refuse":    func(s guest.Session) error { return s.Refuse(403, "") },
		"Hold":      guest.Session.Hold,
		"Send":      func(s guest.Session) error { return s.SendText("x") },
		"CloseWith": func(s guest.Session) error { s.CloseWith(1000, ""); return nil },
	}
	for _, first := range []string{"Accept", "Refuse", "Send", "CloseWith"} {
		for _, second := range []string{"Accept", "Refuse", "Hold"} {
			t.Run(first+" then "+second, func(t *testing.T) {
				g := native(t, &hooks{connect: func(s guest.Session) error {
					if err := answers[first](s); err != nil {
						t.Errorf("%s: %v", first, err)
					}
					if err := answers[second](s); err != guest.ErrDecided {
						t.Errorf("%s: got %v, want ErrDecided", second, err)
					}
					return nil
				}})
				g.Connect(guesttest.Request{})
				checkNoRefusals(t, g)
			})
		}
	}
}

// What a plugin notes about a session leaves its handshake open, and is good for
// the session that comes of it.
func TestNotesDecideNothing(t *testing.T) {
	notes := map[string]func(s guest.Session){
		"SetUser":     func(s guest.Session) { s.SetUser(7) },
		"Subscribe":   func(s guest.Session) { s.Subscribe("room") },
		"Unsubscribe": func(s guest.Session) { s.Unsubscribe("room") },
	}
	answers := []struct {
		name   string
		answer func(s guest.Session) error
		state  guesttest.State
		status int
	}{
		{"nothing", func(guest.Session) error { return nil }, guesttest.Open, 101},
		{"Accept", func(s guest.Session) error { return s.Accept("v1") }, guesttest.Open, 101},
		{"Refuse", func(s guest.Session) error { return s.Refuse(403, "") }, guesttest.Refused, 403},
		{"Hold", guest.Session.Hold, guesttest.Waiting, 0},
		{"an error", func(guest.Session) error { return &guest.StatusError{Status: 401} }, guesttest.Refused, 401},
	}
	for name, note := range notes {
		for _, tt := range answers {
			t.Run(name+" then "+tt.name, func(t *testing.T) {
				g := native(t, &hooks{connect: func(s guest.Session) error { note(s); return tt.answer(s) }})
				s := g.Connect(guesttest.Request{Protocols: []string{"v1"}})
				if s.State() != tt.state || s.Answer().Status != tt.status {
					t.Errorf("Connect: session is %v with %d, want %v with %d", s.State(), s.Answer().Status, tt.state, tt.status)
				}
				if _, subscribed := s.Subscription("room"); subscribed != (name == "Subscribe") || s.User() != 0 != (name == "SetUser") {
					t.Errorf("Connect: subscribed %v, user word %d", subscribed, s.User())
				}
				checkNoRefusals(t, g)
			})
		}
	}
}

// A held handshake is answered from another session's callback.
func TestHoldDecidedLater(t *testing.T) {
	var waiting uint64
	g := native(t, &hooks{
		connect: func(s guest.Session) error {
			if s.Request().Path() != "/hold" {
				return nil
			}
			waiting = s.ID()
			return s.Hold()
		},
		recv: func(_ guest.Session, _ guest.Flags, data []byte) error {
			if string(data) == "accept" {
				return guest.SessionByID(waiting).Accept("v1")
			}
			return guest.SessionByID(waiting).Refuse(403, string(data))
		},
	})
	judge := g.Connect(guesttest.Request{})
	a := g.Connect(guesttest.Request{Path: "/hold", Protocols: []string{"v1"}})
	judge.RecvText("accept")
	b := g.Connect(guesttest.Request{Path: "/hold"})
	judge.RecvText("no room")
	if a.State() != guesttest.Open || a.Answer().Protocol != "v1" {
		t.Errorf("accepted later: got %v %+v, want open, v1", a.State(), a.Answer())
	}
	if b.State() != guesttest.Refused || b.Answer().Body != "no room" {
		t.Errorf("refused later: got %v %+v, want refused, no room", b.State(), b.Answer())
	}
}

func TestResumed(t *testing.T) {
	g := native(t, &hooks{connect: func(s guest.Session) error {
		if !s.Resumed() || s.User() != 42 || s.Request().Path() != "/old" {
			t.Errorf("Connect: resumed %v, user %d, path %q, want true, 42, /old", s.Resumed(), s.User(), s.Request().Path())
		}
		if err := s.Accept(""); err != guest.ErrDecided {
			t.Errorf("Accept of a resumed session: got %v, want ErrDecided", err)
		}
		return errors.New("lost my state")
	}})
	s := g.Resume(guesttest.Request{Path: "/old"}, 42)
	if code, _, _ := s.CloseFrame(); code != 1011 {
		t.Errorf("error from Connect of a resumed session: closed with %d, want 1011", code)
	}
}

// The word is right at once, though the records of the turn still have the old one.
func TestUserWord(t *testing.T) {
	var seen []uint64
	g := native(t, &hooks{recv: func(s guest.Session, _ guest.Flags, _ []byte) error {
		seen = append(seen, s.User())
		s.SetUser(s.User() + 1)
		seen = append(seen, s.User())
		return nil
	}})
	s := g.Connect(guesttest.Request{})
	other := g.Connect(guesttest.Request{})
	g.Batch(func() { s.RecvText("a"); s.RecvText("b"); other.RecvText("c") })
	s.RecvText("d")
	if want := []uint64{0, 1, 1, 2, 0, 1, 2, 3}; !slices.Equal(seen, want) {
		t.Errorf("User: got %v, want %v", seen, want)
	}
	if s.User() != 3 || other.User() != 1 {
		t.Errorf("user words with the host: got %d and %d, want 3 and 1", s.User(), other.User())
	}
}

func TestSendFlags(t *testing.T) {
	long := make([]byte, 126)
	tests := []struct {
		name  string
		flags guest.Flags
		data  []byte
		ok    bool
	}{
		{"text", guest.Text, []byte("x"), true},
		{"binary", guest.Binary, []byte{0xff}, true},
		{"empty text", guest.Text, nil, true},
		{"first fragment", guest.OpText, []byte("x"), true},
		{"ping of 125", guest.Ping, long[:125], true},
		{"pong", guest.Pong, nil, true},
		{"ping of 126", guest.Ping, long, false},
		{"ping without FIN", guest.OpPing, nil, false},
		{"close", guest.FIN | 8, nil, false},
		{"opcode 3", guest.FIN | 3, nil, false},
		{"opcode 15", guest.FIN | 15, nil, false},
		{"RSV1", guest.Text | guest.RSV1, nil, false},
		{"RSV3", guest.Text | guest.RSV3, nil, false},
	}
	sends := map[string]func(s guest.Session, f guest.Flags, p []byte) error{
		"Send":     guest.Session.Send,
		"SendCopy": guest.Session.SendCopy,
		"SendBuckets": func(s guest.Session, f guest.Flags, p []byte) error {
			return s.SendBuckets(f, guest.Ref(p[:len(p)/2]), guest.Copy(p[len(p)/2:]))
		},
		"SendMany": func(s guest.Session, f guest.Flags, p []byte) error { return guest.SendMany([]uint64{s.ID()}, f, p) },
	}
	for _, tt := range tests {
		for name, send := range sends {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				g := native(t, &hooks{connect: func(s guest.Session) error {
					err := send(s, tt.flags, tt.data)
					if tt.ok && err != nil || !tt.ok && err != guest.ErrFlags {
						t.Errorf("%s(%#x, %d bytes): got %v, want ok %v", name, tt.flags, len(tt.data), err, tt.ok)
					}
					return nil
				}})
				s := g.Connect(guesttest.Request{})
				var want []guesttest.Frame
				if tt.ok {
					want = []guesttest.Frame{{Flags: tt.flags, Data: string(tt.data)}}
				}
				if sent := s.Sent(); !slices.Equal(sent, want) {
					t.Errorf("%s: sent %v, want %v", name, sent, want)
				}
				checkNoRefusals(t, g)
			})
		}
	}
}

func TestFlags(t *testing.T) {
	if guest.Text.Opcode() != guest.OpText || !guest.Text.FIN() || guest.OpText.FIN() {
		t.Error("Flags: opcode or FIN of text is wrong")
	}
	if f := guest.OpBinary | guest.RSV2; f.Opcode() != guest.OpBinary || f.FIN() {
		t.Error("Flags: opcode or FIN of a binary fragment is wrong")
	}
}

// What the last callback of a session sends still goes out.
func TestSendInClose(t *testing.T) {
	g := native(t, &hooks{close: func(s guest.Session, _ uint16, _ string) { s.SendText("bye") }})
	s := g.Connect(guesttest.Request{})
	s.Close(1000, "")
	if sent := s.Sent(); !slices.Equal(sent, text("bye")) {
		t.Errorf("Close: sent %v, want bye", sent)
	}
}
