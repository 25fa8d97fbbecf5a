package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/guesttest"
	"github.com/yimmo-host/yimmo-host/plugins/internal/page/pagetest"
	"github.com/yimmo-host/yimmo-host/plugins/plugintest"
)

func newTicker() guest.Handler { return &ticker{} }

// epoch is when a test begins, in milliseconds since 1970.
const epoch = 1767225600000

func tick(n int, after time.Duration) string {
	return fmt.Sprintf(`{"n":%d,"time":%d}`, n, epoch+after.Milliseconds())
}

func heard(t *testing.T, who string, s *guesttest.Session, want ...string) {
	t.Helper()
	var got []string
	for _, f := range s.Sent() {
		if f.Flags != guest.Text {
			t.Errorf("%s: got %v, want text", who, f)
		}
		got = append(got, f.Data)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", who, got, want)
	}
}

func TestTicks(t *testing.T) {
	plugintest.Run(t, newTicker, func(t *testing.T, g *guesttest.Guest) {
		a := g.Connect(guesttest.Request{Path: "/ticker/"})
		heard(t, "first", a, `{"interval":1000}`)
		if p, ok := a.Subscription(topic); p != guest.PolicyLast || !ok {
			t.Errorf("Subscription: got %d, %v, want the last one kept", p, ok)
		}
		g.Advance(999 * time.Millisecond)
		heard(t, "first", a)
		g.Advance(time.Millisecond)
		b := g.Connect(guesttest.Request{})
		a.RecvText("what time is it?")
		g.Advance(time.Second)
		heard(t, "first", a, tick(1, time.Second), tick(2, 2*time.Second))
		heard(t, "second", b, `{"interval":1000}`, tick(2, 2*time.Second))
		a.Cut()
		g.Advance(3500 * time.Millisecond) // late: one tick for three intervals
		heard(t, "second", b, tick(5, 5500*time.Millisecond))
		heard(t, "first, gone", a)
		g.Advance(500 * time.Millisecond)
		heard(t, "second", b, tick(6, 6*time.Second))
		if r := g.Refusals(); r != nil {
			t.Errorf("refused: %v", r)
		}
	})
}

func TestInterval(t *testing.T) {
	tests := []struct {
		value string
		hello string // "" = does not start
		want  string // of the error
	}{
		{"250ms", `{"interval":250}`, ""},
		{"10ms", `{"interval":10}`, ""},
		{"16667us", `{"interval":16.667}`, ""},
		{"1h30m", `{"interval":5400000}`, ""},
		{"often", "", `start: configuration: interval: "often" is no duration`},
		{"9ms", "", "start: configuration: interval: 9ms: want 10ms to 24h0m0s"},
		{"-1s", "", "start: configuration: interval: -1s: want 10ms to 24h0m0s"},
		{"25h", "", "start: configuration: interval: 25h0m0s: want 10ms to 24h0m0s"},
	}
	for _, tt := range tests {
		t.Run(tt.value, func(t *testing.T) {
			plugintest.Run(t, newTicker, func(t *testing.T, g *guesttest.Guest) {
				config := map[string]string{"interval": tt.value}
				if tt.hello == "" {
					if err := g.Trap(func() { g.Start(config) }); !strings.Contains(err.Error(), tt.want) {
						t.Errorf("Start: got %v, want %s", err, tt.want)
					}
					return
				}
				g.Start(config)
				s := g.Connect(guesttest.Request{})
				every, _ := time.ParseDuration(tt.value)
				g.Advance(every)
				heard(t, "session", s, tt.hello, tick(1, every))
			})
		})
	}
}

// One lane ticks, the sessions of all of them hear it.
func TestLanes(t *testing.T) {
	plugintest.Run(t, newTicker, func(t *testing.T, g *guesttest.Guest) {
		g.Start(map[string]string{":lane": "1", ":lanes": "2"})
		s := g.Connect(guesttest.Request{})
		g.Advance(time.Minute)
		heard(t, "session", s, `{"interval":1000}`)
		g.Publish(topic, guest.Text, []byte("from lane 0"))
		heard(t, "session", s, "from lane 0")
	})
}

// A session that another instance had goes on hearing ticks, and is not greeted.
func TestResumed(t *testing.T) {
	plugintest.Run(t, newTicker, func(t *testing.T, g *guesttest.Guest) {
		s := g.Resume(guesttest.Request{}, 0)
		g.Advance(time.Second)
		heard(t, "session", s, tick(1, time.Second))
	})
}

func TestPage(t *testing.T) {
	for _, address := range []string{"/ticker/", "/"} {
		t.Run(address, func(t *testing.T) { pagetest.Check(t, newTicker, address) })
	}
	plugintest.Run(t, newTicker, func(t *testing.T, g *guesttest.Guest) {
		if a := g.HTTP(guesttest.Request{Path: "/ticker/none"}); a.Status != 404 {
			t.Errorf("/ticker/none: got %d, want 404", a.Status)
		}
	})
}
