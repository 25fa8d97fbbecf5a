package host_test

import (
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/host"
)

// A plugin that overruns its time or its budget is named in log and metric,
// with the function it was in.
func TestOverrunIsNamed(t *testing.T) {
	for _, tt := range []struct {
		kind   string
		limits host.Limits
	}{
		{"deadline", host.Limits{Turn: 50 * time.Millisecond}},
		{"budget", host.Limits{Turn: patience, TurnUnits: 1_000_000}},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			s := auto.serveAdmin(t, func(c *host.Config) { c.Limits.Turn, c.Limits.TurnUnits = tt.limits.Turn, tt.limits.TurnUnits }, wat(t, "loop_in_recv"))
			p := s.open(t, "/loop_in_recv")
			p.text("bad!")
			p.wantEnd(1011)
			s.log.wait(t, "yimmo_v1_turn: "+tt.kind+" in function 1: ")
			name := `yimmo_plugin_overruns_total{function="function 1",kind="` + tt.kind + `",plugin="loop_in_recv"}`
			if got := s.samples(t)[name]; got < 1 {
				t.Errorf("%s: got %v, want 1 at least", name, got)
			}
		})
	}
}
