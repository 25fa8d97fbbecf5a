package host_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
	"github.com/yimmo-host/yimmo-host/internal/testguest"
)

// The zoo: bad guests, by their sin, each beside a healthy plugin with many
// sessions. Whatever the bad one does, nobody of the other one notices.
func TestZoo(t *testing.T) { eachWaits(t, testZoo) }

func testZoo(t *testing.T, on transport) {
	tests := []struct {
		sin    string
		plugin string
		say    string
		code   uint16 // with which the session ends that says so; 0 = it goes on
		log    string
	}{
		{"loop", "sins", "!l", 1011, "kind=deadline"},
		{"fib", "sins", "!i", 1011, "kind=deadline"},
		{"overflow", "sins", "!o", 1011, "kind=overflow"},
		{"grow", "sins", "!g", 1011, "kind=trap"},
		{"leak", "sins", "!k", 1011, "kind=memory"},
		{"table", "table_in_recv", "bad!", 1011, "plugin cannot be rolled back"},
		{"fill", "sins", "!f", 1011, "kind=trap"},
		{"trap in recv", "sins", "!t", 1011, "kind=trap"},
		{"corrupt rings", "sins", "!c", 1011, "kind=mistake"},
		{"more commands than there is room", "sins", "!m", 1011, "kind=mistake"},
		{"bad ranges", "sins", "!r", 0, "status=bad_range"},
		{"a million frames", "sins", "!s", 0, "quota=commands"},
		{"a million lines", "sins", "!p", 0, "lines_dropped="},
		{"panic in Go", "go", "panic over", 1011, "kind=trap"},
		{"exit in Go", "go", "exit", 1011, "kind=exit"},
	}
	for _, tt := range tests {
		t.Run(tt.sin, func(t *testing.T) {
			limits := host.Limits{Turn: 300 * time.Millisecond, Queue: 64 << 10, Memory: 32 << 20}
			var bad host.Plugin
			if tt.plugin == "go" {
				bad, limits.Turn = goGuest(t), patience
			} else {
				bad = wat(t, tt.plugin)
			}
			s := on.serve(t, limits, bad, echo(t, ""))
			var healthy, beside []*peer
			for range 100 {
				healthy = append(healthy, s.open(t, "/echo"))
			}
			for range 10 {
				beside = append(beside, s.open(t, "/"+bad.Name))
			}
			for range 2 {
				sinner := s.open(t, "/"+bad.Name)
				sinner.text(tt.say)
				for _, p := range healthy {
					p.text("well")
				}
				for _, p := range healthy {
					p.wantText("well")
				}
				if tt.code != 0 {
					sinner.wantEnd(tt.code)
				}
				for _, p := range beside {
					p.alive()
				}
			}
			s.log.wait(t, tt.log)
			for _, p := range append(healthy, beside...) {
				p.leave()
			}
		})
	}
}

// wantEnd reads until the close frame, whatever comes before it.
func (p *peer) wantEnd(code uint16) {
	p.t.Helper()
	for {
		f := p.frame()
		if f.Flags&0x0f != 8 {
			continue
		}
		if got, _ := closeCode(f); got != code {
			p.t.Errorf("peer: got close %d, want %d", got, code)
		}
		p.close(code)
		p.Close()
		return
	}
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
