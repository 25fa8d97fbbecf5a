package main

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/guesttest"
	"github.com/yimmo-host/yimmo-host/plugins/plugintest"
)

func newEcho() guest.Handler { return &echo{} }

func frame(flags guest.Flags, data string) guesttest.Frame {
	return guesttest.Frame{Flags: flags, Data: data}
}

func TestGreeting(t *testing.T) {
	tests := []struct {
		name   string
		config map[string]string
		want   []guesttest.Frame
	}{
		{"default", nil, []guesttest.Frame{frame(guest.Text, "Hello!")}},
		{"configured", map[string]string{"greeting": "Grüezi"}, []guesttest.Frame{frame(guest.Text, "Grüezi")}},
		{"none", map[string]string{"greeting": ""}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			plugintest.Run(t, newEcho, func(t *testing.T, g *guesttest.Guest) {
				g.Start(tt.config)
				s := g.Connect(guesttest.Request{Path: "/echo"})
				if sent := s.Sent(); !slices.Equal(sent, tt.want) {
					t.Errorf("Connect: sent %v, want %v", sent, tt.want)
				}
				if a := s.Answer(); a.Status != 101 || s.State() != guesttest.Open {
					t.Errorf("Connect: answered %d, session is %v, want 101, open", a.Status, s.State())
				}
			})
		})
	}
}

// A session that another instance greeted is not greeted again.
func TestResumed(t *testing.T) {
	plugintest.Run(t, newEcho, func(t *testing.T, g *guesttest.Guest) {
		s := g.Resume(guesttest.Request{}, 0)
		s.RecvText("still here")
		if sent, want := s.Sent(), frame(guest.Text, "still here"); len(sent) != 1 || sent[0] != want {
			t.Errorf("sent %v, want %v alone", sent, want)
		}
	})
}

// Every frame comes back with the flags and bytes it came with.
func TestEcho(t *testing.T) {
	big := string(bytes.Repeat([]byte("0123456789abcdef"), 40<<10)) // 640 KiB, more than the receive area
	tests := []struct {
		name   string
		frames []guesttest.Frame
		want   []guesttest.Frame // nil: the same
	}{
		{"text", []guesttest.Frame{frame(guest.Text, "hello")}, nil},
		{"text beyond ASCII", []guesttest.Frame{frame(guest.Text, "hällo ✓ 🙂")}, nil},
		{"binary", []guesttest.Frame{frame(guest.Binary, "\x00\xff\xfe")}, nil},
		{"empty text", []guesttest.Frame{frame(guest.Text, "")}, nil},
		{"empty binary", []guesttest.Frame{frame(guest.Binary, "")}, nil},
		{"fragments", []guesttest.Frame{
			frame(guest.OpText, "fra"), frame(guest.OpContinuation, "gm"), frame(guest.FIN, "ents"),
		}, nil},
		{"fragments split within a character", []guesttest.Frame{
			frame(guest.OpText, "\xe2"), frame(guest.OpContinuation, "\x9c"), frame(guest.FIN, "\x93"),
		}, nil},
		{"empty fragments", []guesttest.Frame{
			frame(guest.OpBinary, ""), frame(guest.OpContinuation, ""), frame(guest.FIN, ""),
		}, nil},
		{"many", slices.Repeat([]guesttest.Frame{frame(guest.Text, "a"), frame(guest.Binary, "")}, 20), nil},
		{"larger than the receive area", []guesttest.Frame{frame(guest.Binary, big)}, []guesttest.Frame{
			frame(guest.OpBinary, big[:256<<10]), frame(0, big[:256<<10]), frame(guest.FIN, big[:128<<10]),
		}},
	}
	for _, tt := range tests {
		if tt.want == nil {
			tt.want = tt.frames
		}
		t.Run(tt.name, func(t *testing.T) {
			plugintest.Run(t, newEcho, func(t *testing.T, g *guesttest.Guest) {
				g.Start(map[string]string{"greeting": ""})
				s := g.Connect(guesttest.Request{})
				for _, f := range tt.frames {
					s.Recv(f.Flags, []byte(f.Data))
				}
				checkSent(t, s, tt.want)
				g.Batch(func() {
					for _, f := range tt.frames {
						s.Recv(f.Flags, []byte(f.Data))
					}
				})
				checkSent(t, s, tt.want)
				if r := g.Refusals(); r != nil {
					t.Errorf("refused: %v", r)
				}
			})
		})
	}
}

func checkSent(t *testing.T, s *guesttest.Session, want []guesttest.Frame) {
	t.Helper()
	sent := s.Sent()
	if len(sent) != len(want) {
		t.Errorf("sent %d frames, want %d", len(sent), len(want))
		return
	}
	for i := range sent {
		if sent[i] != want[i] {
			t.Errorf("frame %d: sent %.60v (%d bytes), want %.60v (%d bytes)", i, sent[i], len(sent[i].Data), want[i], len(want[i].Data))
		}
	}
}

func TestLog(t *testing.T) {
	plugintest.Run(t, newEcho, func(t *testing.T, g *guesttest.Guest) {
		s := g.Connect(guesttest.Request{})
		s.Close(1000, "bye")
		lost := g.Connect(guesttest.Request{})
		lost.Cut()
		want := []guesttest.Line{
			{Level: guest.LevelInfo, Session: s.ID(), Text: "open"},
			{Level: guest.LevelInfo, Session: s.ID(), Text: "closed 1000"},
			{Level: guest.LevelInfo, Session: lost.ID(), Text: "open"},
			{Level: guest.LevelInfo, Session: lost.ID(), Text: "closed 1006"},
		}
		if got := g.Logs(); !slices.Equal(got, want) {
			t.Errorf("Logs: got %v, want %v", got, want)
		}
	})
}

func TestHTTP(t *testing.T) {
	plugintest.Run(t, newEcho, func(t *testing.T, g *guesttest.Guest) {
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

func TestThousandSessions(t *testing.T) {
	plugintest.Run(t, newEcho, func(t *testing.T, g *guesttest.Guest) {
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
func TestRefusedEcho(t *testing.T) {
	plugintest.Run(t, newEcho, func(t *testing.T, g *guesttest.Guest) {
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

func BenchmarkEcho(b *testing.B) { plugintest.Benchmark(b, newEcho) }

// What the plugin once did it still does.
func TestTraces(t *testing.T) { plugintest.Traces(t) }
