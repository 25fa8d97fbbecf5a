package host

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host/lane"
)

func newGuestMetrics(limit int) *guestMetrics {
	return &guestMetrics{limit: limit, types: map[string]uint8{}}
}

// What a plugin may make up: so many names, each of one type, in all its lanes.
func TestGuestMetricsBounds(t *testing.T) {
	m := newGuestMetrics(3)
	lanes := []*laneMetrics{m.lane(), m.lane()}
	steps := []struct {
		lane int
		kind uint8
		name string
		want abi.Status
	}{
		{0, abi.MetricCounter, "a", 0},
		{0, abi.MetricCounter, "a", 0},
		{0, abi.MetricGauge, "a", abi.StatusBadFlags},
		{1, abi.MetricGauge, "a", abi.StatusBadFlags},
		{1, abi.MetricCounter, "a", 0},
		{1, abi.MetricGauge, "b", 0},
		{0, abi.MetricHistogram, "c", 0},
		{0, abi.MetricCounter, "d", abi.StatusQuota},
		{1, abi.MetricCounter, "d", abi.StatusQuota},
		{1, abi.MetricHistogram, "c", 0},
		{0, abi.MetricGauge, "b", 0},
	}
	for i, s := range steps {
		if got := lanes[s.lane].observe(s.kind, []byte(s.name), 1); got != s.want {
			t.Errorf("step %d: observe(%d, %q): got %v, want %v", i, s.kind, s.name, got, s.want)
		}
	}
}

// A counter is added to, a gauge replaced, a histogram observes; a scrape reads
// them with plugin and lane.
func TestGuestMetricsServed(t *testing.T) {
	h := &Host{plugins: []*plugin{metricsPlugin("chat", 2), metricsPlugin("game", 1)}}
	h.gate = newGate(&h.cfg.Limits, nil, &h.refusals, &h.tally)
	h.metrics = newMetrics(h)
	h.started.Store(true)
	observe := func(p, lane int, kind uint8, name string, samples ...float64) {
		for _, v := range samples {
			if status := h.plugins[p].laneMetrics[lane].observe(kind, []byte(name), v); status != 0 {
				t.Fatalf("observe(%q, %v): got %v", name, v, status)
			}
		}
	}
	observe(0, 0, abi.MetricCounter, "messages", 1, 2.5)
	observe(0, 1, abi.MetricCounter, "messages", 4)
	observe(0, 0, abi.MetricCounter, "kicks_total", 1)
	observe(0, 0, abi.MetricGauge, "players", 7, -3)
	observe(0, 0, abi.MetricHistogram, "latency", 0.5, 0.0001, 1e9, -1, 3)
	observe(1, 0, abi.MetricHistogram, "players", 1) // another type than chat's: one of the two is left out

	w := httptest.NewRecorder()
	h.metricsHandler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	body := w.Body.String()
	if w.Code != http.StatusOK {
		t.Fatalf("/metrics: got %d %s", w.Code, body)
	}
	for _, want := range []string{
		`yimmo_guest_messages_total{lane="0",plugin="chat"} 3.5`,
		`yimmo_guest_messages_total{lane="1",plugin="chat"} 4`,
		`yimmo_guest_kicks_total{lane="0",plugin="chat"} 1`,
		`yimmo_guest_players{lane="0",plugin="chat"} -3`,
		`yimmo_guest_latency_bucket{lane="0",plugin="chat",le="0.0001"} 2`,
		`yimmo_guest_latency_bucket{lane="0",plugin="chat",le="1"} 3`,
		`yimmo_guest_latency_bucket{lane="0",plugin="chat",le="3"} 4`,
		`yimmo_guest_latency_bucket{lane="0",plugin="chat",le="+Inf"} 5`,
		`yimmo_guest_latency_count{lane="0",plugin="chat"} 5`,
		`yimmo_ws_connections{plugin="game"} 0`,
	} {
		if !strings.Contains(body, want+"\n") {
			t.Errorf("/metrics: %s is not there", want)
		}
	}
	if t.Failed() {
		t.Logf("%s", body)
	}
}

func metricsPlugin(name string, lanes int) *plugin {
	h := &Host{}
	h.cfg.Limits.Metrics = 10
	return newPlugin(h.logged(), &Plugin{Name: name, Lanes: lanes})
}

// A sample of a known metric costs no memory.
func TestObserveAllocates(t *testing.T) {
	l := newGuestMetrics(3).lane()
	for kind := uint8(abi.MetricCounter); kind <= abi.MetricHistogram; kind++ {
		name := fmt.Appendf(nil, "metric_%d", kind)
		if n := testing.AllocsPerRun(100, func() { l.observe(kind, name, math.Pi) }); n != 0 {
			t.Errorf("observe of type %d: got %v allocations, want 0", kind, n)
		}
	}
}

// Counting and publishing cost no memory either.
func TestOutcomesAllocate(t *testing.T) {
	p := metricsPlugin("p", 1)
	if n := testing.AllocsPerRun(100, func() { p.came(accepted, "") }); n != 0 {
		t.Errorf("came(accepted): got %v allocations, want 0", n)
	}
}

// Each outcome, fault and kind has a name of its own: labels must differ.
func TestLabelsDiffer(t *testing.T) {
	seen := map[string]bool{}
	unique := func(table, name string) {
		if key := table + ":" + name; name == "" || seen[key] {
			t.Errorf("%s: label %q is empty or there twice", table, name)
		} else {
			seen[key] = true
		}
	}
	for o := range outcomes {
		unique("outcome", o.String())
		if o != accepted && o.text() == "" {
			t.Errorf("outcome %v has no text", o)
		}
	}
	for f := range lane.Faults {
		unique("fault", f.String())
	}
	for i := range lane.CloseCodes {
		unique("close code", fmt.Sprint(lane.CloseCode(i)))
	}
}
