package host_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/yimmo-host/yimmo-host/abi"
	"github.com/yimmo-host/yimmo-host/host"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// block is a message of the floods below, the n-th.
func block(n int) string { return fmt.Sprintf("%08d%s", n, strings.Repeat(".", 64<<10-8)) }

// pours answers "pour" with that many blocks, anything else with itself, and logs
// what it is told of lost messages.
func pours(blocks int) reaction {
	return func(g *native, e abi.Event, payload string) {
		switch {
		case e.Kind == abi.EventRecv && payload == "pour":
			for n := range blocks {
				g.send(e.ID, 0x82, block(n))
			}
		case e.Kind == abi.EventRecv:
			g.send(e.ID, e.Flags, payload)
		case e.Kind == abi.EventDropped, e.Kind == abi.EventDrained:
			g.log(e.Kind.String())
		}
	}
}

// A peer that does not read loses the newest messages where the policy is to drop
// them, whole ones; the guest hears of the first, and when there is room again.
func TestSlowDrop(t *testing.T) { eachTransport(t, testSlowDrop) }

func testSlowDrop(t *testing.T, on transport) {
	const asked = 200
	plugin := inGo("pours", pours(asked))
	plugin.Slow = host.SlowDrop
	s := on.serve(t, host.Limits{Queue: 1 << 20}, plugin)
	other := s.open(t, "/pours")
	p := s.open(t, "/pours")
	p.text("pour")
	s.log.wait(t, "msg=dropped")
	other.text("served")
	other.wantText("served")
	got := 0
	for p.text("that was all"); ; got++ {
		f := p.frame()
		if f.Flags == 0x81 {
			break
		}
		if f.Flags != 0x82 || f.Payload != block(got) {
			t.Fatalf("got %v, want block %d: what is dropped is the newest", f, got)
		}
	}
	if got < 15 || got >= asked {
		t.Errorf("got %d of %d blocks, want what the queue of 1 MiB holds and not all", got, asked)
	}
	s.log.wait(t, "msg=drained")
	if n := s.total(t, "yimmo_ws_missed_messages_total"); n != int64(asked-got) {
		t.Errorf("missed: the metrics say %d, want %d", n, asked-got)
	}
	if n := strings.Count(s.log.String(), "msg=dropped"); n != 1 {
		t.Errorf("dropped: got %d events, want one", n)
	}
	p.leave()
	other.leave()
}

// Where the policy is to keep the last of each topic, a peer that did not read
// gets the newest of each when it reads again, and nothing in between.
func TestSlowLast(t *testing.T) { eachTransport(t, testSlowLast) }

func testSlowLast(t *testing.T, on transport) {
	const rounds, topics = 300, 3
	plugin := inGo("prices", func(g *native, e abi.Event, payload string) {
		switch {
		case e.Kind == abi.EventRecv && payload == "subscribe":
			for topic := range topics {
				g.do(abi.Command{Kind: abi.CommandSubscribe, ID: e.ID, Flags: abi.PolicyLast}, fmt.Sprint("topic ", topic))
			}
			g.send(e.ID, 0x81, "subscribed")
		case e.Kind == abi.EventRecv: // a round
			for topic := range topics {
				name := fmt.Sprint("topic ", topic)
				data := fmt.Sprintf("%d %s %s", topic, payload, strings.Repeat(".", 16<<10))
				c := abi.Command{Kind: abi.CommandPublish, Flags: 0x81}
				g.brigade(c, name, data)
			}
			g.send(e.ID, 0x81, "published")
		}
	})
	s := on.serve(t, host.Limits{Queue: 1 << 20}, plugin)
	slow, reads, publisher := s.open(t, "/prices"), s.open(t, "/prices"), s.open(t, "/prices")
	for _, p := range []*peer{slow, reads} {
		p.text("subscribe")
		p.wantText("subscribed")
	}
	for round := range rounds {
		publisher.text(fmt.Sprint(round))
		publisher.wantText("published")
		for topic := range topics { // who reads gets all of them
			if f := reads.frame(); !strings.HasPrefix(f.Payload, fmt.Sprintf("%d %d ", topic, round)) {
				t.Fatalf("got %.20q, want topic %d, round %d", f.Payload, topic, round)
			}
		}
	}
	var last [topics]int
	got := 0
	for last != [topics]int{rounds - 1, rounds - 1, rounds - 1} {
		var topic, round int
		f := slow.frame()
		if _, err := fmt.Sscanf(f.Payload, "%d %d ", &topic, &round); err != nil || round < last[topic] {
			t.Fatalf("got %.20q after rounds %v, want a later one", f.Payload, last)
		}
		last[topic] = round
		got++
	}
	if got >= rounds*topics {
		t.Errorf("got all %d messages, want some left out: nobody read", got)
	}
	if n := s.total(t, "yimmo_ws_missed_messages_total"); n != int64(rounds*topics-got) {
		t.Errorf("missed: the metrics say %d, want %d", n, rounds*topics-got)
	}
	for _, p := range []*peer{slow, reads, publisher} {
		p.alive()
		p.leave()
	}
}

