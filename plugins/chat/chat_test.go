package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/guesttest"
	"github.com/yimmo-host/yimmo-host/plugins/plugintest"
)

func newChat() guest.Handler { return &chat{} }

// enter connects to an address below /chat/.
func enter(g *guesttest.Guest, address string) *guesttest.Session {
	return g.Connect(guesttest.Request{Path: "/chat/" + address})
}

// heard checks what the plugin has sent to a session since the last time. Times
// are left out: they all are that of the test.
func heard(t *testing.T, who string, s *guesttest.Session, want ...string) {
	t.Helper()
	var got []string
	for _, f := range s.Sent() {
		if f.Flags != guest.Text {
			t.Errorf("%s: got %v, want text", who, f)
		}
		got = append(got, strings.ReplaceAll(f.Data, `"time":1767225600000,`, ""))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", who, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// forget takes what the sessions were sent so far.
func forget(sessions ...*guesttest.Session) {
	for _, s := range sessions {
		s.Sent()
	}
}

func welcome(room, nick, people, history string) string {
	return fmt.Sprintf(`{"type":"welcome","room":%q,"nick":%q,"people":[%s],"limits":{"nick":32,"text":2000},"history":[%s]}`,
		room, nick, people, history)
}

func message(nick, text string) string {
	return fmt.Sprintf(`{"type":"message","nick":%q,"text":%q}`, nick, text)
}

func join(nick string) string  { return fmt.Sprintf(`{"type":"join","nick":%q}`, nick) }
func leave(nick string) string { return fmt.Sprintf(`{"type":"leave","nick":%q}`, nick) }

func TestConversation(t *testing.T) {
	test := func(t *testing.T, g *guesttest.Guest) {
		ada := enter(g, "lobby?nick=Ada")
		heard(t, "Ada", ada, welcome("lobby", "Ada", `"Ada"`, ""))
		ada.RecvText(`{"text":"anybody?"}`)
		heard(t, "Ada", ada, message("Ada", "anybody?"))

		bob := enter(g, "lobby?nick=Bob")
		eve := enter(g, "attic?nick=Eve")
		heard(t, "Bob", bob, welcome("lobby", "Bob", `"Ada","Bob"`, message("Ada", "anybody?")))
		heard(t, "Ada", ada, join("Bob"))
		heard(t, "Eve", eve, welcome("attic", "Eve", `"Eve"`, ""))

		bob.RecvText(`{"text":" hällo \"Ada\" \ud83d\ude42\n"}`)
		for who, s := range map[string]*guesttest.Session{"Ada": ada, "Bob": bob} {
			heard(t, who, s, message("Bob", `hällo "Ada" 🙂`))
		}
		heard(t, "Eve", eve)

		ada.RecvText(`{"nick":"Countess"}`)
		heard(t, "Bob", bob, `{"type":"rename","nick":"Ada","to":"Countess"}`)
		ada.Cut()
		heard(t, "Bob", bob, leave("Countess"))
		bob.Close(1000, "")
		heard(t, "Eve", eve)
		if r := g.Refusals(); r != nil {
			t.Errorf("refused: %v", r)
		}
	}
	plugintest.Run(t, newChat, test)
	plugintest.RunSmall(t, newChat, test)
}

// What several people do in one turn comes in the order they did it.
func TestOneTurn(t *testing.T) {
	plugintest.Run(t, newChat, func(t *testing.T, g *guesttest.Guest) {
		ada := enter(g, "lobby?nick=Ada")
		forget(ada)
		var bob *guesttest.Session
		g.Batch(func() {
			ada.RecvText(`{"text":"before"}`)
			bob = enter(g, "lobby?nick=Bob")
			ada.RecvText(`{"text":"after"}`)
			ada.Cut()
		})
		heard(t, "Bob", bob, welcome("lobby", "Bob", `"Ada","Bob"`, message("Ada", "before")), message("Ada", "after"), leave("Ada"))
	})
}

func TestAddresses(t *testing.T) {
	tests := []struct {
		path, room string // no room: 404
	}{
		{"/chat/lobby", "lobby"},
		{"/chat/", "lobby"},
		{"/", "lobby"},
		{"/attic", "attic"},
		{"/any/route/Room_1-b", "Room_1-b"},
		{"/chat/" + strings.Repeat("r", 64), strings.Repeat("r", 64)},
		{"/chat/" + strings.Repeat("r", 65), ""},
		{"/chat/app.js", ""},
		{"/chat/caf%C3%A9", ""},
		{"/chat/a b", ""},
		{"/chat/[", ""},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			plugintest.Run(t, newChat, func(t *testing.T, g *guesttest.Guest) {
				s := g.Connect(guesttest.Request{Path: tt.path + "?nick=Ada"})
				if tt.room == "" {
					if a := s.Answer(); a.Status != 404 || a.Body != noRoom {
						t.Errorf("Connect(%s): got %d %q, want 404", tt.path, a.Status, a.Body)
					}
					return
				}
				heard(t, "Ada", s, welcome(tt.room, "Ada", `"Ada"`, ""))
			})
		})
	}
}

