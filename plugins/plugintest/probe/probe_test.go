package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/guesttest"
	"github.com/yimmo-host/yimmo-host/plugins/plugintest"
)

func newProbe() guest.Handler { return &probe{} }

// text makes the frames of whole text messages.
func text(messages ...string) []guesttest.Frame {
	var frames []guesttest.Frame
	for _, m := range messages {
		frames = append(frames, guesttest.Frame{Flags: guest.Text, Data: m})
	}
	return frames
}

func checkSent(t *testing.T, s *guesttest.Session, want []guesttest.Frame) {
	t.Helper()
	if sent := s.Sent(); !slices.Equal(sent, want) {
		t.Errorf("sent %d frames, want %d: %.300v, want %.300v", len(sent), len(want), sent, want)
	}
}

// What the plugin answers to one message, with rings of 16 and of 1024.
func TestAnswers(t *testing.T) {
	count := func(n int, format string) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprintf(format, i))
		}
		return list
	}
	tests := []struct {
		message string
		want    []guesttest.Frame
	}{
		{"spill 16", text(count(16, "%d")...)},
		{"spill 1000", text(count(1000, "%d")...)},
		{"spill 5000", text(count(5000, "%d")...)},
		{"brigade 0", text("")},
		{"brigade 1", text("0,")},
		{"brigade 16", text(strings.Join(count(16, "%d,"), ""))},
		{"brigade 17", text(strings.Join(count(17, "%d,"), ""))},
		{"brigade 3000", text(strings.Join(count(3000, "%d,"), ""))},
		{"view 100", text(slices.Repeat([]string{"view 100"}, 100)...)},
		{"user", text("102")},
		{"many", text("to all")},
		{"topic x", text("x")},
		{"wait", text("done 0")},
		{"grow 5000000", []guesttest.Frame{{Flags: guest.Binary, Data: strings.Repeat("g", 5_000_000)}}},
	}
	for _, tt := range tests {
		test := func(t *testing.T, g *guesttest.Guest) {
			s := g.Connect(guesttest.Request{})
			s.RecvText(tt.message)
			checkSent(t, s, tt.want)
		}
		t.Run(tt.message, func(t *testing.T) {
			plugintest.Run(t, newProbe, test)
			plugintest.RunSmall(t, newProbe, test)
		})
	}
}

// What commands refer to is kept until the host has read it, and the collector
// of a guest may run at any time before.
func TestRetention(t *testing.T) {
	const n = 200
	var want []guesttest.Frame
	for i := range n {
		binary := guesttest.Frame{Flags: guest.Binary, Data: strings.Repeat(string([]byte{byte(i)}), 1<<10)}
		want = append(want, binary, text(strings.Repeat(fmt.Sprint(i%10), 1<<10))[0], binary)
	}
	test := func(t *testing.T, g *guesttest.Guest) {
		s := g.Connect(guesttest.Request{})
		for range 5 {
			s.RecvText(fmt.Sprint("retain ", n))
			if sent := s.Sent(); !slices.Equal(sent, want) {
				t.Fatalf("sent %d frames, want %d, or bytes changed before the host read them", len(sent), len(want))
			}
		}
	}
	plugintest.Run(t, newProbe, test)
	plugintest.RunSmall(t, newProbe, test)
}

// The user word of a session is the newest one, in the turn that sets it too.
func TestUserWord(t *testing.T) {
	plugintest.Run(t, newProbe, func(t *testing.T, g *guesttest.Guest) {
		s := g.Connect(guesttest.Request{})
		g.Batch(func() { s.RecvText("user"); s.RecvText("user") })
		s.RecvText("user")
		checkSent(t, s, text("102", "103", "104"))
		if s.User() != 104 {
			t.Errorf("User: the host has %d, want 104", s.User())
		}
	})
}

func TestHandshake(t *testing.T) {
	plugintest.Run(t, newProbe, func(t *testing.T, g *guesttest.Guest) {
		answer := func(path string) (guesttest.Answer, *guesttest.Session) {
			s := g.Connect(guesttest.Request{Path: path, Protocols: []string{"v1"}, Remote: "192.0.2.9:1"})
			return s.Answer(), s
		}
		if a, _ := answer("/error"); a.Status != 500 {
			t.Errorf("/error: got %d, want 500", a.Status)
		}
		if a, _ := answer("/status?short=1"); a.Status != 418 || a.Body != "short=1" {
			t.Errorf("/status: got %d %q, want 418 with the query", a.Status, a.Body)
		}
		if a, s := answer("/close"); a.Status != 101 {
			t.Errorf("/close: got %d, want 101", a.Status)
		} else if code, reason, _ := s.CloseFrame(); code != 4000 || reason != "not today" {
			t.Errorf("/close: closed with %d %q, want 4000", code, reason)
		}
		if a, _ := answer("/accept"); a.Protocol != "v1" || len(a.Headers) != 1 || a.Headers[0].Value != "192.0.2.9:1" {
			t.Errorf("/accept: got %+v, want protocol v1 and one header", a)
		}
		_, held := answer("/hold")
		if held.State() != guesttest.Waiting {
			t.Errorf("/hold: session is %v, want waiting", held.State())
		}
		_, s := answer("/")
		if s.RecvText("decide"); held.State() != guesttest.Open {
			t.Errorf("/hold: session is %v after Accept, want open", held.State())
		}
	})
}

