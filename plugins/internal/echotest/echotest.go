// Package echotest is what an echo must do, in whatever language it is written.
package echotest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/guesttest"
)

// A Runner runs a test with fresh instances of an echo, once for each way in which
// there are any: in Go or as a module, of the usual size or a small one.
type Runner func(t *testing.T, test func(t *testing.T, g *guesttest.Guest))

// Run judges an echo.
func Run(t *testing.T, run Runner) {
	for _, tt := range []struct {
		name string
		test func(t *testing.T, run Runner)
	}{
		{"greeting", greeting},
		{"resumed", resumed},
		{"echo", echo},
		{"large", large},
		{"logged", logged},
		{"http", http},
		{"thousandSessions", thousandSessions},
		{"refused", refused},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, run) })
	}
}

func frame(flags guest.Flags, data string) guesttest.Frame {
	return guesttest.Frame{Flags: flags, Data: data}
}

func checkSent(t *testing.T, s *guesttest.Session, want []guesttest.Frame) {
	t.Helper()
	if sent := s.Sent(); !slices.Equal(sent, want) {
		t.Errorf("sent %.300v, want %.300v", fmt.Sprint(sent), fmt.Sprint(want))
	}
}

func greeting(t *testing.T, run Runner) {
	long := strings.Repeat("welcome ", 1000)
	for _, tt := range []struct {
		name   string
		config map[string]string
		want   []guesttest.Frame
	}{
		{"default", nil, []guesttest.Frame{frame(guest.Text, "Hello!")}},
		{"configured", map[string]string{"greeting": "Grüezi", "other": "x"}, []guesttest.Frame{frame(guest.Text, "Grüezi")}},
		{"long", map[string]string{"greeting": long}, []guesttest.Frame{frame(guest.Text, long)}},
		{"none", map[string]string{"greeting": ""}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run(t, func(t *testing.T, g *guesttest.Guest) {
				g.Start(tt.config)
				s := g.Connect(guesttest.Request{Path: "/echo"})
				checkSent(t, s, tt.want)
				if a := s.Answer(); a.Status != 101 || s.State() != guesttest.Open {
					t.Errorf("answered %d, session is %v, want 101, open", a.Status, s.State())
				}
			})
		})
	}
}

// A session that another instance greeted is not greeted again.
func resumed(t *testing.T, run Runner) {
	run(t, func(t *testing.T, g *guesttest.Guest) {
		s := g.Resume(guesttest.Request{}, 0)
		s.RecvText("still here")
		checkSent(t, s, []guesttest.Frame{frame(guest.Text, "still here")})
	})
}

// Every frame comes back with the flags and bytes it came with.
func echo(t *testing.T, run Runner) {
	for _, tt := range []struct {
		name   string
		frames []guesttest.Frame
	}{
		{"text", []guesttest.Frame{frame(guest.Text, "hello")}},
		{"text beyond ASCII", []guesttest.Frame{frame(guest.Text, "hällo ✓ 🙂")}},
		{"binary", []guesttest.Frame{frame(guest.Binary, "\x00\xff\xfe")}},
		{"empty", []guesttest.Frame{frame(guest.Text, ""), frame(guest.Binary, "")}},
		{"fragments", []guesttest.Frame{
			frame(guest.OpText, "fra"), frame(guest.OpContinuation, "gm"), frame(guest.FIN, "ents"),
		}},
		{"fragments split within a character", []guesttest.Frame{
			frame(guest.OpText, "\xe2"), frame(guest.OpContinuation, "\x9c"), frame(guest.FIN, "\x93"),
		}},
		{"empty fragments", []guesttest.Frame{
			frame(guest.OpBinary, ""), frame(guest.OpContinuation, ""), frame(guest.FIN, ""),
		}},
		{"many", slices.Repeat([]guesttest.Frame{frame(guest.Text, "a"), frame(guest.Binary, "")}, 20)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run(t, func(t *testing.T, g *guesttest.Guest) {
				g.Start(map[string]string{"greeting": ""})
				s := g.Connect(guesttest.Request{})
				for _, f := range tt.frames {
					s.Recv(f.Flags, []byte(f.Data))
				}
				checkSent(t, s, tt.frames)
				g.Batch(func() {
					for _, f := range tt.frames {
						s.Recv(f.Flags, []byte(f.Data))
					}
				})
				checkSent(t, s, tt.frames)
				if r := g.Refusals(); r != nil {
					t.Errorf("refused: %v", r)
				}
			})
		})
	}
}