// What is kept of topics counts as waiting: a peer cannot have much of each.
func TestSlowLastQueue(t *testing.T) { eachTransport(t, testSlowLastQueue) }

func testSlowLastQueue(t *testing.T, on transport) {
	plugin := inGo("many", func(g *native, e abi.Event, payload string) {
		if e.Kind != abi.EventRecv {
			return
		}
		for topic := range 200 {
			name := strconv.Itoa(topic)
			g.do(abi.Command{Kind: abi.CommandSubscribe, ID: e.ID, Flags: abi.PolicyLast}, name)
			g.brigade(abi.Command{Kind: abi.CommandPublish, Flags: 0x82}, name, block(topic))
		}
	})
	s := on.serve(t, host.Limits{Queue: 1 << 20}, plugin)
	p := s.open(t, "/many")
	p.text("go")
	s.log.wait(t, "session closed: its peer does not read")
	for p.frame().Flags != 0x88 {
	}
	p.Close()
	s.wantQueued(t, 0)
}

// queued is how many bytes wait for peers, as the metrics say.
func (s *server) queued(t testing.TB) int64 {
	t.Helper()
	return s.total(t, "yimmo_ws_send_queue_bytes")
}

// total is the sum of a metric over all plugins.
func (s *server) total(t testing.TB, name string) (sum int64) {
	t.Helper()
	families, err := prometheus.Gatherers{s.Metrics()}.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += int64(m.GetGauge().GetValue() + m.GetCounter().GetValue())
			}
		}
	}
	return sum
}

// wantQueued waits until that many bytes wait for peers.
func (s *server) wantQueued(t testing.TB, want int64) {
	t.Helper()
	retry := time.NewTicker(5 * time.Millisecond)
	defer retry.Stop()
	for late := time.Now().Add(patience); s.queued(t) != want; <-retry.C {
		if time.Now().After(late) {
			t.Fatalf("%d bytes wait, want %d", s.queued(t), want)
		}
	}
}

// What waits for all peers together is bounded: those who read slowly share it,
// and who reads does not notice.
func TestQueueTotal(t *testing.T) { eachTransport(t, testQueueTotal) }

func testQueueTotal(t *testing.T, on transport) {
	const total, deaf, good = 4 << 20, 60, 5
	s := on.serve(t, host.Limits{Queue: 2 << 20, QueueTotal: total, WriteTime: time.Minute}, inGo("pours", pours(16)))
	for range deaf { // a MiB each: 60 in all
		p := s.open(t, "/pours")
		p.SetReadBuffer(4 << 10)
		p.text("pour")
	}
	var all sync.WaitGroup
	for i := range good {
		p := s.open(t, "/pours")
		all.Go(func() {
			for n := range 50 {
				f := rawws.Frame{Flags: 0x81, Payload: fmt.Sprint(i, " says ", n, strings.Repeat("!", 10000))}
				if got, err := p.exchange(f); err != nil || got != f {
					t.Errorf("good peer %d: got %v, %v, want %v", i, got, err, f)
					return
				}
				if waits := s.queued(t); waits > total+deaf*64<<10 {
					t.Errorf("%d bytes wait, want at most %d and a message for each peer", waits, total)
				}
			}
		})
	}
	all.Wait()
	s.log.wait(t, "fault=queue_total")
}
