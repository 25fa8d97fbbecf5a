package host_test

import (
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// quotas is the guest "sins", whose memory is a leak at worst, with a quota.
func quotas(t testing.TB, q host.Quota) host.Plugin {
	p := sins(t, "")
	p.Quota = q
	return p
}

// Each quota is enforced or, if that is wanted, observed; either is counted.
func TestQuota(t *testing.T) { eachTransport(t, testQuota) }

func testQuota(t *testing.T, on transport) {
	tests := []struct {
		name  string
		quota host.Quota
		play  func(t *testing.T, s *server, enforced bool)
	}{
		{"sessions", host.Quota{Sessions: 2}, func(t *testing.T, s *server, enforced bool) {
			s.open(t, "/sins").alive()
			s.open(t, "/sins").alive()
			p := s.dial(t)
			p.write(rawws.Handshake(s.addr, "/sins"))
			want := 101
			if enforced {
				want = 503
			}
			a := p.answer("GET")
			if a.Status != want || enforced && !strings.Contains(a.Body, "too many sessions of this plugin") {
				t.Errorf("third session: got %s %q, want %d", a.Line, a.Body, want)
			}
			s.open(t, "/echo").leave()
		}},
		{"commands", host.Quota{Commands: 3}, func(t *testing.T, s *server, enforced bool) {
			p := s.open(t, "/sins")
			p.text("!8") // eight frames without payload
			want := 8
			if enforced {
				want = 3
			}
			for range want {
				if f := p.frame(); f.Flags != 0x82 || f.Payload != "" {
					t.Fatalf("got %v, want an empty binary frame", f)
				}
			}
			p.text("next") // and no frame before it
			p.wantText("next")
		}},
		{"bytes", host.Quota{Bytes: 100}, func(t *testing.T, s *server, enforced bool) {
			p := s.open(t, "/sins")
			p.text(strings.Repeat("x", 100))
			p.wantText(strings.Repeat("x", 100))
			p.text(strings.Repeat("y", 101))
			if !enforced {
				p.wantText(strings.Repeat("y", 101))
			}
			s.log.wait(t, "quota=bytes") // two events of a turn may send twice as much
			p.text("next")
			p.wantText("next")
		}},
		{"log_lines", host.Quota{LogLines: 3}, func(t *testing.T, s *server, enforced bool) {
			p := s.open(t, "/sins")
			p.text("!9") // eight lines
			p.text("next")
			p.wantText("next")
			want := 8
			if enforced {
				want = 6
			}
			if got := strings.Count(s.log.String(), "connects 000000"); got != want {
				t.Errorf("logged %d lines, want %d", got, want)
			}
		}},
	}
	for _, tt := range tests {
		for _, mode := range []string{host.QuotaEnforce, host.QuotaObserve} {
			t.Run(tt.name+", "+mode, func(t *testing.T) {
				tt.quota.Mode = mode
				s := on.serveAdmin(t, unchanged, quotas(t, tt.quota), echo(t, ""))
				tt.play(t, s, mode == host.QuotaEnforce)
				s.log.wait(t, "quota="+tt.name)
				_, metrics := ask(t, s.AdminAddr(), "GET", "/metrics")
				if strings.Contains(metrics, `yimmo_plugin_quota_exceeded_total{plugin="sins",quota="`+tt.name+`"} 0`) {
					t.Error("nothing is counted")
				}
			})
		}
	}
}

// The quota of sessions is the plugin's, on whichever lanes they are.
func TestQuotaSessionsOfLanes(t *testing.T) {
	plugin := quotas(t, host.Quota{Sessions: 3})
	plugin.Lanes = 2
	s := auto.serve(t, host.Limits{}, plugin)
	full := func() {
		t.Helper()
		for range 4 {
			p := s.dial(t)
			p.write(rawws.Handshake(s.addr, "/sins"))
			if a := p.answer("GET"); a.Status != 503 {
				t.Errorf("fourth session: got %s, want 503", a.Line)
			}
		}
	}
	peers := []*peer{s.open(t, "/sins"), s.open(t, "/sins"), s.open(t, "/sins")}
	full()
	peers[1].leave() // the only one of its lane, or not: the place is anyone's
	s.log.wait(t, "quota=sessions")
	s.open(t, "/sins").alive()
	full()
}

// What a plugin prints is under the same quota as what it logs.
func TestQuotaPrintedLines(t *testing.T) {
	plugin := goGuest(t)
	plugin.Quota.LogLines = 3
	s := auto.serve(t, host.Limits{}, plugin)
	p := s.open(t, "/go")
	p.text("print " + strings.Repeat("printed\n", 20))
	p.wantText("done")
	s.log.wait(t, "quota=log_lines")
	if got := strings.Count(s.log.String(), "msg=printed"); got != 6 {
		t.Errorf("logged %d lines, want twice the quota", got)
	}
}

// A plugin that is above its share of the processor waits, and nobody else does.
func TestQuotaCPU(t *testing.T) { eachTransport(t, testQuotaCPU) }

func testQuotaCPU(t *testing.T, on transport) {
	s := on.serve(t, host.Limits{Turn: 200 * time.Millisecond}, quotas(t, host.Quota{CPU: 10}), echo(t, ""))
	healthy := s.open(t, "/echo")
	for range 2 { // each takes two turns of 200 ms: more than a tenth of a second's worth
		p := s.open(t, "/sins")
		p.text("!l")
		p.wantEnd(1011)
		healthy.alive()
	}
	s.log.wait(t, "quota=cpu")
	s.open(t, "/sins").alive()
}
