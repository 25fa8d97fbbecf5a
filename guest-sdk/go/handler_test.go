package guest_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/guesttest"
)

// What an error from Connect does to the handshake.
func TestConnectError(t *testing.T) {
	broken := errors.New("database is gone")
	accept := func(s guest.Session) error { return s.Accept("") }
	tests := []struct {
		name   string
		first  func(s guest.Session) error // before the error
		err    error
		state  guesttest.State
		status int
		body   string
		code   uint16 // of the plugin's close frame
		logged string
	}{
		{"none", nil, nil, guesttest.Open, 101, "", 0, ""},
		{"plain", nil, broken, guesttest.Refused, 500, "internal error\n", 0, "database is gone"},
		{"status", nil, &guest.StatusError{Status: 403, Body: "no"}, guesttest.Refused, 403, "no", 0, ""},
		{"wrapped status", nil, fmt.Errorf("who: %w", &guest.StatusError{Status: 401}), guesttest.Refused, 401, "", 0, ""},
		{"close", nil, &guest.CloseError{Code: 4001, Reason: "no"}, guesttest.Over, 101, "", 4001, ""},
		{"plain after accept", accept, broken, guesttest.Over, 101, "", 1011, "database is gone"},
		{"status after accept", accept, &guest.StatusError{Status: 403}, guesttest.Over, 101, "", 1011, "request refused by the plugin"},
		{"plain after send", func(s guest.Session) error { return s.SendText("x") }, broken, guesttest.Over, 101, "", 1011, "database is gone"},
		{"plain after hold", guest.Session.Hold, broken, guesttest.Refused, 500, "internal error\n", 0, "database is gone"},
		{"plain after refuse", func(s guest.Session) error { return s.Refuse(404, "") }, broken, guesttest.Refused, 404, "", 0, "database is gone"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := native(t, &hooks{connect: func(s guest.Session) error {
				if tt.first != nil {
					if err := tt.first(s); err != nil {
						t.Errorf("first step: %v", err)
					}
				}
				return tt.err
			}})
			s := g.Connect(guesttest.Request{})
			if a := s.Answer(); s.State() != tt.state || a.Status != tt.status || a.Body != tt.body {
				t.Errorf("Connect: session is %v, answer %d %q, want %v, %d %q", s.State(), a.Status, a.Body, tt.state, tt.status, tt.body)
			}
			if code, _, _ := s.CloseFrame(); code != tt.code {
				t.Errorf("Connect: closed with %d, want %d", code, tt.code)
			}
			checkErrorLogged(t, g, s.ID(), tt.logged)
			checkNoRefusals(t, g)
		})
	}
}

func TestRecvError(t *testing.T) {
	tests := []struct {
		name   string
		err    error
		code   uint16
		reason string
		logged string
	}{
		{"plain", errors.New("bad move"), 1011, "", "bad move"},
		{"close", &guest.CloseError{Code: 4002, Reason: "cheater"}, 4002, "cheater", ""},
		{"close without code", &guest.CloseError{}, 0, "", ""},
		{"close without code, with a reason", &guest.CloseError{Reason: "why"}, 1011, "why", ""},
		{"close with a code of nobody's", &guest.CloseError{Code: 1006, Reason: "why"}, 1011, "why", ""},
		{"close with a long reason", &guest.CloseError{Code: 4002, Reason: "x" + strings.Repeat("é", 100)}, 4002, "x" + strings.Repeat("é", 61), ""},
		{"close with bytes that are no text", &guest.CloseError{Code: 4002, Reason: "a\xffb"}, 4002, "a\uFFFDb", ""},
		{"wrapped close", fmt.Errorf("move: %w", &guest.CloseError{Code: 1008}), 1008, "", ""},
		{"status", &guest.StatusError{Status: 403}, 1011, "", "request refused by the plugin"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			closed := 0
			g := native(t, &hooks{
				recv:  func(guest.Session, guest.Flags, []byte) error { return tt.err },
				close: func(guest.Session, uint16, string) { closed++ },
			})
			s := g.Connect(guesttest.Request{})
			s.RecvText("x")
			if code, reason, ok := s.CloseFrame(); !ok || code != tt.code || reason != tt.reason {
				t.Errorf("Recv: close frame %d %q %v, want %d %q", code, reason, ok, tt.code, tt.reason)
			}
			if closed != 1 || s.State() != guesttest.Over {
				t.Errorf("Recv: %d close events, session is %v, want 1, over", closed, s.State())
			}
			checkErrorLogged(t, g, s.ID(), tt.logged)
		})
	}
}

