package host_test

import (
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// failing is a plugin whose sessions end when it fails.
func failing(p host.Plugin) host.Plugin {
	p.Recovery = host.RecoveryFail
	return p
}

// An instance that fails takes its sessions with it, with 1011, and nothing else:
// another plugin does not notice, and a fresh instance serves whoever comes next.
func TestGuestFails(t *testing.T) { eachWaits(t, testGuestFails) }

func testGuestFails(t *testing.T, on transport) {
	for _, name := range []string{"trap_in_recv", "loop_in_recv"} {
		t.Run(name, func(t *testing.T) {
			s := on.serve(t, host.Limits{Turn: 300 * time.Millisecond}, failing(wat(t, name)), echo(t, ""))
			other := s.open(t, "/echo")
			var bad []*peer
			for range 10 {
				bad = append(bad, s.open(t, "/"+name))
			}
			for _, p := range bad {
				p.text("good")
				p.wantText("good")
			}
			bad[3].text("bad!")
			other.text("still here") // while the guest fails
			other.wantText("still here")
			for _, p := range bad {
				p.wantClose(1011)
				p.wantEOF()
			}
			s.log.wait(t, "plugin runs again")
			p := s.open(t, "/"+name)
			p.text("good again")
			p.wantText("good again")
			p.leave()
			other.alive()
			other.leave()
		})
	}
}

// What a guest said in the turn that failed never happens.
func TestFailedTurnSaysNothing(t *testing.T) { eachTransport(t, testFailedTurnSaysNothing) }

func testFailedTurnSaysNothing(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{}, failing(wat(t, "trap_in_recv")))
	p := s.open(t, "/trap_in_recv")
	both := rawws.AppendFrame(nil, rawws.Frame{Flags: 0x81, Payload: "unheard"})
	p.write(rawws.AppendFrame(both, rawws.Frame{Flags: 0x81, Payload: "bad!"}))
	f := p.frame()
	if f.Payload == "unheard" { // the two came in two turns
		f = p.frame()
	}
	if code, _ := closeCode(f); code != 1011 {
		t.Errorf("got %v, want close 1011", f)
	}
	p.wantEOF()
}

// A guest that fails again and again comes back each time, after a pause.
func TestGuestFailsAgain(t *testing.T) {
	waits(t)
	s := auto.serve(t, host.Limits{}, failing(wat(t, "trap_in_recv")))
	for i := range 4 {
		p := s.dial(t)
		for late := time.Now().Add(patience); ; p = s.dial(t) {
			p.write(rawws.Handshake(s.addr, "/trap_in_recv"))
			a := p.answer("GET")
			if a.Status == 101 {
				break
			}
			if a.Status != 503 || a.Header.Get("Retry-After") == "" || time.Now().After(late) {
				t.Fatalf("after trap %d: got %s, want 503 with Retry-After, then 101", i, a.Line)
			}
			p.Close()
		}
		p.text("bad!")
		p.wantClose(1011)
		p.wantEOF()
	}
}

// Traps elsewhere than in recv.
func TestTrapIn(t *testing.T) { eachTransport(t, testTrapIn) }

func testTrapIn(t *testing.T, on transport) {
	t.Run("connect", func(t *testing.T) {
		s := on.serve(t, host.Limits{}, failing(wat(t, "trap_in_connect")), echo(t, ""))
		p := s.dial(t)
		p.write(rawws.Handshake(s.addr, "/trap_in_connect"))
		if a := p.answer("GET"); a.Status != 503 {
			t.Errorf("got %s, want 503", a.Line)
		}
		s.open(t, "/echo").leave()
	})
	t.Run("close", func(t *testing.T) {
		s := on.serve(t, host.Limits{}, failing(wat(t, "trap_in_close")))
		first, second := s.open(t, "/trap_in_close"), s.open(t, "/trap_in_close")
		first.leave() // its closing handshake is the host's affair
		second.wantClose(1011)
		second.wantEOF()
		s.log.wait(t, "plugin runs again")
		s.open(t, "/trap_in_close").alive()
	})
	t.Run("close, many at once", func(t *testing.T) {
		s := on.serve(t, host.Limits{}, failing(wat(t, "trap_in_close")))
		var peers []*peer
		for range 20 {
			peers = append(peers, s.open(t, "/trap_in_close"))
		}
		for _, p := range peers {
			p.Reset()
		}
		s.log.wait(t, "plugin trapped")
	})
	t.Run("http", func(t *testing.T) {
		s := on.serve(t, host.Limits{}, failing(wat(t, "trap_in_http")))
		session := s.open(t, "/trap_in_http")
		p := s.dial(t)
		p.write([]byte("GET /trap_in_http HTTP/1.1\r\nHost: h\r\n\r\n"))
		if a := p.answer("GET"); a.Status != 500 {
			t.Errorf("got %s, want 500", a.Line)
		}
		session.wantClose(1011)
		session.wantEOF()
	})
}

// The operator learns which plugin failed, how, and what it cost.
func TestTrapIsLogged(t *testing.T) {
	s := auto.serve(t, host.Limits{}, failing(wat(t, "trap_in_recv")))
	s.open(t, "/trap_in_recv").alive()
	s.open(t, "/trap_in_recv").text("bad!")
	s.log.wait(t, "plugin runs again")
	for line := range strings.Lines(s.log.String()) {
		if strings.Contains(line, "plugin trapped") {
			for _, want := range []string{"level=ERROR", "plugin=trap_in_recv", "version=", "sessions=2", "unreachable"} {
				if !strings.Contains(line, want) {
					t.Errorf("log: got %q, want %s in it", line, want)
				}
			}
			return
		}
	}
	t.Error("log: no line about the trap")
}