func TestNames(t *testing.T) {
	tests := []struct {
		name  string
		query string
		want  string // "" = closed with 4001
	}{
		{"plain", "nick=Grace", "Grace"},
		{"encoded", "x=1&nick=Jos%C3%A9+P&nick=other", "José P"},
		{"space around", "nick=+Grace%20", "Grace"},
		{"markup", "nick=%3Cb%3E%22", `<b>"`},
		{"taken", "nick=Ada", "Ada-3"},
		{"taken but for case", "nick=aDA", "aDA-3"},
		{"longest", "nick=" + strings.Repeat("%C3%A4", 32), strings.Repeat("ä", 32)},
		{"percent alone", "nick=100%", "100%"},
		{"percent without code", "nick=%zz", "%zz"},
		{"too long", "nick=" + strings.Repeat("a", 33), ""},
		{"empty", "nick=", ""},
		{"blank", "nick=%20+", ""},
		{"line break", "nick=a%0Ab", ""},
		{"text turned around", "nick=a%E2%80%AEb", ""},
		{"not UTF-8", "nick=%ff", "�"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			plugintest.Run(t, newChat, func(t *testing.T, g *guesttest.Guest) {
				enter(g, "lobby?nick=Ada")
				enter(g, "lobby?nick=Ada") // Ada-2
				s := enter(g, "lobby?"+tt.query)
				if tt.want == "" {
					const reason = "a name has 1 to 32 printable characters"
					if code, why, _ := s.CloseFrame(); code != 4001 || why != reason || s.Sent() != nil {
						t.Errorf("Connect(%s): closed with %d %q, want 4001 %q", tt.query, code, why, reason)
					}
					return
				}
				heard(t, tt.want, s, welcome("lobby", tt.want, fmt.Sprintf(`"Ada","Ada-2",%q`, tt.want), ""))
			})
		})
	}
}

// Who has no name in the address says it first.
func TestFirstMessage(t *testing.T) {
	plugintest.Run(t, newChat, func(t *testing.T, g *guesttest.Guest) {
		ada := enter(g, "lobby?nick=Ada")
		s := enter(g, "lobby")
		forget(ada)
		s.RecvText(`{"text":"hello"}`)
		heard(t, "nobody", s, `{"type":"error","text":"say who you are first: {\"nick\":\"...\"}"}`)
		s.RecvText(`{"nick":""}`)
		heard(t, "nobody", s, `{"type":"error","text":"a name has 1 to 32 printable characters"}`)
		heard(t, "Ada", ada)
		s.RecvText(`{"nick":"Bob"}`)
		heard(t, "Bob", s, welcome("lobby", "Bob", `"Ada","Bob"`, ""))
		heard(t, "Ada", ada, join("Bob"))
		enter(g, "lobby").Close(1000, "") // who never said so
		heard(t, "Ada", ada)
	})
}