// The guest hears one close event, whoever closes first.
func TestClose(t *testing.T) {
	tests := []struct {
		name   string
		act    func(s *guesttest.Session)
		code   uint16
		reason string
		who    guest.Who
		clean  bool
	}{
		{"peer", func(s *guesttest.Session) { s.Close(1000, "bye") }, 1000, "bye", guest.Peer, true},
		{"peer without code", func(s *guesttest.Session) { s.Close(guest.CloseNoStatus, "") }, 1005, "", guest.Peer, true},
		{"cut", (*guesttest.Session).Cut, 1006, "", guest.Peer, false},
		{"host", func(s *guesttest.Session) { s.CloseByHost(1001, "shutdown") }, 1001, "shutdown", guest.Host, false},
		{"guest", func(s *guesttest.Session) { s.RecvText("close") }, 4000, "", guest.Guest, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var heard []string
			var ask func() // in the next Connect
			g := native(t, &hooks{
				connect: func(guest.Session) error {
					if ask != nil {
						ask()
					}
					return nil
				},
				recv: func(s guest.Session, _ guest.Flags, _ []byte) error {
					s.CloseWith(4000, "")
					if who, clean := s.Ended(); who != 0 || clean {
						t.Errorf("Ended in Recv: got %v, %v, want 0, false", who, clean)
					}
					return nil
				},
				close: func(s guest.Session, code uint16, reason string) {
					who, clean := s.Ended()
					heard = append(heard, fmt.Sprint(code, reason, who, clean))
				},
			})
			s := g.Connect(guesttest.Request{})
			tt.act(s)
			ask = func() {
				if who, clean := guest.SessionByID(s.ID()).Ended(); who != 0 || clean {
					t.Errorf("Ended after Close: got %v, %v, want 0, false", who, clean)
				}
			}
			g.Connect(guesttest.Request{})
			if want := []string{fmt.Sprint(tt.code, tt.reason, tt.who, tt.clean)}; !slices.Equal(heard, want) {
				t.Errorf("Close: heard %q, want %q", heard, want)
			}
		})
	}
}

type configured struct {
	hooks
	cfg guest.Config
	err error
	end bool
}

func (h *configured) Start(cfg guest.Config) error { h.cfg = cfg; return h.err }
func (h *configured) Stop()                        { h.end = true }