func TestEvents(t *testing.T) {
	plugintest.Run(t, newProbe, func(t *testing.T, g *guesttest.Guest) {
		a, b := g.Connect(guesttest.Request{}), g.Connect(guesttest.Request{})
		a.RecvText("many")
		a.RecvText("refused")
		checkSent(t, a, text("to all", "send_many:unknown_session:7"))
		checkSent(t, b, text("to all"))
		g.Refusals()

		a.RecvText("timer")
		g.Advance(2500 * time.Millisecond)
		checkSent(t, a, text("tick 1"))

		b.RecvText("topic hi")
		checkSent(t, b, text("hi"))
		g.Publish("room", guest.Binary, []byte{1})
		checkSent(t, b, []guesttest.Frame{{Flags: guest.Binary, Data: "\x01"}})
		b.RecvText("log 3")
		b.RecvText("bye now")
		a.RecvText("error oops")
		checkLogs(t, g, []guesttest.Line{
			{Level: guest.LevelDebug, Text: "self 82 topic hi"},
			{Level: guest.LevelWarn, Session: b.ID(), Text: `hot n=3 g.key="a b"`},
			{Level: guest.LevelInfo, Text: "4001  2 true"},
			{Level: guest.LevelError, Session: a.ID(), Text: "oops"},
			{Level: guest.LevelInfo, Text: "1011  2 true"},
		})
		if got := g.Samples(); len(got) != 1 || got[0].Name != "probe_seconds" || got[0].Value != 0.5 {
			t.Errorf("Samples: got %v", got)
		}
		if r := g.Refusals(); r != nil {
			t.Errorf("Refusals: got %v, want none", r)
		}
	})
}

func checkLogs(t *testing.T, g *guesttest.Guest, want []guesttest.Line) {
	t.Helper()
	if got := g.Logs(); !slices.Equal(got, want) {
		t.Errorf("Logs: got %+v, want %+v", got, want)
	}
}

func TestHTTP(t *testing.T) {
	plugintest.Run(t, newProbe, func(t *testing.T, g *guesttest.Guest) {
		body := strings.Repeat("b", 600<<10)
		if r := g.HTTP(guesttest.Request{Body: []byte(body)}); r.Status != 201 || r.Body != body || r.Header("x-size") != "614400" {
			t.Errorf("HTTP: got %d with %d bytes, want 201 with %d", r.Status, len(r.Body), len(body))
		}
		if r := g.HTTP(guesttest.Request{Path: "/error"}); r.Status != 500 || !r.Done {
			t.Errorf("HTTP(/error): got %+v, want 500", r)
		}
		r := g.HTTP(guesttest.Request{Path: "/later"})
		if r.Body != "first " || r.Done {
			t.Errorf("HTTP(/later): got %+v, want its beginning", r)
		}
		g.Connect(guesttest.Request{}).RecvText("end")
		if r.Body != "first last" || !r.Done {
			t.Errorf("HTTP(/later): got %+v, want all of it", r)
		}
	})
}

// A goroutine that no callback waits for runs at the end of the turn.
func TestBackground(t *testing.T) {
	plugintest.Run(t, newProbe, func(t *testing.T, g *guesttest.Guest) {
		s := g.Connect(guesttest.Request{})
		s.RecvText("background treasure")
		turns, sent := 0, s.Sent()
		for ; sent == nil; turns++ { // natively it has a thread of its own, and takes its time
			s.RecvText("found")
			sent = s.Sent()
		}
		if !slices.Equal(sent, text("treasure")) || turns > 1 && strings.HasSuffix(t.Name(), "/wasm") {
			t.Errorf("sent %v after %d turns, want treasure in the next", sent, turns)
		}
	})
}

// Clock and uptime come from the turn, natively as in the sandbox.
func TestClock(t *testing.T) {
	plugintest.Run(t, newProbe, func(t *testing.T, g *guesttest.Guest) {
		s := g.Connect(guesttest.Request{})
		g.Advance(time.Hour)
		s.RecvText("clock")
		checkSent(t, s, text(fmt.Sprint(time.Date(2026, 1, 1, 1, 0, 0, 0, time.UTC).UnixNano(), " 1h0m0.001s")))
	})
}

// A trap shows what the plugin said last, and nothing of its turn happens.
func TestTrap(t *testing.T) {
	plugintest.Run(t, newProbe, func(t *testing.T, g *guesttest.Guest) {
		s := g.Connect(guesttest.Request{})
		err := g.Trap(func() {
			g.Batch(func() { s.RecvText("user"); s.RecvText("panic stop") })
		})
		if !strings.Contains(err.Error(), "panic: told to stop") {
			t.Errorf("Trap: got %v, want the panic's text", err)
		}
		if sent := s.Sent(); sent != nil {
			t.Errorf("Trap: sent %v, want nothing", sent)
		}
	})
}

func TestStartError(t *testing.T) {
	plugintest.Run(t, newProbe, func(t *testing.T, g *guesttest.Guest) {
		err := g.Trap(func() { g.Start(map[string]string{"limit": "lots"}) })
		if want := `start: configuration: limit: "lots" is no whole number`; !strings.Contains(err.Error(), want) {
			t.Errorf("Start: got %v, want %s", err, want)
		}
	})
}
