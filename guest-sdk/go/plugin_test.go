package guest_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/guesttest"
)

type clock struct {
	hooks
	timer func(id, missed uint64) error
}

func (h *clock) Timer(id, missed uint64) error { return h.timer(id, missed) }

func TestTimers(t *testing.T) {
	type fired struct{ id, missed uint64 }
	var got []fired
	h := &clock{timer: func(id, missed uint64) error {
		got = append(got, fired{id, missed})
		if id == 4 {
			guest.ClearTimer(2)
			return errors.New("timer 4 failed")
		}
		return nil
	}}
	h.connect = func(s guest.Session) error {
		guest.SetTimer(1, time.Second)
		guest.RepeatTimer(2, 2*time.Second)
		guest.SetTimer(3, time.Hour)
		guest.SetTimer(3, 3*time.Second) // replaces
		guest.SetTimer(5, -time.Second)  // at once
		return nil
	}
	h.recv = func(guest.Session, guest.Flags, []byte) error { guest.SetTimer(4, 0); return nil }
	g := native(t, h)
	s := g.Connect(guesttest.Request{})
	g.Advance(999 * time.Millisecond)
	g.Advance(time.Millisecond)
	g.Advance(4 * time.Second)
	s.RecvText("stop")
	g.Advance(0)
	g.Advance(time.Hour)
	want := []fired{{5, 0}, {1, 0}, {2, 1}, {3, 0}, {4, 0}}
	if !slices.Equal(got, want) {
		t.Errorf("timers: got %v, want %v", got, want)
	}
	checkErrorLogged(t, g, 0, "timer 4 failed")
	checkNoRefusals(t, g)
}

func TestClock(t *testing.T) {
	seeds := make(map[uint64]bool)
	var times []time.Time
	var ups []time.Duration
	g := native(t, &hooks{recv: func(guest.Session, guest.Flags, []byte) error {
		times, ups = append(times, guest.Now()), append(ups, guest.Uptime())
		seeds[guest.Seed()] = true
		return nil
	}})
	s := g.Connect(guesttest.Request{})
	s.RecvText("x")
	g.Advance(90 * time.Second)
	s.RecvText("y")
	if d := times[1].Sub(times[0]); d != 90*time.Second || ups[1]-ups[0] != 90*time.Second || times[0].Year() != 2026 {
		t.Errorf("clock: %v went by from %v, uptime %v, want 1m30s for both", d, times[0], ups[1]-ups[0])
	}
	if len(seeds) != 2 {
		t.Errorf("Seed: got %d different in 2 turns", len(seeds))
	}
}

func TestTopics(t *testing.T) {
	g := native(t, &hooks{
		connect: func(s guest.Session) error { s.Subscribe("room"); return nil },
		recv: func(s guest.Session, flags guest.Flags, data []byte) error {
			if string(data) == "leave" {
				s.Unsubscribe("room")
				return nil
			}
			if err := s.Publish("room", guest.OpText, data); err != guest.ErrFlags {
				t.Errorf("Publish of a fragment: got %v, want ErrFlags", err)
			}
			return errors.Join(s.Publish("room", flags, data), guest.Publish("room", guest.Text, nil))
		},
	})
	a, b, c := g.Connect(guesttest.Request{}), g.Connect(guesttest.Request{}), g.Connect(guesttest.Request{})
	c.RecvText("leave")
	a.RecvText("hi")
	for _, s := range []struct {
		name string
		*guesttest.Session
		want []guesttest.Frame
	}{{"publisher", a, text("")}, {"other", b, text("hi", "")}, {"gone", c, nil}} {
		if sent := s.Sent(); !slices.Equal(sent, s.want) {
			t.Errorf("%s: sent %v, want %v", s.name, sent, s.want)
		}
	}
	want := []guesttest.Message{
		{Topic: "room", Flags: guest.Text, Data: "hi", Except: a.ID()},
		{Topic: "room", Flags: guest.Text},
	}
	if got := g.Published(); !slices.Equal(got, want) {
		t.Errorf("Published: got %v, want %v", got, want)
	}
	checkNoRefusals(t, g)
}