func TestStartStop(t *testing.T) {
	h := &configured{}
	g := native(t, h)
	g.Start(map[string]string{"name": "lobby", "rooms.0": "a", "size": "12", "open": "true", "idle": "1m30s"})
	g.Connect(guesttest.Request{Path: "/overwrites-the-receive-area-that-the-configuration-came-in"})
	if got := h.cfg.String("name", "x"); got != "lobby" {
		t.Errorf("String(name): got %q, want lobby", got)
	}
	if got := h.cfg.String("none", "x"); got != "x" {
		t.Errorf("String(none): got %q, want the default", got)
	}
	if got, ok := h.cfg.Lookup("rooms.0"); got != "a" || !ok {
		t.Errorf("Lookup(rooms.0): got %q, %v, want a, true", got, ok)
	}
	if got, err := h.cfg.Int("size", 3); got != 12 || err != nil {
		t.Errorf("Int(size): got %v, %v, want 12", got, err)
	}
	if got, err := h.cfg.Int("none", 3); got != 3 || err != nil {
		t.Errorf("Int(none): got %v, %v, want 3", got, err)
	}
	if got, err := h.cfg.Bool("open", false); !got || err != nil {
		t.Errorf("Bool(open): got %v, %v, want true", got, err)
	}
	if got, err := h.cfg.Duration("idle", 0); got.Seconds() != 90 || err != nil {
		t.Errorf("Duration(idle): got %v, %v, want 1m30s", got, err)
	}
	const want = `configuration: name: "lobby" is no whole number`
	if _, err := h.cfg.Int("name", 3); err == nil || err.Error() != want {
		t.Errorf("Int(name): got error %v, want %s", err, want)
	}
	var keys []string
	for k := range h.cfg.All() {
		keys = append(keys, k)
	}
	if got := strings.Join(keys, " "); got != "idle name open rooms.0 size" {
		t.Errorf("All: got keys %s", got)
	}
	if h.cfg.Plugin() != "test" || h.cfg.Lane() != 0 || h.cfg.Lanes() != 1 || h.cfg.MaxMessage() != 1<<20 ||
		h.cfg.Port() != 8081 || h.cfg.Host() != "guesttest" || len(h.cfg.Version()) != 64 {
		t.Errorf("Config: wrong facts about the host: %q", h.cfg)
	}
	if g.Stop(); !h.end {
		t.Error("Stop: not called")
	}
}

// A test can have the host say something else of itself.
func TestStartOnLane(t *testing.T) {
	h := &configured{}
	native(t, h).Start(map[string]string{":lane": "1", ":lanes": "4", "name": "lobby"})
	if h.cfg.Lane() != 1 || h.cfg.Lanes() != 4 || h.cfg.Plugin() != "test" || h.cfg.String("name", "") != "lobby" {
		t.Errorf("Config: got lane %d of %d, plugin %q", h.cfg.Lane(), h.cfg.Lanes(), h.cfg.Plugin())
	}
}

// An error from Start is the one way to stop a plugin: it never serves.
func TestStartError(t *testing.T) {
	g := native(t, &configured{err: errors.New("greeting: too long")})
	err := g.Trap(func() { g.Start(nil) })
	if !strings.Contains(err.Error(), "start: greeting: too long") {
		t.Errorf("Start: trapped with %v, want the handler's error", err)
	}
}

func TestPanicTraps(t *testing.T) {
	var calls int
	g := native(t, &hooks{recv: func(s guest.Session, _ guest.Flags, _ []byte) error {
		calls++
		s.SendText("half done")
		panic("at the disco")
	}})
	s := g.Connect(guesttest.Request{})
	err := g.Trap(func() { s.RecvText("x"); s.RecvText("y") })
	if !strings.Contains(err.Error(), "at the disco") || calls != 1 {
		t.Errorf("Trap: got %v after %d calls, want the panic after 1", err, calls)
	}
	if sent := s.Sent(); sent != nil {
		t.Errorf("Trap: the turn's command happened: %v", sent)
	}
}

type everything struct {
	hooks
	got []string
}

func (h *everything) note(format string, v ...any) { h.got = append(h.got, fmt.Sprintf(format, v...)) }

func (h *everything) HTTP(*guest.Request, *guest.Response) error { h.note("http"); return nil }
func (h *everything) Gone(request uint64)                        { h.note("gone") }
func (h *everything) Timer(id, missed uint64) error              { h.note("timer %d %d", id, missed); return nil }
func (h *everything) Refused(r guest.Refusal) {
	h.note("refused %v %v %d %d %d", r.Command, r.Status, r.ID, r.Tag, r.More)
}
func (h *everything) Drained(s guest.Session) { h.note("drained %d", s.User()) }

func (h *everything) Topic(name string, flags guest.Flags, data []byte) error {
	h.note("topic %s %x %s", name, flags, data)
	return nil
}

