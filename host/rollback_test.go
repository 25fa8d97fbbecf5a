package host_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// sins is the guest that counts and, told to, fails in that way.
func sins(t testing.TB, recovery string) host.Plugin {
	p := wat(t, "sins")
	p.Recovery = recovery
	return p
}

// counted asks the guests "counts" and "sins" what they have counted.
func (s *server) counted(t *testing.T, route string) string {
	t.Helper()
	p := s.dial(t)
	defer p.Close()
	p.write([]byte("GET " + route + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"))
	return strings.TrimSpace(p.answer("GET").Body)
}

func wantCounted(t *testing.T, s *server, connects, recvs, closes int) {
	t.Helper()
	want, got := fmt.Sprintf("connects %08d recvs %08d closes %08d", connects, recvs, closes), ""
	late := time.Now().Add(patience)
	for got != want { // the end of a connection may still be on its way
		if time.Now().After(late) {
			t.Fatalf("the guest has counted %s, want %s", got, want)
		}
		got = s.counted(t, "/sins")
	}
}

// Whatever a plugin fails at, only the session whose message it was ends. The
// others go on, and the plugin's memory is as if it had never had the message.
func TestRollback(t *testing.T) { eachWaits(t, testRollback) }

func testRollback(t *testing.T, on transport) {
	for _, tt := range []struct{ name, say, kind string }{
		{"trap", "!t", "trap"},
		{"loop", "!l", "deadline"},
		{"overflow", "!o", "overflow"},
		{"grow", "!g", "trap"},
		{"fill", "!f", "trap"},
		{"too many commands", "!m", "mistake"},
		{"control block", "!c", "mistake"},
		{"trap when asked for more", "!+t", "trap"},
		{"loop when asked for more", "!+l", "deadline"},
		{"too many commands when asked for more", "!+m", "mistake"},
		{"more without end", "!e", "mistake"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			limits := host.Limits{}
			if tt.kind == "deadline" || tt.say == "!e" { // else a slow machine has time for it
				limits.Turn = 500 * time.Millisecond
			}
			s := on.serve(t, limits, sins(t, ""))
			var good []*peer
			for range 20 {
				p := s.open(t, "/sins")
				p.text("hello")
				p.wantText("hello")
				good = append(good, p)
			}
			for range 2 {
				bad := s.open(t, "/sins")
				bad.text("fine")
				bad.wantText("fine")
				for i, p := range good { // in turns with what fails, before it and behind it
					if i == 10 {
						bad.text(tt.say)
					}
					p.text("still here")
				}
				for _, p := range good {
					p.wantText("still here")
				}
				bad.wantClose(1011)
				bad.close(1011)
				bad.wantEOF()
			}
			s.log.wait(t, "kind="+tt.kind)
			wantCounted(t, s, 22, 20+2+40, 2)
			for _, p := range good {
				p.leave()
			}
		})
	}
}

// A message in the middle of what a peer sends in one go: what came before it is
// answered, what comes behind it never happens.
func TestRollbackInTheMiddle(t *testing.T) { eachTransport(t, testRollbackInTheMiddle) }

func testRollbackInTheMiddle(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{}, sins(t, ""))
	other := s.open(t, "/sins")
	bad := s.open(t, "/sins")
	var all []byte
	for n := range 64 {
		say := fmt.Sprint("message ", n)
		if n == 40 || n == 50 {
			say = "!t"
		}
		all = rawws.AppendFrame(all, rawws.Frame{Flags: 0x81, Payload: say})
	}
	bad.write(all)
	for n := range 40 {
		bad.wantText(fmt.Sprint("message ", n))
	}
	bad.wantClose(1011)
	bad.close(1011)
	bad.wantEOF()
	other.alive()
	wantCounted(t, s, 2, 40, 1)
}

// A message that the plugin has long taken in when it fails: at what it had yet to
// say of it. What it said before has happened once, and the plugin has forgotten it.
func TestRollbackOfTheRest(t *testing.T) { eachTransport(t, testRollbackOfTheRest) }