func TestRename(t *testing.T) {
	tests := []struct{ name, nick, want string }{
		{"other", "Eve", `{"type":"rename","nick":"Ada","to":"Eve"}`},
		{"other case", "ADA", `{"type":"rename","nick":"Ada","to":"ADA"}`},
		{"taken", "bob", `{"type":"rename","nick":"Ada","to":"bob-2"}`},
		{"the same", "Ada", ""},
		{"none", " ", `{"type":"error","text":"a name has 1 to 32 printable characters"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			plugintest.Run(t, newChat, func(t *testing.T, g *guesttest.Guest) {
				ada, bob := enter(g, "lobby?nick=Ada"), enter(g, "lobby?nick=Bob")
				forget(ada)
				ada.RecvText(fmt.Sprintf(`{"nick":%q}`, tt.nick))
				var want []string
				if tt.want != "" {
					want = append(want, tt.want)
				}
				heard(t, "Ada", ada, want...)
				bob.Cut()
				ada.RecvText(`{"nick":"Bob"}`)
				if last := ada.Sent(); !strings.HasSuffix(last[len(last)-1].Data, `"to":"Bob"}`) {
					t.Errorf("a name that has become free: got %v, want Bob", last)
				}
			})
		})
	}
}

func TestHistory(t *testing.T) {
	tests := []struct {
		name   string
		config map[string]string
		said   int
		want   int // how many of the last are shown
	}{
		{"nothing said", nil, 0, 0},
		{"fewer", nil, 3, 3},
		{"default", nil, 53, 50},
		{"configured", map[string]string{"history": "2"}, 3, 2},
		{"off", map[string]string{"history": "0"}, 3, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			plugintest.Run(t, newChat, func(t *testing.T, g *guesttest.Guest) {
				g.Start(tt.config)
				ada := enter(g, "lobby?nick=Ada")
				var said []string
				for i := range tt.said {
					ada.RecvText(fmt.Sprintf(`{"text":"%d"}`, i))
					said = append(said, message("Ada", fmt.Sprint(i)))
				}
				shown := strings.Join(said[tt.said-tt.want:], ",")
				bob := enter(g, "lobby?nick=Bob")
				heard(t, "Bob", bob, welcome("lobby", "Bob", `"Ada","Bob"`, shown))

				ada.Cut()
				bob.Cut()
				eve := enter(g, "lobby?nick=Eve")
				heard(t, "Eve, in the room that was empty", eve, welcome("lobby", "Eve", `"Eve"`, ""))
			})
		})
	}
}

// History has bounds in bytes too, of a room and of all: those who come next see
// less of it.
func TestHistoryBytes(t *testing.T) {
	c := &chat{history: 1000}
	entry := make([]byte, 10_000)
	rooms := make([]room, 100)
	for i := range rooms {
		for range 50 {
			c.keep(&rooms[i], entry)
		}
	}
	if got, want := len(rooms[0].history), maxHistory/len(entry); got != want || rooms[0].bytes != got*len(entry) {
		t.Errorf("keep: a room has %d messages, %d bytes, want %d messages", got, rooms[0].bytes, want)
	}
	if got := len(rooms[99].history); got != 0 || c.kept > maxAllHistory {
		t.Errorf("keep: the last room has %d messages, all have %d bytes, want none and at most %d", got, c.kept, maxAllHistory)
	}
}

func TestBadMessages(t *testing.T) {
	complaint := func(text string) string { return fmt.Sprintf(`{"type":"error","text":%q}`, text) }
	const grammar = `want {"text":"..."} or {"nick":"..."}`
	tests := []struct {
		name  string
		flags guest.Flags
		data  string
		want  string // sent
		code  uint16 // closed with
	}{
		{"not JSON", guest.Text, "hello", complaint(grammar), 0},
		{"other member", guest.Text, `{"name":"x"}`, complaint(grammar), 0},
		{"empty", guest.Text, "", complaint(grammar), 0},
		{"blank text", guest.Text, `{"text":" \n"}`, "", 0},
		{"longest text", guest.Text, `{"text":"` + strings.Repeat("🙂", 2000) + `"}`, message("Ada", strings.Repeat("🙂", 2000)), 0},
		{"longest text escaped", guest.Text, `{"text":"` + strings.Repeat(`\ud83d\ude42`, 2000) + `"}`, message("Ada", strings.Repeat("🙂", 2000)), 0},
		{"long text", guest.Text, `{"text":"` + strings.Repeat("x", 2001) + `"}`, complaint("2001 characters are too many, at most 2000"), 0},
		{"long message", guest.Text, `{"text":"` + strings.Repeat("x", 30_000) + `"}`, "", 1009},
		{"binary", guest.Binary, `{"text":"x"}`, "", 1003},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			plugintest.Run(t, newChat, func(t *testing.T, g *guesttest.Guest) {
				ada := enter(g, "lobby?nick=Ada")
				forget(ada)
				ada.Recv(tt.flags, []byte(tt.data))
				var want []string
				if tt.want != "" {
					want = append(want, tt.want)
				}
				heard(t, "Ada", ada, want...)
				if code, _, _ := ada.CloseFrame(); code != tt.code {
					t.Errorf("closed with %d, want %d", code, tt.code)
				}
			})
		})
	}
}

func TestFullRoom(t *testing.T) {
	plugintest.Run(t, newChat, func(t *testing.T, g *guesttest.Guest) {
		g.Start(map[string]string{"people": "2"})
		ada := enter(g, "lobby?nick=Ada")
		enter(g, "lobby?nick=Bob")
		forget(ada)
		late := enter(g, "lobby?nick=Eve")
		if code, reason, _ := late.CloseFrame(); code != 4002 || reason != "the room is full" {
			t.Errorf("closed with %d %q, want 4002", code, reason)
		}
		waiting := enter(g, "lobby")
		waiting.RecvText(`{"nick":"Eve"}`)
		if code, _, _ := waiting.CloseFrame(); code != 4002 {
			t.Errorf("closed with %d after the first message, want 4002", code)
		}
		heard(t, "Ada", ada)
		ada.Cut()
		heard(t, "Eve", enter(g, "lobby?nick=Eve"), welcome("lobby", "Eve", `"Bob","Eve"`, ""))
	})
}

// Sessions that another instance had are in their rooms again, quietly.
func TestResumed(t *testing.T) {
	plugintest.Run(t, newChat, func(t *testing.T, g *guesttest.Guest) {
		resume := func(address string) *guesttest.Session {
			return g.Resume(guesttest.Request{Path: "/chat/" + address}, 0)
		}
		ada, bob := resume("lobby?nick=Ada"), resume("lobby")
		heard(t, "Ada", ada, welcome("lobby", "Ada", `"Ada"`, ""), `{"type":"join","nick":"guest","resumed":"true"}`)
		heard(t, "Bob", bob, welcome("lobby", "guest", `"Ada","guest"`, ""))
		bob.RecvText(`{"text":"still here"}`)
		heard(t, "Ada", ada, message("guest", "still here"))
	})
}

func TestManyPeople(t *testing.T) {
	plugintest.Run(t, newChat, func(t *testing.T, g *guesttest.Guest) {
		var all []*guesttest.Session
		g.Batch(func() {
			for i := range 500 {
				all = append(all, enter(g, fmt.Sprintf("lobby?nick=p%d", i)))
			}
		})
		forget(all...)
		all[7].RecvText(`{"text":"hello"}`)
		for _, s := range all {
			heard(t, "one of all", s, message("p7", "hello"))
		}
		g.Batch(func() {
			for _, s := range all[1:] {
				s.Close(1001, "")
			}
		})
		if got := len(all[0].Sent()); got != 499 {
			t.Errorf("the last one heard %d leave, want 499", got)
		}
		g.Stop()
	})
}

func TestConfiguration(t *testing.T) {
	tests := []struct {
		name   string
		config map[string]string
		want   []string
	}{
		{"no number", map[string]string{"history": "lots"}, []string{`start: configuration: history: "lots" is no whole number`}},
		{"out of range", map[string]string{"nick": "0", "text": "20001", "people": "-1", "history": "1001"}, []string{
			"configuration: history: 1001: want 0 to 1000", "nick: 0: want 1 to 100", "text: 20001: want 1 to 20000", "people: -1: want 1 to 5000",
		}},
		{"lanes", map[string]string{":lanes": "2"}, []string{"configuration: lanes: 2: rooms live in one instance, set it to 1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			plugintest.Run(t, newChat, func(t *testing.T, g *guesttest.Guest) {
				err := g.Trap(func() { g.Start(tt.config) })
				for _, want := range tt.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("Start: got %v, want %s", err, want)
					}
				}
			})
		})
	}
}

// What the plugin once did it still does.
func TestTraces(t *testing.T) { plugintest.Traces(t) }
