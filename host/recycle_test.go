package host_test

import (
	"testing"

	"github.com/yimmo-host/yimmo-host/host"
)

// An instance whose memory has passed its mark stays for as long as it has a
// session, and is a fresh one afterwards.
func TestRecycle(t *testing.T) { eachTransport(t, testRecycle) }

func testRecycle(t *testing.T, on transport) {
	grows := wat(t, "grows")
	grows.RecycleAbove = 1 << 20
	s := on.serveAdmin(t, func(c *host.Config) { c.Limits.Turn = patience }, grows)
	memory := func() float64 { return s.samples(t)[`yimmo_plugin_memory_bytes{plugin="grows"}`] }
	least := memory()
	for round := range 2 {
		p, other := s.open(t, "/grows"), s.open(t, "/grows")
		for range 3 {
			p.text("more")
			p.wantText("more")
		}
		s.log.waitTimes(t, "passed recycle_above", round+1)
		p.leave()
		other.text("still the same")
		other.wantText("still the same")
		if got := memory(); got < 3<<20 {
			t.Errorf("round %d: %v bytes while there is a session, want 3 MiB at least", round, got)
		}
		other.leave()
		s.log.waitTimes(t, "plugin recycled", round+1)
		s.wantSamples(t, map[string]float64{
			`yimmo_plugin_recycled_total{plugin="grows"}`: float64(round + 1),
			`yimmo_plugin_memory_bytes{plugin="grows"}`:   least,
		})
	}
}

// A mark below what an instance begins with is said to be one, once.
func TestRecycleMarkTooSmall(t *testing.T) {
	grows := wat(t, "grows")
	grows.RecycleAbove = 64 << 10
	s := auto.serveAdmin(t, unchanged, grows)
	for range 3 {
		p := s.open(t, "/grows")
		p.text("x")
		p.wantText("x")
		p.leave()
	}
	s.log.wait(t, "not recycled any more")
	if got := s.samples(t)[`yimmo_plugin_recycled_total{plugin="grows"}`]; got != 1 {
		t.Errorf("recycled %v times, want once", got)
	}
}
