package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/yimmo-host/yimmo-host/bench/internal/client"
	"github.com/yimmo-host/yimmo-host/bench/internal/process"
	"github.com/yimmo-host/yimmo-host/internal/rawws"
)

// mayGrow is by how many bytes memory may be more at the end of the second half than
// at its beginning, as the slope has it: what waits for those who do not read comes and
// goes.
const mayGrow = 32e6

// A watch looks at the host while it is under load.
type watch struct {
	host   *process.Host
	long   time.Duration
	every  time.Duration
	before process.Usage
	use    []process.Usage // once in each interval
}

func newWatch(h *process.Host, long time.Duration) *watch {
	return &watch{host: h, long: long, every: min(time.Minute, long/20)}
}

// begin looks at what the host uses without clients.
func (w *watch) begin() (err error) {
	if _, err := w.host.Metric("yimmo_ws_closes_total", ""); err != nil { // opens what it keeps
		return err
	}
	w.before, err = w.host.Usage()
	return err
}

// until prints a line now and then, until the time is over or a client has failed.
func (w *watch) until(l *load) error {
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	began, last := time.Now(), int64(0)
	for time.Since(began) < w.long-w.every/2 && l.failed() == nil {
		<-tick.C
		u, err := w.host.Usage()
		if err != nil {
			return err
		}
		sessions, err := w.host.Metric("yimmo_ws_connections", "")
		if err != nil {
			return err
		}
		n, open, opened := l.messages.Load(), 0, int64(0)
		for plugin, count := range l.opened {
			open += sessions[plugin]
			opened += count.Load()
		}
		ms := l.trips.Take(0.5, 0.99)
		fmt.Printf("%6v: %d sessions of %d, %d messages, %.0f a second, median %s ms, p99 %s ms; %.1f MB, %.1f at most; %d goroutines, %d descriptors\n",
			time.Since(began).Round(time.Second), open, opened, n, float64(n-last)/w.every.Seconds(), ms[0], ms[1],
			float64(u.Resident)/1e6, float64(u.Most)/1e6, u.Goroutines, u.Descriptors)
		w.use, last = append(w.use, u), n
	}
	return nil
}

// judge says all that is wrong when the clients are gone.
func (w *watch) judge(l *load) error {
	return errors.Join(w.memory(), w.back(), w.closes(l), counted(l))
}

// memory judges how it grew in the second half: in the first one caches fill.
func (w *watch) memory() error {
	half := w.use[len(w.use)/2:]
	if grown := slope(half) * float64(len(half)); grown > mayGrow {
		return fmt.Errorf("memory grew by %.1f MB in the second half, want %.0f at most", grown/1e6, mayGrow/1e6)
	}
	return nil
}

// slope is by how many bytes memory grows from one measurement to the next: the median
// of what all pairs of them say, so that a few that fell on a moment with much in the
// queues do not count.
func slope(use []process.Usage) float64 {
	var all []float64
	for j, b := range use {
		for i, a := range use[:j] {
			all = append(all, float64(b.Resident-a.Resident)/float64(j-i))
		}
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// back waits until the host has no more of anything than before.
func (w *watch) back() error {
	var u process.Usage
	err := eventually(func() (ok bool, err error) {
		u, err = w.host.Usage()
		return u.Goroutines <= w.before.Goroutines && u.Descriptors <= w.before.Descriptors, err
	})
	if err != nil {
		return fmt.Errorf("%w: goroutines %d, before %d; descriptors %d, before %d", err,
			u.Goroutines, w.before.Goroutines, u.Descriptors, w.before.Descriptors)
	}
	return nil
}

// closes compares what was opened with what the host has accepted and ended.
func (w *watch) closes(l *load) error {
	var all error
	accepted, err := w.host.Metric("yimmo_ws_connections_total", `result="accepted"`)
	if err != nil {
		return err
	}
	ended, err := w.host.Metric("yimmo_ws_closes_total", "")
	if err != nil {
		return err
	}
	for plugin, opened := range l.opened {
		if n := int(opened.Load()); accepted[plugin] != n || ended[plugin] != n {
			all = errors.Join(all, fmt.Errorf("%s: %d sessions opened, %d accepted, %d ended", plugin, n, accepted[plugin], ended[plugin]))
		}
	}
	return all
}

// counted asks the plugin that fails what it has heard of: connects and closes of calls
// that were undone do not count.
func counted(l *load) error {
	conn, err := rawws.Dial(l.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.Patience = client.Patience
	if _, err := io.WriteString(conn, "GET /sins HTTP/1.1\r\nHost: soak\r\nConnection: close\r\n\r\n"); err != nil {
		return err
	}
	a, err := conn.ReadAnswer("GET")
	if err != nil {
		return err
	}
	var connects, recvs, closes int64
	fmt.Sscanf(a.Body, "connects %d recvs %d closes %d", &connects, &recvs, &closes)
	if opened := l.opened["sins"].Load(); connects != opened || closes != opened {
		return fmt.Errorf("sins has heard %s, want %d connects and closes", a.Body, opened)
	}
	return nil
}

func eventually(done func() (bool, error)) error {
	for late := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if ok, err := done(); ok || err != nil {
			return err
		}
		if time.Now().After(late) {
			return errors.New("not after 20 s")
		}
	}
}
