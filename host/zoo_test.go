package host_test

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
	"github.com/yimmo-host/yimmo-host/internal/testguest"
)

// A beast is a bad guest: what makes it sin, and what comes of it.
type beast struct {
	sin    string
	plugin string
	say    string // messages, a line each, sent at once
	code   uint16 // with which the session ends that says so; 0 = it goes on while it keeps up
	log    string
}

var beasts = []beast{
	{"loop", "sins", "!l", 1011, "kind=deadline"},
	{"fib", "sins", "!i", 1011, "kind=deadline"},
	{"overflow", "sins", "!o", 1011, "kind=overflow"},
	{"grow", "sins", "!g", 1011, "kind=trap"},
	{"leak", "sins", "!k", 1011, "kind=memory"},
	{"table", "table_in_recv", "bad!", 1011, "plugin cannot be rolled back"},
	{"fill", "sins", "!f", 1011, "kind=trap"},
	{"trap in recv", "sins", "!t", 1011, "kind=trap"},
	{"trap in the third of 64", "sins", "0\n1\n!t" + strings.Repeat("\nlater", 61), 1011, "kind=trap"},
	{"corrupt rings", "sins", "!c", 1011, "kind=mistake"},
	{"more commands than there is room", "sins", "!m", 1011, "kind=mistake"},
	{"bad ranges", "sins", "!r", 0, "status=bad_range"},
	{"a million frames", "sins", "!s", 0, "quota=commands"},
	{"a million lines", "sins", "!p", 0, "lines_dropped="},
	{"panic in Go", "go", "panic over", 1011, "kind=trap"},
	{"exit in Go", "go", "exit", 1011, "kind=exit"},
}

// name is the plugin's in the host.
func (b *beast) name() string { return strings.ReplaceAll(b.sin, " ", "-") }

func (b *beast) load(t testing.TB) host.Plugin {
	t.Helper()
	p := host.Plugin{}
	if b.plugin == "go" {
		p = goGuest(t)
	} else {
		p = wat(t, b.plugin)
	}
	p.Name = b.name()
	return p
}

// The zoo: bad guests, by their sin, each beside a healthy plugin with many
// sessions. Whatever the bad one does, nobody of the other one notices; each of its
// own sessions ends once, and what it took comes back. It runs alone, since the
// process is what it looks at.
func TestZoo(t *testing.T) { eachTransport(t, testZoo) }

func testZoo(t *testing.T, on transport) {
	sessions := 1000
	if testing.Short() {
		sessions = 200
	}
	plugins := []host.Plugin{echo(t, "")}
	for _, b := range beasts {
		plugins = append(plugins, b.load(t))
	}
	s := on.serveAdmin(t, func(c *host.Config) {
		c.Limits = host.Limits{Start: patience, Turn: 500 * time.Millisecond, Queue: 64 << 10, Memory: 32 << 20}
	}, plugins...)
	var healthy []*peer
	for range sessions {
		healthy = append(healthy, s.open(t, "/echo"))
	}
	before := resident(t)
	for _, b := range beasts {
		t.Run(b.sin, func(t *testing.T) { testBeast(t, s, b, healthy) })
	}
	after := resident(t)
	t.Logf("resident: %d MiB before, %d after", before>>20, after>>20)
	if after > before+spare && !raced() {
		t.Errorf("resident: %d MiB before, %d after, want at most %d more", before>>20, after>>20, spare>>20)
	}
	for _, p := range healthy {
		p.leave()
	}
	s.wantCloses(t, "echo", sessions+len(beasts)) // watchTimes has had one beside each
}

// spare is what there may be more: sixteen instances that have done something have
// checkpoints, and there is the log. That is 12 to 24 MiB; one guest that kept the 32
// it may have would be too much.
const spare = 40 << 20

func testBeast(t *testing.T, s *server, b beast, healthy []*peer) {
	const besides, rounds = 10, 2
	goroutines, open, memory := runtime.NumGoroutine(), openFiles(t), s.memory(t, b)
	var own []*peer
	for range besides {
		own = append(own, s.open(t, "/"+b.name()))
	}
	watched := watchTimes(t, s)
	for range rounds {
		sinner := s.open(t, "/"+b.name())
		var all []byte
		for say := range strings.SplitSeq(b.say, "\n") {
			all = rawws.AppendFrame(all, rawws.Frame{Flags: 0x81, Payload: say})
		}
		sinner.write(all)
		for _, p := range healthy {
			(&peer{p.Conn, t}).text("well")
		}
		for _, p := range healthy {
			(&peer{p.Conn, t}).wantText("well")
		}
		if b.code != 0 {
			sinner.wantEnd(b.code)
		} else {
			sinner.quit()
		}
		sinner.Close()
		for _, p := range own {
			p.alive()
		}
	}
	watched()
	s.log.waitLine(t, "plugin="+b.name(), b.log)
	for _, p := range own {
		p.leave()
	}
	b.wantHeard(t, s, besides+rounds)
	s.until(t, func() bool { return runtime.NumGoroutine() <= goroutines && openFiles(t) <= open })
	if got := s.memory(t, b); got > memory {
		t.Errorf("the plugin's memory: %v bytes before, %v after", memory, got)
	}
}

