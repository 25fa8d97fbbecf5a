package host_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// Sessions are told to go some at a time, in no order, and those whose turn has
// not come are served as before.
func TestDrainRate(t *testing.T) { eachWaits(t, testDrainRate) }

func testDrainRate(t *testing.T, on transport) {
	const sessions = 60
	s := on.serve(t, host.Limits{DrainRate: 30}, wat(t, "counts")) // two seconds' worth
	var peers []*peer
	for range sessions {
		p := s.open(t, "/counts")
		p.alive()
		peers = append(peers, p)
	}
	ends := make(chan int, sessions)
	for i, p := range peers {
		go func() {
			beat := time.NewTicker(20 * time.Millisecond)
			defer beat.Stop()
			f, err := p.exchange(rawws.Frame{Flags: 0x81, Payload: "still served?"})
			for err == nil && f.Flags == 0x81 {
				<-beat.C
				f, err = p.exchange(f)
			}
			if code, _ := closeCode(f); err != nil || code != 1001 {
				t.Errorf("got %v, %v, want close 1001", f, err)
			}
			p.Send(0x88, rawws.ClosePayload(1001, ""))
			p.Rest()
			p.Close()
			ends <- i
		}()
	}
	wait := s.shutdown(t, nil)
	first := []int{<-ends}
	if n := len(ends); n > sessions/2 {
		t.Errorf("%d of %d have gone soon after the first, want some at a time", n, sessions)
	}
	for len(first) < sessions {
		first = append(first, <-ends)
	}
	wait()
	inOrder := true
	for i := range first {
		inOrder = inOrder && first[i] == i
	}
	if inOrder {
		t.Error("they were told in the order in which they came, want none")
	}
}

// For a while after the host is no longer ready everything goes on: who sends
// clients there has time to notice.
func TestDrainDelay(t *testing.T) {
	waits(t)
	s := auto.serveAdmin(t, func(c *host.Config) { c.Limits.DrainDelay = 2 * time.Second }, wat(t, "counts"))
	old := s.open(t, "/counts")
	ended := make(chan error, 1)
	s.over = true
	go func() { ended <- s.Shutdown(context.Background()) }()
	s.until(t, func() bool {
		status, body := ask(t, s.AdminAddr(), "GET", "/readyz")
		return status == 503 && strings.Contains(body, "going away")
	})
	late := s.open(t, "/counts")
	for _, p := range []*peer{old, late} {
		p.text("served")
		p.wantText("served")
	}
	for _, p := range []*peer{old, late} {
		p.wantClose(1001)
		p.close(1001)
		p.wantEOF()
		p.Close()
	}
	if err := <-ended; err != nil {
		t.Errorf("Shutdown: got %v, want nil", err)
	}
	if err := <-s.served; err != nil {
		t.Errorf("Serve: got %v, want nil", err)
	}
}

// Whoever has had enough does not wait for that.
func TestDrainDelayCutShort(t *testing.T) {
	s := auto.serveAdmin(t, func(c *host.Config) { c.Limits.DrainDelay = time.Hour }, wat(t, "counts"))
	s.open(t, "/counts").alive()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.over = true
	if err := s.Shutdown(ctx); err != host.ErrForced {
		t.Errorf("Shutdown: got %v, want ErrForced", err)
	}
	<-s.served
}