func testRollbackOfTheRest(t *testing.T, on transport) {
	for _, messages := range [][]string{
		{"!*t"},
		{"one", "two", "!*t"},
		{"one", "two", "!*t", "three"},
	} {
		t.Run(strings.Join(messages, " "), func(t *testing.T) {
			s := on.serve(t, host.Limits{}, sins(t, ""))
			other := s.open(t, "/sins")
			other.alive()
			for range 2 {
				bad := s.open(t, "/sins")
				var all []byte
				for _, say := range messages {
					all = rawws.AppendFrame(all, rawws.Frame{Flags: 0x81, Payload: say})
				}
				bad.write(all)
				for _, say := range messages {
					if say[0] == '!' {
						break
					}
					bad.wantText(say)
				}
				for n := range 3072 {
					if f := bad.frame(); f.Flags != 0x82 || f.Payload != "" {
						t.Fatalf("frame %d: got %+v, want an empty one", n, f)
					}
				}
				bad.wantClose(1011)
				bad.close(1011)
				bad.wantEOF()
				other.alive()
			}
			wantCounted(t, s, 3, 2*min(2, len(messages)-1), 2)
			other.leave()
		})
	}
}

// What cannot be blamed on a session costs nobody's.
func TestRollbackElsewhere(t *testing.T) { eachTransport(t, testRollbackElsewhere) }

func testRollbackElsewhere(t *testing.T, on transport) {
	t.Run("connect", func(t *testing.T) {
		s := on.serve(t, host.Limits{}, wat(t, "trap_in_connect"))
		for range 3 {
			p := s.dial(t)
			p.write(rawws.Handshake(s.addr, "/trap_in_connect"))
			if a := p.answer("GET"); a.Status != 500 {
				t.Errorf("got %s, want 500", a.Line)
			}
		}
	})
	t.Run("close", func(t *testing.T) {
		s := on.serve(t, host.Limits{}, wat(t, "trap_in_close"))
		other := s.open(t, "/trap_in_close")
		for range 3 {
			s.open(t, "/trap_in_close").leave()
		}
		other.alive()
		other.leave()
	})
	t.Run("http", func(t *testing.T) {
		s := on.serve(t, host.Limits{}, wat(t, "trap_in_http"))
		session := s.open(t, "/trap_in_http")
		for range 3 {
			p := s.dial(t)
			p.write([]byte("GET /trap_in_http HTTP/1.1\r\nHost: h\r\n\r\n"))
			if a := p.answer("GET"); a.Status != 500 {
				t.Errorf("got %s, want 500", a.Line)
			}
		}
		session.alive()
		session.leave()
	})
}

// With the policy "restart" a fresh instance takes over; it counts from zero, and
// every session that lives is announced to it.
func TestRestart(t *testing.T) { eachTransport(t, testRestart) }

func testRestart(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{}, sins(t, host.RecoveryRestart))
	var good []*peer
	for range 300 { // more than a table of sessions has
		p := s.open(t, "/sins")
		p.alive()
		good = append(good, p)
	}
	for range 3 {
		bad := s.open(t, "/sins")
		bad.text("!t")
		bad.wantClose(1011)
		bad.wantEOF()
		for _, p := range good {
			p.alive()
		}
		wantCounted(t, s, 300, 0, 0)
	}
	for _, p := range good {
		p.leave()
	}
}

// A plugin that fails again and again is paused: its sessions hear that they may
// try again. After a while it stays down, until an operator resets it.
func TestRestartTooOften(t *testing.T) { eachTransport(t, testRestartTooOften) }

func testRestartTooOften(t *testing.T, on transport) {
	s := on.serveAdmin(t, unchanged, sins(t, host.RecoveryRestart))
	code := uint16(0)
	for n := 0; code != 1013; n++ {
		if n > 10 {
			t.Fatal("ten restarts in a row, and no pause")
		}
		p, bad := s.open(t, "/sins"), s.open(t, "/sins")
		p.alive()
		bad.text("!t")
		if f := bad.frame(); true {
			code, _ = closeCode(f)
		}
		if code == 1013 {
			p.wantClose(1013)
			p.wantEOF()
		} else {
			p.alive()
			p.leave()
		}
	}
	if status, _ := ask(t, s.AdminAddr(), "POST", "/plugins/nobody/reset"); status != 404 {
		t.Errorf("reset of nobody: got %d, want 404", status)
	}
	if status, _ := ask(t, s.AdminAddr(), "POST", "/plugins/sins/reset"); status != 202 {
		t.Errorf("reset: got %d, want 202", status)
	}
	s.log.wait(t, "plugin runs again")
	s.open(t, "/sins").alive()
}