func (h *everything) Dropped(s guest.Session, status guest.Status, tag uint32) {
	h.note("dropped %d %v %d", s.User(), status, tag)
}

func TestFeatures(t *testing.T) {
	always := guest.FeatureHold | guest.FeatureSendMany | guest.FeatureTopics
	all := always | guest.FeatureHTTP | guest.FeatureTimers | guest.FeatureBackPressure
	if got := native(t, &hooks{}).Features(); got != always {
		t.Errorf("bare handler: got features %#x, want %#x", got, always)
	}
	if got := native(t, &everything{}).Features(); got != all {
		t.Errorf("full handler: got features %#x, want %#x", got, all)
	}
	g := native(t, &hooks{connect: func(guest.Session) error {
		if got := guest.Granted(); got != always {
			t.Errorf("Granted: got %#x, want %#x", got, always)
		}
		return nil
	}})
	g.Connect(guesttest.Request{})
}

// Every optional callback is reached, with what the event said.
func TestOptionalCallbacks(t *testing.T) {
	h := &everything{}
	h.connect = func(s guest.Session) error {
		s.SetUser(7)
		guest.Subscribe("news")
		guest.RepeatTimer(3, 10)
		return nil
	}
	h.recv = func(guest.Session, guest.Flags, []byte) error {
		guest.Tag(99)
		guest.Unsubscribe("news")
		guest.SessionByID(12345).CloseWith(1000, "")
		return nil
	}
	g := native(t, h)
	s := g.Connect(guesttest.Request{})
	g.HTTP(guesttest.Request{})
	g.Advance(35)
	g.Publish("news", guest.Binary, []byte("hot"))
	g.Publish("other", guest.Binary, []byte("cold"))
	s.Dropped(guest.StatusQueueFull, 5)
	s.Drained()
	s.RecvText("x")
	g.Publish("news", guest.Binary, []byte("late"))
	want := []string{"http", "timer 3 2", "topic news 82 hot", "dropped 7 queue_full 5", "drained 7",
		"refused close unknown_session 12345 99 0"}
	if !slices.Equal(h.got, want) {
		t.Errorf("callbacks: got %q, want %q", h.got, want)
	}
}

// A tag is for one callback's commands.
func TestTag(t *testing.T) {
	g := native(t, &hooks{recv: func(_ guest.Session, _ guest.Flags, data []byte) error {
		if string(data) == "tag" {
			guest.Tag(9)
		}
		return guest.SessionByID(5).SendText("x")
	}})
	s := g.Connect(guesttest.Request{})
	g.Batch(func() { s.RecvText("tag"); s.RecvText("none") })
	if r := g.Refusals(); len(r) != 2 || r[0].Tag != 9 || r[1].Tag != 0 {
		t.Errorf("Refusals: got %v, want tags 9 and 0", r)
	}
}

// Functions of the package say what is wrong when no turn runs.
func TestOutsideACallback(t *testing.T) {
	defer func() {
		if v := recover(); v != "guest: called outside a callback" {
			t.Errorf("Log outside a callback: got panic %v", v)
		}
	}()
	guest.Log(guest.LevelInfo, "x")
}

func checkErrorLogged(t *testing.T, g *guesttest.Guest, session uint64, want string) {
	t.Helper()
	var texts []string
	for _, l := range g.Logs() {
		if l.Level != guest.LevelError || l.Session != session {
			t.Errorf("log: got %+v, want level error and session %d", l, session)
		}
		texts = append(texts, l.Text)
	}
	if got := strings.Join(texts, "; "); got != want {
		t.Errorf("log: got %q, want %q", got, want)
	}
}

func checkNoRefusals(t *testing.T, g *guesttest.Guest) {
	t.Helper()
	for _, r := range g.Refusals() {
		t.Errorf("refused: %v: %v", r.Command, r.Status)
	}
}
