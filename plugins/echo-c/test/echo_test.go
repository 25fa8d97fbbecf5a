// Package test judges the echo in C by what the one in Go is judged by: it does the
// same, so the same test could be run on both. It lies in a folder of its own
// because Go packages must not hold C files.
package test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/guesttest"
	host "github.com/yimmo-host/yimmo-host/host/guest"
)

// code is the plugin, built with its makefile and compiled to machine code once.
var code = sync.OnceValues(func() (*host.Code, error) {
	wasm, err := build()
	if err != nil {
		return nil, err
	}
	engine, err := host.NewEngine(host.CacheOff, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	return engine.Compile(context.Background(), "echo-c", wasm)
})

func build() ([]byte, error) {
	dir, err := os.MkdirTemp("", "echo-c-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "echo.wasm")
	out, err := exec.Command("make", "-s", "-C", "..", "OUT="+file).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("make: %w\n%s\nthis needs clang and wasm-ld; on Debian: apt-get install clang lld make", err, out)
	}
	return os.ReadFile(file)
}

// machine is an instance as [guesttest.Guest] wants it.
type machine struct {
	*host.Instance
	t testing.TB
}

func (m *machine) Features() guest.Feature { return guest.Feature(m.Instance.Features()) }

func (m *machine) Turn(first, n int, h guesttest.Header) (commands, consumed int, more bool, err error) {
	return m.Instance.Turn(first, n, host.Header(h))
}

func (m *machine) Close() {
	if err := m.Instance.Close(); err != nil {
		m.t.Errorf("close: %v", err)
	}
}

// run runs the test with an instance of the usual size and with one of the smallest.
func run(t *testing.T, test func(t *testing.T, g *guesttest.Guest)) {
	t.Helper()
	for _, o := range []host.Options{{}, {Rings: abi.MinRing, Area: abi.MinArea}} {
		t.Run(fmt.Sprintf("rings %d", o.Rings), func(t *testing.T) {
			c, err := code()
			if err != nil {
				t.Fatal(err)
			}
			o.Offered = abi.Feature(guesttest.Offered)
			o.TurnTime, o.StartTime = time.Minute, time.Minute
			i, err := c.Start(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			test(t, guesttest.New(t, &machine{i, t}))
		})
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

func TestGreeting(t *testing.T) {
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
func TestResumed(t *testing.T) {
	run(t, func(t *testing.T, g *guesttest.Guest) {
		s := g.Resume(guesttest.Request{}, 0)
		s.RecvText("still here")
		checkSent(t, s, []guesttest.Frame{frame(guest.Text, "still here")})
	})
}

// Every frame comes back with the flags and bytes it came with.
func TestEcho(t *testing.T) {
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
func TestLarge(t *testing.T) {
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

func TestLog(t *testing.T) {
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

func TestHTTP(t *testing.T) {
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

func TestThousandSessions(t *testing.T) {
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
		g.Stop()
	})
}

// What the host refuses harms nobody: the plugin goes on.
func TestRefusedEcho(t *testing.T) {
	run(t, func(t *testing.T, g *guesttest.Guest) {
		g.Start(map[string]string{"greeting": ""})
		s, other := g.Connect(guesttest.Request{}), g.Connect(guesttest.Request{})
		g.Batch(func() { s.RecvText("last"); s.Cut(); other.RecvText("on") })
		if r := g.Refusals(); len(r) != 1 || r[0].Status != guest.StatusUnknownSession || r[0].ID != s.ID() {
			t.Errorf("Refusals: got %v, want the echo to the session that was cut", r)
		}
		checkSent(t, other, []guesttest.Frame{frame(guest.Text, "on")})
	})
}