// A subscription says what becomes of messages for a slow peer; the last word counts.
func TestSubscriptionPolicy(t *testing.T) {
	tests := []struct {
		name      string
		subscribe func(s guest.Session)
		want      guest.Policy
		subbed    bool
	}{
		{"none", func(s guest.Session) { s.Subscribe("room") }, guest.PolicyDefault, true},
		{"last", func(s guest.Session) { s.Subscribe("room", guest.PolicyLast) }, guest.PolicyLast, true},
		{"two", func(s guest.Session) { s.Subscribe("room", guest.PolicyDrop, guest.PolicyClose) }, guest.PolicyClose, true},
		{"again", func(s guest.Session) { s.Subscribe("room", guest.PolicyDrop); s.Subscribe("room") }, guest.PolicyDefault, true},
		{"ended", func(s guest.Session) { s.Subscribe("room", guest.PolicyDrop); s.Unsubscribe("room") }, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := native(t, &hooks{connect: func(s guest.Session) error { tt.subscribe(s); return nil }})
			if p, ok := g.Connect(guesttest.Request{}).Subscription("room"); p != tt.want || ok != tt.subbed {
				t.Errorf("Subscription: got %d, %v, want %d, %v", p, ok, tt.want, tt.subbed)
			}
			checkNoRefusals(t, g)
		})
	}
	g := native(t, &hooks{connect: func(s guest.Session) error { s.Subscribe("room", 4); return nil }})
	g.Connect(guesttest.Request{})
	if r := g.Refusals(); len(r) != 1 || r[0].Status != guest.StatusReserved {
		t.Errorf("Subscribe with policy 4: got %v, want reserved", r)
	}
}

func TestSendMany(t *testing.T) {
	var ids []uint64
	g := native(t, &hooks{
		connect: func(s guest.Session) error { ids = append(ids, s.ID()); return nil },
		recv: func(s guest.Session, flags guest.Flags, data []byte) error {
			return errors.Join(guest.SendMany(ids, flags, data), guest.SendMany(nil, flags, data))
		},
	})
	a, b := g.Connect(guesttest.Request{}), g.Connect(guesttest.Request{})
	ids = append(ids, 999)
	a.RecvText("all")
	for _, s := range []*guesttest.Session{a, b} {
		if sent := s.Sent(); !slices.Equal(sent, text("all")) {
			t.Errorf("sent %v, want all", sent)
		}
	}
	r := g.Refusals()
	if len(r) != 1 || r[0].ID != 999 || r[0].Status != guest.StatusUnknownSession {
		t.Errorf("Refusals: got %v, want unknown session 999", r)
	}
}

func TestLog(t *testing.T) {
	long := strings.Repeat("é", 4<<10) // 8 KiB
	g := native(t, &hooks{recv: func(s guest.Session, _ guest.Flags, _ []byte) error {
		guest.Log(guest.LevelWarn, "plain")
		s.Log(guest.LevelTrace, "")
		guest.Log(guest.LevelInfo, long+"é")
		guest.Log(guest.LevelInfo, "x"+long)
		return nil
	}})
	s := g.Connect(guesttest.Request{})
	s.RecvText("x")
	want := []guesttest.Line{
		{Level: guest.LevelWarn, Text: "plain"},
		{Level: guest.LevelTrace, Session: s.ID()},
		{Level: guest.LevelInfo, Text: long},
		{Level: guest.LevelInfo, Text: "x" + long[:len(long)-2]},
	}
	if got := g.Logs(); !slices.Equal(got, want) {
		t.Errorf("Logs: got %d lines, want %d: cut at a character's border", len(got), len(want))
	}
	checkNoRefusals(t, g)
}

func TestMetrics(t *testing.T) {
	g := native(t, &hooks{connect: func(guest.Session) error {
		guest.Count("moves", 2)
		guest.Gauge("players", -1.5)
		guest.Observe("score", 0.25)
		guest.Count("moves", -1)
		return nil
	}})
	g.Connect(guesttest.Request{})
	want := []guesttest.Sample{
		{Kind: guesttest.Counter, Name: "moves", Value: 2},
		{Kind: guesttest.Gauge, Name: "players", Value: -1.5},
		{Kind: guesttest.Histogram, Name: "score", Value: 0.25},
	}
	if got := g.Samples(); !slices.Equal(got, want) {
		t.Errorf("Samples: got %v, want %v", got, want)
	}
	if r := g.Refusals(); len(r) != 1 || r[0].Status != guest.StatusBadValue || r[0].Command.String() != "metric" {
		t.Errorf("Refusals: got %v, want the negative count", r)
	}
}

// One refused event for each refusal up to 64 a turn; the last counts the rest.
func TestRefusals(t *testing.T) {
	h := &everything{}
	h.recv = func(guest.Session, guest.Flags, []byte) error {
		for i := range 100 {
			guest.Tag(uint32(i))
			guest.SessionByID(5).SendText("x")
		}
		return nil
	}
	g := native(t, h)
	s := g.Connect(guesttest.Request{})
	s.RecvText("x")
	if len(h.got) != 64 || h.got[0] != "refused send unknown_session 5 0 0" || h.got[63] != "refused send unknown_session 5 63 36" {
		t.Errorf("Refused: got %d, first and last %q", len(h.got), []string{h.got[0], h.got[len(h.got)-1]})
	}
}