// wantHeard has the guest itself say how many sessions it heard of, all of which
// have ended, if it is one that counts.
func (b *beast) wantHeard(t *testing.T, s *server, sessions int) {
	t.Helper()
	s.wantCloses(t, b.name(), sessions)
	switch b.plugin {
	case "sins":
		var connects, recvs, closes int
		counts := s.counted(t, "/"+b.name())
		fmt.Sscanf(counts, "connects %d recvs %d closes %d", &connects, &recvs, &closes)
		if connects != sessions || closes != sessions {
			t.Errorf("the guest has counted %s, want %d connects and closes", counts, sessions)
		}
	case "go":
		p := s.open(t, "/"+b.name())
		p.text("heard")
		p.wantText(fmt.Sprintf("%d connects, %d closes", sessions+1, sessions))
		p.leave()
	}
}

// wantCloses waits until that many sessions of a plugin have ended, and none is left.
func (s *server) wantCloses(t *testing.T, plugin string, want int) {
	t.Helper()
	got := map[string]float64{}
	s.until(t, func() bool {
		clear(got)
		for name, v := range s.samples(t) {
			if strings.HasPrefix(name, "yimmo_ws_closes_total{") && strings.HasSuffix(name, fmt.Sprintf("plugin=%q}", plugin)) {
				got["closes"] += v
			}
			if name == fmt.Sprintf("yimmo_ws_connections{plugin=%q}", plugin) {
				got["sessions"] = v
			}
		}
		return got["sessions"] == 0 && got["closes"] >= float64(want)
	})
	if got["closes"] != float64(want) {
		t.Errorf("%s: %v close events, want %d", plugin, got["closes"], want)
	}
}

// memory is what a beast's guest has, in bytes.
func (s *server) memory(t *testing.T, b beast) float64 {
	t.Helper()
	return s.samples(t)[fmt.Sprintf("yimmo_plugin_memory_bytes{plugin=%q}", b.name())]
}

// wantEnd reads until the close frame, whatever comes before it, and answers it.
func (p *peer) wantEnd(code uint16) {
	p.t.Helper()
	if got := p.last(); got != code {
		p.t.Errorf("peer: got close %d, want %d", got, code)
	}
	p.close(code)
	p.Close()
}

// quit ends a session whose queue may have been too small for what was sent to it.
func (p *peer) quit() {
	p.t.Helper()
	p.Send(0x88, rawws.ClosePayload(1000, "")) // too late, perhaps
	if got := p.last(); got != 1000 && got != 1008 {
		p.t.Errorf("peer: got close %d, want 1000 or 1008", got)
	}
}

// last reads until the close frame, whatever comes before it.
func (p *peer) last() (code uint16) {
	p.t.Helper()
	f := p.frame()
	for f.Flags&0x0f != 8 {
		f = p.frame()
	}
	code, _ = closeCode(f)
	return code
}

// The third of 64 events that come at once: two are answered, 61 never happen.
func TestZooThirdOf64(t *testing.T) { eachTransport(t, testZooThirdOf64) }

func testZooThirdOf64(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{}, sins(t, ""))
	other, p := s.open(t, "/sins"), s.open(t, "/sins")
	var all []byte
	for n := range 64 {
		say := fmt.Sprint(n)
		if n == 2 {
			say = "!t"
		}
		all = rawws.AppendFrame(all, rawws.Frame{Flags: 0x81, Payload: say})
	}
	p.write(all)
	p.wantText("0")
	p.wantText("1")
	p.wantEnd(1011)
	other.alive()
	wantCounted(t, s, 2, 2, 1)
}

// A plugin that does not get through its start is left out, and no other.
func TestZooStart(t *testing.T) {
	for _, name := range []string{"loop_in_start", "trap_in_start", "trap_in_init"} {
		bad := host.Plugin{Name: name, Module: readAll(t, filepath.Join("guest/testdata", name+".wasm"))}
		testZooStart(t, bad)
	}
}

func testZooStart(t *testing.T, bad host.Plugin) {
	s := auto.serveAdmin(t, func(c *host.Config) { c.Limits.Start = 300 * time.Millisecond }, bad, echo(t, ""))
	if status, _ := ask(t, s.AdminAddr(), "POST", "/plugins/"+bad.Name+"/reset"); status != 409 {
		t.Errorf("%s: reset: got %d, want 409", bad.Name, status)
	}
	p := s.dial(t)
	p.write(rawws.Handshake(s.addr, "/"+bad.Name))
	if a := p.answer("GET"); a.Status != 503 {
		t.Errorf("%s: got %s, want 503", bad.Name, a.Line)
	}
	s.open(t, "/echo").leave()
}

// goGuest is the guest of package guest's tests that obeys orders. It panics,
// exits and so on as a plugin in Go does.
func goGuest(t testing.TB) host.Plugin {
	t.Helper()
	module, err := testguest.Go("guest/testdata/goguest")
	if err != nil {
		t.Fatal(err)
	}
	return host.Plugin{Name: "go", Module: module}
}