// A frame larger than the receive area comes and goes in pieces.
func large(t *testing.T, run Runner) {
	run(t, func(t *testing.T, g *guesttest.Guest) {
		g.Start(map[string]string{"greeting": ""})
		s := g.Connect(guesttest.Request{})
		big := bytes.Repeat([]byte("0123456789abcdef"), 40<<10)
		s.Recv(guest.Binary, big)
		var all []byte
		sent := s.Sent()
		for _, f := range sent {
			all = append(all, f.Data...)
		}
		if !bytes.Equal(all, big) || len(sent) < 3 || sent[0].Flags != guest.OpBinary || sent[len(sent)-1].Flags != guest.FIN {
			t.Errorf("%d bytes in %d frames came back, want %d in pieces", len(all), len(sent), len(big))
		}
	})
}

func logged(t *testing.T, run Runner) {
	run(t, func(t *testing.T, g *guesttest.Guest) {
		s := g.Connect(guesttest.Request{})
		s.Close(1000, "bye")
		lost := g.Connect(guesttest.Request{})
		lost.Cut()
		other := g.Connect(guesttest.Request{})
		other.Close(4999, "")
		line := func(s *guesttest.Session, text string) guesttest.Line {
			return guesttest.Line{Level: guest.LevelInfo, Session: s.ID(), Text: text}
		}
		want := []guesttest.Line{
			line(s, "open"), line(s, "closed 1000"), line(lost, "open"), line(lost, "closed 1006"),
			line(other, "open"), line(other, "closed 4999"),
		}
		if got := g.Logs(); !slices.Equal(got, want) {
			t.Errorf("Logs: got %v, want %v", got, want)
		}
	})
}

func http(t *testing.T, run Runner) {
	run(t, func(t *testing.T, g *guesttest.Guest) {
		for _, r := range []guesttest.Request{
			{}, {Method: "HEAD"}, {Method: "POST", Body: bytes.Repeat([]byte("x"), 300<<10)},
		} {
			a := g.HTTP(r)
			if a.Status != 200 || a.Body != "OK" || a.Header("content-type") != "text/plain" || !a.Done {
				t.Errorf("HTTP(%s): got %+v, want 200 text/plain OK", r.Method, a)
			}
		}
	})
}

func thousandSessions(t *testing.T, run Runner) {
	run(t, func(t *testing.T, g *guesttest.Guest) {
		g.Start(map[string]string{"greeting": ""})
		sessions := make([]*guesttest.Session, 1000)
		g.Batch(func() {
			for i := range sessions {
				sessions[i] = g.Connect(guesttest.Request{})
			}
		})
		for round := range 3 {
			g.Batch(func() {
				for i, s := range sessions {
					s.RecvText(fmt.Sprint(round, i))
				}
			})
			for i, s := range sessions {
				checkSent(t, s, []guesttest.Frame{frame(guest.Text, fmt.Sprint(round, i))})
			}
		}
		g.Batch(func() {
			for _, s := range sessions {
				s.Close(1000, "")
			}
		})
		for _, s := range sessions {
			if s.State() != guesttest.Over {
				t.Fatalf("session is %v, want over", s.State())
			}
		}
		g.Stop()
	})
}

// What the host refuses harms nobody: the plugin goes on.
func refused(t *testing.T, run Runner) {
	run(t, func(t *testing.T, g *guesttest.Guest) {
		g.Start(map[string]string{"greeting": ""})
		s, other := g.Connect(guesttest.Request{}), g.Connect(guesttest.Request{})
		g.Batch(func() { s.RecvText("last"); s.Cut(); other.RecvText("on") })
		if r := g.Refusals(); len(r) != 1 || r[0].Status != guest.StatusUnknownSession || r[0].ID != s.ID() {
			t.Errorf("Refusals: got %v, want the echo to the session that was cut", r)
		}
		checkSent(t, other, []guesttest.Frame{frame(guest.Text, "on")})
		other.RecvText("and on")
		checkSent(t, other, []guesttest.Frame{frame(guest.Text, "and on")})
	})
}
